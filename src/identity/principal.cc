#include "identity/principal.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <functional>

namespace identity {

boost::json::value Principal::claims() const {
  boost::json::error_code error;
  return boost::json::parse({payload.data(), payload.size()},
                            error);  // null only if it had not been read by JsonReader before
}

void Principal::keep(std::string_view iss, std::string_view sub) {
  const auto within = [&](std::string_view s) {
    return std::less_equal<>()(payload.data(), s.data()) &&
           std::less_equal<>()(s.data() + s.size(), payload.data() + payload.size());
  };
  if (!within(iss) || !within(sub)) {
    unescaped_.reserve(iss.size() + sub.size());  // so that it does not move
    iss = std::string_view(unescaped_.append(iss)).substr(0, iss.size());
    sub = std::string_view(unescaped_.append(sub)).substr(iss.size());
  }
  issuer = iss;
  subject = sub;
}

std::size_t Principal::cost() const {
  return sizeof(Principal) + payload.size() + unescaped_.capacity();
}

}  // namespace identity
