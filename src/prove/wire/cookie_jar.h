// The cookies of one user of the load, as a browser keeps them (RFC 6265, section 5).
//
// Owner:    a user of the load.  Thread: one.
// Failures: none: what a browser would not take is not taken.
// Memory:   kMost cookies of kMostBytes; for one more the oldest goes.
//
// There is no list of public suffixes: a Domain without a dot is refused, unless it is the host itself. Ports
// do not part cookies, schemes do only where a cookie is Secure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace prove {

struct CookiePlace {      // where a request goes
  std::string_view host;  // lower-case, no port
  std::string_view path;  // with or without its query
  bool secure = false;
};

class CookieJar {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostBytes = 4096;  // of a name with its value

  // A value of Set-Cookie that came from there.
  void take(std::string_view set_cookie, const CookiePlace& place, base::Wall now);
  // "Cookie: a=1; b=2\r\n", or nothing.
  void append_to(std::string& out, const CookiePlace& place, base::Wall now);
  void clear() { cookies_.clear(); }

  // What no report may show.
  void append_values_to(std::vector<std::string>& out) const;

 private:
  struct Cookie {
    std::string name, value, domain, path;
    bool host_only = true, secure = false;
    std::int64_t expires = kNever;  // Unix seconds

    bool goes_to(const CookiePlace& place) const;
  };
  static constexpr std::int64_t kNever = INT64_MAX;

  std::vector<Cookie> cookies_;  // the oldest first
};

// RFC 6265, 5.1.1: Unix seconds; INT64_MIN: it is no date.
std::int64_t cookie_date(std::string_view text);

}  // namespace prove
