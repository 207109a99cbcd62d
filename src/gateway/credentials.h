// What of a request is a credential of some identity, and so not for the origin of this route; and what of a
// reply would be one.
//
// Owner:    a Route, whose rules it is made from; it keeps copies of the names.
// Thread:   immutable, so any.
// Failure:  none.
//
// A caller sends its credential also where nobody asks for it: browsers attach cookies to every path, and a
// link may hold a token. So a route hides what any identity of the configuration would take, not only its
// own, unless `forward_credentials` names that identity or `forward_authorization` lets the route's own pass.
//
// Names are compared as identity compares them (cookies and query parameters by letter, the latter decoded;
// fields in any case), and fields more widely: "X_Token" and "X.Token" are hidden with "X-Token", since many
// servers make one variable of all three. Of Authorization goes what may be of a scheme that is read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "http/field.h"

namespace gateway {

class Credentials {
 public:
  Credentials() = default;  // hides nothing
  Credentials(const config::Config& config, const config::Route& route);

  // ---- of a request

  bool hide(const http::Field& field) const;  // as a whole; for Cookie see append_cookies()
  const std::vector<std::string>& queries() const { return queries_; }
  // The field line, with the cookies that are no credential; none: nothing. `for_all`: also without those
  // that the route ignores, since what comes back is for everybody.
  void append_cookies(const http::Field& field, bool for_all, std::string& out) const;
  // Whether a credential of the client's own reaches the origin, ours or what may be one that the origin
  // knows (http/field_kind.h). Not those cookies and fields of which the route says that they are none.
  bool let_pass(const http::FieldList& fields) const;

  // ---- of a reply

  // Whether this Set-Cookie would make the browser send a cookie that is a credential here.
  bool set_by(std::string_view set_cookie) const;

 private:
  bool hides_cookie(std::string_view cookie) const;
  bool ignores_cookie(std::string_view cookie) const;
  bool next_cookie(std::string_view& left, std::string_view& cookie) const;

  bool passes_some_ = false;                 // of ours
  bool hides_all_authorization_ = false;     // of any scheme
  std::vector<std::string> authorizations_;  // what a hidden one begins with
  std::vector<std::string> fields_, cookies_, queries_;
  std::vector<std::string> not_to_be_set_;                   // cookies
  std::vector<std::string> ignored_cookies_, keyed_fields_;  // of the route: ignore_cookies, forward_fields
};

}  // namespace gateway
