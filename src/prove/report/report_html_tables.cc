#include "prove/report/report_html_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/report/figures.h"
#include "prove/report/html_table.h"
#include "prove/report/report_data.h"

namespace prove {
namespace {

constexpr std::size_t kSeriesRows = 1'000;
constexpr std::size_t kIntervalRows = 60;

std::string share(std::uint64_t part, std::uint64_t all) {
  return all > 0 ? percent_text(100.0 * static_cast<double>(part) / static_cast<double>(all)) : "–";
}

std::string ago(const Hdr& hdr, double percentile) {
  return hdr.count() > 0 ? duration_text(hdr.percentile(percentile)) : "–";
}

std::string fold(std::string_view summary, const std::string& content, bool open = false) {
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", open ? " open" : "", summary,
                     content);
}

// ---- goals

void check_row(HtmlTable& table, const CheckResult& check) {
  const std::string_view state = state_text(check.state);
  const std::string_view sign = check.state == CheckResult::State::kHeld     ? "✓"
                                : check.state == CheckResult::State::kBroken ? "✗"
                                                                             : "?";
  table.row(state);
  table.markup(fmt::format("<td class=\"state\"><span>{}</span> {}</td>", sign, state));
  std::string goal = "<th scope=\"row\">" + html(check.name);
  if (check.name != check.check) goal += "<code class=\"sub\">" + html(check.check) + "</code>";
  if (!check.why.empty()) goal += "<span class=\"sub\">" + html(check.why) + "</span>";
  table.markup(goal + "</th>");
  table.figure(check.measured.empty() ? "–" : check.measured);
  const std::string scope = scope_text(check.scope);
  table.text(scope.empty() ? "whole run" : scope);
}

std::string checks_table(const std::vector<const CheckResult*>& checks) {
  HtmlTable table({{"state"}, {"goal"}, {"measured", true}, {"over"}});
  for (const CheckResult* check : checks) check_row(table, *check);
  return std::move(table).html();
}

// ---- steps

std::vector<Outcome> outcomes_seen(const Result& result) {
  std::vector<std::size_t> all(result.timeline.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const Total sum = total(result, all);
  std::vector<Outcome> seen;
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (sum.stats.outcomes[i].count > 0) seen.push_back(static_cast<Outcome>(i));
  return seen;
}

// Not total(): a thousand steps, each sought among a thousand, take seconds.
void add_step(StepStats& sum, const Result& result, const std::vector<std::size_t>& segments,
              std::size_t scenario, std::size_t step) {
  for (const std::size_t i : segments) {
    const auto& cells = result.segments[i].steps;
    if (scenario < cells.size() && step < cells[scenario].size()) sum.add(cells[scenario][step]);
  }
}

void step_row(HtmlTable& table, std::string_view css, const std::string& name, const std::string& sub,
              const StepStats& stats, const std::vector<Outcome>& outcomes) {
  const Hdr response = latency_of_sent(stats, &OutcomeStats::response);
  const Hdr service = latency_of_sent(stats, &OutcomeStats::service);
  std::uint64_t requests = 0;
  for (const OutcomeStats& o : stats.outcomes) requests += o.count;
  std::string title = "<th scope=\"row\">" + html(name);
  if (!sub.empty()) title += "<span class=\"sub\">" + html(sub) + "</span>";
  if (const std::string statuses = statuses_text(stats); !statuses.empty())
    title += "<span class=\"sub\">" + html(statuses) + "</span>";
  if (const std::string reasons = reasons_text(stats); !reasons.empty())
    title += "<span class=\"sub bad\">" + html(reasons) + "</span>";
  if (const std::string retries = retries_text(stats); !retries.empty())
    title += "<span class=\"sub bad\">" + html(retries) + "</span>";
  table.row(css).markup(title + "</th>").figure(requests > 0 ? count_text(requests) : "–");
  for (const Outcome outcome : outcomes) {
    const std::uint64_t count = stats.outcomes[static_cast<std::size_t>(outcome)].count;
    table.figure(count == 0 ? "–" : count_text(count));
  }
  for (const double p : {50.0, 95.0, 99.0}) table.figure(ago(response, p));
  table.figure(response.count() > 0 ? duration_text(response.max()) : "–").figure(ago(service, 99));
}

}  // namespace

std::string goals_html(const Result& result) {
  using Kind = CheckResult::Kind;
  std::vector<const CheckResult*> guardrails, others;
  bool all_held = true;
  for (const CheckResult& check : result.checks) {
    (check.kind == Kind::kGuardrail ? guardrails : others).push_back(&check);
    if (check.kind != Kind::kGuardrail && check.state != CheckResult::State::kHeld) all_held = false;
  }
  if (guardrails.empty() && others.empty()) return "";
  const auto held = [](const std::vector<const CheckResult*>& checks) {
    return std::ranges::count(checks, CheckResult::State::kHeld, &CheckResult::state);
  };
  std::string out = "<section id=\"goals\"><h2>Goals</h2>\n";
  if (guardrails.empty())
    out += "<p>The campaign sets no goals: it measures only.</p>\n";
  else
    out +=
        fmt::format("<p>{} of {} met.</p>\n", held(guardrails), guardrails.size()) + checks_table(guardrails);
  if (!others.empty())
    out += fold(
        fmt::format("Does the run prove anything? {} of {} conditions held", held(others), others.size()),
        checks_table(others), !all_held);
  return out + "</section>\n";
}

std::string figures_html(const Summary& s) {
  std::string out = "<section id=\"figures\"><h2>In figures</h2>\n<div class=\"cards\">\n";
  const auto card = [&](std::string_view label, const std::string& value, const std::string& note) {
    out += fmt::format("<div class=\"card\"><span>{}</span><strong>{}</strong><small>{}</small></div>\n",
                       label, html(value), html(note));
  };
  const bool due = s.measured.requests() > 0 && s.seconds > 0;
  card("Requests", due ? count_text(s.sent) : "–",
       s.skipped > 0   ? count_text(s.skipped) + " skipped"
       : s.seconds > 0 ? "in " + seconds_text(s.seconds)
                       : "nothing was measured");
  card("Rate", due ? rate_text(s.achieved_rate) : "–", offered_text(s));
  card("Success", s.success ? percent_text(*s.success) : "–", "ok, and denied as expected");
  for (const double p : {50.0, 95.0, 99.0})
    card(fmt::format("p{:.0f}", p), ago(s.response, p), "service " + ago(s.service, p));
  out += "</div>\n";

  HtmlTable latency({{"latency"},
                     {"p50", true},
                     {"p90", true},
                     {"p95", true},
                     {"p99", true},
                     {"p99.9", true},
                     {"max", true},
                     {"mean", true}});
  const auto latency_row = [&](std::string_view name, const Hdr& hdr) {
    latency.row().name(name);
    for (const double p : {50.0, 90.0, 95.0, 99.0, 99.9}) latency.figure(ago(hdr, p));
    latency.figure(hdr.count() > 0 ? duration_text(hdr.max()) : "–");
    latency.figure(hdr.count() > 0 ? duration_text(hdr.mean()) : "–");
  };
  latency_row("response, from the intended start", s.response);
  latency_row("service, from the first byte sent", s.service);
  latency_row("first byte, from the intended start", s.first_byte);
  out += std::move(latency).html();

  const std::uint64_t all = s.measured.requests();
  std::string bar = "<svg class=\"bar\" role=\"img\" aria-label=\"shares of the outcomes\">";
  double x = 0;
  HtmlTable outcomes({{"outcome"},
                      {"requests", true},
                      {"share", true},
                      {"p50", true},
                      {"p95", true},
                      {"p99", true},
                      {"max", true},
                      {"service p99", true}});
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const OutcomeStats& o = s.measured.stats.outcomes[i];
    if (o.count == 0) continue;
    const double width = 100.0 * static_cast<double>(o.count) / static_cast<double>(all);
    bar += fmt::format("<rect class=\"o-{}\" x=\"{:.4f}%\" width=\"{:.4f}%\" height=\"100%\"/>",
                       kOutcomeNames[i], x, width);
    x += width;
    outcomes.row();
    outcomes.markup(fmt::format("<th scope=\"row\"><i class=\"dot o-{}\"></i>{}</th>", kOutcomeNames[i],
                                html(outcome_text(static_cast<Outcome>(i)))));
    outcomes.figure(count_text(o.count)).figure(share(o.count, all));
    for (const double p : {50.0, 95.0, 99.0}) outcomes.figure(ago(o.response, p));
    outcomes.figure(o.response.count() > 0 ? duration_text(o.response.max()) : "–")
        .figure(ago(o.service, 99));
  }
  if (all > 0) out += bar + "</svg>\n" + std::move(outcomes).html();
  if (const std::string reasons = reasons_text(s.measured.stats); !reasons.empty())
    out += "<p class=\"quiet\">What went wrong: " + html(reasons) + ".</p>\n";
  if (const std::string retries = retries_text(s.measured.stats); !retries.empty())
    out += "<p>" + html(retries) + ".</p>\n";
  if (const std::string turns = turns_text(s.measured.stats); !turns.empty())
    out += "<p>" + html(turns) + ".</p>\n";
  return out + "</section>\n";
}

