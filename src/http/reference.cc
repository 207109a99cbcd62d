#include "http/reference.h"

#include <algorithm>

#include "http/chars.h"

namespace http {

namespace {

// RFC 3986 §5.2.4.
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);  // with the slash before it
    path.remove_prefix(end);
    if (segment == "/.." || segment == "/.") {
      if (segment == "/..") out.resize(std::min(out.rfind('/'), out.size()));
      if (path.empty()) out.push_back('/');
    } else {
      out.append(segment);
    }
  }
  return out;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!iequals(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool resolve_reference(std::string_view base_path, std::string_view text, Reference& out) {
  text = trim_ows(text.substr(0, text.find('#')));
  out = {};
  if (take_prefix(text, "http://") || take_prefix(text, "https://") || take_prefix(text, "//")) {
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    out.authority = text.substr(0, end);
    text.remove_prefix(end);
    if (out.authority.empty()) return false;
    base_path = "/";
  }
  const std::size_t question = std::min(text.find('?'), text.size());
  const std::string_view path = text.substr(0, question);
  if (path.substr(0, path.find('/')).find(':') != std::string_view::npos) return false;  // another scheme
  if (path.empty())
    out.target = base_path;
  else if (path.starts_with('/'))
    out.target = without_dots(path);
  else
    out.target = without_dots(std::string(base_path.substr(0, base_path.rfind('/') + 1)).append(path));
  if (!out.target.starts_with('/')) return false;
  out.target.append(text.substr(question));
  return true;
}

bool same_authority(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view authority) {
    for (const std::string_view port : {":80", ":443"})
      if (authority.ends_with(port)) return authority.substr(0, authority.size() - port.size());
    return authority;
  };
  return !a.empty() && iequals(bare(a), bare(b));
}

}  // namespace http
