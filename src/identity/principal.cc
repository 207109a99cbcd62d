#include "identity/principal.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace identity {

boost::json::value Principal::claims() const {
  boost::json::error_code error;
  return boost::json::parse(payload, error);  // null only if it had not been read by JsonReader before
}

std::size_t Principal::cost() const {
  return sizeof(Principal) + issuer.capacity() + subject.capacity() + payload.capacity();
}

}  // namespace identity
