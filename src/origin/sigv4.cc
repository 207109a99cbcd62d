#include "origin/sigv4.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <utility>
#include <vector>

namespace origin {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kDigest = 32;

using Digest = std::array<unsigned char, kDigest>;

template <auto Function>
struct Free {
  template <class T>
  void operator()(T* p) const {
    Function(p);
  }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
std::string_view view(const Digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

// Looked up once: OpenSSL 3's implicit fetch takes a lock that all threads share.
EVP_MD* sha256() {
  static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}
EVP_MAC* hmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return mac;
}

void append_hex(std::string_view raw, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : raw) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

void append_encoded(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (kUnreserved[static_cast<unsigned char>(c)]) {
    out += c;
  } else {
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// A part of a query as AWS wants it: whatever its sender encoded, decoded and encoded anew.
void append_reencoded(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      append_encoded(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])), out);
      i += 2;
    } else {
      append_encoded(text[i], out);
    }
  }
}

void append_two_digits(unsigned n, std::string& out) {
  out += static_cast<char>('0' + n / 10);
  out += static_cast<char>('0' + n % 10);
}

// 20150830T123600Z
void write_amz_date(base::Wall now, std::string& out) {
  const auto since = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const std::chrono::sys_seconds time(since);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  out.clear();
  append_two_digits(year / 100, out);
  append_two_digits(year % 100, out);
  append_two_digits(static_cast<unsigned>(date.month()), out);
  append_two_digits(static_cast<unsigned>(date.day()), out);
  out += 'T';
  append_two_digits(static_cast<unsigned>(clock.hours().count()), out);
  append_two_digits(static_cast<unsigned>(clock.minutes().count()), out);
  append_two_digits(static_cast<unsigned>(clock.seconds().count()), out);
  out += 'Z';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

int compare_names(std::string_view a, std::string_view b) {
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i)
    if (const int d = lower(a[i]) - lower(b[i]); d != 0) return d;
  return a.size() < b.size() ? -1 : a.size() > b.size();
}

// Without white space around it, and one space for each run within.
void append_trimmed(std::string_view value, std::string& out) {
  const std::size_t begin = out.size();
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      space = out.size() > begin;
      continue;
    }
    if (std::exchange(space, false)) out += ' ';
    out += c;
  }
}

// RFC 3986 §5.2.4, and `//` as `/`.
void normalize(std::string_view path, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < path.size();) {
    while (at < path.size() && path[at] == '/') ++at;
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    const bool last = end == path.size();
    if (segment == "..") {
      out.resize(out.rfind('/') == out.npos ? 0 : out.rfind('/'));
      if (last) out += '/';
    } else if (segment == "." || segment.empty()) {
      if (last) out += '/';
    } else {
      out += '/';
      out += segment;
    }
    at = end;
  }
  if (out.empty()) out = "/";
}

}  // namespace

struct Signer::State {
  explicit State(SignerOptions o)
      : options(std::move(o)), digest(EVP_MD_CTX_new()), mac(EVP_MAC_CTX_new(hmac())) {
    set_scope();
  }
  void set_scope() {
    scope_tail = "/" + options.region + "/" + options.service + "/" + std::string(kTerminator);
  }

  SignerOptions options;
  std::string scope_tail;  // what follows the day in a credential scope
  MdContext digest;
  MacContext mac;  // holds the signing key of `day`
  std::string day;
  base::Seconds second = base::Seconds::min();  // that `date` spells

  // Buffers, kept between calls.
  std::string date, canonical, to_sign, authorization, signed_names, work;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  std::vector<SignedField> fields;

  void turn_clock(base::Wall now);
  void derive_key();
  void set_key(std::string_view key);
  Digest mac_of(std::string_view message);
  Digest hash_of(std::string_view message);
  void append_path(std::string_view path);
  void append_query(std::string_view query);
  void append_fields(const SignRequest& request);
};

void Signer::State::turn_clock(base::Wall now) {
  const auto current = std::chrono::floor<base::Seconds>(now.time_since_epoch());
  if (current == second) return;
  second = current;
  write_amz_date(now, date);
  if (day != date.substr(0, 8)) {
    day = date.substr(0, 8);
    derive_key();
  }
}

// kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request"): once a day.
void Signer::State::derive_key() {
  std::string start = "AWS4";
  start += options.secret_access_key.reveal();
  set_key(start);
  OPENSSL_cleanse(start.data(), start.size());
  for (const std::string_view step : {std::string_view(day), std::string_view(options.region),
                                      std::string_view(options.service), kTerminator}) {
    Digest key = mac_of(step);
    set_key(view(key));
    OPENSSL_cleanse(key.data(), key.size());
  }
}

void Signer::State::set_key(std::string_view key) {
  char name[] = "SHA256";
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                          OSSL_PARAM_construct_end()};
  [[maybe_unused]] const int ok = EVP_MAC_init(mac.get(), bytes(key), key.size(), params.data());
  assert(ok == 1);
}