std::string capacity_html(const Summary& s) {
  std::string out = "<section id=\"capacity\"><h2>Capacity and bottleneck</h2>\n<p class=\"lead\">" +
                    html(s.limit) + "</p>\n<dl class=\"facts\">\n";
  for (const Figure& figure : s.capacity)
    out += fmt::format("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>\n", html(figure.label),
                       html(figure.value), html(figure.note));
  return out + "</dl>\n</section>\n";
}

std::string stretches_html(const Summary& s) {
  if (s.phases.empty()) return "";
  HtmlTable table({{"stretch"},
                   {"when"},
                   {"load"},
                   {"requests", true},
                   {"rate", true},
                   {"success", true},
                   {"p50", true},
                   {"p95", true},
                   {"p99", true},
                   {"max", true},
                   {"service p99", true}});
  for (const std::vector<Stretch>* stretches : {&s.phases, &s.spans})
    for (const Stretch& stretch : *stretches) {
      using Kind = Stretch::Kind;
      const std::string_view kind = stretch.kind == Kind::kPhase    ? "phase"
                                    : stretch.kind == Kind::kWarmUp ? "warm-up, counts for no goal"
                                    : stretch.kind == Kind::kFault  ? "fault"
                                                                    : "window";
      const std::uint64_t skipped =
          stretch.total.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count;
      const std::uint64_t sent = stretch.total.requests() - skipped;
      const auto success = success_of(stretch.total.stats);
      table.row(stretch.kind == Kind::kWarmUp ? "aside" : stretch.kind == Kind::kFault ? "fault" : "");
      table.markup("<th scope=\"row\">" + html(stretch.name) + "<span class=\"sub\">" + html(kind) +
                   "</span></th>");
      table.text(clock_text(stretch.from) + "–" + clock_text(stretch.to));
      table.text(stretch.load.empty() ? "–" : stretch.load);
      const bool any = stretch.total.requests() > 0;
      table.figure(any ? count_text(sent) : "–");  // the run may have ended before it
      table.figure(any && stretch.seconds > 0 ? rate_text(static_cast<double>(sent) / stretch.seconds) : "–");
      table.figure(success ? percent_text(*success) : "–");
      for (const double p : {50.0, 95.0, 99.0}) table.figure(ago(stretch.response, p));
      table.figure(stretch.response.count() > 0 ? duration_text(stretch.response.max()) : "–");
      table.figure(ago(stretch.service, 99));
    }
  return "<section id=\"stretches\"><h2>Phases, windows and faults</h2>\n" + std::move(table).html() +
         "</section>\n";
}

