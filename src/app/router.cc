#include "app/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace app {

namespace {

using Kind = Segment::Kind;

Segment parse_parameter(std::string_view text, std::string_view path) {
  text = text.substr(1, text.size() - 2);
  const std::size_t colon = text.find(':');
  const std::string_view type = colon == text.npos ? "" : text.substr(colon + 1);
  const std::string_view name = text.substr(0, colon);
  constexpr std::pair<std::string_view, Kind> kTypes[] = {
      {"", Kind::kText}, {"int", Kind::kInteger}, {"uuid", Kind::kUuid}, {"rest", Kind::kRest}};
  const auto* known = std::ranges::find(kTypes, type, &std::pair<std::string_view, Kind>::first);
  if (name.empty() || known == std::end(kTypes))
    throw std::logic_error(fmt::format("operation path {}: cannot read {{{}}}", path, text));
  return {.kind = known->second, .text = name};
}

// What is left of `path` behind its first segment; the segment goes to `first`. Both begin behind a slash.
std::string_view split(std::string_view path, std::string_view& first) {
  const std::size_t slash = path.find('/');
  first = path.substr(0, slash);
  return slash == path.npos ? std::string_view() : path.substr(slash + 1);
}

bool parse_number(std::string_view text, std::int64_t& number) {
  if (text.empty() || text[0] == '-' || (text[0] == '0' && text.size() > 1)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Sets the parameters, in order; `count` is how many.
bool match(const std::vector<Segment>& segments, std::string_view path, Call* call) {
  if (!path.starts_with('/')) return false;
  std::string_view left = path.substr(1);
  bool more = true;  // a segment follows, if only an empty one
  std::size_t count = 0;
  for (const Segment& segment : segments) {
    if (!more) return false;
    std::string_view text = left;
    if (segment.kind == Kind::kRest) {
      more = false;
    } else {
      const std::size_t size = left.find('/');
      more = size != left.npos;
      left = split(left, text);
    }
    Param param{.name = segment.text, .text = text};
    switch (segment.kind) {
      case Kind::kLiteral:
        if (text != segment.text) return false;
        continue;
      case Kind::kInteger:
        if (!parse_number(text, param.number)) return false;
        break;
      case Kind::kUuid:
        if (!is_uuid(text)) return false;
        break;
      case Kind::kText:
        if (text.empty()) return false;
        break;
      case Kind::kRest:
        break;
    }
    if (call) call->params[count] = param;
    ++count;
  }
  if (more) return false;
  if (call) call->param_count = count;
  return true;
}

// OpenAPI §4.8.8: paths that differ in nothing but their parameters are one path.
bool same_place_in_a_path(const Segment& a, const Segment& b) {
  const bool literal = a.kind == Kind::kLiteral;
  return literal == (b.kind == Kind::kLiteral) && (!literal || a.text == b.text);
}

bool fits(http::Method wanted, http::Method has) {
  return wanted == has || (wanted == http::Method::kHead && has == http::Method::kGet);
}

}  // namespace

std::vector<Segment> parse_template(std::string_view path) {
  if (!path.starts_with('/'))
    throw std::logic_error(fmt::format("operation path {}: begins with no slash", path));
  std::vector<Segment> out;
  std::string_view left = path.substr(1);
  for (bool more = true; more;) {
    more = left.find('/') != left.npos;
    std::string_view text;
    left = split(left, text);
    if (text.starts_with('{') && text.ends_with('}'))
      out.push_back(parse_parameter(text, path));
    else if (text.find_first_of("{}") != text.npos)
      throw std::logic_error(fmt::format("operation path {}: a parameter is a whole segment", path));
    else
      out.push_back({.kind = Kind::kLiteral, .text = text});
    if (more && out.back().kind == Kind::kRest)
      throw std::logic_error(fmt::format("operation path {}: nothing can follow the rest", path));
  }
  const auto params = std::ranges::count_if(out, [](const Segment& s) { return s.kind != Kind::kLiteral; });
  if (static_cast<std::size_t>(params) > Call::kMaxParams)
    throw std::logic_error(fmt::format("operation path {}: more than {} parameters", path, Call::kMaxParams));
  return out;
}

Router::Router(std::span<const Operation> operations) {
  for (const Operation& operation : operations) {
    if (!operation.handler || operation.id.empty() || http::text_of(operation.method).empty())
      throw std::logic_error(fmt::format("operation {} {}: lacks a handler, an id or a method that is served",
                                         operation.path, operation.id));
    Row row{.operation = &operation, .segments = parse_template(operation.path)};
    for (const Row& other : rows_) {
      const bool same_place = std::ranges::equal(row.segments, other.segments, same_place_in_a_path);
      if (other.operation->id == operation.id ||
          (same_place &&
           (other.operation->method == operation.method || other.operation->path != operation.path)))
        throw std::logic_error(fmt::format("operations {} and {} are for the same requests or have one id",
                                           other.operation->id, operation.id));
    }
    rows_.push_back(std::move(row));
  }
  std::ranges::sort(rows_, [](const Row& a, const Row& b) {
    if (std::ranges::equal(a.segments, b.segments, {}, &Segment::kind, &Segment::kind))
      return a.operation < b.operation;
    return std::ranges::lexicographical_compare(a.segments, b.segments, {}, &Segment::kind, &Segment::kind);
  });
}

void Router::find(Call& call) const {
  call.operation = nullptr;
  call.param_count = 0;
  for (const Row& row : rows_) {
    if (!fits(call.head->method, row.operation->method) || !match(row.segments, call.path, &call)) continue;
    call.operation = row.operation;
    return;
  }
}

std::string Router::allowed(std::string_view path) const {
  std::string out;
  for (const Row& row : rows_) {
    if (!match(row.segments, path, nullptr)) continue;
    const std::string_view name = http::text_of(row.operation->method);
    if (out.find(name) != out.npos) continue;
    out.append(out.empty() ? "" : ", ").append(name);
    if (row.operation->method == http::Method::kGet) out += ", HEAD";
  }
  return out;
}

bool Router::open(std::string_view path, bool local) const {
  const auto is_for_all = [&](const Row& row) { return is_open(row.operation->access, local); };
  if (std::ranges::all_of(rows_, is_for_all)) return true;
  return std::ranges::any_of(
      rows_, [&](const Row& row) { return is_for_all(row) && match(row.segments, path, nullptr); });
}

}  // namespace app
