#include "config/fingerprint.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <type_traits>

#include "base/siphash.h"
#include "config/tables.h"
#include "config/values.h"

namespace config {
namespace {

// To be changed when the same configuration begins to mean other replies. It is in every process's digests,
// so that what an older one stored is not found.
constexpr std::string_view kGeneration = "sekisho answer 1";

const Section& section_of(const Origin& origin) {
  return std::visit(
      [](const auto& kind) -> const Section& {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, DirOrigin>)
          return kDir;
        else if constexpr (std::is_same_v<Kind, S3Origin>)
          return kS3;
        else
          return kHttp;
      },
      origin.kind);
}

bool any_decides(const Section& section, Decides what) {
  return std::ranges::any_of(section.rows, [what](const Row& row) {
    return row.part != nullptr ? any_decides(*row.sections[0], what) : decides(row.decides, what);
  });
}

void add(const Origin& origin, Decides what, Print& out) {
  const Section& section = section_of(origin);
  out.add(section.type);
  std::visit([&](const auto& kind) { out.add(section, &kind, what); }, origin.kind);
  if (section.common != nullptr) out.add(*section.common, &origin, what);
  if (const auto* dir =
          std::get_if<DirOrigin>(&origin.kind))  // what it may not give out, it may not have kept
    for (const std::string& file : dir->own_files) out.add(file);
}

}  // namespace

Print::Print() {
  bytes_.reserve(4096);  // enough for all but long lists of keys, so that growing leaves no copies behind
}

Print::~Print() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

void Print::add(std::string_view text) {
  add(std::uint64_t{text.size()});
  bytes_ += text;
}

void Print::add(std::uint64_t n) {
  for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(n >> shift & 0xff);
}

void Print::add(const Section& section, const void* owner, Decides what) {
  for (const Row& row : section.rows) {
    if (row.part != nullptr) {
      if (!any_decides(*row.sections[0], what)) continue;
      const void* part = row.part(owner);
      add(row.name);
      add(std::uint64_t{part != nullptr});
      if (part != nullptr) add(*row.sections[0], part, what);
    } else if (decides(row.decides, what)) {
      add(row.name);
      row.print(owner, *this);
    }
  }
}

std::uint64_t Print::hash() const {
  return base::siphash(bytes_);
}

std::uint64_t fingerprint(const Origin& origin) {
  Print print;
  print.add(std::string_view(origin.name));
  add(origin, Decides::kBoth, print);
  return print.hash();
}

AnswerId answer_id(const Origin& origin) {
  Print print;
  print.add(kGeneration);
  add(origin, Decides::kAnswer, print);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(print.bytes().data()), print.bytes().size(), digest.data());
  AnswerId id;
  std::memcpy(&id.high, digest.data(), sizeof id.high);
  std::memcpy(&id.low, digest.data() + sizeof id.high, sizeof id.low);
  return id;
}

std::uint64_t fingerprint(const JwtIdentity& identity, Decides what) {
  Print print;
  // A source of published keys is told about by its identity's name.
  if (decides(what, Decides::kTransport)) print.add(std::string_view(identity.name));
  print.add(kJwt.type);
  print.add(kJwt, &identity, what);
  return print.hash();
}

std::uint64_t fingerprint(std::span<const ClaimRule> rules) {
  Print print;
  print.add(std::uint64_t{rules.size()});
  for (const ClaimRule& rule : rules) print.add(kClaimRule, &rule, Decides::kAnswer);
  return print.hash();
}

// ---- the grammars that do not print what they show

void FilePath::print(const std::string& path, Print& out) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  out.add(std::string_view(path.empty() || error ? path : whole.lexically_normal().string()));
}

void SecretText::print(const base::Secret& secret, Print& out) {
  out.add(secret);
}
void OptionalSecret::print(const base::Secret& secret, Print& out) {
  out.add(secret);
}
void SecretBytes::print(const base::Secret& secret, Print& out) {
  out.add(secret);
}

}  // namespace config
