#include "prove/report/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "prove/record/markup.h"
#include "prove/report/report_assets.h"
#include "prove/report/report_data.h"

namespace prove {
namespace {

// A source of CSP level 3: the hash that lets exactly this text run.
std::string hash_source(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  std::array<unsigned char, 64> encoded{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return "'sha256-" + std::string(encoded.begin(), encoded.begin() + length) + "'";
}

}  // namespace

std::string page_head(std::string_view title) {
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
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      policy, html(title), kReportCss);
}

std::string_view css_of(Verdict verdict) {
  return verdict == Verdict::kPass ? "pass" : verdict == Verdict::kFail ? "fail" : "invalid";
}

std::string chart_html(std::string_view id, std::string_view title, std::string_view unit,
                       std::string_view css) {
  return fmt::format(
      "<figure class=\"{}\" data-chart=\"{}\"><figcaption>{} <small>{}</small></figcaption>"
      "<div class=\"legend\"></div><div class=\"plot\"><canvas role=\"img\" aria-label=\"{}\"></canvas>"
      "</div></figure>\n",
      css, id, title, unit, title);
}

std::string charts_key_html() {
  return "<noscript><p class=\"quiet\">The charts need JavaScript; the tables hold their "
         "figures.</p></noscript>\n"
         "<p class=\"key quiet\"><span><i class=\"band warm\"></i>warm-up</span><span><i class=\"band "
         "fault\"></i>fault</span><span><i class=\"band window\"></i>window</span></p>\n";
}

std::string time_charts_html(const Result& result) {
  if (result.intervals.empty()) return "";
  bool cache = false, memory = false, cpu = false;
  for (const Series& series : result.series) {
    cache = cache || !hit_ratio(result, series.target).empty();
    memory = memory || series.name == "process_rss_bytes";
    cpu = cpu || (series.name == "process_cpu_seconds" && !cpus_used(series).empty());
  }
  std::string out = chart_html("rate", "Rate", "requests a second");
  out += chart_html("latency", "Response time",
                    "from the intended start, of the requests that ended in an interval; log scale");
  out += chart_html("outcomes", "Outcomes", "requests a second, stacked");
  out += "<div class=\"pair\">\n";
  if (cache) out += chart_html("hits", "Cache hits", "percent of what the cache was asked");
  if (memory) out += chart_html("rss", "Memory", "resident, MiB");
  if (cpu) out += chart_html("cpu", "CPU of the target", "CPUs in use");
  out += chart_html("busy", "Load generator", "percent of its busiest thread's time on a CPU");
  out += "</div>\n";
  if (result.intervals.size() > kChartRows)
    out +=
        "<p class=\"quiet\">The run is long: each point stands for several intervals and shows the worst of "
        "their percentiles.</p>\n";
  return out;
}

std::string chart_island(std::string_view data, std::string_view id) {
  return fmt::format("<script type=\"application/json\"{}>{}</script>\n",
                     id.empty() ? "" : fmt::format(" id=\"{}\"", id), json_island(data));
}

std::string page_end(std::string_view said, std::string_view islands) {
  return fmt::format(
      "<footer>\n<p>{}</p>\n<details><summary>Licence of the charts' library</summary><pre>{}</pre></details>"
      "\n</footer>\n{}<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n",
      html(said), html(kChartLicence), islands, kChartJs, kReportJs);
}

}  // namespace prove
