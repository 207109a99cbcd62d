// Fuzzes the verifier from three sides, told apart by the first byte.
//
// 't': the rest is a token. It is never accepted unless it is, byte for byte, one that was minted here.
// 'p': the rest is a payload under a good signature. What is accepted, Boost.JSON's strict parser takes as an
//      object, re-reading it finds no duplicate member at any depth, and the claims say what the rules want.
// 'h': the rest is a header under a good signature over it: accepted only with `alg` of the rules.
//
// An identity of every algorithm, with keys of every kind, accepts what the one of HMAC accepts and nothing
// else, since only that one's secret is known here.
//
// What is accepted is remembered and found again; what is refused carries a reason that has a challenge.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <set>

#include "identity/algorithm.h"
#include "identity/challenge.h"
#include "identity/reason.h"
#include "identity/remembered.h"
#include "identity/testing.h"
#include "identity/verifier.h"

namespace {

namespace json = boost::json;
using namespace identity;

void check(bool holds) {
  if (!holds) std::abort();
}

// Boost.JSON's parser, made to notice duplicate members.
struct DuplicateFinder {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::vector<std::set<std::string>> open;
  std::string key;
  bool duplicate = false;

  using Error = json::error_code;
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Error&) {
    open.pop_back();
    return true;
  }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(json::string_view s, std::size_t, Error&) {
    key.append(s.data(), s.size());
    return true;
  }
  bool on_key(json::string_view s, std::size_t, Error&) {
    key.append(s.data(), s.size());
    duplicate |= !open.back().insert(std::exchange(key, {})).second;
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, Error&) { return true; }
  bool on_string(json::string_view, std::size_t, Error&) { return true; }
  bool on_number_part(json::string_view, Error&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Error&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Error&) { return true; }
  bool on_double(double, json::string_view, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }
};

bool is_object_without_duplicates(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");  // RFC 8259 §2
  if (first == text.npos || text[first] != '{') return false;
  json::error_code error;
  json::basic_parser<DuplicateFinder> parser{json::parse_options()};
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  return !error && used == text.size() && parser.done() && !parser.handler().duplicate;
}

void check_claims(const Principal& principal, std::string_view payload) {
  check(principal.payload == payload);
  check(is_object_without_duplicates(payload));
  const json::value claims = principal.claims();
  check(claims.at("iss").as_string() == "https://id.test" && principal.issuer == "https://id.test");
  check(claims.at("exp").to_number<double>() > 1'899'999'970 - 1e-3);
  if (const json::value* sub = claims.as_object().if_contains("sub"))
    check(principal.subject == std::string_view(sub->as_string().data(), sub->as_string().size()));
  const json::value& aud = claims.at("aud");
  bool named = aud.is_string() && aud.as_string() == "sekisho";
  if (aud.is_array())
    for (const json::value& one : aud.as_array()) named |= one.as_string() == "sekisho";
  check(named);
}

config::JwtIdentity every_rules() {
  config::JwtIdentity rules = hs256_rules();
  rules.algorithms.clear();
  for (const AlgorithmRow& row : algorithms()) {
    rules.algorithms.push_back(row.algorithm);
    config::Key key = rules.keys[0];
    key.algorithm = row.algorithm;
    key.material = row.family == Family::kHmac ? generate_secret(row.algorithm)
                                               : base::Secret(generate_keypair(row.algorithm).public_pem);
    rules.keys.push_back(std::move(key));
  }
  rules.keys[0].algorithm = config::Algorithm::kHS256;
  return rules;
}

struct World {
  Verifiers hs{{std::make_shared<const Verifier>(hs256_rules())}};
  KeyPair pair = generate_es256_keypair();
  Verifier es{es256_rules(pair.public_pem)};
  Verifier every{every_rules()};
  Remembered remembered{{.entries = 64, .bytes = 256 << 10}};
  // The tokens that seeds may hold: signed with the rules' secret, so that any other bytes are forged.
  std::set<std::string, std::less<>> minted{
      hs256_token(kHsHeader, kGoodPayload),
      hs256_token(R"({"alg":"HS256"})", kGoodPayload),
      hs256_token(R"({"alg":"HS256","kid":"k1"})", kGoodPayload),
  };
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string token;
  switch (data[0]) {
    case 't':
      token = rest;
      break;
    case 'p':
      token = hs256_token(kHsHeader, rest);
      break;
    case 'h':
      token = hs256_token(rest, kGoodPayload);
      break;
    default:
      return 0;
  }

  const auto result = world.hs.verify(token, kNow);
  check(!world.es.verify(token, kNow));
  check(world.every.verify(token, kNow).has_value() == result.has_value());
  if (!result) {
    check(result.error().code == base::Code::kUnauthorized);
    check(challenge(result.error()).starts_with("Bearer error=\"invalid_token\", error_description=\""));
    return 0;
  }
  if (data[0] == 't') check(world.minted.contains(token));
  if (data[0] == 'p') check_claims(**result, rest);
  if (data[0] == 'h') {
    check(is_object_without_duplicates(rest));
    check(json::parse(json::string_view(rest.data(), rest.size())).at("alg").as_string() == "HS256");
  }
  world.remembered.insert(token, *result, kNow);
  check(world.remembered.find(world.hs, token, kNow) == result->get());
  token.back() = token.back() == 'A' ? 'B' : 'A';
  check(world.remembered.find(world.hs, token, kNow) != result->get());
  return 0;
}
