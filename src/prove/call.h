// HTTP requests outside the load: readiness probes, setup and teardown, faults, scrapes.
//
// Owner:    Stage, Observer.  Thread: any; each call waits on a loop of its own, which costs some 50 µs and keeps
//           the generators' threads out of it.
// Failures: std::runtime_error with one line that names the URL, never a header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "prove/model.h"

namespace prove {

struct CallReply {
  int status = 0;
  std::string body;
};

inline constexpr std::size_t kMaxCallBody = 16 << 20;

CallReply send_call(const Call& call, base::Nanos timeout);
CallReply get(const WebAddress& url, base::Nanos timeout, const Tls& tls = {}, const Pairs& headers = {});

bool accepts(const std::string& host_port, base::Nanos timeout);  // that somebody takes a connection there

}  // namespace prove
