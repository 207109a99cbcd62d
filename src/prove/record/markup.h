// What names from files and targets must go through before they stand in HTML, XML, Markdown, JSON in a page,
// or on a terminal.
//
// Owner: nobody.  Thread: any.  Failures: none; bytes that are no UTF-8, and control characters (but for tab
// and line feed), become U+FFFD, since XML 1.0 (2.2) cannot carry them and a terminal would obey them.
#pragma once

#include <string>
#include <string_view>

namespace prove {

std::string clean(std::string_view text);
std::string html(std::string_view text);      // for text and quoted attributes, of HTML and of XML
std::string markdown(std::string_view text);  // for one line of GitHub's Markdown, also inside a table
std::string one_line(std::string_view text);  // for terminals: clean(), tabs and line feeds too

// JSON that may stand in <script type="application/json">: no "</script>" or "<!--" can come of it.
std::string json_island(std::string_view json);

}  // namespace prove
