// Where a redirect leads, and the request that follows it (RFC 9110, 15.4).
//
// Owner:    nobody; pure functions.  Thread: any.
// Failures: Hop::why, a text for the report, where there is nothing to follow.
//
// 301, 302 and 303 are followed by a GET without a body, or a HEAD by a HEAD; 307 and 308 by the same request
// again. Only a target of the campaign is gone to. To another one than that which redirects no credential
// goes: no field whose name sounds secret (Authorization, Cookie, X-Api-Key …), and no Host of the step's
// own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/model.h"
#include "prove/wire/request.h"

namespace prove {

bool redirects(std::uint16_t status);  // with a Location

struct Hop {
  std::size_t target = 0;  // of the campaign
  std::string path{};      // and query, as it is sent
  std::string_view why{};  // "": it can be followed
};
// `location`: as it came, in reply to a request for `path` at targets[target].
Hop hop_to(std::string_view location, const std::vector<Target>& targets, std::size_t target,
           std::string_view path);

std::string_view path_of(const Wire& wire);  // of its request line, with its query

// The request again, with the hop's path; `buffer` is not the one that `wire` lies in.
struct Again {
  std::uint16_t status = 0;
  const Target* to = nullptr;
  bool elsewhere = false;     // it is another target
  bool drop_cookies = false;  // they come from a jar, which gives others for another path
};
Wire follow(const Wire& wire, const Hop& hop, const Again& again, std::string& buffer);

// One more field in the head; it may lie in `buffer` already. `line` has its end.
Wire with_field(const Wire& wire, std::string_view line, std::string& buffer);

}  // namespace prove
