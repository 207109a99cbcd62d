// Where things are: listen addresses, networks, URLs.
//
// Thread: any; pure functions. Failures as in values.h.
#pragma once

#include "config/values.h"

namespace config {

struct AddressText {  // 0.0.0.0:8080, [::1]:9901
  using Value = Address;
  static Parsed<Address> parse(std::string_view text);
  static std::string show(const Address& v);
};

struct NetworkText {  // 10.0.0.0/8, ::1; an address must have no bits beyond its prefix
  using Value = Network;
  static Parsed<Network> parse(std::string_view text);
  static std::string show(const Network& v);
};

// RFC 3986, http and https only: no user, query or fragment; the host in lower case, the path without dot
// segments, "//" or a trailing slash, and still percent-encoded.
struct UrlText {
  using Value = Url;
  static Parsed<Url> parse(std::string_view text);
  static std::string show(const Url& v);
};

}  // namespace config
