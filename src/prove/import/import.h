// A first campaign from what one has: a recording of a browser (HAR 1.2) or a description (OpenAPI 3.0, 3.1).
//
// Problem:  the first campaign is the one that nobody has time to write. What is made here is a file to read
//           and to change: short and mild phases, one guardrail, and what could not be carried said in
//           comments. It must load as it is.
// Owner:    nobody; a pure function.  Thread: any.
// Failures: std::runtime_error with one line that begins with `name`: neither of the two, not well-formed,
//           nothing that can be sent.
// Bounds:   64 MiB of input, 500 steps, bodies of 64 KiB and of 1 MiB in all.
// Secrets:  values of header fields, parameters and members whose names sound secret, and what looks like a
//           JWT, become variables, `${TOKEN:-…}`; cookies are left out.
#pragma once

#include <string>
#include <string_view>

namespace prove {

inline constexpr std::size_t kMaxImport = 64 << 20;

// `name`: of the file, for messages and comments. Gives the text of a campaign file.
std::string import_campaign(std::string_view text, const std::string& name);

}  // namespace prove
