#include "config/rows.h"
#include "config/tables.h"

namespace config {

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables

constexpr Section kStatus = table<StatusApp>(
    {"status", "status",
     "How the gateway is, and who it takes the caller for: GET /health, /ready, /serving, /whoami.", ""},
    {});

}  // namespace config
