#include "telemetry/access_line.h"

#include <array>
#include <cstring>

#include "telemetry/json_text.h"

namespace telemetry {

namespace {

constexpr auto kPairs = [] {  // "000102…99"
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

template <std::size_t kLength>
char* put(char* out, const char (&literal)[kLength]) {
  std::memcpy(out, literal, kLength - 1);
  return out + kLength - 1;
}

char* put_pair(char* out, std::uint64_t n) {  // two digits
  std::memcpy(out, &kPairs[2 * n], 2);
  return out + 2;
}

char* put_milli(char* out, std::uint64_t n) {  // three digits
  *out = static_cast<char>('0' + n / 100);
  return put_pair(out + 1, n % 100);
}

char* put_number(char* out, std::uint64_t n) {
  char digits[20];
  char* p = digits + sizeof digits;
  for (; n >= 100; n /= 100) {
    p -= 2;
    put_pair(p, n % 100);
  }
  if (n >= 10) {
    p -= 2;
    put_pair(p, n);
  } else {
    *--p = static_cast<char>('0' + n);
  }
  const auto length = static_cast<std::size_t>(digits + sizeof digits - p);
  std::memcpy(out, p, length);
  return out + length;
}

char* put_millis(char* out, base::Nanos duration) {  // milliseconds with three decimals
  const std::int64_t ns = duration.count();
  const std::uint64_t us = ns > 0 ? (static_cast<std::uint64_t>(ns) + 500) / 1000 : 0;
  out = put_number(out, us / 1000);
  *out++ = '.';
  return put_milli(out, us % 1000);
}

template <std::size_t kLength>
char* put_text(char* out, const char (&key)[kLength], std::string_view text, std::size_t most = kMaxText) {
  out = put(out, key);
  out = escape_json(text.substr(0, most), out);
  *out++ = '"';
  return out;
}

template <std::size_t kLength>
char* put_optional(char* out, const char (&key)[kLength], std::string_view text) {
  return text.empty() ? out : put_text(out, key, text);
}

void render_date(std::int64_t second, char* out) {  // 20 bytes
  using namespace std::chrono;
  const sys_seconds time{seconds(second)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto year = static_cast<std::uint64_t>(static_cast<int>(date.year())) % 10'000;
  out = put_pair(out, year / 100);
  out = put_pair(out, year % 100);
  *out++ = '-';
  out = put_pair(out, static_cast<unsigned>(date.month()));
  *out++ = '-';
  out = put_pair(out, static_cast<unsigned>(date.day()));
  *out++ = 'T';
  out = put_pair(out, static_cast<std::uint64_t>(clock.hours().count()));
  *out++ = ':';
  out = put_pair(out, static_cast<std::uint64_t>(clock.minutes().count()));
  *out++ = ':';
  out = put_pair(out, static_cast<std::uint64_t>(clock.seconds().count()));
  *out = '.';
}

}  // namespace

std::size_t AccessLineFormatter::format(const AccessRecord& record, char* const begin) {
  const auto since = record.time.time_since_epoch();
  const auto second = std::chrono::floor<std::chrono::seconds>(since);
  if (second.count() != second_) {
    second_ = second.count();
    render_date(second_, date_);
  }
  const auto milli = std::chrono::duration_cast<base::Millis>(since - second).count();

  char* out = put(begin, R"({"time":")");
  std::memcpy(out, date_, sizeof date_);
  out = put_milli(out + sizeof date_, static_cast<std::uint64_t>(milli));
  out = put_text(out, R"(Z","request_id":")", record.request_id);
  out = put_text(out, R"(,"client":")", record.client);
  out = put_optional(out, R"(,"principal":")", record.principal);
  out = put_optional(out, R"(,"issuer":")", record.issuer);
  out = put_text(out, R"(,"method":")", record.method);
  out = put_text(out, R"(,"host":")", record.host);
  out = put_text(out, R"(,"path":")", record.path, kMaxPath);
  out = put_optional(out, R"(,"route":")", record.route);
  out = put_number(put(out, R"(,"status":)"), record.status);
  out = put_number(put(out, R"(,"bytes":)"), record.bytes_sent);
  out = put_number(put(out, R"(,"bytes_in":)"), record.bytes_received);
  out = put_millis(put(out, R"(,"duration_ms":)"), record.duration);
  out = put_optional(out, R"(,"cache":")", record.cache);
  if (record.origin.count() >= 0) out = put_millis(put(out, R"(,"origin_ms":)"), record.origin);
  out = put_optional(out, R"(,"reason":")", record.reason);
  out = put_optional(out, R"(,"user_agent":")", record.user_agent);
  out = put(out, "}\n");
  return static_cast<std::size_t>(out - begin);
}

}  // namespace telemetry
