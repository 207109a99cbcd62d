// What of a request and its reply may be shown to whoever reads a report: reports are sent on.
//
// Owner:    whoever keeps samples of requests.  Thread: immutable, any.
// Failures: none. In doubt it masks: a value whose name sounds secret is gone, whatever it is.
//
// Masked are the secrets that it is given, also where they are percent-encoded, escaped as in JSON or cut off
// at the end; what header fields, members of JSON, parameters of queries and forms, parts of multipart forms,
// cookies and elements of XML hold whose name sounds secret, also where the other side repeats it, and of
// Basic credentials the password; whatever looks like a JWT.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prove {

struct Seen {  // bytes as they went over the wire, a head and the first of a body
  std::string request, reply;
};

class Mask {
 public:
  explicit Mask(std::vector<std::string> secrets);

  // Learns what these two hold under names that sound secret.
  void learn(const Seen& seen);

  std::string message(std::string text) const;  // a head with a body; its lines end with LF
  std::string text(std::string text) const;     // anything else

 private:
  std::vector<std::string> secrets_;  // the longest first, as one may be part of another
};

}  // namespace prove
