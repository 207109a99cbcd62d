#include "identity/key_material.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "identity/base64url.h"
#include "text/json_reader.h"

namespace identity {

namespace {

namespace json = boost::json;
using detail::Handle;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;
constexpr int kMaxExponentBits = 64;  // OpenSSL itself refuses more where the modulus is large

// Nobody looks at this queue but TLS, which would take what is left in it for its own failure.
struct ErrorsCleared {
  ErrorsCleared() = default;
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
  ~ErrorsCleared() { ERR_clear_error(); }
};

using Reading = std::expected<KeyMaterial, JwkRefusal>;

std::unexpected<JwkRefusal> foreign(std::string why) {
  return std::unexpected(JwkRefusal{true, std::move(why)});
}
std::unexpected<JwkRefusal> wrong(std::string why) {
  return std::unexpected(JwkRefusal{false, std::move(why)});
}

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

Handle<BIGNUM> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  return Handle<BIGNUM>(number);
}

std::string unsound_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kMinRsaBits || bits > kMaxRsaBits)
    return "is an RSA key of " + std::to_string(bits) + " bits; it must have " + std::to_string(kMinRsaBits) +
           " to " + std::to_string(kMaxRsaBits);
  const Handle<BIGNUM> n = number_of(key, OSSL_PKEY_PARAM_RSA_N), e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  if (!n || !BN_is_odd(n.get())) return "is an RSA key whose modulus is even";
  if (!e || !BN_is_odd(e.get()) || BN_is_one(e.get()))
    return "is an RSA key whose public exponent is not an odd number above 1";
  if (BN_num_bits(e.get()) > kMaxExponentBits)
    return "is an RSA key whose public exponent has more than " + std::to_string(kMaxExponentBits) + " bits";
  return {};
}

// ---- the members of a JWK

// Null where it is missing. False: it is there, but no string.
bool text_member(const json::object& jwk, std::string_view name, std::optional<std::string_view>& out) {
  const json::value* value = jwk.if_contains(name);
  if (!value) return true;
  const json::string* text = value->if_string();
  if (!text) return false;
  out = std::string_view(text->data(), text->size());
  return true;
}

std::expected<std::string, JwkRefusal> octets(const json::object& jwk, std::string_view name) {
  std::optional<std::string_view> text;
  if (!text_member(jwk, name, text) || !text || text->empty())
    return wrong("is a JWK without the string `" + std::string(name) + "`");
  std::string out(base64url_decoded_size(text->size()), '\0');
  if (!base64url_decode(*text, out.data()))
    return wrong("is a JWK whose `" + std::string(name) + "` is not base64url");
  return out;
}

bool may_verify(const json::value& key_ops) {
  const json::array* operations = key_ops.if_array();
  return operations && std::ranges::any_of(*operations, [](const json::value& one) {
           return one.is_string() && one.as_string() == "verify";
         });
}

Handle<EVP_PKEY> built(const char* type, OSSL_PARAM_BLD* parts) {
  const Handle<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(parts));
  const Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  return Handle<EVP_PKEY>(key);
}

