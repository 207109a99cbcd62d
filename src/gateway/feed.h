// The task that feeds a fill: asks the origin once, and gives what comes to everybody who waits.
//
// Owner:    the worker of the first asker (its scope of fills), which it outlives nothing of.
// Thread:   that worker's; readers on other workers take the bytes through cache::Fill.
// Lifetime: it owns copies of what it asks for: the first asker may leave while others read on.
// Failure:  to the readers, as the origin's error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ref.h"
#include "cache/fill.h"
#include "gateway/exchange.h"
#include "gateway/services.h"
#include "limit/gate.h"
#include "net/task.h"
#include "origin/origin.h"
#include "upstream/upstream.h"

namespace gateway {

// What is not for sharing, on its way to the first asker of the same worker, if that is still there: interim
// replies, and a reply that is not to be kept.
struct Handover final : base::Local<Handover>, client::Interims {
  void heard(const http::ResponseHead& head) override {
    if (first_asker) first_asker->heard(head);
  }

  client::Interims* first_asker = nullptr;  // as long as it waits for a head
  std::optional<origin::Reply> reply;
  limit::Slot slot;          // at the origin, until the body has come
  std::string_view why_not;  // static
};

struct FillAsk {
  FillAsk(const Exchange& x, Handover& handover);  // which outlives it

  base::Ref<const LocalSnapshot> snapshot;
  const LocalSnapshot::LocalRoute* route;
  upstream::Request request;
  cache::RequestRules rules;
  std::string accept_encoding;  // of the asker, where the origin is told
};

// What leads from a worker to what is behind a route.
upstream::Way way_of(const Services& services, const LocalSnapshot::LocalRoute& route);

net::Task<> feed(const Services& services, base::Ref<cache::Fill> fill, base::Ref<Handover> handover,
                 FillAsk ask);

}  // namespace gateway
