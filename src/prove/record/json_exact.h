// JSON whose numbers come back to the last digit. Boost.JSON's own parser (1.81) is an ulp off in every third
// number of seventeen digits, and a result that is read back must be the result that was written.
//
// Owner:    nobody.  Thread: any.
// Failures: std::runtime_error with one line that says where.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace prove {

boost::json::value parse_exact(std::string_view text);

}  // namespace prove
