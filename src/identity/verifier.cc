#include "identity/verifier.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/sabotage.h"
#include "base/siphash.h"
#include "identity/base64url.h"
#include "identity/json_reader.h"
#include "identity/reason.h"
#include "identity/verification_key.h"

namespace identity {

namespace {

// A token without `kid` is tried with every key of its algorithm, but a stranger's token shall not cost more
// than this many signatures.
constexpr int kMaxTries = 8;

// Headers that name or bring a key, or change what is signed or how it is read (RFC 7515 §4.1, RFC 7797). The
// thumbprints x5t and x5t#S256 only hint at a key and are ignored.
constexpr std::array<std::string_view, 6> kRefusedHeaders{"jwk", "jku", "x5u", "x5c", "crit", "b64"};

std::unexpected<base::Error> refuse(std::string_view reason) {
  return base::fail(base::Code::kUnauthorized, reason);
}

// Working space of a thread, so that reading a token allocates nothing but its principal.
struct Scratch {
  JsonSpace json;
  std::string header;

  // The last header that was read and accepted. An issuer spells all of its headers alike, so most tokens need
  // no more than a compare with it. Verifiers of one id have the same rules.
  struct {
    std::uint64_t verifier = 0;
    std::string encoded;
    const AlgorithmRow* algorithm = nullptr;
    std::optional<std::string> kid;
  } last;
};

Scratch& scratch() {
  thread_local Scratch space;
  return space;
}

struct Parts {
  std::string_view header, payload, signature;
  std::string_view message;  // header.payload, what is signed
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  const Parts parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1), token.substr(0, second)};
  if (parts.header.empty() || parts.payload.empty() ||
      (parts.signature.empty() && !sabotage::on("alg-none-accepted")))
    return std::nullopt;
  return parts;
}

// NumericDate, RFC 7519 §2: seconds, perhaps with a fraction. Saturates: the clock's nanoseconds end in 2262.
base::Wall to_wall(double seconds) {
  constexpr double kEnd = 9.2e9;
  if (seconds >= kEnd) return base::Wall::max();
  if (seconds <= -kEnd) return base::Wall::min();
  return base::Wall(base::Nanos(static_cast<base::Nanos::rep>(seconds * 1e9)));
}

struct Claims {
  std::optional<double> exp, nbf, iat;
  std::optional<std::string_view> iss, sub, jti;
  bool audience_matches = false;
  bool wrong_type = false;
};

void read_string(JsonReader& in, std::optional<std::string_view>& out, Claims& claims) {
  std::string_view value;
  if (!in.at_string()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.string(value)) {
    out = value;
  }
}

void read_date(JsonReader& in, std::optional<double>& out, Claims& claims) {
  double value;
  if (!in.at_number()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.number(value)) {
    out = value;
  }
}

void read_audience(JsonReader& in, const std::vector<std::string>& wanted, Claims& claims) {
  const auto check = [&](std::string_view one) {
    if (std::ranges::find(wanted, one) != wanted.end()) claims.audience_matches = true;
  };
  std::string_view one;
  if (in.at_string()) {
    if (in.string(one)) check(one);
  } else if (!in.strings(check)) {
    claims.wrong_type = true;
  }
}

bool read(JsonReader& in, const std::vector<std::string>& audience, Claims& claims) {
  std::string_view name;
  while (in.next(name)) {
    if (name.size() != 3) {
      in.skip();
    } else if (name == "exp") {
      read_date(in, claims.exp, claims);
    } else if (name == "nbf") {
      read_date(in, claims.nbf, claims);
    } else if (name == "iat") {
      read_date(in, claims.iat, claims);
    } else if (name == "iss") {
      read_string(in, claims.iss, claims);
    } else if (name == "sub") {
      read_string(in, claims.sub, claims);
    } else if (name == "jti") {
      read_string(in, claims.jti, claims);
    } else if (name == "aud") {
      read_audience(in, audience, claims);
    } else {
      in.skip();
    }
  }
  return in.complete();
}

std::string name_of(const config::JwtIdentity& rules) {
  return "identity '" + rules.name + "'";
}

}  // namespace

struct Verifier::Header {
  const AlgorithmRow* algorithm = nullptr;
  const std::optional<std::string>* kid = nullptr;
};

