// Fuzzes the reader of keys: the input is the text of a JWK, or PEM.
//
// What is read as a JWK is one JSON object for Boost.JSON, too, and the published form of the same object is
// read alike. A key is sound, fits an algorithm of its type only, has the same fingerprint when it is read
// again, and takes no signature that nobody made. What is refused says so in one line.
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <vector>

#include "identity/key_material.h"
#include "identity/verification_key.h"

namespace {

namespace json = boost::json;
using namespace identity;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_line(const std::string& why) {
  check(!why.empty() && why.find_first_of("\r\n") == why.npos && why.size() < 400);
}

const std::vector<config::Algorithm>& allowed() {
  static const std::vector<config::Algorithm> all = [] {
    std::vector<config::Algorithm> made;
    for (const AlgorithmRow& row : algorithms()) made.push_back(row.algorithm);
    return made;
  }();
  return all;
}

void check_key(const VerificationKey& key) {
  static const std::string nothing(2048, '\x5a');
  int fits = 0;
  for (const AlgorithmRow& row : algorithms()) {
    fits += key.fits(row);
    const std::size_t size = row.signature_size != 0 ? row.signature_size : 256;
    check(!key.verifies(row, "a message", std::string_view(nothing).substr(0, size)));
  }
  check(fits > 0);
  check(ERR_peek_error() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const base::Secret secret{std::string(text)};
  try {
    const VerificationKey key(allowed(), secret, "");
    check_key(key);
    check(VerificationKey(allowed(), secret, "").fingerprint() == key.fingerprint());
  } catch (const std::runtime_error& fault) {
    check_line(fault.what());
  }
  check(ERR_peek_error() == 0);

  const auto written = read_jwk_text(text, Secrets::kRefused);
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  if (written) check(!error && parsed.is_object());
  if (error || !parsed.is_object()) return 0;
  const auto published = VerificationKey::from_jwk(parsed.as_object(), allowed());
  if (written && published) check_key(**published);
  if (!published) check_line(published.error().why);
  check(ERR_peek_error() == 0);
  return 0;
}
