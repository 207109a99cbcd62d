#include "prove/wire/token.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "prove/wire/signing.h"

namespace prove {
namespace {

namespace json = boost::json;

std::string sign_with_key(const TokenSpec& spec, std::string_view input) {
  auto key = read_key(spec.algorithm, spec.key);
  if (!key) throw std::runtime_error(fmt::format("the key of token '{}' {}", spec.name, key.error()));
  KeySigner signer(**key, spec.algorithm);
  std::string out(signer.sign(input));
  if (out.empty())
    throw std::runtime_error(
        fmt::format("the key of token '{}' cannot sign with {}", spec.name, traits(spec.algorithm).name));
  return out;
}

std::string sign(const TokenSpec& spec, std::string_view input) {
  const AlgorithmTraits& algorithm = traits(spec.algorithm);
  if (algorithm.family == KeyFamily::kNone) return {};
  if (algorithm.family != KeyFamily::kHmac) return sign_with_key(spec, input);
  const std::string_view key = spec.key.reveal();
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(algorithm.digest(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(input.data()), input.size(), out, &size) == nullptr)
    throw std::runtime_error(fmt::format("the key of token '{}' cannot sign", spec.name));
  return {reinterpret_cast<const char*>(out), size};
}

// A claim's text with its number in it, as JSON where it is JSON.
json::value claim(const std::string& written, std::uint64_t index) {
  Slots slots;
  const auto compiled = Template::compile(written, slots);
  std::string text = written;
  if (compiled) text = compiled->render(Values(slots.size(), std::to_string(index)));
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value(text) : value;
}

}  // namespace

std::string_view name_of(TokenAlgorithm algorithm) {
  return traits(algorithm).name;
}

std::string check_key(const TokenSpec& spec) {
  const KeyFamily family = traits(spec.algorithm).family;
  if (family == KeyFamily::kNone) return {};
  if (spec.key.empty()) return "is empty";
  if (family == KeyFamily::kHmac)
    return spec.key.reveal().contains("-----BEGIN ") ? "is a PEM key; HS algorithms need a secret" : "";
  const auto key = read_key(spec.algorithm, spec.key);
  return key ? std::string() : key.error();
}

std::string mint(const TokenSpec& spec, std::uint64_t index, base::Wall now, std::string_view bound) {
  json::object header{{"alg", name_of(spec.algorithm)}, {"typ", "JWT"}};
  if (!spec.kid.empty()) header["kid"] = spec.kid;
  const std::int64_t ttl = std::chrono::duration_cast<base::Seconds>(spec.ttl).count();
  // A second more: one that has just expired may still pass where clocks are compared with `<`.
  const std::int64_t issued = base::unix_seconds(now) - (spec.expired ? 2 * ttl + 1 : 0);
  json::object payload{{"iat", issued}, {"exp", issued + ttl}};
  if (!bound.empty()) payload["cnf"] = json::object{{"jkt", bound}};
  for (const auto& [name, written] : spec.claims) payload[name] = claim(written, index);

  const std::string head = base64url(json::serialize(header)) + ".";
  const std::string input = head + base64url(json::serialize(payload));
  std::string signature = sign(spec, input);
  if (spec.tamper == Tamper::kSignature) signature[signature.size() / 2] ^= 1;
  if (spec.tamper == Tamper::kPayload) {
    payload["forged"] = true;
    return head + base64url(json::serialize(payload)) + "." + base64url(signature);
  }
  return input + "." + base64url(signature);
}

}  // namespace prove