std::expected<Handle<EVP_PKEY>, JwkRefusal> rsa_key(const json::object& jwk) {
  const auto n = octets(jwk, "n"), e = octets(jwk, "e");
  if (!n) return std::unexpected(n.error());
  if (!e) return std::unexpected(e.error());
  if (n->size() > kMaxRsaBits / 8 + 1 || e->size() > kMaxRsaBits / 8)
    return wrong("is an RSA key of more than " + std::to_string(kMaxRsaBits) + " bits");
  const Handle<BIGNUM> modulus(BN_bin2bn(bytes(*n), static_cast<int>(n->size()), nullptr));
  const Handle<BIGNUM> exponent(BN_bin2bn(bytes(*e), static_cast<int>(e->size()), nullptr));
  const Handle<OSSL_PARAM_BLD> parts(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  Handle<EVP_PKEY> key = built("RSA", parts.get());
  if (!key) return wrong("is no RSA key: its `n` and `e` make none");
  return key;
}

struct Curve {
  std::string_view crv;
  const char* name;        // OpenSSL's
  std::size_t coordinate;  // bytes
};
constexpr std::array kCurves{Curve{"P-256", "prime256v1", 32}, Curve{"P-384", "secp384r1", 48}};

std::expected<Handle<EVP_PKEY>, JwkRefusal> ec_key(const json::object& jwk, std::string_view crv) {
  const auto curve = std::ranges::find(kCurves, crv, &Curve::crv);
  if (curve == kCurves.end()) return foreign("is on another curve than P-256 and P-384");
  const auto x = octets(jwk, "x"), y = octets(jwk, "y");
  if (!x) return std::unexpected(x.error());
  if (!y) return std::unexpected(y.error());
  if (x->size() != curve->coordinate || y->size() != curve->coordinate)
    return wrong("is a JWK on " + std::string(crv) + " whose `x` or `y` is not " +
                 std::to_string(curve->coordinate) + " bytes long");
  const std::string point = "\x04" + *x + *y;
  const Handle<OSSL_PARAM_BLD> parts(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0);
  OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  Handle<EVP_PKEY> key = built("EC", parts.get());
  if (!key) return wrong("is no point of its curve");
  return key;
}

std::expected<Handle<EVP_PKEY>, JwkRefusal> okp_key(const json::object& jwk, std::string_view crv) {
  if (crv != "Ed25519" && crv != "Ed448") return foreign("is on another curve than Ed25519 and Ed448");
  const auto x = octets(jwk, "x");
  if (!x) return std::unexpected(x.error());
  Handle<EVP_PKEY> key(EVP_PKEY_new_raw_public_key_ex(nullptr, crv == "Ed25519" ? "ED25519" : "ED448",
                                                      nullptr, bytes(*x), x->size()));
  if (!key) return wrong("is a JWK on " + std::string(crv) + " whose `x` is not of its length");
  return key;
}

std::expected<Handle<EVP_PKEY>, JwkRefusal> public_key(const json::object& jwk, std::string_view kty) {
  if (kty == "RSA") return rsa_key(jwk);
  std::optional<std::string_view> crv;
  if (!text_member(jwk, "crv", crv) || !crv) return wrong("is a JWK without the string `crv`");
  return kty == "EC" ? ec_key(jwk, *crv) : okp_key(jwk, *crv);
}

// What it says that it is for.
std::expected<void, JwkRefusal> read_purpose(const json::object& jwk, KeyMaterial& material) {
  std::optional<std::string_view> use, alg, kid;
  if (!text_member(jwk, "use", use) || !text_member(jwk, "alg", alg) || !text_member(jwk, "kid", kid))
    return wrong("is a JWK whose `use`, `alg` or `kid` is no string");
  if (use && *use != "sig") return foreign("is a JWK whose `use` is not sig: it is not for signatures");
  if (const json::value* key_ops = jwk.if_contains("key_ops"); key_ops && !may_verify(*key_ops))
    return foreign("is a JWK whose `key_ops` do not hold verify");
  if (alg) {
    material.algorithm = algorithm_named(*alg);
    if (!material.algorithm) return foreign("is a JWK whose `alg` is none that Sekisho knows");
  }
  material.kid = kid.value_or("");
  return {};
}

bool is_strict_object(std::string_view text) {
  text::JsonSpace space;
  text::JsonReader in(text, space);
  std::string_view name;
  while (in.next(name)) in.skip();
  return in.complete();
}

std::string_view without_space_around(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// Big-endian, of as many bytes as it takes, or of `size`.
std::string base64url_of(const EVP_PKEY* key, const char* name, int size = 0) {
  const Handle<BIGNUM> number = number_of(key, name);
  if (!number) return {};
  if (size == 0) size = BN_num_bytes(number.get());
  std::string raw(static_cast<std::size_t>(size), '\0'), text;
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(raw.data()), size);
  base64url_encode(raw, text);
  return text;
}

}  // namespace

std::string_view pem_label(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || !text.substr(begin).starts_with(kBegin)) return {};
  text.remove_prefix(begin + kBegin.size());
  const std::size_t end = text.find("-----");
  if (end == text.npos || end == 0 || end > 40) return "unreadable";
  return text.substr(0, end);
}