Verifier::Verifier(const config::JwtIdentity& rules)
    : issuer_(rules.issuer),
      audience_(rules.audience),
      leeway_(rules.leeway),
      require_exp_(rules.require_exp),
      max_token_(rules.max_token),
      algorithms_(rules.algorithms) {
  if (algorithms_.empty()) throw VerifierError(name_of(rules) + " lists no algorithms", rules.line);
  if (rules.keys.empty()) throw VerifierError(name_of(rules) + " has no keys", rules.line);
  for (std::size_t i = 0; i < rules.keys.size(); ++i) add_key(rules, i);
  for (const config::Algorithm algorithm : algorithms_) {
    const AlgorithmRow& row = row_of(algorithm);
    if (std::ranges::none_of(keys_, [&](const auto& key) { return key->fits(row); }))
      throw VerifierError(name_of(rules) + " lists " + std::string(row.name) + " but has no key for it",
                          rules.line);
  }
  fingerprint();
}

Verifier::~Verifier() = default;

void Verifier::add_key(const config::JwtIdentity& rules, std::size_t index) {
  const config::Key& key = rules.keys[index];
  const int line = key.line ? key.line : rules.line;
  std::string where = name_of(rules) + ": key " + std::to_string(index + 1);
  if (!key.source.empty()) where += " (" + key.source + ")";

  if (!key.algorithm && algorithms_.size() > 1)
    throw VerifierError(where + " does not say which of the algorithms it is for", line);
  const AlgorithmRow& row = row_of(key.algorithm.value_or(algorithms_.front()));
  if (std::ranges::find(algorithms_, row.algorithm) == algorithms_.end())
    throw VerifierError(where + " is for " + std::string(row.name) + ", which the identity does not list",
                        line);
  for (const auto& other : keys_)
    if (!key.kid.empty() && other->kid() == key.kid && other->fits(row))
      throw VerifierError(where + " has the kid '" + key.kid + "' of another key", line);
  try {
    keys_.push_back(
        std::make_unique<const VerificationKey>(std::span(&row.algorithm, 1), key.material, key.kid));
  } catch (const std::runtime_error& fault) {
    throw VerifierError(where + " " + fault.what(), line);
  }
}

void Verifier::fingerprint() {
  std::string all;
  const auto add_number = [&](std::uint64_t n) { all.append(reinterpret_cast<const char*>(&n), sizeof n); };
  const auto add = [&](std::string_view s) {
    add_number(s.size());  // so that no two lists of strings run together into the same bytes
    all += s;
  };
  add(issuer_);
  add_number(audience_.size());
  for (const std::string& one : audience_) add(one);
  add_number(static_cast<std::uint64_t>(leeway_.count()));
  add_number(require_exp_);
  add_number(max_token_);
  add_number(algorithms_.size());
  for (const config::Algorithm one : algorithms_) add(row_of(one).name);
  for (const auto& key : keys_) {
    add(key->kid());
    add_number(key->fingerprint());
  }
  id_ = base::siphash(all);
  OPENSSL_cleanse(all.data(), all.size());
}

base::Result<base::Ref<const Principal>> Verifier::verify(std::string_view token, base::Wall now) const {
  if (token.size() > max_token_) return refuse(reason::kTooLarge);
  const std::optional<Parts> parts = split(token);
  if (!parts) return refuse(reason::kMalformed);

  Header header;
  if (auto ok = read_header(parts->header, header); !ok) return std::unexpected(ok.error());
  if (auto ok = check_signature(header, parts->message, parts->signature); !ok)
    return std::unexpected(ok.error());

  // Only now: nothing but the header is read of a token that nobody of ours has signed.
  bool decoded = false;
  auto principal = Principal::make(base64url_decoded_size(parts->payload.size()),
                                   [&](char* to) { decoded = base64url_decode(parts->payload, to); });
  if (!decoded) return refuse(reason::kMalformed);
  if (auto ok = read_claims(*principal, now); !ok) return std::unexpected(ok.error());
  return base::Ref<const Principal>(std::move(principal));
}