std::string steps_html(const Result& result) {
  std::vector<std::size_t> measured;
  for (std::size_t i = 0; i < result.timeline.size(); ++i)
    if (!result.timeline[i].warm_up) measured.push_back(i);
  const std::vector<Outcome> outcomes = outcomes_seen(result);
  std::vector<HtmlHead> heads = {{"step"}, {"requests", true}};
  for (const Outcome outcome : outcomes) heads.push_back({outcome_text(outcome), true});
  for (const char* head : {"p50", "p95", "p99", "max", "service p99"}) heads.push_back({head, true});
  HtmlTable table(heads);
  for (std::size_t i = 0; i < result.scenarios.size(); ++i) {
    const ScenarioInfo& scenario = result.scenarios[i];
    const bool single = scenario.steps.size() == 1;
    std::string sub = fmt::format("weight {}", number_text(scenario.weight));
    if (single && scenario.steps[0] != scenario.name) sub.insert(0, scenario.steps[0] + ", ");
    StepStats sum;
    for (std::size_t k = 0; k < scenario.steps.size(); ++k) add_step(sum, result, measured, i, k);
    step_row(table, "group", scenario.name, sub, sum, outcomes);
    if (single) continue;
    for (std::size_t k = 0; k < scenario.steps.size(); ++k) {
      StepStats step;
      add_step(step, result, measured, i, k);
      step_row(table, "", scenario.steps[k], "", step, outcomes);
    }
  }
  return "<section id=\"steps\"><h2>Scenarios and steps</h2>\n<p class=\"quiet\">Warm-up left out. Latencies "
         "are "
         "response times unless said otherwise.</p>\n" +
         std::move(table).html() + "</section>\n";
}

std::string samples_html(const Result& result) {
  if (result.samples.empty()) return "";
  std::string out =
      "<section id=\"samples\"><h2>What went wrong</h2>\n<p class=\"quiet\">The first requests of each step "
      "and reason, as they were sent and answered; what may be a secret is masked.</p>\n";
  const auto part = [](std::string_view title, const std::string& bytes, std::string_view none) {
    return bytes.empty() ? fmt::format("<p class=\"quiet\">{}</p>\n", none)
                         : fmt::format("<h3>{}</h3>\n<pre><code>{}</code></pre>\n", title, html(bytes));
  };
  for (const Sample& sample : result.samples) {
    std::string content = "<p class=\"quiet\">Expected: " + html(sample.expected) + ".</p>\n";
    content += part("Sent", sample.request, "Nothing was sent.");
    content += part("Came back", sample.reply, "Nothing came back.");
    if (sample.cut) content += "<p class=\"quiet\">Only the first bytes are shown.</p>\n";
    out += fold(html(sample_text(sample)), content, &sample == &result.samples.front());
  }
  return out + "</section>\n";
}

