// A table of HTML, cell by cell; every text is escaped here.
//
// Owner: a section of the page.  Thread: one.
// Usage: HtmlTable t({{"step"}, {"requests", true}}); t.row().name("GET /").figure("12");
//        std::move(t).html();
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prove/record/markup.h"

namespace prove {

struct HtmlHead {
  std::string text;
  bool figures = false;  // a column of figures: to the right
};

class HtmlTable {
 public:
  explicit HtmlTable(const std::vector<HtmlHead>& heads)
      : out_("<div class=\"scroll\"><table>\n<thead><tr>") {
    for (const HtmlHead& head : heads)
      out_ += std::string(head.figures ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">") +
              prove::html(head.text) + "</th>";
    out_ += "</tr></thead>\n<tbody>\n";
  }

  HtmlTable& row(std::string_view css = {}) {
    end_row();
    out_ += css.empty() ? "<tr>" : "<tr class=\"" + prove::html(css) + "\">";
    open_ = true;
    return *this;
  }
  HtmlTable& name(std::string_view text) { return cell("<th scope=\"row\">", text, "</th>"); }
  HtmlTable& text(std::string_view text) { return cell("<td>", text, "</td>"); }
  HtmlTable& figure(std::string_view text) { return cell("<td class=\"n\">", text, "</td>"); }
  HtmlTable& code(std::string_view text) { return cell("<td><code>", text, "</code></td>"); }
  HtmlTable& markup(std::string_view ready) {  // escaped by the caller
    out_ += ready;
    return *this;
  }

  std::string html() && {
    end_row();
    return std::move(out_) + "</tbody></table></div>\n";
  }

 private:
  HtmlTable& cell(std::string_view before, std::string_view text, std::string_view after) {
    out_ += before;
    out_ += prove::html(text);
    out_ += after;
    return *this;
  }
  void end_row() {
    if (open_) out_ += "</tr>\n";
    open_ = false;
  }

  std::string out_;
  bool open_ = false;
};

}  // namespace prove
