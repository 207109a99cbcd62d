#include "client/error.h"

namespace client {

using base::Code;
using net::Fault;

base::Error dial_error(const net::Error& why) {
  switch (why.fault) {
    case Fault::kRefused:
      return {Code::kOriginRefused, "the origin refuses connections"};
    case Fault::kUnreachable:
      return {Code::kOriginUnreachable, "the origin cannot be reached"};
    case Fault::kNoName:
      return {Code::kOriginUnreachable, "the origin's name does not resolve"};
    case Fault::kTimedOut:
      return {Code::kOriginUnreachable, "the origin did not accept a connection in time"};
    case Fault::kClosed:
    case Fault::kTls:
      return {Code::kOriginBadReply, "the TLS handshake with the origin failed"};
    case Fault::kCertificate:
      return {Code::kOriginBadReply, "the origin's certificate does not verify"};
    case Fault::kCancelled:
      return {Code::kCancelled, "cancelled"};
    case Fault::kNoRoom:
      return {Code::kOverloaded, "no descriptor, port or memory left for an origin connection"};
  }
  return {};
}

base::Error body_error(const net::Error& why) {
  switch (why.fault) {
    case Fault::kCancelled:
      return {Code::kCancelled, "cancelled"};
    case Fault::kTimedOut:
      return {Code::kOriginTimeout, "the origin stalled during the body of its reply"};
    default:
      return {Code::kOriginBadReply, "the body of the origin's reply ended early"};
  }
}

base::Error wait_error(net::Wake wake, std::string_view on_timeout) {
  if (wake == net::Wake::kCancelled) return {Code::kCancelled, "cancelled"};
  return {Code::kOriginTimeout, on_timeout};
}

}  // namespace client
