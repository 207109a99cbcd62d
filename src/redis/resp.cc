#include "redis/resp.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace redis {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kKeep = 1 << 20;  // bytes of a reply's memory that the next one uses again

auto broken(std::string_view text) {
  return fail(Code::kOriginBadReply, text);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits without leading zeros: lengths and counts have one spelling.
std::optional<std::uint64_t> count_of(std::string_view text) {
  if (text.empty() || !is_digit(text[0]) || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// [+|-]digits[.digits][e[+|-]digits], or inf, -inf, nan. Redis up to 7.0 also says "-nan".
std::optional<double> double_of(std::string_view text) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan" || text == "-nan") return std::numeric_limits<double>::quiet_NaN();
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits[0])) return std::nullopt;
  if (const auto dot = digits.find('.');
      dot != std::string_view::npos && (dot + 1 == digits.size() || !is_digit(digits[dot + 1])))
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_big_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

void append_header(std::string& out, char mark, std::uint64_t n) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, n);
  out += mark;
  out.append(digits, end);
  out += "\r\n";
}

void append_bulk(std::string& out, char mark, std::string_view prefix, std::string_view text) {
  append_header(out, mark, prefix.size() + text.size());
  out += prefix;
  out += text;
  out += "\r\n";
}

}  // namespace

// ---- replies

std::string_view Reply::error_code() const {
  if (!is_error()) return {};
  const std::string_view all = text();
  const std::string_view word = all.substr(0, all.find(' '));
  const bool plain = word.size() <= 32 && std::ranges::all_of(word, [](char c) {
                       return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
                     });
  return plain ? word : std::string_view{};
}

bool Reply::integers(std::span<std::int64_t> out) const {
  if (type() != Type::kArray || nodes_.size() != out.size() + 1) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (nodes_[i + 1].type != Type::kInteger) return false;
    out[i] = nodes_[i + 1].integer;
  }
  return true;
}

void Reply::clear() {
  if (nodes_.capacity() * sizeof(Node) > kKeep) nodes_ = {};
  if (texts_.capacity() > kKeep) texts_ = {};
  nodes_.clear();
  texts_.clear();
}

bool operator==(const Reply& a, const Reply& b) {
  return std::ranges::equal(a.nodes_, b.nodes_, [&](const Reply::Node& x, const Reply::Node& y) {
    return x.type == y.type && x.depth == y.depth && x.integer == y.integer &&
           std::bit_cast<std::uint64_t>(x.real) == std::bit_cast<std::uint64_t>(y.real) &&
           a.text(x) == b.text(y);
  });
}

// ---- the parser

Parser::Parser(const Bounds& bounds) : bounds_(bounds) {
  bounds_.depth = std::min(bounds_.depth, Bounds::kMaxDepth);
}

void Parser::reset() {
  step_ = Step::kStart;
}

Result<bool> Parser::next(std::string_view& input) {
  if (input.empty()) return false;
  if (step_ == Step::kStart) {
    reply_.clear();
    line_.clear();
    cr_ = done_ = false;
    seen_ = text_bytes_ = depth_ = attributes_ = 0;
    step_ = Step::kType;
  }
  while (!input.empty()) {
    if (auto ok = step(input); !ok) return std::unexpected(ok.error());
    if (!done_) continue;
    step_ = Step::kStart;
    return true;
  }
  return false;
}

Result<> Parser::step(std::string_view& input) {
  switch (step_) {
    case Step::kStart:
    case Step::kType:
      mark_ = input.front();
      input.remove_prefix(1);
      if (std::string_view("+-:_#,($!=*~%>|").find(mark_) == std::string_view::npos)
        return broken("Redis answers with what is not RESP3");
      if (++seen_ > bounds_.elements) return broken("a reply of Redis has too many elements");
      step_ = Step::kLine;
      return {};
    case Step::kLine:
      return read_line(input);
    case Step::kBulk: {
      const std::size_t n = std::min(bulk_left_, input.size());
      reply_.texts_.append(input.substr(0, n));
      input.remove_prefix(n);
      bulk_left_ -= n;
      if (bulk_left_ == 0) step_ = Step::kBulkCr;
      return {};
    }
    case Step::kBulkCr:
    case Step::kBulkLf: {
      const char expected = step_ == Step::kBulkCr ? '\r' : '\n';
      if (input.front() != expected) return broken("a string of Redis does not end where it should");
      input.remove_prefix(1);
      if (step_ == Step::kBulkLf) return bulk_done();
      step_ = Step::kBulkLf;
      return {};
    }
  }
  return {};
}

