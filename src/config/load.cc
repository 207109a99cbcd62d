#include "config/load.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/reader.h"

namespace config {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;

// FNV-1a: to tell two texts apart in a metric, not to keep anybody from making them alike.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

Config load_text(const std::string& text, const std::string& name, const Env& env) {
  if (text.size() > kMaxFile) throw ConfigError(name, 0, "", "is larger than 4MiB");
  if (text.contains('\0')) throw ConfigError(name, 0, "", "holds a NUL byte; is it a YAML file?");
  const YamlNode root = parse_yaml(text, name);
  Reader reader(name, env);
  Config config;
  config.file = name;
  config.hash = hash_of(text);
  reader.section(root, root_section(), &config);
  return config;
}

Config load_file(const std::string& path, const Env& env) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw ConfigError(path, 0, "", "is a folder, not a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw ConfigError(path, 0, "", "cannot be read: " + std::generic_category().message(errno));
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw ConfigError(path, 0, "", "cannot be read: " + std::generic_category().message(errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return load_text(text, path, env);
}

}  // namespace config
