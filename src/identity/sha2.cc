#define OPENSSL_SUPPRESS_DEPRECATED
#include "identity/sha2.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>
#include <type_traits>

namespace identity {

namespace {

// The three hashes behind one shape. SHA-384 is SHA-512 with another beginning and a shorter end.
struct Sha256 {
  using State = SHA256_CTX;
  static constexpr std::size_t kBlock = SHA256_CBLOCK, kSize = SHA256_DIGEST_LENGTH;
  static void begin(State& s) { SHA256_Init(&s); }
  static void add(State& s, const void* p, std::size_t n) { SHA256_Update(&s, p, n); }
  static void end(State& s, unsigned char* out) { SHA256_Final(out, &s); }
};
struct Sha512 {
  using State = SHA512_CTX;
  static constexpr std::size_t kBlock = SHA512_CBLOCK, kSize = SHA512_DIGEST_LENGTH;
  static void begin(State& s) { SHA512_Init(&s); }
  static void add(State& s, const void* p, std::size_t n) { SHA512_Update(&s, p, n); }
  static void end(State& s, unsigned char* out) { SHA512_Final(out, &s); }
};
struct Sha384 : Sha512 {
  static constexpr std::size_t kSize = SHA384_DIGEST_LENGTH;
  static void begin(State& s) { SHA384_Init(&s); }
};

template <class Use>
auto with(Sha2 hash, Use use) {
  switch (hash) {
    case Sha2::k256:
      return use(Sha256());
    case Sha2::k384:
      return use(Sha384());
    case Sha2::k512:
      break;
  }
  return use(Sha512());
}

template <class Hash>
Digest finished(typename Hash::State& state) {
  Digest out;
  Hash::end(state, out.bytes.data());
  out.size = Hash::kSize;
  return out;
}

template <class Hash, std::size_t kRoom>
typename Hash::State state_in(const std::array<unsigned char, kRoom>& room) {
  typename Hash::State state;
  static_assert(sizeof state <= kRoom && std::is_trivially_copyable_v<typename Hash::State>);
  std::memcpy(&state, room.data(), sizeof state);
  return state;
}

}  // namespace

Digest sha2(Sha2 hash, std::string_view message) {
  return with(hash, [&]<class Hash>(Hash) {
    typename Hash::State state;
    Hash::begin(state);
    Hash::add(state, message.data(), message.size());
    return finished<Hash>(state);
  });
}

HmacKey::HmacKey(Sha2 hash, std::string_view secret) : hash_(hash) {
  with(hash, [&]<class Hash>(Hash) {
    std::array<unsigned char, Hash::kBlock> block{};
    if (secret.size() > block.size()) {
      Digest shorter = sha2(hash, secret);
      std::memcpy(block.data(), shorter.bytes.data(), shorter.size);
      OPENSSL_cleanse(&shorter, sizeof shorter);
    } else {
      std::memcpy(block.data(), secret.data(), secret.size());
    }
    const auto keep = [&](unsigned char pad, auto& room) {
      for (unsigned char& byte : block) byte ^= pad;
      typename Hash::State state;
      Hash::begin(state);
      Hash::add(state, block.data(), block.size());
      std::memcpy(room.data(), &state, sizeof state);
      OPENSSL_cleanse(&state, sizeof state);
    };
    keep(0x36, inner_);
    keep(0x36 ^ 0x5c, outer_);
    OPENSSL_cleanse(block.data(), block.size());
    return 0;
  });
}

HmacKey::~HmacKey() {
  OPENSSL_cleanse(inner_.data(), inner_.size());
  OPENSSL_cleanse(outer_.data(), outer_.size());
}

Digest HmacKey::mac(std::string_view message) const {
  return with(hash_, [&]<class Hash>(Hash) {
    auto inner = state_in<Hash>(inner_);
    Hash::add(inner, message.data(), message.size());
    const Digest first = finished<Hash>(inner);
    auto outer = state_in<Hash>(outer_);
    Hash::add(outer, first.bytes.data(), first.size);
    return finished<Hash>(outer);
  });
}

}  // namespace identity
