#include "prove/wire/sigv4.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>

namespace prove {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kHex = "0123456789abcdef";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
void append_lower(std::string& out, std::string_view text) {
  std::ranges::transform(text, std::back_inserter(out), lower);
}
bool name_less(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {  // RFC 3986 §2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// Decoded as the server will, and encoded as the signature wants it: all but unreserved characters,
// upper-case hex.
void append_encoded(std::string& out, std::string_view text, bool keep_slash) {
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool decoded = false;
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
      decoded = true;
    }
    if (is_unreserved(c) || (c == '/' && keep_slash && !decoded)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kUpper[byte >> 4];
      out += kUpper[byte & 15];
    }
  }
}

// Blanks around a value do not count, and a run of them inside is one space.
void append_trimmed(std::string& out, std::string_view value) {
  bool blank = false;
  const std::size_t begin = out.size();
  for (const char c : value) {
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    if (blank && out.size() > begin) out += ' ';
    blank = false;
    out += c;
  }
}

template <class Bytes>
void append_hex(std::string& out, const Bytes& bytes) {
  for (const unsigned char byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

}  // namespace

std::string payload_hash(std::string_view body) {
  std::array<unsigned char, 32> digest;
  EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string out;
  append_hex(out, digest);
  return out;
}

SigV4::SigV4(std::string access_key_id, base::Secret secret_access_key, base::Secret session_token,
             std::string region, std::string service)
    : access_key_id_(std::move(access_key_id)),
      secret_(std::move(secret_access_key)),
      session_token_(std::move(session_token)),
      region_(std::move(region)),
      service_(std::move(service)),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      hash_(EVP_MD_CTX_new()),
      hmac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)),
      mac_(hmac_ ? EVP_MAC_CTX_new(hmac_.get()) : nullptr),
      key_of_day_(hmac_ ? EVP_MAC_CTX_new(hmac_.get()) : nullptr) {
  if (!sha256_ || !hash_ || !mac_ || !key_of_day_)
    throw std::runtime_error("OpenSSL has no SHA-256, which S3 requests are signed with");
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  EVP_MAC_CTX_set_params(mac_.get(), params);
  EVP_MAC_CTX_set_params(key_of_day_.get(), params);
}

SigV4::Digest SigV4::keyed(std::string_view key, std::string_view text) {
  Digest out;
  std::size_t size = 0;
  EVP_MAC_init(mac_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), nullptr);
  EVP_MAC_update(mac_.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MAC_final(mac_.get(), out.data(), &size, out.size());
  return out;
}

SigV4::Digest SigV4::keyed_again(std::string_view text) {
  Digest out;
  std::size_t size = 0;
  EVP_MAC_init(key_of_day_.get(), nullptr, 0, nullptr);
  EVP_MAC_update(key_of_day_.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MAC_final(key_of_day_.get(), out.data(), &size, out.size());
  return out;
}

void SigV4::turn_to(base::Wall now) {
  const std::int64_t second = base::unix_seconds(now);
  if (second == second_) return;
  second_ = second;
  const std::chrono::sys_seconds at{std::chrono::seconds(second)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(at - day);
  fmt::format_to_n(time_.data(), time_.size(), "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
                   static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                   static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                   clock.seconds().count());
  if (day.time_since_epoch().count() == day_) return;
  day_ = day.time_since_epoch().count();
  const std::string_view date_text(time_.data(), 8);
  const auto bytes = [](const Digest& d) {
    return std::string_view(reinterpret_cast<const char*>(d.data()), d.size());
  };
  const base::Secret start("AWS4" + std::string(secret_.reveal()));
  const Digest of_date = keyed(start.reveal(), date_text);
  const Digest of_region = keyed(bytes(of_date), region_);
  const Digest of_service = keyed(bytes(of_region), service_);
  const Digest key = keyed(bytes(of_service), "aws4_request");
  EVP_MAC_init(key_of_day_.get(), key.data(), key.size(), nullptr);
  scope_ = fmt::format("{}/{}/{}/aws4_request", date_text, region_, service_);
}

void SigV4::canonical_target(std::string_view target) {
  const std::size_t mark = target.find('?');
  append_encoded(canonical_, target.substr(0, mark), true);
  canonical_ += '\n';
  std::size_t used = 0;
  for (std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1); !rest.empty();) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (one.empty()) continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    if (used == query_.size()) query_.emplace_back();
    auto& [name, value] = query_[used++];
    name.clear();
    value.clear();
    append_encoded(name, one.substr(0, equals), false);
    append_encoded(value, one.substr(std::min(equals + 1, one.size())), false);
  }
  std::sort(query_.begin(), query_.begin() + static_cast<std::ptrdiff_t>(used));
  for (std::size_t i = 0; i < used; ++i) {
    if (i > 0) canonical_ += '&';
    canonical_.append(query_[i].first).append("=").append(query_[i].second);
  }
  canonical_ += '\n';
}

void SigV4::canonical_fields(std::span<const Field> fields) {
  sorted_.clear();
  for (const Field& field : fields) {  // few, and mostly in order: insertion is stable and allocates nothing
    const auto place = std::ranges::upper_bound(sorted_, field.first, name_less, &Field::first);
    sorted_.insert(place, field);
  }
  names_.clear();
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    const bool again = i > 0 && std::ranges::equal(sorted_[i - 1].first, sorted_[i].first, {}, lower, lower);
    if (again) {
      canonical_.back() = ',';  // instead of the line's end
    } else {
      append_lower(canonical_, sorted_[i].first);
      canonical_ += ':';
      if (i > 0) names_ += ';';
      append_lower(names_, sorted_[i].first);
    }
    append_trimmed(canonical_, sorted_[i].second);
    canonical_ += '\n';
  }
}

std::string_view SigV4::authorization(std::string_view method, std::string_view target,
                                      std::span<const Field> fields, std::string_view payload,
                                      base::Wall now) {
  turn_to(now);
  canonical_.assign(method).append("\n");
  canonical_target(target);
  canonical_fields(fields);
  canonical_.append("\n").append(names_).append("\n").append(payload);

  Digest digest;
  EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr);
  EVP_DigestUpdate(hash_.get(), canonical_.data(), canonical_.size());
  EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr);
  to_sign_.assign(kAlgorithm).append("\n");
  to_sign_.append(time_.data(), time_.size()).append("\n").append(scope_).append("\n");
  append_hex(to_sign_, digest);

  value_.assign(kAlgorithm).append(" Credential=").append(access_key_id_).append("/").append(scope_);
  value_.append(", SignedHeaders=").append(names_).append(", Signature=");
  append_hex(value_, keyed_again(to_sign_));
  return value_;
}

void SigV4::append_fields(std::string& out, const SigV4Request& request, base::Wall now) {
  turn_to(now);
  const std::string_view time(time_.data(), time_.size());
  fields_.assign({{"host", request.host}, {"x-amz-content-sha256", request.payload}, {"x-amz-date", time}});
  if (!session_token_.empty()) fields_.emplace_back("x-amz-security-token", session_token_.reveal());
  fields_.insert(fields_.end(), request.fields.begin(), request.fields.end());
  const std::string_view value = authorization(request.method, request.target, fields_, request.payload, now);
  out.append("x-amz-date: ").append(time).append("\r\nx-amz-content-sha256: ").append(request.payload);
  if (!session_token_.empty()) out.append("\r\nx-amz-security-token: ").append(session_token_.reveal());
  out.append("\r\nAuthorization: ").append(value).append("\r\n");
}

}  // namespace prove