Result<> Parser::read_line(std::string_view& input) {
  if (cr_) {
    if (input.front() != '\n') return broken("a line of Redis has a CR in it");
    input.remove_prefix(1);
    cr_ = false;
    const auto ok = line(line_);
    line_.clear();
    return ok;
  }
  const std::size_t end = input.find_first_of("\r\n");
  const std::string_view piece = input.substr(0, end);
  if (line_.size() + piece.size() > bounds_.line) return broken("a line of Redis is too long");
  if (end == std::string_view::npos) {
    line_ += piece;
    input = {};
    return {};
  }
  if (input[end] == '\n') return broken("a line of Redis has a LF in it");
  if (line_.empty() && end + 1 < input.size()) {  // all of it is here: nothing to keep
    const bool whole = input[end + 1] == '\n';
    input.remove_prefix(end + 2);
    return whole ? line(piece) : Result<>(broken("a line of Redis has a CR in it"));
  }
  line_ += piece;
  cr_ = true;
  input.remove_prefix(end + 1);
  return {};
}

Result<> Parser::line(std::string_view line) {
  switch (mark_) {
    case '+':
      return text(Type::kSimple, line);
    case '-':
      return text(Type::kError, line);
    case '(':
      if (!is_big_number(line)) return broken("Redis gives a big number that is none");
      return text(Type::kBigNumber, line);
    case '$':
      if (line == "-1") return text(Type::kNull, {});
      return bulk(Type::kBulk, line);
    case '!':
      return bulk(Type::kError, line);
    case '=':
      return bulk(Type::kVerbatim, line);
    case '*':
      if (line == "-1") return text(Type::kNull, {});
      return open(Type::kArray, line, false);
    case '~':
      return open(Type::kSet, line, false);
    case '%':
      return open(Type::kMap, line, false);
    case '>':
      if (depth_ > 0) return broken("Redis pushes within a reply");
      return open(Type::kPush, line, false);
    case '|':
      return open(Type::kMap, line, true);
    default:
      return number(line);
  }
}

Result<> Parser::number(std::string_view line) {
  Reply::Node node;
  switch (mark_) {
    case ':':
      if (const auto n = integer_of(line)) {
        node.type = Type::kInteger;
        node.integer = *n;
        break;
      }
      return broken("Redis gives an integer that is none");
    case ',':
      if (const auto x = double_of(line)) {
        node.type = Type::kDouble;
        node.real = *x;
        break;
      }
      return broken("Redis gives a double that is none");
    case '#':
      if (line != "t" && line != "f") return broken("Redis gives a boolean that is none");
      node.type = Type::kBoolean;
      node.integer = line == "t";
      break;
    default:  // '_'
      if (!line.empty()) return broken("Redis gives a null with something in it");
      break;
  }
  add(node);
  element_done();
  return {};
}

Result<> Parser::text(Type type, std::string_view text) {
  text_bytes_ += text.size();
  if (text_bytes_ > bounds_.reply) return broken("a reply of Redis is too large");
  Reply::Node node;
  node.type = type;
  node.begin = reply_.texts_.size();
  node.size = text.size();
  if (attributes_ == 0) reply_.texts_ += text;
  add(node);
  element_done();
  return {};
}

Result<> Parser::bulk(Type type, std::string_view length) {
  const auto n = count_of(length);
  if (!n) return broken("Redis gives a length that is none");
  if (*n > bounds_.bulk || *n > bounds_.reply - text_bytes_) return broken("a reply of Redis is too large");
  if (type == Type::kVerbatim && *n < 4) return broken("Redis gives a verbatim string without a format");
  text_bytes_ += *n;
  bulk_ = {};
  bulk_.type = type;
  bulk_.begin = reply_.texts_.size();
  bulk_.size = bulk_left_ = *n;
  step_ = *n > 0 ? Step::kBulk : Step::kBulkCr;
  return {};
}

