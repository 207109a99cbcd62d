#include "http/targeted.h"

#include <algorithm>
#include <string>

#include "http/chars.h"

namespace http {

namespace {

// A reader of RFC 8941 that keeps of a value only what directives need: whether it is true, and its number.
class Dictionary {
 public:
  explicit Dictionary(std::string_view text) : left_(text) {}

  struct Member {
    std::string_view key;
    bool truth = true;  // anything but ?0
    std::string_view number;
  };

  // Calls visit(member) for each; false when it is no dictionary.
  template <class Visit>
  bool read(Visit visit) {
    skip(" ");
    while (!left_.empty()) {
      Member member;
      if (!key(member.key)) return false;
      if (take('=')) {
        if (!(at('(') ? inner_list() : item(member))) return false;
      }
      if (!parameters()) return false;
      visit(member);
      skip(" \t");
      if (left_.empty()) return true;
      if (!take(',')) return false;
      skip(" \t");
      if (left_.empty()) return false;  // a comma, and nothing behind it
    }
    return true;
  }

 private:
  bool at(char c) const { return left_.starts_with(c); }
  bool take(char c) {
    if (!at(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void skip(std::string_view set) {
    left_.remove_prefix(std::min(left_.find_first_not_of(set), left_.size()));
  }
  template <class Is>
  std::string_view run(Is is) {
    const auto end = std::find_if_not(left_.begin(), left_.end(), is);
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(taken.size());
    return taken;
  }

  bool key(std::string_view& out) {
    if (left_.empty() || !((left_[0] >= 'a' && left_[0] <= 'z') || left_[0] == '*')) return false;
    out = run([](char c) {
      return (c >= 'a' && c <= 'z') || is(kDigitChar, c) || c == '_' || c == '-' || c == '.' || c == '*';
    });
    return true;
  }

  bool parameters() {
    while (take(';')) {
      skip(" ");
      std::string_view name;
      Member value;
      if (!key(name) || (take('=') && !item(value))) return false;
    }
    return true;
  }

  bool inner_list() {
    take('(');
    for (;;) {
      skip(" ");
      if (take(')')) return true;
      Member each;
      if (!item(each) || !parameters() || !(at(' ') || at(')'))) return false;
    }
  }

  // A bare item.
  bool item(Member& out) {
    if (left_.empty()) return false;
    if (take('?')) {
      out.truth = at('1');
      return take('1') || take('0');
    }
    if (at('"')) return string();
    if (take(':')) {
      run([](char c) { return is_token({&c, 1}) || c == '/' || c == '='; });
      return take(':');
    }
    if (is(kDigitChar, left_[0]) || at('-')) return number(out);
    const char c = lower(left_[0]);
    if (!((c >= 'a' && c <= 'z') || c == '*')) return false;
    run([](char d) { return is(kTokenChar, d) || d == ':' || d == '/'; });
    return true;
  }

  bool string() {
    for (left_.remove_prefix(1); !left_.empty();) {
      const char c = left_[0];
      left_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !take('"') && !take('\\')) return false;
      if (c < ' ' || c > '~') return false;
    }
    return false;
  }

  // Of an integer the digits are kept; a decimal is none.
  bool number(Member& out) {
    const bool negative = take('-');
    const std::string_view digits = run([](char c) { return is(kDigitChar, c); });
    if (digits.empty() || digits.size() > 15) return false;
    if (!take('.')) {
      if (!negative) out.number = digits;
      return true;
    }
    const std::string_view fraction = run([](char c) { return is(kDigitChar, c); });
    return !fraction.empty() && fraction.size() <= 3 && digits.size() <= 12;
  }

  std::string_view left_;
};

std::uint32_t seconds_of(std::string_view digits) {
  std::uint64_t n = 0;
  if (!parse_decimal(digits, n)) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, std::uint64_t{1} << 31));
}

constexpr std::string_view kName = "CDN-Cache-Control";

}  // namespace

std::optional<CacheControl> cdn_cache_control_of(const FieldList& fields) {
  if (!fields.find(kName)) return std::nullopt;
  std::string text;
  for (const Field& field : fields)
    if (iequals(field.name, kName)) text.append(text.empty() ? "" : ", ").append(field.value);
  CacheControl out;
  const bool valid = Dictionary(text).read([&out](const Dictionary::Member& member) {
    out.present = true;
    // Of a key that is repeated the last counts; what forbids is kept all the same.
    if (member.key == "max-age") out.max_age = seconds_of(member.number);
    if (member.key == "s-maxage") out.s_maxage = seconds_of(member.number);
    if (!member.truth) return;
    if (member.key == "no-store") out.no_store = true;
    if (member.key == "no-cache") out.no_cache = true;
    if (member.key == "private") out.is_private = true;
  });
  if (!valid) {
    out = CacheControl{};
    out.present = out.malformed = true;
    return out;
  }
  if (!out.present) return std::nullopt;
  return out;
}

bool is_targeted(std::string_view name) {
  const auto ends = [name](std::string_view end) {
    return name.size() >= end.size() && iequals(name.substr(name.size() - end.size()), end);
  };
  return ends("CDN-Cache-Control") || iequals(name, "Surrogate-Control") || iequals(name, "Edge-Control") ||
         iequals(name, "X-Accel-Expires");
}

}  // namespace http
