// Who of those that connect gets in: a worker's way from accept to a Connection.
//
// Owner:    a Worker.  Thread: the worker's own.
// Failure:  none outward; who does not get in is told 503, counted and logged.
//
// There are places for so many connections (limits.connections), for so many of one address
// (limits.connections_per_address), and for as many as there are descriptors. Where none is free, the
// connection that has rested longest goes (of that address, where the address is full), but none that has
// rested for less than kRest and so is about to ask again. Who came waits a moment for its place.
//
// A worker looks at kLook of its connections at a time, from where it stopped the last time: which of a
// hundred thousand has rested longest is not worth a list that every request would have to keep in order.
#pragma once

#include <expected>

#include "base/clock.h"
#include "gateway/connection.h"
#include "limit/connections.h"
#include "net/address.h"
#include "net/task.h"
#include "serve/http1.h"
#include "telemetry/metrics.h"

namespace gateway {

class Worker;

class Entrance {
 public:
  static constexpr base::Nanos kRest = base::Seconds(1);
  static constexpr int kLook = 256;

  explicit Entrance(Worker& worker) : worker_(worker) {}

  void accepted(int fd, const net::Endpoint& peer, serve::Opening opening);
  void turn_away(int fd);  // the system had no descriptor for it; the caller closes it
  // Counts it to the address, unless that is a trusted proxy's. False: too many.
  bool seat(limit::Connections::Seat& seat, const limit::Connections::AddressBytes& address) const;
  bool make_room(const limit::Connections::Seat* like = nullptr);  // false: nobody here rests
  void left(const Connection& connection);                         // it is no longer in the worker's list

 private:
  using Seat = std::expected<limit::Connections::Seat, telemetry::Refusal>;
  Seat take_seat(const net::Endpoint& peer, serve::Opening opening, bool again);
  net::Task<> wait_for_seat(int fd, net::Endpoint peer, serve::Opening opening);
  void let_in(int fd, const net::Endpoint& peer, serve::Opening opening, limit::Connections::Seat seat);
  void refuse(int fd, telemetry::Refusal why);

  Worker& worker_;
  Connection* hand_ = nullptr;  // where to look next; null: at the newest
  int waiting_ = 0;
};

}  // namespace gateway
