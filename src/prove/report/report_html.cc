#include "prove/report/report_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/record/markup.h"
#include "prove/report/figures.h"
#include "prove/report/page.h"
#include "prove/report/report_data.h"
#include "prove/report/report_html_tables.h"

namespace prove {
namespace {

constexpr std::size_t kReasonsShown = 5;

std::string banner(const Result& result, const Summary& s) {
  std::string out = fmt::format("<header class=\"banner {}\">\n<p class=\"verdict\">{}</p>\n<h1>{}</h1>\n",
                                css_of(result.verdict), name_of(result.verdict), html(result.name));
  if (!result.text.empty()) out += "<p class=\"text\">" + html(result.text) + "</p>\n";
  std::string facts = result.environment.started;
  if (result.ended_at > 0) facts += " · " + seconds_text(result.ended_at);
  if (result.environment.time_scale != 1)
    facts += fmt::format(" · time scale {}", number_text(result.environment.time_scale));
  if (!result.environment.target_version.empty()) facts += " · " + result.environment.target_version;
  out += "<p class=\"meta\">" + html(facts) + "</p>\n";
  if (result.verdict == Verdict::kInvalid)
    out += "<p class=\"meaning\">The run proves nothing, neither for nor against the target.</p>\n";
  if (!s.reasons.empty()) {
    out += "<ul class=\"reasons\">\n";
    for (std::size_t i = 0; i < std::min(kReasonsShown, s.reasons.size()); ++i)
      out += "<li>" + html(s.reasons[i]) + "</li>\n";
    if (s.reasons.size() > kReasonsShown)
      out += fmt::format("<li class=\"quiet\">and {} more, below</li>\n", s.reasons.size() - kReasonsShown);
    out += "</ul>\n";
  }
  if (!result.warnings.empty()) {
    out += "<ul class=\"reasons warnings\">\n";
    for (const std::string& warning : result.warnings) out += "<li>" + html(warning) + "</li>\n";
    out += "</ul>\n";
  }
  return out + "</header>\n";
}

std::string charts(const Result& result) {
  if (result.intervals.empty()) return "";
  return "<section id=\"time\"><h2>Over time</h2>\n" + charts_key_html() + time_charts_html(result) +
         intervals_html(result) + "</section>\n";
}

std::string percentiles(const Summary& s) {
  if (s.response.count() == 0) return "";
  return "<section id=\"percentiles\"><h2>Latency by percentile</h2>\n" +
         chart_html("percentiles", "Latency",
                    "the line: response; dashed: service; without warm-up; log scale", "chart tall") +
         "</section>\n";
}

}  // namespace

std::string html_report(const Result& result) {
  const Summary s = summarize(result);
  std::string out = page_head(fmt::format("{}: {}", name_of(result.verdict), result.name));
  out += "<body>\n" + banner(result, s) + "<main>\n";
  out += goals_html(result);
  out += figures_html(s);
  out += capacity_html(s);
  out += charts(result);
  out += percentiles(s);
  out += stretches_html(s);
  out += steps_html(result);
  out += samples_html(result);
  out += happenings_html(result);
  out += series_html(result);
  out += environment_html(result);
  out += "</main>\n";
  out += page_end(fmt::format("sekisho prove {}. Every figure comes from this run's result.json.",
                              result.environment.version),
                  chart_island(chart_data(result, s), "data"));
  return out;
}

}  // namespace prove
