#include "config/load.h"

#include "base/read_file.h"
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

Config load_text(const std::string& text, const std::string& name, const Env& env, YamlNode* tree) {
  if (text.size() > kMaxFile) throw ConfigError(name, 0, "", "is larger than 4MiB");
  if (text.contains('\0')) throw ConfigError(name, 0, "", "holds a NUL byte; is it a YAML file?");
  YamlNode root = parse_yaml(text, name);
  Reader reader(name, env);
  Config config;
  config.file = name;
  config.hash = hash_of(text);
  reader.whole(root, root_section(), &config);
  if (tree != nullptr) *tree = std::move(root);
  return config;
}

Config load_file(const std::string& path, const Env& env, YamlNode* tree) {
  auto text = base::read_file(path, kMaxFile);
  if (!text) throw ConfigError(path, 0, "", text.error());
  return load_text(*text, path, env, tree);
}

}  // namespace config
