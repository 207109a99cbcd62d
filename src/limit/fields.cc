#include "limit/fields.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace limit {

namespace {

constexpr std::uint64_t kLargest = 999'999'999'999'999;  // of a structured field's integer

void append_number(std::uint64_t n, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, std::min(n, kLargest)).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

std::uint64_t seconds(base::Nanos t) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(t.count() / kSecond + (t.count() % kSecond > 0), 1));
}

void append_line(std::string_view name, std::uint64_t n, std::string& out) {
  out.append(name);
  append_number(n, out);
  out.append("\r\n");
}

const Standing::Item& most_restrictive(const Standing& standing) {
  if (standing.outcome == Standing::Outcome::kRefused) return standing.decisive();
  const Standing::Item* least = &standing.items[0];
  for (const auto& item : standing.all())
    if (item.remaining() < least->remaining()) least = &item;
  return *least;
}

}  // namespace

std::string policy_item(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out += '"';
}

std::string policy_field(const std::vector<Policy>& policies) {
  std::string out;
  for (const Policy& policy : policies) {
    out.append(out.empty() ? "RateLimit-Policy: " : ",").append(policy.item).append(";q=");
    append_number(policy.quota.burst(), out);
    out.append(";w=");
    append_number(seconds(base::Nanos(policy.quota.window)), out);
  }
  return out.empty() ? out : out.append("\r\n");
}

void append_rate_fields(const Standing& standing, config::RateFields which, std::string& out) {
  if (standing.count == 0) return;
  const bool refused = standing.outcome == Standing::Outcome::kRefused;
  if (which != config::RateFields::kOff) {
    out.append(standing.policies->policy_field);
    std::string_view before = "RateLimit: ";
    for (const auto& item : standing.all()) {
      if (refused && !item.refused) continue;
      out.append(before).append(item.policy->item).append(";r=");
      append_number(item.remaining(), out);
      out.append(";t=");
      append_number(seconds(item.reset()), out);
      before = ",";
    }
    out.append("\r\n");
  }
  if (which == config::RateFields::kBoth) {
    const Standing::Item& item = most_restrictive(standing);
    append_line("x-ratelimit-limit: ", item.policy->quota.burst(), out);
    append_line("x-ratelimit-remaining: ", item.remaining(), out);
    append_line("x-ratelimit-reset: ", seconds(item.reset()), out);
  }
  if (refused) append_retry_after(standing.retry_after(), out);
}

void append_retry_after(base::Nanos after, std::string& out) {
  append_line("Retry-After: ", seconds(after), out);
}

}  // namespace limit
