#include "prove/report/report_html.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "prove/record/markup.h"
#include "prove/report/figures.h"
#include "prove/report/report_assets.h"
#include "prove/report/report_data.h"
#include "prove/report/report_html_tables.h"

namespace prove {
namespace {

constexpr std::size_t kReasonsShown = 5;

// A source of CSP level 3: the hash that lets exactly this text run.
std::string hash_source(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  std::array<unsigned char, 64> encoded{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return "'sha256-" + std::string(encoded.begin(), encoded.begin() + length) + "'";
}

std::string head(const Result& result) {
  const std::string policy = fmt::format(
      "default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; form-action "
      "'none'",
      hash_source(kChartJs), hash_source(kReportJs), hash_source(kReportCss));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n"
      "<title>{}: {}</title>\n<style>{}</style>\n</head>\n",
      policy, name_of(result.verdict), html(result.name), kReportCss);
}

std::string banner(const Result& result, const Summary& s) {
  const std::string_view css = result.verdict == Verdict::kPass   ? "pass"
                               : result.verdict == Verdict::kFail ? "fail"
                                                                  : "invalid";
  std::string out = fmt::format("<header class=\"banner {}\">\n<p class=\"verdict\">{}</p>\n<h1>{}</h1>\n",
                                css, name_of(result.verdict), html(result.name));
  if (!result.text.empty()) out += "<p class=\"text\">" + html(result.text) + "</p>\n";
  std::string facts = fmt::format("{} · {}", result.environment.started, seconds_text(result.ended_at));
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

std::string chart(std::string_view id, std::string_view title, std::string_view unit) {
  return fmt::format(
      "<figure class=\"chart\" data-chart=\"{}\"><figcaption>{} <small>{}</small></figcaption>"
      "<div class=\"legend\"></div><div class=\"plot\"><canvas role=\"img\" aria-label=\"{} over "
      "time\"></canvas>"
      "</div></figure>\n",
      id, title, unit, title);
}

std::string charts(const Result& result) {
  if (result.intervals.empty()) return "";
  bool cache = false, memory = false, cpu = false;
  for (const Series& series : result.series) {
    cache = cache || !hit_ratio(result, series.target).empty();
    memory = memory || series.name == "process_rss_bytes";
    cpu = cpu || (series.name == "process_cpu_seconds" && !cpus_used(series).empty());
  }
  std::string out =
      "<section id=\"time\"><h2>Over time</h2>\n"
      "<noscript><p class=\"quiet\">The charts need JavaScript; the tables hold their "
      "figures.</p></noscript>\n"
      "<p class=\"key quiet\"><span><i class=\"band warm\"></i>warm-up</span><span><i class=\"band "
      "fault\"></i>fault"
      "</span><span><i class=\"band window\"></i>window</span></p>\n";
  out += chart("rate", "Rate", "requests a second");
  out += chart("latency", "Response time",
               "from the intended start, of the requests that ended in an interval; log scale");
  out += chart("outcomes", "Outcomes", "requests a second, stacked");
  out += "<div class=\"pair\">\n";
  if (cache) out += chart("hits", "Cache hits", "percent of what the cache was asked");
  if (memory) out += chart("rss", "Memory", "resident, MiB");
  if (cpu) out += chart("cpu", "CPU of the target", "CPUs in use");
  out += chart("busy", "Load generator", "percent of its busiest thread's time on a CPU");
  out += "</div>\n";
  if (result.intervals.size() > kChartRows)
    out +=
        "<p class=\"quiet\">The run is long: each point stands for several intervals and shows the worst of "
        "their "
        "percentiles.</p>\n";
  return out + intervals_html(result) + "</section>\n";
}

std::string percentiles(const Summary& s) {
  if (s.response.count() == 0) return "";
  return "<section id=\"percentiles\"><h2>Latency by percentile</h2>\n" +
         std::string(
             "<figure class=\"chart tall\" data-chart=\"percentiles\"><figcaption>Latency <small>the line: "
             "response; dashed: service; without warm-up; log scale</small></figcaption><div "
             "class=\"legend\"></div><div class=\"plot\"><canvas role=\"img\" aria-label=\"Latency by "
             "percentile\"></canvas></div></figure>\n</section>\n");
}

}  // namespace

std::string html_report(const Result& result) {
  const Summary s = summarize(result);
  std::string out = head(result);
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
  out += fmt::format(
      "</main>\n<footer>\n<p>sekisho prove {}. Every figure comes from this run's result.json.</p>\n"
      "<details><summary>Licence of the charts' library</summary><pre>{}</pre></details>\n</footer>\n",
      html(result.environment.version), html(kChartLicence));
  out += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n",
                     json_island(chart_data(result, s)));
  out += fmt::format("<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n", kChartJs, kReportJs);
  return out;
}

}  // namespace prove