Digest Signer::State::mac_of(std::string_view message) {
  Digest out{};
  std::size_t size = 0;
  EVP_MAC_init(mac.get(), nullptr, 0, nullptr);  // the same key again
  EVP_MAC_update(mac.get(), bytes(message), message.size());
  EVP_MAC_final(mac.get(), out.data(), &size, out.size());
  return out;
}

Digest Signer::State::hash_of(std::string_view message) {
  Digest out{};
  EVP_DigestInit_ex2(digest.get(), sha256(), nullptr);
  EVP_DigestUpdate(digest.get(), message.data(), message.size());
  EVP_DigestFinal_ex(digest.get(), out.data(), nullptr);
  return out;
}

void Signer::State::append_path(std::string_view path) {
  if (path.empty()) path = "/";
  if (options.style == SigningStyle::kS3) {
    canonical += path;
    return;
  }
  if (options.style == SigningStyle::kGeneral) {
    normalize(path, work);
    path = work;
  }
  encode_s3_path(path, canonical);
}

// Parameters sorted by encoded name, then by encoded value; one without `=` gets it.
void Signer::State::append_query(std::string_view query) {
  if (query.empty()) return;
  parameters.clear();
  work.clear();
  work.reserve(3 * query.size() + 8);  // views into it are taken below
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (one.empty()) continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::size_t name = work.size();
    append_reencoded(one.substr(0, equals), work);
    const std::size_t value = work.size();
    if (equals < one.size()) append_reencoded(one.substr(equals + 1), work);
    parameters.emplace_back(std::string_view(work).substr(name, value - name),
                            std::string_view(work).substr(value));
  }
  std::ranges::sort(parameters);
  for (const auto& [name, value] : parameters) {
    if (&name != &parameters.front().first) canonical += '&';
    canonical += name;
    canonical += '=';
    canonical += value;
  }
}

// name:value lines in the order of their names; values of one name joined with commas. The names, with
// semicolons between them, go to signed_names.
void Signer::State::append_fields(const SignRequest& request) {
  fields.clear();
  fields.push_back({"host", request.host});
  if (options.style == SigningStyle::kS3) fields.push_back({"x-amz-content-sha256", request.payload_hash});
  fields.push_back({"x-amz-date", date});
  if (!options.session_token.empty())
    fields.push_back({"x-amz-security-token", options.session_token.reveal()});
  for (const SignedField& field : request.fields) {  // few: each at its place, after those of its name
    const auto place = std::ranges::find_if(
        fields, [&](const SignedField& other) { return compare_names(field.name, other.name) < 0; });
    fields.insert(place, field);
  }
  signed_names.clear();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0 && compare_names(fields[i].name, fields[i - 1].name) == 0) {
      canonical += ',';
    } else {
      if (i > 0) canonical += '\n', signed_names += ';';
      for (const char c : fields[i].name) canonical += lower(c), signed_names += lower(c);
      canonical += ':';
    }
    append_trimmed(fields[i].value, canonical);
  }
  canonical += '\n';
}

Signer::Signer(SignerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

void Signer::set_region(std::string_view region) {
  state_->options.region = region;
  state_->set_scope();
  state_->day.clear();
  state_->second = base::Seconds::min();
}

Signature Signer::sign(const SignRequest& request) {
  State& s = *state_;
  s.turn_clock(request.now);

  s.canonical.clear();
  s.canonical += request.method;
  s.canonical += '\n';
  s.append_path(request.path);
  s.canonical += '\n';
  s.append_query(request.query);
  s.canonical += '\n';
  s.append_fields(request);
  s.canonical += '\n';
  s.canonical += s.signed_names;
  s.canonical += '\n';
  s.canonical += request.payload_hash;

  s.to_sign.assign(kAlgorithm).append("\n").append(s.date).append("\n");
  s.to_sign.append(s.day).append(s.scope_tail).append("\n");
  append_hex(view(s.hash_of(s.canonical)), s.to_sign);

  s.authorization.assign(kAlgorithm).append(" Credential=").append(s.options.access_key_id).append("/");
  s.authorization.append(s.day).append(s.scope_tail);
  s.authorization.append(", SignedHeaders=").append(s.signed_names).append(", Signature=");
  append_hex(view(s.mac_of(s.to_sign)), s.authorization);

  return {.authorization = s.authorization,
          .amz_date = s.date,
          .content_sha256 = s.options.style == SigningStyle::kS3 ? request.payload_hash : std::string_view(),
          .security_token = s.options.session_token.reveal()};
}

std::string_view Signer::canonical_request() const {
  return state_->canonical;
}
std::string_view Signer::string_to_sign() const {
  return state_->to_sign;
}

void encode_s3_path(std::string_view decoded, std::string& out) {
  for (const char c : decoded) {
    if (c == '/')
      out += c;
    else
      append_encoded(c, out);
  }
}

}  // namespace origin