base::Result<> Verifier::read_header(std::string_view encoded, Header& header) const {
  Scratch& space = scratch();
  auto& last = space.last;
  if (!last.algorithm || last.verifier != id_ || last.encoded != encoded) {
    last.algorithm = nullptr;
    last.kid.reset();
    if (auto ok = parse_header(encoded, last.kid); ok)
      last.algorithm = *ok;
    else
      return std::unexpected(ok.error());
    last.verifier = id_;
    last.encoded = encoded;
  }
  header = {last.algorithm, &last.kid};
  return {};
}

base::Result<const AlgorithmRow*> Verifier::parse_header(std::string_view encoded,
                                                         std::optional<std::string>& kid) const {
  Scratch& space = scratch();
  space.header.resize(base64url_decoded_size(encoded.size()));
  if (!base64url_decode(encoded, space.header.data())) return refuse(reason::kMalformed);
  JsonReader in(space.header, space.json);
  std::optional<std::string_view> alg;
  bool refused = false;
  std::string_view name, value;
  while (in.next(name)) {
    if (name == "alg") {
      if (in.string(value)) alg = value;
    } else if (name == "kid") {
      if (in.string(value)) kid = value;
    } else if (name == "typ") {
      in.string(value);
    } else {
      refused |= std::ranges::find(kRefusedHeaders, name) != kRefusedHeaders.end();
      in.skip();
    }
  }
  if (!in.complete() || !alg) return refuse(reason::kMalformed);
  if (refused) return refuse(reason::kBadHeader);
  if (sabotage::on("alg-none-accepted") && *alg == "none") return nullptr;
  const AlgorithmRow* row = algorithm_named(*alg);
  if (!row || std::ranges::find(algorithms_, row->algorithm) == algorithms_.end())
    return refuse(reason::kBadAlgorithm);
  return row;
}

base::Result<> Verifier::check_signature(const Header& header, std::string_view message,
                                         std::string_view encoded) const {
  if (sabotage::on("signature-not-checked")) return {};
  if (sabotage::on("alg-none-accepted") && !header.algorithm) return {};
  std::array<char, kMaxSignature> bytes;
  const std::size_t size = base64url_decoded_size(encoded.size());
  if (size > bytes.size()) return refuse(reason::kBadSignature);
  if (!base64url_decode(encoded, bytes.data())) return refuse(reason::kMalformed);
  const std::string_view signature(bytes.data(), size);

  int tries = 0;
  for (const auto& key : keys_) {
    if (!key->fits(*header.algorithm)) continue;
    if (*header.kid && !key->kid().empty() && key->kid() != **header.kid) continue;
    if (++tries > kMaxTries) break;
    if (key->verifies(*header.algorithm, message, signature)) return {};
  }
  return refuse(tries == 0 ? reason::kUnknownKey : reason::kBadSignature);
}

base::Result<> Verifier::read_claims(Principal& principal, base::Wall now) const {
  JsonReader in(principal.payload, scratch().json);
  Claims claims;
  const bool whole = read(in, audience_, claims);
  if (claims.wrong_type) return refuse(reason::kBadClaim);
  if (!whole) return refuse(reason::kMalformed);

  if (!issuer_.empty() && claims.iss != issuer_ && !sabotage::on("issuer-not-checked"))
    return refuse(reason::kWrongIssuer);
  if (!audience_.empty() && !claims.audience_matches && !sabotage::on("audience-not-checked"))
    return refuse(reason::kWrongAudience);
  if (!claims.exp && require_exp_) return refuse(reason::kNoExpiry);
  const auto leeway = static_cast<double>(leeway_.count());
  if (claims.exp && !sabotage::on("expiry-not-checked")) {
    principal.expires = to_wall(*claims.exp);
    principal.usable_until = to_wall(*claims.exp + leeway);
  }
  if (claims.nbf) principal.usable_from = to_wall(*claims.nbf - leeway);
  if (now >= principal.usable_until) return refuse(reason::kExpired);
  if (now < principal.usable_from) return refuse(reason::kNotYetValid);
  if (claims.iat && now < to_wall(*claims.iat - leeway)) return refuse(reason::kIssuedInFuture);

  principal.keep(claims.iss.value_or(""), claims.sub.value_or(""));
  return {};
}

}  // namespace identity
