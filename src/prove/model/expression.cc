#include "prove/model/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace prove {
namespace {

using What = Measure::What;
using Of = Measure::Of;
using NodePtr = std::unique_ptr<Node>;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

NodePtr leaf(Measure m) {
  auto node = std::make_unique<Node>();
  node->op = Node::Op::kMeasure;
  node->kind = kind_of(m);
  node->measure = std::move(m);
  return node;
}

NodePtr literal(double value, Dimension kind) {
  auto node = std::make_unique<Node>();
  node->value = value;
  node->kind = kind;
  return node;
}

bool is_zero(const Node& n) {
  return n.op == Node::Op::kLiteral && n.value == 0 && n.kind == kPlain;
}

void want_same(const Node& a, const Node& b, std::string_view deed) {
  if (a.kind == b.kind || is_zero(a) || is_zero(b)) return;
  const auto say = [](const Node& n) {
    return n.op == Node::Op::kMeasure ? fmt::format("{} is {}", n.measure.text, name_of(n.kind))
                                      : fmt::format("one side is {}", name_of(n.kind));
  };
  const bool share = a.kind.share != b.kind.share;
  throw Wrong(
      fmt::format("{} and {}, which cannot be {}{}", say(a),
                  b.op == Node::Op::kMeasure ? say(b) : "the other " + std::string(name_of(b.kind)), deed,
                  share ? "; write 40%, or multiply a ratio by 100%" : "; write the unit: 50ms, 1MB, 100/s"));
}

NodePtr binary(Node::Op op, NodePtr a, NodePtr b) {
  auto node = std::make_unique<Node>();
  node->op = op;
  switch (op) {
    case Node::Op::kMultiply:
      node->kind = product(a->kind, b->kind);
      break;
    case Node::Op::kDivide:
      node->kind = quotient(a->kind, b->kind);
      break;
    default:
      want_same(*a, *b, "added or subtracted");
      node->kind = is_zero(*a) ? b->kind : a->kind;
  }
  node->left = std::move(a);
  node->right = std::move(b);
  return node;
}

class Parser {
 public:
  Parser(std::string_view text, const Pairs& defines, std::vector<std::string> within = {})
      : text_(text), defines_(defines), within_(std::move(within)) {}

  Relation comparison() {
    Relation c;
    c.left = sum();
    const std::optional<Relation::Op> op = take_comparison();
    if (!op) throw Wrong(at_end() ? "there is no comparison; write p95 < 50ms" : unexpected());
    c.op = *op;
    skip();
    const std::size_t from = at_;
    c.right = sum();
    c.right_text = trimmed(text_.substr(from, at_ - from));
    want_same(*c.left, *c.right, "compared");
    if (take_comparison()) throw Wrong("there is more than one comparison");
    if (!at_end()) throw Wrong(unexpected());
    return c;
  }

  NodePtr value() {
    NodePtr node = sum();
    if (take_comparison()) throw Wrong("a defined name is a value and no comparison");
    if (!at_end()) throw Wrong(unexpected());
    return node;
  }

 private:
  static constexpr int kDepth = 64;  // of parentheses and names in names

