#include "config/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace config {
namespace {

std::string one_line(std::string_view file, int line, std::string_view key, std::string_view message) {
  std::string out(file);
  if (line > 0) out += fmt::format(":{}", line);
  out += ": ";
  if (!key.empty()) out.append(key).append(": ");
  out += message;
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost one each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

ConfigError::ConfigError(std::string_view file, int line, std::string_view key, std::string_view message)
    : std::runtime_error(one_line(file, line, key, message)), line_(line), key_(key), all_{what()} {}

ConfigError::ConfigError(std::vector<ConfigError> found)
    : std::runtime_error(found.size() == 1 ? found[0].what()
                                           : fmt::format("{} (and {} more: sekisho check)", found[0].what(),
                                                         found.size() - 1)),
      line_(found[0].line_),
      key_(found[0].key_) {
  for (const ConfigError& one : found) all_.emplace_back(one.what());
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  if (name.size() > 64) return "";
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const bool begins = std::min(name.size(), candidate.size()) >= 3 &&
                        (name.starts_with(candidate) || candidate.starts_with(name));  // "warning", "virtual"
    const std::size_t d = begins ? 1 : distance(lower(name), lower(candidate));
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format(", did you mean '{}'?", best);
}

}  // namespace config
