#include "prove/wire/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace prove {
namespace {

std::string boundary(std::uint64_t number) {
  return fmt::format("----sekisho-prove-{:016x}", number);
}

void append_name(std::string& out, std::string_view name) {
  for (const char c : name) {
    if (c == '"')
      out += "%22";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else
      out += c;
  }
}

std::string with_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\r' && c != '\n') {
      out += c;
      continue;
    }
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    out += "\r\n";
  }
  return out;
}

}  // namespace

std::string read_body_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error(fmt::format("the file '{}' cannot be read", path));
  return out;
}

Multipart::Multipart(const Step& step) : parts_(&step.multipart) {
  files_.reserve(step.multipart.size());
  for (const Part& part : step.multipart)
    files_.push_back(part.file ? read_body_file(*part.file) : std::string());
  free_ = boundary_from(0, {});
}

bool Multipart::constant() const {
  return std::ranges::all_of(*parts_, [](const Part& part) {
    return part.name.constant() && part.value.constant() && (!part.filename || part.filename->constant());
  });
}

// The first from this on that stands nowhere: a delimiter has no line break, so it lies in one part whole or
// in none.
std::uint64_t Multipart::boundary_from(std::uint64_t number, const std::vector<std::string>& texts) const {
  for (;; ++number) {
    const std::string wanted = boundary(number);
    const auto holds = [&](const std::string& text) { return text.contains(wanted); };
    if (std::ranges::any_of(texts, holds)) continue;
    if (number == free_ || std::ranges::none_of(files_, holds)) return number;
  }
}

std::string Multipart::append_to(std::string& out, const Values& values) const {
  std::vector<std::string> texts;
  texts.reserve(parts_->size());
  for (const Part& part : *parts_)
    texts.push_back(part.file ? std::string() : with_line_ends(part.value.render(values)));
  std::string line = boundary(boundary_from(free_, texts));
  for (std::size_t i = 0; i < parts_->size(); ++i) {
    const Part& part = (*parts_)[i];
    out.append("--").append(line).append("\r\nContent-Disposition: form-data; name=\"");
    append_name(out, part.name.render(values));
    if (part.filename) {
      out += "\"; filename=\"";
      append_name(out, part.filename->render(values));
    }
    out += "\"\r\n";
    if (!part.type.empty()) out.append("Content-Type: ").append(part.type).append("\r\n");
    out.append("\r\n").append(part.file ? files_[i] : texts[i]).append("\r\n");
  }
  out.append("--").append(line).append("--\r\n");
  return line;
}

}  // namespace prove
