#include "config/material.h"

#include <fmt/format.h>

#include "base/read_file.h"

namespace config {
namespace {

constexpr std::size_t kMaxFile = 64 << 10;

int digit64(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

int digit16(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 4648 §4 and §5, padding optional, no foreign bytes, and no bits left over that are not zero.
Parsed<base::Secret> decode64(std::string_view text, std::string_view foreign, const char* otherwise) {
  const std::size_t whole = text.size();
  while (text.ends_with('=')) text.remove_suffix(1);
  if (const std::size_t padding = whole - text.size(); padding > 2 || (padding != 0 && whole % 4 != 0))
    return std::unexpected(otherwise);
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int digit = foreign.contains(c) ? -1 : digit64(c);
    if (digit < 0) return std::unexpected(otherwise);
    held = (held << 6 | static_cast<unsigned>(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits & 0xff);
    }
  }
  if (bits >= 6 || (held & ((1U << bits) - 1)) != 0) return std::unexpected(otherwise);
  return base::Secret(std::move(out));
}

Parsed<base::Secret> decode16(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit16(text[i]);
    const int low = i + 1 < text.size() ? digit16(text[i + 1]) : -1;
    if (high < 0 || low < 0) return std::unexpected("is not hexadecimal");
    out += static_cast<char>(high * 16 + low);
  }
  return base::Secret(std::move(out));
}

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = s.find_first_not_of(kBlank);
  if (begin == s.npos) return {};
  return s.substr(begin, s.find_last_not_of(kBlank) - begin + 1);
}

struct Names {  // for messages
  std::string where;
  std::string_view id, secret;
};

Parsed<AwsCredentials> complete(std::string_view id, std::string_view secret, std::string_view token,
                                const Names& names) {
  if (id.empty()) return std::unexpected(fmt::format("{} gives no {}", names.where, names.id));
  if (secret.empty()) return std::unexpected(fmt::format("{} gives no {}", names.where, names.secret));
  const auto access_key_id = AccessKeyId::parse(id);
  auto key = SecretText::parse(secret);
  auto session = OptionalSecret::parse(token);
  if (!access_key_id || !key || !session)
    return std::unexpected(fmt::format("{} gives credentials with a byte that none can have", names.where));
  return AwsCredentials{*access_key_id, *std::move(key), *std::move(session)};
}

}  // namespace

Parsed<base::Secret> read_secret_file(const std::string& path) {
  auto bytes = base::read_file(path, kMaxFile);
  if (!bytes) return std::unexpected(fmt::format("the file '{}' {}", path, bytes.error()));
  if (bytes->ends_with('\n')) bytes->pop_back();
  if (bytes->ends_with('\r')) bytes->pop_back();
  if (bytes->empty()) return std::unexpected(fmt::format("the file '{}' is empty", path));
  return base::Secret(*std::move(bytes));
}

Parsed<base::Secret> decode(const base::Secret& written, Encoding encoding) {
  switch (encoding) {
    case Encoding::kText:
      return written;
    case Encoding::kBase64:
      return decode64(written.reveal(), "-_", "is not base64");
    case Encoding::kBase64Url:
      return decode64(written.reveal(), "+/", "is not base64url");
    case Encoding::kHex:
      return decode16(written.reveal());
  }
  return std::unexpected("has an unknown encoding");
}

Parsed<AwsCredentials> credentials_from_env(const Env& env) {
  const auto get = [&env](const char* name) { return env(name).value_or(""); };
  return complete(get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN"),
                  {"the environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"});
}

Parsed<AwsCredentials> credentials_from_ini(const base::Secret& ini, std::string_view profile) {
  std::string_view id, secret, token;
  bool inside = false;
  bool found = false;
  for (std::string_view rest = ini.reveal(); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line.starts_with('[')) {
      inside = line.ends_with(']') && trimmed(line.substr(1, line.size() - 2)) == profile;
      found = found || inside;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || equals == line.npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (name == "aws_access_key_id") id = value;
    if (name == "aws_secret_access_key") secret = value;
    if (name == "aws_session_token") token = value;
  }
  if (!found) return std::unexpected(fmt::format("the file has no profile '{}'", profile));
  return complete(id, secret, token,
                  {fmt::format("profile '{}'", profile), "aws_access_key_id", "aws_secret_access_key"});
}

}  // namespace config
