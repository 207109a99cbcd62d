#include "http/date.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "http/chars.h"

namespace http {

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

using Days = std::chrono::sys_days;

// Eats a form from the front of a text. Once something does not fit, everything after fails too.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Reader& literal(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
    return *this;
  }
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) {
    for (unsigned i = 0; i < N && ok_; ++i)
      if (rest_.starts_with(names[i])) {
        rest_.remove_prefix(names[i].size());
        return i;
      }
    ok_ = false;
    return 0;
  }
  unsigned number(std::size_t digits, char pad = '0') {
    unsigned n = 0;
    ok_ = ok_ && rest_.size() >= digits;
    for (std::size_t i = 0; i < digits && ok_; ++i) {
      const char c = rest_[i] == ' ' && pad == ' ' && i == 0 ? '0' : rest_[i];
      ok_ = is(kDigitChar, c);
      n = n * 10 + static_cast<unsigned>(c - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return n;
  }
  bool done() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(Reader& in, Fields& f) {
  f.hour = in.number(2);
  f.minute = in.literal(":").number(2);
  f.second = in.literal(":").number(2);
}

std::optional<std::int64_t> to_unix(const Fields& f) {
  const std::chrono::year_month_day date{std::chrono::year(f.year), std::chrono::month(f.month),
                                         std::chrono::day(f.day)};
  // 60 is a leap second; POSIX time has none, so it is the first of the next minute.
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const std::int64_t second = (std::int64_t{f.hour} * 60 + f.minute) * 60 + f.second;
  return Days(date).time_since_epoch().count() * kDay + second;
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<std::int64_t> parse_imf(std::string_view text) {
  Reader in(text);
  Fields f;
  in.one_of(kDays);
  f.day = in.literal(", ").number(2);
  f.month = in.literal(" ").one_of(kMonths) + 1;
  f.year = static_cast<int>(in.literal(" ").number(4));
  in.literal(" ");
  read_time(in, f);
  return in.literal(" GMT").done() ? to_unix(f) : std::nullopt;
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<std::int64_t> parse_rfc850(std::string_view text, std::int64_t now) {
  Reader in(text);
  Fields f;
  in.one_of(kLongDays);
  f.day = in.literal(", ").number(2);
  f.month = in.literal("-").one_of(kMonths) + 1;
  f.year = static_cast<int>(in.literal("-").number(2));
  in.literal(" ");
  read_time(in, f);
  if (!in.literal(" GMT").done()) return std::nullopt;
  const Days today{std::chrono::days(now / kDay)};
  const int this_year = static_cast<int>(std::chrono::year_month_day(today).year());
  f.year += this_year - this_year % 100;
  if (f.year > this_year + 50) f.year -= 100;
  return to_unix(f);
}

// Sun Nov  6 08:49:37 1994
std::optional<std::int64_t> parse_asctime(std::string_view text) {
  Reader in(text);
  Fields f;
  in.one_of(kDays);
  f.month = in.literal(" ").one_of(kMonths) + 1;
  f.day = in.literal(" ").number(2, ' ');
  in.literal(" ");
  read_time(in, f);
  f.year = static_cast<int>(in.literal(" ").number(4));
  return in.done() ? to_unix(f) : std::nullopt;
}

}  // namespace

std::string_view write_date(std::int64_t unix_seconds, char (&out)[kDateSize]) {
  constexpr std::int64_t kFirst = -62'135'596'800;  // 0001-01-01T00:00:00
  constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59
  unix_seconds = std::clamp(unix_seconds, kFirst, kLast);
  const Days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(base::Seconds(unix_seconds)));
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<unsigned>(unix_seconds - day.time_since_epoch().count() * kDay);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  char* p = out;
  const auto text = [&p](std::string_view s) { p = std::copy(s.begin(), s.end(), p); };
  const auto two = [&p](unsigned n) {
    *p++ = static_cast<char>('0' + n / 10);
    *p++ = static_cast<char>('0' + n % 10);
  };
  text(kDays[std::chrono::weekday(day).c_encoding()]);
  text(", ");
  two(static_cast<unsigned>(date.day()));
  text(" ");
  text(kMonths[static_cast<unsigned>(date.month()) - 1]);
  text(" ");
  two(year / 100);
  two(year % 100);
  text(" ");
  two(second / 3600);
  text(":");
  two(second / 60 % 60);
  text(":");
  two(second % 60);
  text(" GMT");
  return {out, kDateSize};
}

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) {
  if (const auto t = parse_imf(text)) return t;
  if (const auto t = parse_rfc850(text, now)) return t;
  return parse_asctime(text);
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  return parse_date(text, base::unix_seconds(base::wall_now()));
}

}  // namespace http