  // ---- characters

  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool at_end() {
    skip();
    return at_ == text_.size();
  }
  bool take(std::string_view what) {
    skip();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  void need(std::string_view what) {
    if (!take(what)) throw Wrong(at_end() ? fmt::format("'{}' is missing at the end", what) : unexpected());
  }
  std::string unexpected() {
    skip();
    return fmt::format("'{}' is not expected at character {}", text_.substr(at_, 12), at_ + 1);
  }
  std::string_view take_name() {
    skip();
    const std::size_t from = at_;
    if (at_ < text_.size() && is_letter(text_[at_]))
      while (at_ < text_.size() &&
             (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.' || text_[at_] == ':'))
        ++at_;
    return text_.substr(from, at_ - from);
  }

  std::optional<Relation::Op> take_comparison() {
    using enum Relation::Op;
    for (const Relation::Op op : {kLessOrEqual, kGreaterOrEqual, kEqual, kNotEqual, kLess, kGreater})
      if (take(name_of(op))) return op;
    return std::nullopt;
  }

  // ---- arithmetic

  NodePtr sum() {
    NodePtr node = term();
    for (;;) {
      if (take("+"))
        node = binary(Node::Op::kAdd, std::move(node), term());
      else if (take("-"))
        node = binary(Node::Op::kSubtract, std::move(node), term());
      else
        return node;
    }
  }

  NodePtr term() {
    NodePtr node = factor();
    for (;;) {
      if (take("*"))
        node = binary(Node::Op::kMultiply, std::move(node), factor());
      else if (take("/"))
        node = binary(Node::Op::kDivide, std::move(node), factor());
      else
        return node;
    }
  }

  NodePtr factor() {
    if (++depth_ > kDepth) throw Wrong("it is nested too deeply");
    NodePtr node;
    if (take("-")) {
      node = std::make_unique<Node>();
      node->op = Node::Op::kNegative;
      node->left = factor();
      node->kind = node->left->kind;
    } else if (take("(")) {
      node = sum();
      need(")");
    } else if (skip(); at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) {
      node = number();
    } else {
      node = name();
    }
    --depth_;
    return node;
  }

  NodePtr number() {
    double value = 0;
    const char* from = text_.data() + at_;
    const auto [end, error] =
        std::from_chars(from, text_.data() + text_.size(), value, std::chars_format::fixed);
    if (error != std::errc()) throw Wrong(unexpected());
    at_ += static_cast<std::size_t>(end - from);
    const std::size_t unit = at_;
    skip();
    if (take("%")) return literal(value / 100, kShare);  // divided, so that 99.5% is what 199 of 200 are
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    if (at_ == begin) at_ = unit;  // no word: blanks before an operator
    const std::size_t from_unit = at_ == unit ? unit : begin;
    if (text_.substr(at_, 2) == "/s" || text_.substr(at_, 2) == "/h")
      if (at_ + 2 == text_.size() ||
          !(is_letter(text_[at_ + 2]) || is_digit(text_[at_ + 2]) || text_[at_ + 2] == '.'))
        at_ += 2;
    if (at_ == from_unit) return literal(value, kPlain);
    const std::string_view word = text_.substr(from_unit, at_ - from_unit);
    const std::optional<Factor> factor = unit_of(word);
    if (!factor)
      throw Wrong(fmt::format(
          "'{}' is no unit; there are us, ms, s, m, h, %, B, KB, KiB, MB, MiB, GB, GiB, /s, /h", word));
    return literal(value * factor->value + rest_of_time(*factor), factor->kind);
  }

  // What follows 1m in 1m30s, in seconds.
  double rest_of_time(Factor above) {
    double rest = 0;
    while (above.kind == kTime && at_ < text_.size() && is_digit(text_[at_])) {
      const std::size_t digits = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
      std::size_t end = digits;
      while (end < text_.size() && is_letter(text_[end])) ++end;
      const std::optional<Factor> next = unit_of(text_.substr(digits, end - digits));
      double number = 0;
      std::from_chars(text_.data() + at_, text_.data() + digits, number, std::chars_format::fixed);
      if (!next || next->kind != kTime || next->value >= above.value)
        throw Wrong(fmt::format("'{}' is no rest of a time; write 1m30s, from large units to small",
                                text_.substr(at_, end - at_)));
      rest += number * next->value;
      above = *next;
      at_ = end;
    }
    return rest;
  }

  // ---- names

  NodePtr name() {
    skip();
    const std::size_t from = at_;
    const std::string_view word = take_name();
    if (word.empty()) throw Wrong(at_end() ? "a value is missing at the end" : unexpected());
    NodePtr node = named(word);
    if (node->op == Node::Op::kMeasure && node->measure.text.empty())
      node->measure.text = trimmed(text_.substr(from, at_ - from));
    return node;
  }

  NodePtr named(std::string_view word) {
    if (NodePtr defined = from_defines(word)) return defined;
    if (take("(")) return called(word);
    Measure m;
    if (read_bare(word, m)) return leaf(std::move(m));
    if (word == "hit_ratio") return hit_ratio();
    if (read_short(word, m)) {
      selectors(m);
      m.text = word;
      NodePtr node = leaf(std::move(m));
      if (word == "cpu") node = binary(Node::Op::kMultiply, literal(1, kShare), std::move(node));
      return node;
    }
    throw Wrong(
        fmt::format("'{}' is neither a measure nor a name of `define:`; a metric of the target is asked for "
                    "by last({}), delta({}), …",
                    word, word, word));
  }

  NodePtr from_defines(std::string_view word) {
    const auto it = std::ranges::find(defines_, word, &Pairs::value_type::first);
    if (it == defines_.end()) return nullptr;
    if (std::ranges::find(within_, word) != within_.end())
      throw Wrong(fmt::format("the defined name '{}' leads back to itself", word));
    std::vector<std::string> deeper = within_;
    deeper.emplace_back(word);
    try {
      return Parser(it->second, defines_, std::move(deeper)).value();
    } catch (const Wrong& wrong) {
      throw Wrong(fmt::format("in the defined name '{}': {}", word, wrong.what()));
    }
  }

  // "name(" is read: what is in the parentheses belongs to it.
  NodePtr called(std::string_view word) {
    Measure m;
    const std::optional<Of> of = series_function(word);
    if (of && !about_load()) {
      m.what = What::kSeries;
      m.of = *of;
      m.series = take_name();
      if (m.series.empty() || m.series.find('.') != m.series.npos)
        throw Wrong(fmt::format("{}() wants the name of a metric", word));
      selectors(m);
      or_zero(m);
      while (take(","))
        if (!take_scope(argument(), m)) throw Wrong(fmt::format("{}() takes one metric", word));
      need(")");
      return leaf(std::move(m));
    }
    if (!read_bare(word, m) && !read_function(word, m))
      throw Wrong(fmt::format("there is no function '{}'", word));
    std::optional<std::string_view> about;
    do {
      const std::string_view one = argument();
      if (take_scope(one, m)) continue;
      if (about)
        throw Wrong(
            fmt::format("{}() takes one thing, and scenario=, step=, tag=, phase= and window=", word));
      about = one;
    } while (take(","));
    need(")");
    read_about(word, about, m);
    return leaf(std::move(m));
  }

  // max(ok) and rate(window=outage) are about the load, max(rss_bytes) is about the target.
  bool about_load() {
    const std::size_t from = at_;
    const std::string_view word = take_name();
    const bool scope = take("=") && scope_member(word);
    at_ = from;
    return scope || outcome_named(word);
  }

  static std::string Measure::* scope_member(std::string_view key) {
    return key == "scenario" ? &Measure::scenario
           : key == "step"   ? &Measure::step
           : key == "tag"    ? &Measure::tag
           : key == "phase"  ? &Measure::phase
           : key == "window" ? &Measure::window
                             : nullptr;
  }

  std::string_view argument() {
    skip();
    const std::size_t end = text_.find_first_of(",)", at_);
    if (end == text_.npos) throw Wrong("')' is missing at the end");
    const std::string_view argument = trimmed(text_.substr(at_, end - at_));
    at_ = end;
    return argument;
  }

  // "phase=calm": of another part of the run than the check is about.
  static bool take_scope(std::string_view argument, Measure& m) {
    const std::size_t equals = argument.find('=');
    if (equals == argument.npos) return false;
    const std::string_view key = trimmed(argument.substr(0, equals));
    std::string_view name = argument.substr(equals + 1);
    while (!name.empty() && is_space(name[0])) name.remove_prefix(1);
    const auto member = scope_member(key);
    if (!member) throw Wrong(fmt::format("'{}' is none of scenario=, step=, tag=, phase= and window=", key));
    if (name.empty()) throw Wrong(fmt::format("{}= wants a name", key));
    m.*member = name;
    return true;
  }

  // "{a="b", c=~"x|y"}", if it is there.
  void selectors(Measure& m) {
    if (!take("{")) return;
    while (!take("}")) {
      Selector s;
      s.label = take_name();
      if (s.label.empty()) throw Wrong(at_end() ? "'}' is missing at the end" : unexpected());
      const bool any = take("=~");
      if (!any) need("=");
      need("\"");
      std::string value;
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value += text_[at_++];
      }
      need("\"");
      if (any && value.find_first_of("*+?()[]^$\\") != value.npos)
        throw Wrong(fmt::format("{}=~\"{}\": only alternatives can be given: \"x|y\"", s.label, value));
      for (std::size_t from = 0; any && from <= value.size();) {
        const std::size_t bar = std::min(value.find('|', from), value.size());
        s.values.push_back(value.substr(from, bar - from));
        from = bar + 1;
      }
      if (!any) s.values.push_back(value);
      if (s.label == "target" && !any)
        m.target = value;
      else
        m.selectors.push_back(std::move(s));
      skip();
      if (!take(",") && !text_.substr(at_).starts_with('}'))
        throw Wrong(at_end() ? "'}' is missing" : unexpected());
    }
  }

  // "or 0", if it is there.
  void or_zero(Measure& m) {
    const std::size_t from = at_;
    if (take_name() != "or") {
      at_ = from;
      return;
    }
    if (!take("0")) throw Wrong("'or' wants a 0: what a series counts as that has not come");
    m.or_zero = true;
  }

  // What a cache answered by itself, of what it was asked. A bypass is no question; who waited for another's
  // fetch and who had an entry confirmed by the origin did not get their answer from the cache alone.
  NodePtr hit_ratio() {
    Measure hits;
    hits.what = What::kSeries;
    hits.series = kCacheRequests;
    hits.of = Of::kDelta;
    hits.or_zero = true;  // a cache that had none has yet to count one
    selectors(hits);
    Measure all = hits;
    hits.text = "hits of the cache";
    all.text = "questions to the cache";
    hits.selectors.push_back({"result", {"hit", "stale"}});
    all.selectors.push_back({"result", {"hit", "stale", "miss", "collapsed", "revalidated"}});
    return binary(Node::Op::kDivide, binary(Node::Op::kMultiply, literal(1, kShare), leaf(std::move(hits))),
                  leaf(std::move(all)));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  const Pairs& defines_;
  std::vector<std::string> within_;  // the defined names that led here
};

void each_measure(const Node& node, const std::function<void(const Measure&)>& visit) {
  if (node.op == Node::Op::kMeasure) visit(node.measure);
  if (node.left) each_measure(*node.left, visit);
  if (node.right) each_measure(*node.right, visit);
}

bool measures_something(const Node& node) {
  bool found = false;
  each_measure(node, [&](const Measure&) { found = true; });
  return found;
}

}  // namespace

void each_measure(std::string_view text, const Pairs& defines,
                  const std::function<void(const Measure&)>& visit) {
  const auto parsed = parse_expression(text, defines);
  if (!parsed) return;
  each_measure(*parsed->left, visit);
  each_measure(*parsed->right, visit);
}

Scope scope_of(const Check& check) {
  return {check.scenario, check.phase, check.window, check.step, check.tag};
}

Scope scope_of(const Measure& m, Scope scope) {
  if (!m.scenario.empty()) scope.scenario = m.scenario;
  if (!m.phase.empty()) scope.phase = m.phase;
  if (!m.window.empty()) scope.window = m.window;
  if (!m.step.empty() || !m.tag.empty()) {
    scope.step = m.step;
    scope.tag = m.tag;
  }
  return scope;
}

std::string_view name_of(Relation::Op op) {
  constexpr std::array<std::string_view, 6> kNames = {"<", "<=", ">", ">=", "==", "!="};
  return kNames[static_cast<std::size_t>(op)];
}

std::expected<Relation, std::string> parse_expression(std::string_view text, const Pairs& defines) {
  try {
    Relation c = Parser(text, defines).comparison();
    if (!measures_something(*c.left) && !measures_something(*c.right))
      return std::unexpected("nothing in it is measured");
    return c;
  } catch (const Wrong& wrong) {
    return std::unexpected(wrong.what());
  }
}

std::string check_expression(std::string_view text, const Pairs& defines) {
  const auto parsed = parse_expression(text, defines);
  return parsed ? std::string() : parsed.error();
}

std::string check_define(std::string_view name, const Pairs& defines) {
  try {
    if (name.empty() || !is_letter(name[0]) ||
        !std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); }))
      return "a defined name has letters, digits and '_' and begins with no digit";
    if (is_measure_of_load(name)) return fmt::format("'{}' is a measure already", name);
    const auto it = std::ranges::find(defines, name, &Pairs::value_type::first);
    if (it == defines.end()) return fmt::format("'{}' is not defined", name);
    (void)Parser(it->second, defines, {std::string(name)}).value();
    return {};
  } catch (const Wrong& wrong) {
    return wrong.what();
  }
}

References references_of(std::string_view text, const Pairs& defines) {
  References found;
  each_measure(text, defines, [&](const Measure& m) {
    const auto add = [](std::set<std::string>& names, const std::string& name) {
      if (!name.empty()) names.insert(name);
    };
    add(found.faults, m.fault);
    add(found.targets, m.target);
    add(found.scenarios, m.scenario);
    add(found.phases, m.phase);
    add(found.windows, m.window);
  });
  return found;
}

std::set<std::string> needed_families(const Campaign& campaign) {
  const bool proc =
      std::ranges::any_of(campaign.targets, [](const Target& t) { return !t.process.empty() || t.pid != 0; });
  std::set<std::string> names = {std::string(kCacheRequests), std::string(kBuildInfo),
                                 "sekisho_denials_total", "sekisho_origin_connections_total"};
  const auto add = [&](const Measure& m) {
    if (m.what == What::kSeries && !(proc && is_proc(m.series))) names.insert(m.series);
  };
  for (const std::vector<Check>* checks : {&campaign.guardrails, &campaign.require})
    for (const Check& check : *checks) each_measure(check.text, campaign.define, add);
  return names;
}

}  // namespace prove
