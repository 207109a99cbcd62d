#include "telemetry/metrics.h"

#include <algorithm>
#include <string>

namespace telemetry {

namespace {

template <class Enum>
using Names = std::array<std::string_view, kSize<Enum>>;

template <class Enum>
std::string_view name_in(const Names<Enum>& names, Enum e) {
  return names[static_cast<std::size_t>(e)];
}

constexpr Names<Outcome> kOutcomes = {"served", "denied", "origin_error", "client_gone", "error"};
constexpr Names<Phase> kPhases = {"identity", "limit", "cache", "body", "origin", "respond"};
constexpr Names<CacheResult> kCacheResults = {"hit", "miss", "collapsed", "bypass"};
constexpr Names<OriginOutcome> kOriginOutcomes = {"reply",   "server_error", "refused", "unreachable",
                                                  "timeout", "bad_reply",    "denied",  "cancelled"};
constexpr Names<OriginConnection> kOriginConnections = {"opened", "reused", "retried"};
constexpr Names<Verification> kVerifications = {"verified", "remembered", "failed"};
constexpr Names<Refusal> kRefusals = {"limit", "address",         "descriptors",
                                      "error", "untrusted_proxy", "proxy_header"};
template <class Enum>
constexpr bool complete(const Names<Enum>& names) {
  return std::ranges::none_of(names, &std::string_view::empty);
}
static_assert(complete<Outcome>(kOutcomes) && complete<Phase>(kPhases) &&
              complete<CacheResult>(kCacheResults) && complete<OriginOutcome>(kOriginOutcomes) &&
              complete<OriginConnection>(kOriginConnections) && complete<Verification>(kVerifications) &&
              complete<Refusal>(kRefusals));

// The first six are what has no series of its own.
constexpr std::array<std::string_view, kStatusSlots> kStatuses = {
    "other", "1xx", "2xx", "3xx", "4xx", "5xx", "101", "200", "201", "202", "204", "206", "207",
    "301",   "302", "303", "304", "307", "308", "400", "401", "403", "404", "405", "408", "409",
    "412",   "413", "414", "416", "429", "431", "499", "500", "501", "502", "503", "504"};

constexpr std::array<std::uint8_t, 600> kSlotOf = [] {
  std::array<std::uint8_t, 600> slots{};
  for (std::size_t status = 100; status < slots.size(); ++status)
    slots[status] = static_cast<std::uint8_t>(status / 100);
  for (std::size_t slot = 6; slot < kStatuses.size(); ++slot) {
    const std::string_view text = kStatuses[slot];
    const int status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    slots[static_cast<std::size_t>(status)] = static_cast<std::uint8_t>(slot);
  }
  return slots;
}();

}  // namespace

std::string_view label(Outcome e) {
  return name_in(kOutcomes, e);
}
std::string_view label(Phase e) {
  return name_in(kPhases, e);
}
std::string_view label(CacheResult e) {
  return name_in(kCacheResults, e);
}
std::string_view label(OriginOutcome e) {
  return name_in(kOriginOutcomes, e);
}
std::string_view label(OriginConnection e) {
  return name_in(kOriginConnections, e);
}
std::string_view label(Verification e) {
  return name_in(kVerifications, e);
}
std::string_view label(Refusal e) {
  return name_in(kRefusals, e);
}
std::string_view label(base::Code e) {
  static const auto kLabels = [] {
    std::array<std::string, kSize<base::Code>> labels;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = base::row_of(static_cast<base::Code>(i)).slug;
      std::ranges::replace(labels[i], '-', '_');
    }
    return labels;
  }();
  return kLabels[static_cast<std::size_t>(e)];
}

std::size_t status_slot(std::uint16_t status) {
  return status < kSlotOf.size() ? kSlotOf[status] : 0;
}
std::string_view status_label(std::size_t slot) {
  return kStatuses[slot];
}

}  // namespace telemetry
