#include "prove/load/load.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "config/values.h"
#include "config/yaml.h"
#include "prove/load/keys.h"
#include "prove/load/ports.h"
#include "prove/load/reading.h"

namespace prove {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;
constexpr std::string_view kPort = "PORT_";

// FNV-1a: to tell two campaigns apart, not to keep anybody from making them alike.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) step(static_cast<unsigned char>(c));
    step(0);  // so that neither of two texts can take a byte of the other
  }
  std::uint64_t value() const { return value_; }

 private:
  void step(std::uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// What ${NAME} is, and which names were asked for.
class Variables {
 public:
  Variables(const LoadOptions& options, Campaign& campaign) : options_(options), campaign_(campaign) {}

  std::optional<std::string> get(const std::string& name) {
    asked_.insert(name);
    const auto set = options_.set.find(name);
    const bool is_port = name.starts_with(kPort) && name.size() > kPort.size();
    if (set != options_.set.end()) {
      if (const auto number = config::Count::parse(set->second); is_port && number && *number <= 65'535)
        campaign_.ports[name] = static_cast<std::uint16_t>(*number);  // the processes are told of it too
      return set->second;
    }
    if (is_port) {
      auto [port, fresh] = campaign_.ports.try_emplace(name, std::uint16_t{0});
      if (fresh) port->second = ports_.next();
      return std::to_string(port->second);
    }
    if (name == "SEKISHO") return options_.binary;
    if (name == "RUN_DIR") return options_.run_dir;
    if (name == "CAMPAIGN_DIR") return campaign_.folder;
    std::optional<std::string> value = options_.env ? options_.env(name) : std::nullopt;
    if (value) from_environment_[name] = *value;
    return value;
  }

  // What the environment put into the file, and so into what is measured.
  const std::map<std::string, std::string>& from_environment() const { return from_environment_; }

  void check_all_used(const std::string& file) const {
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    for (const auto& [name, value] : options_.set) {
      if (asked_.contains(name)) continue;
      throw config::ConfigError(
          file, 0, "--set",
          fmt::format("the file has no ${{{}}}{}", name, config::did_you_mean(name, known)));
    }
  }

 private:
  const LoadOptions& options_;
  Campaign& campaign_;
  FreePorts ports_;
  std::set<std::string> asked_;
  std::map<std::string, std::string> from_environment_;
};

}  // namespace

Campaign load_campaign_text(const std::string& text, const std::string& name, const LoadOptions& options) {
  if (text.size() > kMaxFile) throw config::ConfigError(name, 0, "", "is larger than 4MiB");
  if (text.contains('\0')) throw config::ConfigError(name, 0, "", "holds a NUL byte; is it a YAML file?");
  if (!(options.time_scale > 0)) throw config::ConfigError(name, 0, "--time-scale", "must be above 0");
  const config::YamlNode root = config::parse_yaml(text, name);
  const std::filesystem::path file(name);
  Campaign campaign;
  campaign.file = name;
  campaign.folder = std::filesystem::absolute(file).parent_path().lexically_normal().string();
  campaign.time_scale = options.time_scale;
  Hash hash;
  hash.add(text);
  for (const auto& [variable, value] : options.set) hash.add(variable), hash.add(value);

  Variables variables(options, campaign);
  const config::Env env = [&variables](const std::string& variable) { return variables.get(variable); };
  Reading reading(name, env, campaign);
  reading.section(root, campaign_section(), &campaign);
  variables.check_all_used(name);
  for (const auto& [variable, value] : variables.from_environment()) hash.add(variable), hash.add(value);
  campaign.hash = hash.value();
  if (campaign.name.empty()) campaign.name = file.stem().string();
  return campaign;
}

Campaign load_campaign(const std::string& file, const LoadOptions& options) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw config::ConfigError(file, 0, "", "is a folder, not a file");
  std::ifstream in(file, std::ios::binary);
  const auto unreadable = [&file] {
    return config::ConfigError(file, 0, "", "cannot be read: " + std::generic_category().message(errno));
  };
  if (!in) throw unreadable();
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw unreadable();
  text.resize(static_cast<std::size_t>(in.gcount()));
  return load_campaign_text(text, file, options);
}

}  // namespace prove
