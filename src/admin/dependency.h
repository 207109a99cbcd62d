// What /ready tells of one thing that the gateway needs.
//
// Owner:    whoever reports it.  Thread: any.  Failure: none.
#pragma once

#include <string>
#include <string_view>

namespace admin {

struct Dependency {
  std::string_view kind;  // "origin", "identity": a literal
  std::string name;       // as configured
  bool ready = false;
  std::string reason;     // what is wrong, also where it is ready all the same; "": nothing
  bool withheld = false;  // the reason is for who shows a credential; others are told where it stands
};

}  // namespace admin
