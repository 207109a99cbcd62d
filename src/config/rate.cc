#include "config/rate.h"

#include <fmt/format.h>

namespace config {

Parsed<Rate> RateText::parse(std::string_view text) {
  constexpr const char* kOtherwise = "is not a rate; write 100/s, 10/m, 1000/h or 5/10s";
  const std::size_t slash = text.find('/');
  if (slash == text.npos || slash + 1 == text.size()) return std::unexpected(kOtherwise);
  const auto count = Count::parse(text.substr(0, slash));
  std::string time(text.substr(slash + 1));
  if (time.find_first_of("0123456789") == time.npos) time.insert(0, 1, '1');
  const auto per = Duration::parse(time);
  if (!count || !per) return std::unexpected(kOtherwise);
  if (*count == 0) return std::unexpected("lets nothing through; the least count is 1");
  if (*count > 1'000'000'000) return std::unexpected("has a count beyond 1000000000");
  if (*per < Millis(1) || *per > std::chrono::days(31))
    return std::unexpected("has a time beyond 1ms to 31d");
  const Rate rate{*count, *per};
  if (rate.interval() < std::chrono::microseconds(1))
    return std::unexpected("is more than a million a second");
  return rate;
}

std::string RateText::show(const Rate& v) {
  std::string time = Duration::show(std::chrono::duration_cast<Millis>(v.per));
  if (time[0] == '1' && (time[1] < '0' || time[1] > '9')) time.erase(0, 1);
  return fmt::format("{}/{}", v.count, time);
}

Parsed<Rate> RateOrOff::parse(std::string_view text) {
  if (text == "off") return Rate{};
  return RateText::parse(text);
}

std::string RateOrOff::show(const Rate& v) {
  return v.count == 0 ? "off" : RateText::show(v);
}

}  // namespace config
