// SHA-2 and HMAC over it, by OpenSSL's own code below its EVP layer.
//
// Owner:    a VerificationKey holds the HmacKey of its secret.
// Thread:   immutable, so any.
// Lifetime: what is derived from the secret is wiped when the key dies.
// Failure:  none.
// Standard: FIPS 180-4, RFC 2104.
//
// Why not EVP: a third of the time of verifying a token by HMAC went into duplicating its contexts (`raw_ns`
// of signature_bench.cc is EVP's). The price is an interface that OpenSSL 3 calls deprecated; it is used
// nowhere but here and in public_verify.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace identity {

enum class Sha2 : std::uint8_t { k256, k384, k512 };

struct Digest {
  std::array<unsigned char, 64> bytes;
  std::size_t size;
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

Digest sha2(Sha2 hash, std::string_view message);

class HmacKey {
 public:
  HmacKey(Sha2 hash, std::string_view secret);
  ~HmacKey();
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = delete;

  Digest mac(std::string_view message) const;

 private:
  const Sha2 hash_;
  // States of the hash after one block, which the secret fills: where the inner and the outer hash begin.
  static constexpr std::size_t kState = 256;
  alignas(16) std::array<unsigned char, kState> inner_;
  alignas(16) std::array<unsigned char, kState> outer_;
};

}  // namespace identity
