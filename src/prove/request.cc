#include "prove/request.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace prove {
namespace {

constexpr std::size_t kFiller = 64 << 10;
constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

bool names(const Step& step, const char* field) {
  return std::ranges::any_of(step.headers,
                             [&](const auto& h) { return ::strcasecmp(h.first.c_str(), field) == 0; });
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error(fmt::format("body_file '{}' cannot be read", path));
  return out;
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

Request::Request(const Step& step, const Target& target) : step_(&step), target_(&target) {
  if (step.body_file)
    body_ = contents(*step.body_file);
  else if (step.body.constant())
    body_ = step.body.render({});
  to_head_ = step.method == "HEAD";
  idempotent_ = std::ranges::find(kIdempotent, step.method) != kIdempotent.end();
  has_host_ = names(step, "host");
  has_agent_ = names(step, "user-agent");
  has_body_ = step.body_file || step.body_size > 0 || !step.body.empty() || step.method == "POST" ||
              step.method == "PUT" || step.method == "PATCH";
  const bool same_always =
      step.path.constant() && step.body.constant() &&
      std::ranges::all_of(step.headers, [](const auto& h) { return h.second.constant(); });
  if (same_always) {
    render_anew({}, wire_);
    constant_ = true;
  }
}

Wire Request::render_anew(const Values& values, std::string& buffer) const {
  buffer.clear();
  if (step_->body_file || step_->body.constant()) {
    append_head(buffer, values, body_.size() + step_->body_size);
    buffer += body_;
    return {buffer, step_->body_size};
  }
  // The length of a body with holes is known once it is rendered; then the head is put before it.
  step_->body.append_to(buffer, values);
  const std::size_t length = buffer.size();
  append_head(buffer, values, length);
  std::rotate(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length), buffer.end());
  return {buffer, 0};
}

void Request::append_head(std::string& out, const Values& values, std::uint64_t length) const {
  out += step_->method;
  out += ' ';
  out += target_->url.path;
  step_->path.append_to(out, values);
  out += " HTTP/1.1\r\n";
  if (!has_host_) {
    out += "Host: ";
    out += target_->url.authority();
    out += "\r\n";
  }
  if (!has_agent_) out += "User-Agent: sekisho-prove\r\n";
  for (const auto& [name, value] : step_->headers) {
    out += name;
    out += ": ";
    value.append_to(out, values);
    out += "\r\n";
  }
  if (has_body_) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  out += "\r\n";
}

}  // namespace prove
