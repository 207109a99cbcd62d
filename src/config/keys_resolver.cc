#include "config/rows.h"
#include "config/tables.h"

namespace config {
using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

constexpr Row kResolverRows[] = {
    form<&Resolver::servers, NameServerText>(
        "servers", "[]", kRestart,
        "The DNS servers, in the order in which they are asked. Without them what the system says: "
        "resolv.conf, "
        "and then, for names that DNS says are not there and has never known, whatever else nsswitch.conf "
        "names. `/etc/hosts`, `search` and `ndots` hold either way."),
    duration<&Resolver::timeout>(
        "timeout", "2s", {10ms, 30s}, kRestart,
        "For one server's answer; doubled with each round. A look-up as a whole takes "
        "15s at the most. A name that fails is asked for again after 1s, doubled with each failure in a row, "
        "up to 30s or `resolve_every`."),
    count<&Resolver::tries>("tries", "2", {1, 10}, kRestart,
                            "How often each server is asked before it counts as silent."),
    duration<&Resolver::min_ttl>(
        "min_ttl", "1s", {1s, 24h}, kRestart,
        "How long an answer is kept at the least, whatever its TTL; `resolve_every` wins over it. Raise it "
        "for names whose servers give another choice "
        "of many addresses each time: connections to those that an answer leaves out are not kept."),
};
constexpr Section kResolver =
    table<Resolver>({"resolver", "",
                     "Who is asked what names mean: of origins, of Redis, of issuers. DNS itself is asked "
                     "(c-ares), so that TTLs are known.",
                     "servers"},
                    kResolverRows);

}  // namespace config
