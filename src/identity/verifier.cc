#include "identity/verifier.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/sabotage.h"
#include "base/siphash.h"
#include "config/fingerprint.h"
#include "http/chars.h"
#include "identity/base64url.h"
#include "identity/key_source.h"
#include "identity/reason.h"
#include "identity/registered_claims.h"
#include "identity/token_parts.h"
#include "identity/verification_key.h"
#include "text/json_reader.h"

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
  text::JsonSpace json;
  std::string header;

  // The last header that was read and accepted. An issuer spells all of its headers alike, so most tokens
  // need no more than a compare with it. Verifiers of one id have the same rules.
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

// What a token is for, told by `typ`. The usual ones are those of RFC 7519 §5.1 and RFC 9068 §2.1.
constexpr std::string_view kNoType = "none";
constexpr std::array<std::string_view, 3> kUsualTypes{kNoType, "jwt", "at+jwt"};

// A media type in any case; "application/" may be left out where there is no other slash (RFC 7515 §4.1.9).
std::string plain_type(std::string_view type) {
  std::string out(type);
  std::ranges::transform(out, out.begin(), http::lower);
  constexpr std::string_view kApplication = "application/";
  if (out.starts_with(kApplication) && out.find('/', kApplication.size()) == out.npos)
    out.erase(0, kApplication.size());
  return out;
}

std::vector<std::string> types_of(const config::JwtIdentity& rules) {
  std::vector<std::string> types(kUsualTypes.begin(), kUsualTypes.end());
  if (rules.token_types.empty()) return types;
  types.clear();
  for (const std::string& type : rules.token_types) types.push_back(plain_type(type));
  return types;
}

std::string name_of(const config::JwtIdentity& rules) {
  return "identity '" + rules.name + "'";
}

}  // namespace

struct Verifier::Header {
  const AlgorithmRow* algorithm = nullptr;
  const std::optional<std::string>* kid = nullptr;
};

Verifier::Verifier(const config::JwtIdentity& rules, std::shared_ptr<KeySource> source)
    : source_(std::move(source)),
      issuer_(rules.issuer),
      audience_(rules.audience),
      leeway_(rules.leeway),
      require_exp_(rules.require_exp),
      max_token_(rules.max_token),
      algorithms_(rules.algorithms),
      types_(types_of(rules)),
      id_(config::fingerprint(rules, config::Decides::kAnswer)) {
  if (algorithms_.empty()) throw VerifierError(name_of(rules) + " lists no algorithms", rules.line);
  if (rules.keys.empty() && !source_) throw VerifierError(name_of(rules) + " has no keys", rules.line);
  for (std::size_t i = 0; i < rules.keys.size(); ++i) add_key(rules, i);
  if (!source_) check_every_algorithm_has_a_key(rules);
}

Verifier::~Verifier() = default;

void Verifier::check_every_algorithm_has_a_key(const config::JwtIdentity& rules) const {
  for (const config::Algorithm algorithm : algorithms_) {
    const AlgorithmRow& row = row_of(algorithm);
    if (std::ranges::none_of(keys_, [&](const auto& key) { return key->fits(row); }))
      throw VerifierError(name_of(rules) + " lists " + std::string(row.name) + " but has no key for it",
                          rules.line);
  }
}

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

base::Result<base::Ref<const Principal>> Verifier::verify(std::string_view token, base::Wall now,
                                                          Refused* refused) const {
  if (refused) *refused = {};
  if (token.size() > max_token_) return refuse(reason::kTooLarge);
  const std::optional<TokenParts> parts = split_token(token);
  if (!parts) return refuse(reason::kMalformed);

  Header header;
  if (auto ok = read_header(parts->header, header); !ok) return std::unexpected(ok.error());
  Signed by;
  if (auto ok = check_signature(header, parts->message, parts->signature, by); !ok) {
    if (refused) refused->checked = by.checked;
    if (by.unknown_here && !issuer_.empty()) {
      // Strangers shall not make us ask an issuer for keys of tokens that cannot be its own.
      const auto issuer = unverified_issuer(parts->payload);
      if (!issuer) return std::unexpected(issuer.error());
      if (*issuer != issuer_) return refuse(reason::kWrongIssuer);
    }
    if (refused && by.unknown_here) {
      refused->ask = source_.get();
      refused->named = *header.kid ? base::siphash(**header.kid) : 0;
    }
    return std::unexpected(ok.error());
  }

  // Only now: nothing but the header is read of a token that nobody of ours has signed.
  bool decoded = false;
  auto principal = Principal::make(base64url_decoded_size(parts->payload.size()),
                                   [&](char* to) { decoded = base64url_decode(parts->payload, to); });
  if (!decoded) return refuse(reason::kMalformed);
  if (auto ok = check_claims(*principal, now); !ok) return std::unexpected(ok.error());
  principal->verifier = id_;
  principal->key = by.key;
  principal->epoch = by.epoch;
  return base::Ref<const Principal>(std::move(principal));
}

