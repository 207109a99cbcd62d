#include "text/json_line.h"

namespace text {

namespace {

void render_date(std::int64_t second, char* out) {  // 20 bytes
  using namespace std::chrono;
  using json_line::put_pair;
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

char* LineTime::put(char* out, base::Wall time) {
  const auto since = time.time_since_epoch();
  const auto second = std::chrono::floor<std::chrono::seconds>(since);
  if (second.count() != second_) {
    second_ = second.count();
    render_date(second_, date_);
  }
  const auto milli = std::chrono::duration_cast<base::Millis>(since - second).count();
  std::memcpy(out, date_, sizeof date_);
  out = json_line::put_milli(out + sizeof date_, static_cast<std::uint64_t>(milli));
  *out++ = 'Z';
  return out;
}

}  // namespace text
