// Proofs of possession (DPoP, RFC 9449): a fresh one for each request that wants one, or a wrong one.
//
// Problem:  whoever steals a bound token shall not be able to use it, and whether a server sees to that shows
//           only in wrong proofs, each wrong in one thing. The harness makes them itself, sharing nothing
//           with a verifier under test.
// Owner:    Keyring: the run, one for each of `proofs`. Prover: one generator, for each. ProofMemory: one
//           user of the load, a client of its own: nonces are its own, and what it replays it has sent.
// Thread:   Keyring: once bound any. The others: their generator's.
// Lifetime: the spec, the keyring and the bound tokens outlive the prover.
// Failures: constructors: std::runtime_error with one line that shows no key. A proof that cannot be signed
//           goes out without a signature.
// Secrets:  private keys stay here; the "private member" of a forged jwk is made up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "prove/model/model.h"
#include "prove/wire/request.h"
#include "prove/wire/signing.h"

namespace prove {

// The base64url SHA-256 of a text: the thumbprint of a public_jwk(), the `ath` of a token.
std::string digest_of(std::string_view text);

class Keyring {
 public:
  struct Bound {
    std::size_t key;
    std::string ath;
  };

  explicit Keyring(const ProofSpec& spec);

  TokenAlgorithm algorithm() const { return algorithm_; }
  std::size_t size() const { return keys_.size(); }
  EVP_PKEY& key(std::size_t i) const { return *keys_[i].key; }
  const std::string& jwk(std::size_t i) const { return keys_[i].jwk; }
  const std::string& thumbprint(std::size_t i) const { return keys_[i].thumbprint; }
  const std::string& head(std::size_t i) const { return keys_[i].head; }  // of a right proof, encoded

  // The token number i is bound to the key number i modulo size(). Their texts stay where they are.
  void bind(const std::vector<std::string>& tokens);
  void bind(std::vector<std::string>&& tokens) = delete;
  const Bound* bound(std::string_view token) const;  // null: none of these

 private:
  struct Key {
    OpenSsl<EVP_PKEY> key;
    std::string jwk, thumbprint, head;
  };

  TokenAlgorithm algorithm_;
  std::vector<Key> keys_;
  std::unordered_map<std::string_view, Bound> bound_;
};

struct ProofMemory {
  std::string last;                 // the last right proof that was sent
  std::vector<std::string> nonces;  // by target, as they came; "": none

  std::string& nonce(std::size_t target) {
    if (nonces.size() <= target) nonces.resize(target + 1);
    return nonces[target];
  }
};

struct ProofClaims {                                          // in the order in which they are written
  std::string_view jti = {}, htm = {}, base = {}, path = {};  // htu: base and path
  std::int64_t iat = 0;
  std::string_view ath = {}, nonce = {};  // "": none
};
void append_claims(std::string& out, const ProofClaims& claims);

class Prover {
 public:
  explicit Prover(const Keyring& keyring) : keyring_(keyring), signers_(keyring.size()) {}

  // Where a request goes: of its path `skip` bytes are replaced by `base`, and what has no query is its htu.
  struct Place {
    std::string_view base;
    std::size_t skip = 0;
    std::size_t target = 0;
  };
  // The request with its proof in the last field of its head. `buffer` holds it, and held `wire` or nothing.
  Wire prove(const Wire& wire, std::string& buffer, const StepProof& how, const Place& place,
             ProofMemory& memory, base::Wall now);

 private:
  struct Asked;

  Asked read(const Wire& wire, const StepProof& how, const Place& place, ProofMemory& memory);
  void append_proof(std::string& out, const Asked& asked, base::Wall now);
  KeySigner& signer(std::size_t key);
  KeySigner& stranger();

  const Keyring& keyring_;
  std::vector<std::unique_ptr<KeySigner>> signers_;  // made when they are needed
  std::unique_ptr<Keyring> strange_;
  std::unique_ptr<KeySigner> stranger_;
  std::string field_, claims_, ath_, jti_;
};

}  // namespace prove
