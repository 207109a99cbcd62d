// A URL as calls outside the load use it: where to connect, and the target with its query as it is sent.
//
// Thread: values, any. Failure: the error is a predicate to follow the key, as those of config/values.h.
#pragma once

#include <string>
#include <string_view>

#include "config/address.h"
#include "config/values.h"

namespace prove {

struct WebAddress {
  config::Url origin;      // its path is empty
  std::string path = "/";  // and query

  bool empty() const { return origin.host.empty(); }
  std::string text() const { return config::UrlText::show(origin) + path; }
  // For messages: queries carry tokens.
  std::string shown() const { return config::UrlText::show(origin) + path.substr(0, path.find('?')); }
};

struct WebAddressText {
  using Value = WebAddress;
  static config::Parsed<WebAddress> parse(std::string_view text);
  static std::string show(const WebAddress& v) { return v.empty() ? "" : v.text(); }
};

}  // namespace prove
