// A target that is accepted has no dot segment, no control and no second reading: what goes on to an origin,
// parsed again, is the same path. Query parameters that are taken out are out.
#include <string>
#include <vector>

#include "http/fuzz_require.h"
#include "http/target.h"

namespace {

using http::require;

bool has_dot_segment(const std::string& path) {
  const std::string closed = path + "/";
  return closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos;
}

std::string without_doubled_slashes(std::string path) {
  for (std::size_t at; (at = path.find("//")) != std::string::npos;) path.erase(at, 1);
  return path;
}

void check_query(std::string_view query) {
  for (const std::string_view name : {"token", "a", ""}) {
    std::string rest;
    const std::vector<std::string> names{std::string(name)};
    http::query_without(query, names, rest);
    require(http::query_has(query, names) == http::query_value(query, name).has_value(), "has and value");
    require(rest.size() <= query.size(), "a query grows");
    if (name.empty()) continue;  // an empty remainder reads as an empty name
    require(!http::query_value(rest, name), "a parameter that was taken out");
    const auto raw = http::query_value(query, name);
    const auto decoded = http::query_value_decoded(query, name);
    require(!decoded || raw, "decoded from nothing");
    if (!raw)
      require(rest.size() + 1 >= query.size() || query.find('&') != query.npos, "something else went");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  check_query(raw);

  std::vector<char> scratch(http::target_scratch(raw));
  http::Target target;
  if (!http::parse_target(raw, scratch, target)) return 0;
  const std::string path(target.path);
  if (path == "*") return 0;
  require(path.starts_with('/'), "begins with a slash");
  require(!has_dot_segment(path), "dot segments");
  for (const char c : path)
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\', "controls");
  require(target.collapsed == without_doubled_slashes(path), "collapsed");

  const std::string collapsed(target.collapsed), sent(target.sent);
  std::string onwards;
  http::append_sent_path(sent, onwards);
  std::vector<char> again_scratch(http::target_scratch(onwards));
  http::Target again;
  require(http::parse_target(onwards, again_scratch, again).has_value(), "what goes on is refused");
  require(again.path == collapsed, "what goes on is another path");
  require(again.sent == onwards, "what goes on is not in its last form");
  require(target.parameters == (path.find(';') != std::string::npos), "parameters");
  return 0;
}
