#include "prove/wire/scrape.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace prove {
namespace {

using base::Code;
using base::fail;

constexpr std::string_view kBlank = " \t";

std::string_view skip_blank(std::string_view s) {
  const std::size_t at = s.find_first_not_of(kBlank);
  return at == std::string_view::npos ? std::string_view() : s.substr(at);
}

std::string_view take_word(std::string_view& rest) {
  rest = skip_blank(rest);
  const std::size_t end = std::min(rest.find_first_of(kBlank), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool is_name_char(char c, bool colon) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (colon && c == ':');
}

std::string_view take_name(std::string_view& rest, bool colon) {
  std::size_t end = 0;
  while (end < rest.size() && is_name_char(rest[end], colon)) ++end;
  if (end > 0 && rest[0] >= '0' && rest[0] <= '9') end = 0;
  const std::string_view name = rest.substr(0, end);
  rest.remove_prefix(end);
  return name;
}

bool take(std::string_view& rest, char c) {
  if (rest.empty() || rest[0] != c) return false;
  rest.remove_prefix(1);
  return true;
}

// What stands between quotes; the opening one is gone already.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  while (!rest.empty()) {
    char c = rest[0];
    rest.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (rest.empty()) return std::nullopt;
      c = rest[0] == 'n' ? '\n' : rest[0];
      if (c != '\n' && c != '\\' && c != '"') value += '\\';  // as Prometheus itself reads unknown escapes
      rest.remove_prefix(1);
    }
    value += c;
  }
  return std::nullopt;
}

bool take_labels(std::string_view& rest, std::map<std::string, std::string>& labels) {
  for (;;) {
    rest = skip_blank(rest);
    if (take(rest, '}')) return true;  // also after a last comma, which the format allows
    const std::string_view name = take_name(rest, false);
    rest = skip_blank(rest);
    if (name.empty() || !take(rest, '=')) return false;
    rest = skip_blank(rest);
    if (!take(rest, '"')) return false;
    std::optional<std::string> value = take_quoted(rest);
    if (!value || !labels.emplace(name, std::move(*value)).second) return false;
    rest = skip_blank(rest);
    if (!take(rest, ',') && !rest.starts_with('}')) return false;
  }
}

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return HUGE_VAL;
  return value;
}

// The family that the last # TYPE line began; the samples of a family stand together.
struct Family {
  std::string_view name, type;

  bool grows(std::string_view sample) const {
    if (name.empty() || !sample.starts_with(name)) return false;
    const std::string_view suffix = sample.substr(name.size());
    if (type == "counter") return suffix.empty() || suffix == "_total";
    if (type == "histogram") return suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
    if (type == "summary") return suffix == "_sum" || suffix == "_count";
    return false;
  }
};

}  // namespace

base::Result<std::vector<Scraped>> parse_metrics(std::string_view text, const std::set<std::string>& names) {
  std::vector<Scraped> samples;
  Family family;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = skip_blank(line);
    if (line.empty()) continue;
    if (take(line, '#')) {
      if (take_word(line) == "TYPE") {
        family.name = take_word(line);
        family.type = take_word(line);
      }
      continue;
    }
    Scraped sample;
    const std::string_view name = take_name(line, true);
    if (name.empty()) return fail(Code::kOriginBadReply, "a line of the metrics begins with no name");
    line = skip_blank(line);
    if (take(line, '{') && !take_labels(line, sample.labels))
      return fail(Code::kOriginBadReply, "labels of the metrics are malformed");
    const std::optional<double> value = number(take_word(line));
    if (!value) return fail(Code::kOriginBadReply, "a sample of the metrics has no number");
    line = skip_blank(line);
    if (!line.empty() && line[0] != '#' && !number(take_word(line)))  // a time, then perhaps an exemplar
      return fail(Code::kOriginBadReply, "something follows a sample of the metrics");
    line = skip_blank(line);
    if (!line.empty() && line[0] != '#')
      return fail(Code::kOriginBadReply, "something follows a sample of the metrics");
    if (!std::isfinite(*value)) continue;
    sample.name = name;
    if (!names.contains(sample.name)) continue;
    sample.value = *value;
    sample.counter = family.grows(name);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace prove
