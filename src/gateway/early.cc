#include "gateway/early.h"

#include <string>

#include "gateway/render.h"
#include "http/reason.h"

namespace gateway {

void Early::heard(const http::ResponseHead& head) {
  if (x_.head.minor == 0 || x_.gone.requested()) return;
  std::string message;
  http::append_status_line(head.status, message);
  append_end_to_end(*x_.route->rules, head, false, message);
  down_.interim(message.append("\r\n"));
}

}  // namespace gateway
