// The command line as a report may show it: a key may have been given by --set, and reports are sent on.
//
// Owner:    nobody; a pure function.  Thread: any.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "prove/model/model.h"

namespace prove {

// `command`: words as a shell takes them. Hidden is what the campaign holds as a secret, a value of --set
// that is part of a header field which authorizes, and the value of every NAME=VALUE whose name says that it
// is secret (the other side of `prove ab`, the environment of a process, a query).
std::string without_secrets(std::string command, const Campaign& campaign,
                            const std::map<std::string, std::string>& set);

// Whether what is called so is a secret by its name.
bool sounds_secret(std::string_view name);

}  // namespace prove
