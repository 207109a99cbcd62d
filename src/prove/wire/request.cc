#include "prove/wire/request.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace prove {
namespace {

constexpr std::size_t kFiller = 64 << 10;
constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

bool names(const Step& step, const char* field) {
  return std::ranges::any_of(step.headers,
                             [&](const auto& h) { return ::strcasecmp(h.first.c_str(), field) == 0; });
}

std::string filler_hash(std::uint64_t size) {
  constexpr std::uint64_t kMost = 256 << 20;  // hashed in a second before the run; more is sent unsigned
  if (size > kMost) return std::string(kUnsignedPayload);
  std::string body;
  body.reserve(size);
  while (body.size() < size) body += filler().substr(0, size - body.size());
  return payload_hash(body);
}

}  // namespace

std::string_view filler() {
  static const auto block = [] {
    std::array<char, kFiller> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 26);
    return bytes;
  }();
  return {block.data(), block.size()};
}

Request::Request(const Step& step, const Target& target)
    : step_(&step), target_(&target), authority_(target.url.authority()), multipart_(step) {
  if (multipart_.any() && multipart_.constant())
    boundary_ = multipart_.append_to(body_, {});
  else if (step.body_file)
    body_ = read_body_file(*step.body_file);
  else if (step.body.constant())
    body_ = step.body.render({});
  to_head_ = step.method == "HEAD";
  idempotent_ = std::ranges::find(kIdempotent, step.method) != kIdempotent.end();
  has_host_ = names(step, "host");
  has_agent_ = names(step, "user-agent");
  fixed_ = multipart_.constant() && (step.body_file || step.body.constant());
  has_body_ = step.body_file || step.body_size > 0 || multipart_.any() || !step.body.empty() ||
              step.method == "POST" || step.method == "PUT" || step.method == "PATCH";
  const bool same_always =
      step.path.constant() && fixed_ &&
      std::ranges::all_of(step.headers, [](const auto& h) { return h.second.constant(); });
  if (step.type == StepType::kS3) {
    payload_ = step.body_size > 0 ? filler_hash(step.body_size) : payload_hash(body_);
  } else if (same_always) {
    head_ = render_anew({}, wire_, nullptr).head;
    constant_ = true;
  }
}

Wire Request::render_anew(const Values& values, std::string& buffer, Signer* signer) const {
  buffer.clear();
  // The length of a body with holes is known once it is rendered; then the head is put before it.
  std::string boundary;
  if (!fixed_ && multipart_.any())
    boundary = multipart_.append_to(buffer, values);
  else if (!fixed_)
    step_->body.append_to(buffer, values);
  const std::size_t length = buffer.size();
  if (signer && !fixed_) signer->payload = payload_hash(buffer);
  const std::string& line = fixed_ ? boundary_ : boundary;
  if (!append_head(buffer, values, line, fixed_ ? body_.size() + step_->body_size : length))
    return {.bytes = {}, .bad = true};
  if (signer) sign(buffer, values, fixed_ ? payload_ : signer->payload, *signer);
  buffer += "\r\n";
  const std::size_t head = buffer.size() - length;
  if (fixed_)
    buffer += body_;
  else
    std::rotate(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length), buffer.end());
  return {.bytes = buffer, .generated = step_->body_size, .head = head};
}

// All but the empty line. False where a value would be more than a part of its line.
bool Request::append_head(std::string& out, const Values& values, std::string_view boundary,
                          std::uint64_t length) const {
  out += step_->method;
  out += ' ';
  if (!append_target(out, values)) return false;
  out += " HTTP/1.1\r\n";
  if (!has_host_) out.append("Host: ").append(authority_).append("\r\n");
  if (!has_agent_) out += "User-Agent: sekisho-prove\r\n";
  if (step_->decompress) out += "Accept-Encoding: gzip\r\n";
  for (const auto& [name, value] : step_->headers) {
    out.append(name).append(": ");
    if (!value.append_field_to(out, values)) return false;
    out += "\r\n";
  }
  if (!boundary.empty())
    out.append("Content-Type: multipart/form-data; boundary=").append(boundary).append("\r\n");
  if (has_body_) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  return true;
}

// A whole target, such as a link of the target's own, has the target's path in it.
bool Request::append_target(std::string& out, const Values& values) const {
  if (!step_->path.begins_with_value()) out += target_->url.path;
  return step_->path.append_target_to(out, values);
}

void Request::sign(std::string& out, const Values& values, std::string_view payload, Signer& signer) const {
  signer.target.clear();
  append_target(signer.target, values);
  signer.fields.clear();
  signer.values.resize(step_->headers.size());
  for (std::size_t i = 0; i < step_->headers.size(); ++i) {
    const auto& [name, value] = step_->headers[i];
    if (::strncasecmp(name.c_str(), "x-amz-", 6) != 0) continue;
    signer.values[i].clear();
    value.append_to(signer.values[i], values);
    signer.fields.emplace_back(name, signer.values[i]);
  }
  signer.sigv4.append_fields(out,
                             {.method = step_->method,
                              .target = signer.target,
                              .host = authority_,
                              .payload = payload,
                              .fields = signer.fields},
                             base::wall_now());
}

}  // namespace prove
