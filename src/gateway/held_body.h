// The body of a request as the stages of the walk see it: what one of them wanted to read ahead is held, and whoever
// comes later, an application or the origin, reads it again from its beginning.
//
// Owner:    the Exchange.  Thread: the worker's.
// Lifetime: from start() to reset(); the client's body behind it as long.
// Failure:  that of the body (kBadRequest, kBodyTooLarge, kRequestTimeout, kClientGone).
// Units:    bytes; what is held is counted in WorkerMetrics::held_bytes.
//
// Nobody holds a body unless it must be looked at before it goes on, so 100 Continue is sent no earlier than ever: when
// somebody first reads. A body that is held as a whole can be sent again (rewind()).
#pragma once

#include <string>

#include "net/upload.h"
#include "telemetry/metrics.h"

namespace gateway {

class HeldBody final : public net::Upload {
 public:
  HeldBody() = default;
  ~HeldBody() { reset(); }
  HeldBody(const HeldBody&) = delete;
  HeldBody& operator=(const HeldBody&) = delete;

  void start(net::Upload& from) { from_ = &from; }
  void reset() {
    if (from_) drop();
  }

  // Until `most` bytes are held, or all there are. May be called again for more.
  net::Task<base::Result<>> hold(std::size_t most, telemetry::Gauge& counted);
  std::string_view held() const { return held_; }
  bool whole() const { return whole_; }  // what is held is all

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override;
  bool rewind() override;

 private:
  void drop();

  net::Upload* from_ = nullptr;  // the client's
  std::string held_;
  std::size_t at_ = 0;  // of it, given out
  bool whole_ = false;
  telemetry::Gauge* counted_ = nullptr;
};

}  // namespace gateway
