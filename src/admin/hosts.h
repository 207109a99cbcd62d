// By which names the admin listener may be asked.
//
// Owner:    House; a reload brings another.  Thread: the admin loop's.  Failure: none.
//
// A web page can have its own name resolve to our address (DNS rebinding) and then read, in an operator's
// browser, what is open here. Such a request carries that name. A literal address cannot be made to mean
// another, nor can localhost; a request of HTTP/1.0 without a Host comes from no browser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace admin {

class Hosts {
 public:
  Hosts() = default;
  explicit Hosts(std::vector<std::string> names) : names_(std::move(names)) {}

  bool allow(std::string_view host) const;  // as Host has it, maybe with a port

 private:
  std::vector<std::string> names_;
};

}  // namespace admin
