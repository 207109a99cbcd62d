// Fuzzes what an issuer publishes from three sides, told apart by the first byte.
//
// 'k': the rest is a JWK Set. What is accepted is an object to Boost.JSON's strict parser, too, and gives
//      keys of the allowed algorithms only: never a secret, none twice, within the bound. No message repeats
//      a key.
// 'd': the rest is a discovery document. What is accepted names our issuer and a place that can go into a
// request. 's': the rest drives a source: each byte is a step of the driver, of a request or of the clock.
// One fetch at a
//      time, everybody who waits is called once, good keys stay until they are too old.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <set>
#include <string>

#include "identity/jwks.h"
#include "identity/testing_jwks.h"
#include "identity/verification_key.h"
#include "telemetry/oplog.h"

namespace {

namespace json = boost::json;
using namespace identity;
using config::Algorithm;

const std::string kIssuer = "https://id.test";

void check(bool holds) {
  if (!holds) std::abort();
}

void check_set(std::string_view text) {
  constexpr std::array kAllowed{Algorithm::kHS256, Algorithm::kRS256, Algorithm::kPS512,
                                Algorithm::kES256, Algorithm::kES384, Algorithm::kEdDSA};
  const auto set = parse_jwks(text, kAllowed);
  if (!set) {
    check(!set.error().empty());
    return;
  }
  const json::value value = json::parse({text.data(), text.size()});
  const json::array& members = value.at("keys").as_array();
  check(set->keys.size() + set->skipped <= members.size() && set->keys.size() <= kMaxPublishedKeys);
  std::set<std::uint64_t> seen;
  for (const auto& key : set->keys) {
    check(seen.insert(key->fingerprint()).second);
    check(!key->fits(row_of(Algorithm::kHS256)) && !key->fits(row_of(Algorithm::kRS384)));
    bool any = false;
    for (const Algorithm one : kAllowed) any |= key->fits(row_of(one));
    check(any);
    check(!key->verifies(row_of(Algorithm::kES256), "message", std::string(64, 'x')));
  }
  for (const std::string& line : set->wrong) check(line.size() < 1000);
}

void check_document(std::string_view text) {
  const auto url = parse_discovery(text, kIssuer);
  if (!url) {
    check(!url.error().why.empty());
    return;
  }
  const json::value value = json::parse({text.data(), text.size()});
  check(value.at("issuer").as_string() == kIssuer.c_str());
  check(url->tls && !url->host.empty() && url->path.starts_with('/'));
  for (const char c : url->path) check(c > ' ' && c < '\x7f');
}

void drive(std::string_view steps) {
  static const TestSigner first("1"), second("2");
  static const std::string one = jwks_of({&first}), both = jwks_of({&first, &second});
  config::JwtIdentity rules = published_rules();
  rules.jwks->max_stale = base::Seconds(1000);
  if (steps.size() % 2) rules.jwks->url.reset();
  base::Mono now{base::Seconds(1)}, good{};
  KeySource source(rules, now);
  std::optional<config::Url> asked;
  int waiting = 0;
  std::uint64_t epoch = source.epoch();
  const auto answer = [&](const KeySource::Reply& reply) {
    if (!asked) return;
    asked = source.fetched(reply, now);
    if (!asked) check(waiting == 0);
  };
  for (const char step : steps) {
    const std::size_t before = source.keys()->keys.size();
    switch (step) {
      case 'b':
        if (const auto url = source.begin(now)) {
          check(!asked);
          asked = url;
        }
        break;
      case 'd':
        answer(reply_of(R"({"issuer":"https://id.test","jwks_uri":"https://id.test/k"})"));
        break;
      case '1':
      case '2': {
        const std::uint64_t successes = source.figures(now).fetches[0];
        answer(reply_of(step == '1' ? one : both));
        if (source.figures(now).fetches[0] != successes) good = now;
        break;
      }
      case 'x':
        answer(no_reply());
        break;
      case 'w':
        if (const bool may = source.may_want(now); source.want(now)) {
          check(may);
          ++waiting;
          source.on_fetched([&] { --waiting; });
        }
        break;
      case 'a':
        source.abandon();
        asked.reset();
        check(waiting == 0);
        break;
      default:
        now += base::Seconds(static_cast<unsigned char>(step));
    }
    check(asked.has_value() == (source.due() == base::Mono::max()));
    const std::size_t keys = source.keys()->keys.size();
    if (keys < before || keys == 0) {
      const bool withdrawn = before == 2 && keys == 1;
      check(before == 0 || withdrawn || now - good >= base::Seconds(1000));
    }
    check((source.epoch() != epoch) == (keys < before));
    epoch = source.epoch();
    check(source.figures(now).ready == (keys > 0));
  }
  source.abandon();
  check(waiting == 0);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  telemetry::log::set_level(telemetry::log::Level::kOff);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'k') check_set(rest);
  if (data[0] == 'd') check_document(rest);
  if (data[0] == 's') drive(rest);
  return 0;
}
