#include "telemetry/page.h"

#include "text/utf8.h"

namespace telemetry {

std::string escape_label(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const std::size_t length = text::utf8_length(value);
    if (value[0] == '\n')
      out += "\\n";
    else if (value[0] == '\\' || value[0] == '"')
      out.append({'\\', value[0]});
    else if (length == 0)
      out += "\xef\xbf\xbd";  // U+FFFD: a scraper refuses the whole page for one bad byte
    else
      out += value.substr(0, length);
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace telemetry
