#include "prove/wire/dpop.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "prove/wire/nocase.h"

namespace prove {
namespace {

constexpr std::string_view kType = "dpop+jwt";
constexpr std::int64_t kHour = 3600;
constexpr std::size_t kRandom = 16;  // bytes of a jti; RFC 9449 §4.2 wants 96 bits at the least

std::string header_of(std::string_view type, std::string_view algorithm, std::string_view jwk) {
  return fmt::format(R"({{"typ":"{}","alg":"{}","jwk":{}}})", type, algorithm, jwk);
}

// Nobody who watches one run can foresee the next: the seed of a campaign is not asked.
void append_random(std::string& out) {
  std::array<unsigned char, kRandom> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("OpenSSL has no random numbers");
  append_base64url(out, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void append_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

// RFC 9449 §8.1: what a nonce may hold. Another one would make a token that is no JSON.
bool is_nonce(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

std::string with_private_member(std::string_view jwk) {
  std::string out(jwk.substr(0, jwk.size() - 1));
  out += R"(,"d":")";
  append_random(out);
  append_random(out);
  return out + R"("})";
}

// The access token in the request's own field, or "": what Basic holds, at a token endpoint, is none.
std::string_view token_in(std::string_view head) {
  constexpr std::string_view kField = "\r\nauthorization:";
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    if (!begins_nocase(head.substr(at), kField)) continue;
    std::string_view value = head.substr(at + kField.size());
    value = value.substr(0, value.find('\r'));
    while (value.starts_with(' ')) value.remove_prefix(1);
    for (const std::string_view scheme : {"DPoP ", "Bearer "})
      if (begins_nocase(value, scheme)) return value.substr(scheme.size());
    return {};
  }
  return {};
}

}  // namespace

std::string digest_of(std::string_view text) {
  std::array<unsigned char, 32> out{};
  if (EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL has no SHA-256");
  return base64url({reinterpret_cast<const char*>(out.data()), out.size()});
}

void append_claims(std::string& out, const ProofClaims& claims) {
  out += '{';
  if (!claims.jti.empty()) out.append(R"("jti":")").append(claims.jti).append("\",");
  out.append(R"("htm":")").append(claims.htm).append(R"(","htu":")").append(claims.base);
  append_text(out, claims.path);
  fmt::format_to(std::back_inserter(out), R"(","iat":{})", claims.iat);
  if (!claims.ath.empty()) out.append(R"(,"ath":")").append(claims.ath).append("\"");
  if (!claims.nonce.empty()) out.append(R"(,"nonce":")").append(claims.nonce).append("\"");
  out += '}';
}

// ---- keys

Keyring::Keyring(const ProofSpec& spec) : algorithm_(algorithm_of(spec.algorithm)) {
  keys_.reserve(spec.keys);
  for (std::uint64_t i = 0; i < spec.keys; ++i) {
    Key& made = keys_.emplace_back();
    if (spec.key.empty()) {
      made.key = make_key(algorithm_);
    } else {
      auto given = read_key(algorithm_, spec.key);
      if (!given) throw std::runtime_error(fmt::format("the key of proof '{}' {}", spec.name, given.error()));
      made.key = *std::move(given);
    }
    made.jwk = public_jwk(*made.key);
    made.thumbprint = digest_of(made.jwk);
    made.head = base64url(header_of(kType, traits(algorithm_).name, made.jwk));
  }
}

void Keyring::bind(const std::vector<std::string>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    bound_.try_emplace(tokens[i], Bound{i % keys_.size(), digest_of(tokens[i])});
}

const Keyring::Bound* Keyring::bound(std::string_view token) const {
  const auto found = bound_.find(token);
  return found == bound_.end() ? nullptr : &found->second;
}

KeySigner& Prover::signer(std::size_t key) {
  if (!signers_[key]) signers_[key] = std::make_unique<KeySigner>(keyring_.key(key), keyring_.algorithm());
  return *signers_[key];
}

KeySigner& Prover::stranger() {
  if (!stranger_) {
    ProofSpec spec;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(ProofAlgorithm::kPS256); ++i)
      if (algorithm_of(static_cast<ProofAlgorithm>(i)) == keyring_.algorithm())
        spec.algorithm = static_cast<ProofAlgorithm>(i);
    strange_ = std::make_unique<Keyring>(spec);
    stranger_ = std::make_unique<KeySigner>(strange_->key(0), keyring_.algorithm());
  }
  return *stranger_;
}

// ---- proofs