std::expected<KeyMaterial, std::string> read_pem(std::string_view text) {
  const ErrorsCleared cleared;
  const std::string_view label = pem_label(text);
  if (label.contains("ENCRYPTED") || text.contains("Proc-Type: 4,ENCRYPTED"))
    return std::unexpected(
        "is a private key with a passphrase; give the public one (openssl pkey -in FILE -pubout)");
  if (label.contains("PRIVATE KEY"))
    return std::unexpected("is a private key; give the public one (openssl pkey -in FILE -pubout)");
  if (label.contains("CERTIFICATE"))
    return std::unexpected("is a certificate; give its public key (openssl x509 -in FILE -pubkey -noout)");
  if (label == "RSA PUBLIC KEY")
    return std::unexpected(
        "is PEM of another kind (PKCS #1), not PUBLIC KEY (openssl rsa -RSAPublicKey_in -pubout)");
  if (label != "PUBLIC KEY") return std::unexpected("is PEM of another kind, not PUBLIC KEY");
  const std::size_t end = text.find("-----END");
  if (end != text.npos && text.find("-----BEGIN", end) != text.npos)
    return std::unexpected("holds more than one PEM block; give each key an entry of its own");

  text.remove_prefix(std::min(text.find('-'), text.size()));  // OpenSSL wants the line to begin with it
  const Handle<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  KeyMaterial material;
  material.public_key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!material.public_key) return std::unexpected("is malformed PEM");
  if (std::string why = unsound(material.public_key.get()); !why.empty()) return std::unexpected(why);
  return material;
}

Reading read_jwk(const json::object& jwk, Secrets secrets) {
  const ErrorsCleared cleared;
  std::optional<std::string_view> kty;
  if (!text_member(jwk, "kty", kty) || !kty) return wrong("is a JWK without the string `kty`");
  const bool secret = *kty == "oct";
  if (!secret && *kty != "RSA" && *kty != "EC" && *kty != "OKP")
    return foreign("is a JWK whose `kty` is not RSA, EC, OKP or oct");
  KeyMaterial material;
  if (auto ok = read_purpose(jwk, material); !ok) return std::unexpected(ok.error());

  if (secret) {
    if (secrets == Secrets::kRefused) return wrong("is a secret (`kty` is oct), which nobody may publish");
    auto k = octets(jwk, "k");
    if (!k) return std::unexpected(k.error());
    material.secret = base::Secret(*std::move(k));
    return material;
  }
  for (const std::string_view name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    if (jwk.contains(name)) return wrong("is a JWK of a private key; give the public one, without `d`");
  auto key = public_key(jwk, *kty);
  if (!key) return std::unexpected(key.error());
  if (std::string why = unsound(key->get()); !why.empty()) return wrong(std::move(why));
  material.public_key = *std::move(key);
  return material;
}

Reading read_jwk_text(std::string_view text, Secrets secrets) {
  text = without_space_around(text);
  if (!is_strict_object(text)) return wrong("is no JWK: it is not one JSON object without duplicate members");
  json::error_code error;
  json::value jwk = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return wrong("is no JWK: it is not one JSON object without duplicate members");
  Reading reading = read_jwk(jwk.as_object(), secrets);
  if (json::value* k = jwk.as_object().if_contains("k"); k && k->is_string())
    OPENSSL_cleanse(k->as_string().data(), k->as_string().size());
  return reading;
}

std::string unsound(EVP_PKEY* key) {
  const ErrorsCleared cleared;
  if (type_of(key) == "RSA") return unsound_rsa(key);
  if (type_of(key) != "EC") return {};
  const Handle<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? "" : "is no point of its curve";
}

std::string_view type_of(const EVP_PKEY* key) {
  const char* name = EVP_PKEY_get0_type_name(key);
  return name ? name : "something else";
}

std::string curve_of(const EVP_PKEY* key) {
  const ErrorsCleared cleared;
  std::array<char, 64> name{};
  EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr);
  return name.data();
}

json::object public_jwk(const EVP_PKEY* key) {
  const ErrorsCleared cleared;
  const std::string_view type = type_of(key);
  if (type == "RSA")
    return {{"kty", "RSA"},
            {"n", base64url_of(key, OSSL_PKEY_PARAM_RSA_N)},
            {"e", base64url_of(key, OSSL_PKEY_PARAM_RSA_E)}};
  if (type == "EC") {
    const auto curve = std::ranges::find(kCurves, curve_of(key), &Curve::name);
    if (curve == kCurves.end()) return {};
    const int size = static_cast<int>(curve->coordinate);
    return {{"kty", "EC"},
            {"crv", curve->crv},
            {"x", base64url_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size)},
            {"y", base64url_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size)}};
  }
  std::array<unsigned char, 64> raw;
  std::size_t size = raw.size();
  std::string x;
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1) return {};
  base64url_encode({reinterpret_cast<const char*>(raw.data()), size}, x);
  return {{"kty", "OKP"}, {"crv", type == "ED25519" ? "Ed25519" : "Ed448"}, {"x", x}};
}

}  // namespace identity