bool Verifier::trusts(std::uint64_t key) const {
  return std::ranges::any_of(keys_, [&](const auto& one) { return one->fingerprint() == key; }) ||
         (source_ && source_->trusts(key));
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
  text::JsonReader in(space.header, space.json);
  std::optional<std::string_view> alg;
  std::optional<std::string_view> typ;
  bool refused = false;
  std::string_view name, value;
  while (in.next(name)) {
    if (name == "alg") {
      if (in.string(value)) alg = value;
    } else if (name == "kid") {
      if (in.string(value)) kid = value;
    } else if (name == "typ") {
      if (in.string(value)) typ = value;
    } else {
      refused |= std::ranges::find(kRefusedHeaders, name) != kRefusedHeaders.end();
      in.skip();
    }
  }
  if (!in.complete() || !alg) return refuse(reason::kMalformed);
  if (refused) return refuse(reason::kBadHeader);
  if (!accepts_type(typ)) return refuse(reason::kWrongType);
  if (sabotage::on("alg-none-accepted") && *alg == "none") return nullptr;
  const AlgorithmRow* row = algorithm_named(*alg);
  if (!row || std::ranges::find(algorithms_, row->algorithm) == algorithms_.end())
    return refuse(reason::kBadAlgorithm);
  return row;
}

bool Verifier::accepts_type(std::optional<std::string_view> typ) const {
  const std::string wanted = typ ? plain_type(*typ) : std::string(kNoType);
  // A type that is called so in a header is none of ours.
  return (!typ || wanted != kNoType) && std::ranges::find(types_, wanted) != types_.end();
}

base::Result<> Verifier::check_signature(const Header& header, std::string_view message,
                                         std::string_view encoded, Signed& by) const {
  if (sabotage::on("signature-not-checked")) return {};
  if (sabotage::on("alg-none-accepted") && !header.algorithm) return {};
  std::array<char, kMaxSignature> bytes;
  const std::size_t size = base64url_decoded_size(encoded.size());
  if (size > bytes.size()) return refuse(reason::kBadSignature);
  if (!base64url_decode(encoded, bytes.data())) return refuse(reason::kMalformed);
  const std::string_view signature(bytes.data(), size);

  const std::shared_ptr<const KeySet> published = source_ ? source_->keys() : nullptr;
  if (published) by.epoch = published->epoch;
  int tries = 0;
  bool named = false;  // a key of just this kid was tried
  const auto verified_by_one_of = [&](const auto& keys) {
    for (const auto& key : keys) {
      if (!key->fits(*header.algorithm)) continue;
      if (*header.kid && !key->kid().empty() && key->kid() != **header.kid) continue;
      if (++tries > kMaxTries) break;
      named |= *header.kid && key->kid() == **header.kid;
      by.checked = true;
      if (!key->verifies(*header.algorithm, message, signature)) continue;
      by.key = key->fingerprint();
      return true;
    }
    return false;
  };
  if (verified_by_one_of(keys_) || (published && verified_by_one_of(published->keys))) return {};
  // A token that names no key, or none that is here, may be of one that was published since; a secret never
  // is.
  by.unknown_here = published && !named && header.algorithm->family != Family::kHmac;
  if (by.unknown_here && published->keys.empty())
    return base::fail(base::Code::kIdentityUnavailable, reason::kNoKeys);
  return refuse(tries == 0 ? reason::kUnknownKey : reason::kBadSignature);
}

base::Result<> Verifier::check_claims(Principal& principal, base::Wall now) const {
  text::JsonReader in(principal.payload, scratch().json);
  RegisteredClaims claims;
  const bool whole = read_claims(in, audience_, claims);
  if (claims.wrong_type) return refuse(reason::kBadClaim);
  if (!whole) return refuse(reason::kMalformed);
  if (claims.is_event) return refuse(reason::kWrongType);
  if (claims.bound_to_key) return refuse(reason::kBoundToKey);

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

  const std::string actor = claims.has_actor ? principal.actor() : std::string();
  const std::string_view agent = !actor.empty()        ? std::string_view(actor)
                                 : !claims.azp.empty() ? claims.azp
                                                       : claims.client_id;
  principal.keep(claims.iss.value_or(""), claims.sub.value_or(""), agent);
  return {};
}

}  // namespace identity
