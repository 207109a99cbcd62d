#include "telemetry/access_log.h"

namespace telemetry {

void AccessLog::expose(Page& page) const {
  page.single("sekisho_access_log_lines_total", "counter", "Access-log lines written.", lines_written());
  page.family("sekisho_access_log_dropped_total", "counter", "Access-log lines lost, by reason.");
  page.sample({{"reason", "queue"}}, dropped_queue());
  page.sample({{"reason", "output"}}, dropped_output());
}

}  // namespace telemetry