std::string happenings_html(const Result& result) {
  if (result.happenings.empty()) return "";
  std::string out = "<section id=\"happenings\"><h2>What happened</h2>\n<ol class=\"happenings\">\n";
  for (const Happening& h : result.happenings)
    out += fmt::format("<li{}><time>{}</time> {}</li>\n", h.bad ? " class=\"bad\"" : "", clock_text(h.at),
                       html(h.text));
  return out + "</ol>\n</section>\n";
}

std::string series_html(const Result& result) {
  if (result.series.empty()) return "";
  HtmlTable table({{"target"}, {"series"}, {"last", true}, {"change", true}});
  std::size_t rows = 0;
  for (const Series& series : result.series) {
    if (series.points.empty() || ++rows > kSeriesRows) continue;
    const double last = series.points.back().value, change = last - series.points.front().value;
    table.row().text(series.target).code(series.name + labels_text(series.labels)).figure(number_text(last));
    table.figure(change > 0 ? "+" + number_text(change) : number_text(change));
  }
  std::string note;
  if (rows > kSeriesRows)
    note = fmt::format("<p class=\"quiet\">{} more are in result.json.</p>\n", rows - kSeriesRows);
  return "<section id=\"metrics\"><h2>Metrics of the targets</h2>\n" +
         fold(fmt::format("The last value of {} series, and its change since the first", rows),
              std::move(table).html() + note) +
         "</section>\n";
}

std::string intervals_html(const Result& result) {
  if (result.intervals.empty()) return "";
  HtmlTable table({{"until"},
                   {"offered", true},
                   {"done", true},
                   {"not well", true},
                   {"p50", true},
                   {"p95", true},
                   {"p99", true},
                   {"max", true},
                   {"waiting", true}});
  for (const Interval& row : thinned(result.intervals, kIntervalRows)) {
    std::uint64_t done = 0;
    for (const std::uint64_t n : row.outcomes) done += n;
    const std::uint64_t well = row.outcomes[static_cast<std::size_t>(Outcome::kOk)] +
                               row.outcomes[static_cast<std::size_t>(Outcome::kDenied)];
    const std::uint64_t unmet = row.unmet.value_or(done - well);
    const auto rate = [&](std::uint64_t n) {
      return row.seconds > 0 ? rate_text(static_cast<double>(n) / row.seconds) : "–";
    };
    table.row().text(clock_text(row.at)).figure(row.offered > 0 ? rate(row.offered) : "–");
    table.figure(rate(done - row.outcomes[static_cast<std::size_t>(Outcome::kSkipped)]));
    table.figure(unmet == 0 ? "–" : count_text(unmet));
    for (const Nanos latency : {row.p50, row.p95, row.p99, row.max})
      table.figure(latency.count() > 0 ? duration_text(latency) : "–");
    table.figure(row.waiting > 0 ? count_text(row.waiting) : "–");
  }
  return fold("The same as a table", std::move(table).html());
}

std::string environment_html(const Result& result) {
  const Environment& e = result.environment;
  std::string out = "<section id=\"environment\"><h2>Environment</h2>\n<dl class=\"facts\">\n";
  const auto fact = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html(label), html(value));
  };
  fact("Started", e.started);
  fact("Campaign", result.file);
  fact("Campaign's hash", e.campaign_hash);
  fact("Time scale", number_text(e.time_scale));
  fact("Seed", std::to_string(e.seed));
  if (e.generators > 0) fact("Generator threads", std::to_string(e.generators));
  if (!e.version.empty()) fact("Harness", fmt::format("sekisho {} ({})", e.version, e.commit));
  fact("Build", e.build);
  fact("Target", e.target_version);
  fact("CPU", e.cpus > 0 ? fmt::format("{} × {}", e.cpus, e.cpu) : e.cpu);
  fact("Memory", e.memory > 0 ? bytes_text(static_cast<double>(e.memory)) : "");
  fact("Kernel", e.kernel);
  fact("Machine", e.machine);
  out += "</dl>\n</section>\n";
  if (!e.command.empty())
    out += "<section id=\"again\"><h2>To do it again</h2>\n<pre><code>" + html(e.command) +
           "</code></pre>\n</section>\n";
  return out;
}

}  // namespace prove
