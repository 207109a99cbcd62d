#include "upstream/figures.h"

namespace upstream {

void expose(telemetry::Page& page, const Healths& healths) {
  page.family("sekisho_origin_failures_in_a_row", "gauge",
              "Calls that failed by the origin's doing since the last one that did not.");
  for (const auto& [name, figures] : healths.figures())
    page.sample({{"origin", telemetry::escape_label(name)}}, figures.in_a_row);
}

}  // namespace upstream