struct Prover::Asked {
  std::string_view method, path, ath, base, nonce;
  std::size_t key = 0;
  Forge forge = Forge::kNothing;
};

Prover::Asked Prover::read(const Wire& wire, const StepProof& how, const Place& place, ProofMemory& memory) {
  Asked asked;
  const std::string_view head = wire.bytes.substr(0, wire.head);
  asked.method = head.substr(0, head.find(' '));
  const std::string_view target = head.substr(asked.method.size() + 1);
  asked.path = target.substr(0, target.find_first_of("? "));
  asked.path.remove_prefix(std::min(place.skip, asked.path.size()));
  asked.base = place.base;
  asked.forge = how.forge;
  if (how.nonce != NonceUse::kIgnore && is_nonce(memory.nonce(place.target)))
    asked.nonce = memory.nonce(place.target);
  const std::string_view token = token_in(head);
  if (token.empty()) return asked;
  if (const Keyring::Bound* bound = keyring_.bound(token)) {
    asked.key = bound->key;
    asked.ath = bound->ath;
    return asked;
  }
  ath_.clear();
  append_base64url(ath_, signer(0).sha256(token));
  asked.ath = ath_;
  return asked;
}

void Prover::append_proof(std::string& out, const Asked& asked, base::Wall now) {
  const std::size_t from = out.size();
  const Forge forge = asked.forge;
  KeySigner& by = forge == Forge::kKey ? stranger() : signer(asked.key);
  const std::string_view algorithm = traits(keyring_.algorithm()).name;
  const std::string& jwk = keyring_.jwk(asked.key);
  if (forge == Forge::kKey)
    out += strange_->head(0);
  else if (forge == Forge::kTyp)
    append_base64url(out, header_of("jwt", algorithm, jwk));
  else if (forge == Forge::kAlg)
    append_base64url(out, header_of(kType, "none", jwk));
  else if (forge == Forge::kPrivate)
    append_base64url(out, header_of(kType, algorithm, with_private_member(jwk)));
  else
    out += keyring_.head(asked.key);
  out += '.';

  ProofClaims claims{
      .htm = asked.method, .base = asked.base, .path = asked.path, .ath = asked.ath, .nonce = asked.nonce};
  std::string other;  // of a forged one alone
  jti_.clear();
  append_random(jti_);
  if (forge != Forge::kJti) claims.jti = jti_;
  claims.iat = base::unix_seconds(now);
  if (forge == Forge::kPast) claims.iat -= kHour;
  if (forge == Forge::kFuture) claims.iat += kHour;
  if (forge == Forge::kHtm) claims.htm = asked.method == "GET" ? "POST" : "GET";
  if (forge == Forge::kHost) claims.base = "https://elsewhere.invalid";
  if (forge == Forge::kHtu) claims.path = other = std::string(asked.path) + "-elsewhere";
  if (forge == Forge::kAth) claims.ath = other = digest_of("another token");
  if (forge == Forge::kNonce) claims.nonce = "of-nobody";
  claims_.clear();
  append_claims(claims_, claims);
  append_base64url(out, claims_);

  const std::string_view signature = by.sign(std::string_view(out).substr(from));
  out += '.';
  if (forge == Forge::kAlg) return;
  if (forge != Forge::kSignature || signature.empty()) return append_base64url(out, signature);
  other = signature;
  other[other.size() / 2] ^= 1;
  append_base64url(out, other);
}

Wire Prover::prove(const Wire& wire, std::string& buffer, const StepProof& how, const Place& place,
                   ProofMemory& memory, base::Wall now) {
  constexpr std::string_view kName = "DPoP: ";
  constexpr std::string_view kEnd = "\r\n";
  if (wire.bad) return wire;
  Asked asked = read(wire, how, place, memory);
  field_ = kName;
  if (how.forge == Forge::kReplay && !memory.last.empty()) {
    field_ += memory.last;
  } else {
    append_proof(field_, asked, now);
    if (how.forge == Forge::kNothing) memory.last.assign(field_, kName.size());
  }
  field_ += kEnd;
  if (how.forge == Forge::kTwice) {
    asked.forge = Forge::kNothing;
    field_ += kName;
    append_proof(field_, asked, now);
    field_ += kEnd;
  }
  if (buffer.data() != wire.bytes.data()) buffer = wire.bytes;
  buffer.insert(wire.head - kEnd.size(), field_);
  return {.bytes = buffer, .generated = wire.generated, .head = wire.head + field_.size(), .bad = false};
}

}  // namespace prove
