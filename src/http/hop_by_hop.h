// Which fields end at this hop and never go on.
//
// Owner:    the exchange, for the time of writing a head.
// Thread:   its worker.
// Lifetime: views into the head it was made from.
// Standard: RFC 9110 §7.6.1.
// Failure:  none. Whoever nominates more names than we keep loses every field that we have no number for.
//
// Usage:   const HopByHop hop(head.fields);
//          for (const Field& f : head.fields) if (!hop.ends_here(f)) write(f);
//
// `Connection` is a client's to write, so it could name a field that the gateway or the origin relies on and
// make it vanish in between. Those fields stay, whatever is nominated.
#pragma once

#include <array>
#include <string_view>

#include "http/field.h"

namespace http {

// The fields that are always of one hop, Connection or not. Content-Length and Host are not among them: the
// writer renders these anew.
inline constexpr std::uint64_t kHopByHopFields =
    bit_of(FieldId::kConnection) | bit_of(FieldId::kKeepAlive) | bit_of(FieldId::kProxyConnection) |
    bit_of(FieldId::kTe) | bit_of(FieldId::kTrailer) | bit_of(FieldId::kTransferEncoding) |
    bit_of(FieldId::kUpgrade) | bit_of(FieldId::kProxyAuthenticate) | bit_of(FieldId::kProxyAuthorization);

// The fields that may be nominated away; of all others that have a number none may. Names without a number go
// when they are nominated.
inline constexpr std::uint64_t kMayBeNominated =
    kHopByHopFields | bit_of(FieldId::kServer) | bit_of(FieldId::kPragma);

class HopByHop {
 public:
  explicit HopByHop(const FieldList& fields);
  bool ends_here(const Field& field) const {
    return (ids_ & bit_of(field.id)) != 0 ||
           (names_ != 0 && field.id == FieldId::kOther && nominated(field.name));
  }

 private:
  static constexpr std::size_t kMaxNames = 16;
  bool nominated(std::string_view name) const;

  std::uint64_t ids_ = kHopByHopFields;
  std::size_t names_ = 0;  // kMaxNames + 1: too many
  std::array<std::string_view, kMaxNames> nominated_;
};

}  // namespace http