Result<> Parser::bulk_done() {
  if (bulk_.type == Type::kVerbatim) {
    if (reply_.texts_[bulk_.begin + 3] != ':')
      return broken("Redis gives a verbatim string without a format");
    bulk_.begin += 4;
    bulk_.size -= 4;
  }
  if (attributes_ > 0)
    reply_.texts_.resize(reply_.texts_.size() - bulk_.size - (bulk_.type == Type::kVerbatim ? 4 : 0));
  add(bulk_);
  element_done();
  return {};
}

Result<> Parser::open(Type type, std::string_view count, bool attribute) {
  const auto n = count_of(count);
  if (!n) return broken("Redis gives a length that is none");
  if (*n > bounds_.elements - seen_) return broken("a reply of Redis has too many elements");
  if (type == Type::kPush && *n == 0) return broken("Redis pushes nothing");
  const std::uint64_t elements = type == Type::kMap ? *n * 2 : *n;
  if (!attribute) {
    Reply::Node node;
    node.type = type;
    node.integer = static_cast<std::int64_t>(elements);
    add(node);
  }
  step_ = Step::kType;
  if (elements == 0) {
    if (!attribute) element_done();
    return {};
  }
  if (depth_ == bounds_.depth) return broken("a reply of Redis is nested too deeply");
  frames_[depth_++] = {elements, attribute};
  if (attribute) ++attributes_;
  return {};
}

void Parser::add(Reply::Node node) {
  if (attributes_ > 0) return;
  node.depth = static_cast<std::uint8_t>(depth_);
  reply_.nodes_.push_back(node);
}

void Parser::element_done() {
  step_ = Step::kType;
  while (depth_ > 0) {
    Frame& frame = frames_[depth_ - 1];
    if (--frame.left > 0) return;
    --depth_;
    if (frame.attribute) {  // what it describes is still to come
      --attributes_;
      return;
    }
  }
  done_ = true;
}

// ---- writing

void append_command(std::string& out, std::span<const std::string_view> arguments) {
  append_header(out, '*', arguments.size());
  for (const std::string_view argument : arguments) append_bulk(out, '$', {}, argument);
}

void append_reply(std::string& out, const Reply& reply) {
  for (const Reply::Node& node : reply.nodes()) {
    const std::string_view text = reply.text(node);
    const auto elements = static_cast<std::uint64_t>(node.integer);
    switch (node.type) {
      case Type::kSimple:
      case Type::kBigNumber:
        out += node.type == Type::kSimple ? '+' : '(';
        out += text;
        out += "\r\n";
        break;
      case Type::kError:
        append_bulk(out, '!', {}, text);
        break;
      case Type::kInteger:
        out += ':';
        out += std::to_string(node.integer);
        out += "\r\n";
        break;
      case Type::kBulk:
        append_bulk(out, '$', {}, text);
        break;
      case Type::kVerbatim:
        append_bulk(out, '=', "txt:", text);
        break;
      case Type::kNull:
        out += "_\r\n";
        break;
      case Type::kBoolean:
        out += node.integer != 0 ? "#t\r\n" : "#f\r\n";
        break;
      case Type::kDouble: {
        char digits[32];
        const auto [end, error] = std::to_chars(digits, digits + sizeof digits, node.real);
        out += ',';
        out += std::isnan(node.real) ? "nan" : std::string_view(digits, end);
        out += "\r\n";
        break;
      }
      case Type::kArray:
        append_header(out, '*', elements);
        break;
      case Type::kSet:
        append_header(out, '~', elements);
        break;
      case Type::kMap:
        append_header(out, '%', elements / 2);
        break;
      case Type::kPush:
        append_header(out, '>', elements);
        break;
    }
  }
}

}  // namespace redis
