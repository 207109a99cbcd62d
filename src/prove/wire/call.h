// HTTP requests outside the load: readiness probes, setup and teardown, faults, scrapes.
//
// Owner:    Stage, Observer.  Thread: any; each call waits on a loop of its own, which costs some 50 µs and
//           keeps the generators' threads out of it.
// Failures: std::runtime_error with one line that names the URL without its query, never a header.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/model.h"

namespace prove {

struct CallReply {
  int status = 0;
  std::string body;
  std::vector<std::string> captured;  // of each capture of the call, in their order
  std::string missing;                // the name of the first that found nothing; "": all did
};

inline constexpr std::size_t kMaxCallBody = 16 << 20;

// Gives up when `cancelled`, which is asked now and then, says so.
CallReply send_call(const Call& call, base::Nanos timeout, const std::function<bool()>& cancelled = {});
CallReply get(const WebAddress& url, base::Nanos timeout, const Tls& tls = {}, const Pairs& headers = {});

bool accepts(const std::string& host_port, base::Nanos timeout);  // that somebody takes a connection there

}  // namespace prove
