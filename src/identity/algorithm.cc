#include "identity/algorithm.h"

#include <array>
#include <stdexcept>

namespace identity {

namespace {

using config::Algorithm;

constexpr std::array kAlgorithms{
    AlgorithmRow{Algorithm::kHS256, "HS256", Family::kHmac, "SHA256", nullptr, 32, 32},
    AlgorithmRow{Algorithm::kHS384, "HS384", Family::kHmac, "SHA384", nullptr, 48, 48},
    AlgorithmRow{Algorithm::kHS512, "HS512", Family::kHmac, "SHA512", nullptr, 64, 64},
    AlgorithmRow{Algorithm::kRS256, "RS256", Family::kRsaPkcs1, "SHA256", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kRS384, "RS384", Family::kRsaPkcs1, "SHA384", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kRS512, "RS512", Family::kRsaPkcs1, "SHA512", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kPS256, "PS256", Family::kRsaPss, "SHA256", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kPS384, "PS384", Family::kRsaPss, "SHA384", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kPS512, "PS512", Family::kRsaPss, "SHA512", nullptr, 0, 0},
    AlgorithmRow{Algorithm::kES256, "ES256", Family::kEcdsa, "SHA256", "prime256v1", 64, 0},
    AlgorithmRow{Algorithm::kES384, "ES384", Family::kEcdsa, "SHA384", "secp384r1", 96, 0},
    AlgorithmRow{Algorithm::kEdDSA, "EdDSA", Family::kEddsa, nullptr, nullptr, 0, 0},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i)
    if (static_cast<std::size_t>(kAlgorithms[i].algorithm) != i) return false;
  return true;
}
static_assert(in_order(), "row_of() takes the enumerator for the row's place");

}  // namespace

bool AlgorithmRow::takes(std::string_view type, std::string_view key_curve) const {
  switch (family) {
    case Family::kHmac:
      return false;
    case Family::kRsaPkcs1:
    case Family::kRsaPss:
      return type == "RSA";
    case Family::kEcdsa:
      return type == "EC" && key_curve == curve;
    case Family::kEddsa:
      return type == "ED25519" || type == "ED448";
  }
  return false;
}

std::string AlgorithmRow::need() const {
  std::string needs = std::string(name) + " needs ";
  switch (family) {
    case Family::kHmac:
      return needs + "a shared secret";
    case Family::kRsaPkcs1:
    case Family::kRsaPss:
      return needs + "an RSA key";
    case Family::kEcdsa:
      return needs + "an EC key on " + (algorithm == Algorithm::kES256 ? "P-256" : "P-384");
    case Family::kEddsa:
      return needs + "an Ed25519 or Ed448 key";
  }
  return needs;
}

std::span<const AlgorithmRow> algorithms() {
  return kAlgorithms;
}

const AlgorithmRow& row_of(Algorithm algorithm) {
  const auto place = static_cast<std::size_t>(algorithm);
  if (place >= kAlgorithms.size()) throw std::logic_error("an algorithm of the configuration has no row");
  return kAlgorithms[place];
}

const AlgorithmRow* algorithm_named(std::string_view name) {
  for (const AlgorithmRow& row : kAlgorithms)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace identity
