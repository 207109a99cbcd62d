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

std::string Principal::actor() const {
  const boost::json::value all = claims();
  const boost::json::value* const act = all.is_object() ? all.get_object().if_contains("act") : nullptr;
  const boost::json::value* const sub =
      act && act->is_object() ? act->get_object().if_contains("sub") : nullptr;
  return sub && sub->is_string() ? std::string(sub->get_string()) : std::string();
}

void Principal::keep(std::string_view iss, std::string_view sub, std::string_view acts) {
  const auto within = [&](std::string_view s) {
    return s.empty() || (std::less_equal<>()(payload.data(), s.data()) &&
                         std::less_equal<>()(s.data() + s.size(), payload.data() + payload.size()));
  };
  if (!within(iss) || !within(sub) || !within(acts)) {
    unescaped_.reserve(iss.size() + sub.size() + acts.size());  // so that it does not move
    iss = std::string_view(unescaped_.append(iss)).substr(0, iss.size());
    sub = std::string_view(unescaped_.append(sub)).substr(iss.size());
    acts = std::string_view(unescaped_.append(acts)).substr(iss.size() + sub.size());
  }
  issuer = iss;
  subject = sub;
  agent = acts;
}

std::size_t Principal::cost() const {
  return sizeof(Principal) + payload.size() + unescaped_.capacity();
}

}  // namespace identity
