#include "prove/report/dossier_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "prove/report/figures.h"
#include "prove/report/page.h"

namespace prove {
namespace {

using State = CheckResult::State;

constexpr std::size_t kSamplesShown = 3;   // kinds of failures of one run
constexpr std::size_t kMeasuredShown = 3;  // runs of one goal whose figure is told

Tone tone_of(Verdict verdict) {
  return verdict == Verdict::kPass ? Tone::kGood : verdict == Verdict::kFail ? Tone::kBad : Tone::kUnsure;
}
Tone tone_of(State state) {
  return state == State::kHeld ? Tone::kGood : state == State::kBroken ? Tone::kBad : Tone::kUnsure;
}

std::string count_or_dash(std::uint64_t n) {
  return n > 0 ? count_text(n) : "–";
}

std::string at(const Hdr& hdr, double percentile) {
  return hdr.count() > 0 ? duration_text(hdr.percentile(percentile)) : "–";
}

std::string percent_or_dash(std::optional<double> percent) {
  return percent ? percent_text(*percent) : "–";
}

DocCell name_of_run(const RunFacts& run) {
  return {run.label};
}

// A cell that is red where there are any.
DocCell bad_count(std::uint64_t n) {
  return {count_or_dash(n), "", n > 0 ? Tone::kBad : Tone::kPlain};
}

// ---- series of the targets

bool has_any(std::string_view name, std::span<const std::string_view> parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return name.contains(part); });
}

constexpr std::array<std::string_view, 12> kReliable = {
    "breaker",  "retr",         "eject", "failures_in_a_row",    "reconnect", "origin_connections",
    "fallback", "redis_errors", "shed",  "concurrency_requests", "refused",   "origin_requests"};
constexpr std::array<std::string_view, 7> kSecure = {
    "denial", "denied", "verification", "forged", "unauthorized", "rate_limit_requests", "revo"};

DocTable series_table(std::span<const RunFacts> runs, std::string title,
                      std::span<const std::string_view> wanted) {
  DocTable table{
      .title = std::move(title),
      .heads = {{"run"}, {"target"}, {"series"}, {"first", true}, {"last", true}, {"increase", true}}};
  for (const RunFacts& run : runs)
    for (const SeriesFacts& s : run.series)
      if (has_any(s.family, wanted) && !(s.counter && s.last == 0 && s.increase == 0))  // never happened
        table.rows.push_back({name_of_run(run),
                              {s.target},
                              {s.name},
                              {number_text(s.first)},
                              {number_text(s.last)},
                              {s.counter ? number_text(s.increase) : "–"}});
  return table;
}

void add_table(DocSection& section, DocTable table) {
  if (!table.rows.empty()) section.tables.push_back(std::move(table));
}

// ---- goals

struct Goal {  // the same goal of the runs of one campaign
  std::string campaign;
  const CheckResult* check = nullptr;
  std::vector<std::pair<const RunFacts*, const CheckResult*>> seen;

  std::size_t in(State state) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(seen, [&](const auto& one) { return one.second->state == state; }));
  }
  State worst() const {
    return in(State::kBroken) > 0 ? State::kBroken : in(State::kUnknown) > 0 ? State::kUnknown : State::kHeld;
  }
};

std::vector<Goal> goals_of(std::span<const RunFacts> runs) {
  std::vector<Goal> all;
  for (const RunFacts& run : runs)
    for (const CheckResult& check : run.result.checks) {
      if (check.kind != CheckResult::Kind::kGuardrail) continue;
      const auto same = [&](const Goal& g) {
        return g.campaign == run.result.name && g.check->name == check.name &&
               g.check->check == check.check && scope_text(g.check->scope) == scope_text(check.scope);
      };
      auto found = std::ranges::find_if(all, same);
      if (found == all.end()) found = all.insert(all.end(), Goal{run.result.name, &check, {}});
      found->seen.emplace_back(&run, &check);
    }
  return all;
}

// What was measured: of one run its figure, of several those that are worst.
std::string measured_text(const Goal& goal) {
  const State worst = goal.worst();
  std::string text;
  std::size_t shown = 0, all = 0;
  for (const auto& [run, check] : goal.seen) {
    if (check->state != worst || ++all > kMeasuredShown) continue;
    ++shown;
    text += (text.empty() ? "" : ", ") + (check->measured.empty() ? std::string("–") : check->measured);
  }
  return all > shown ? fmt::format("{} and {} more", text, all - shown) : text;
}

std::string why_text(const Goal& goal) {
  std::string where, why;
  for (const auto& [run, check] : goal.seen) {
    if (check->state == State::kHeld) continue;
    if (goal.seen.size() > 1) where += (where.empty() ? "" : ", ") + run->label;
    if (why.empty()) why = check->why;
  }
  if (where.empty()) return why;
  return why.empty() ? "in " + where : "in " + where + ": " + why;
}

}  // namespace

DocSection overview(std::span<const RunFacts> runs) {
  std::size_t met = 0, all = 0, faults = 0;
  std::map<Verdict, std::size_t> verdicts;
  std::uint64_t requests = 0;
  for (const RunFacts& run : runs) {
    met += run.goals_in(State::kHeld);
    all += run.goals();
    faults += run.faults.size();
    ++verdicts[run.result.verdict];
    requests += run.summary.sent;
  }
  DocSection s{.id = "overview", .title = "Overview"};
  const auto verdict = [&](Verdict v, std::string_view said) {
    return DocFigure{std::string(name_of(v)), count_text(verdicts[v]), std::string(said)};
  };
  s.figures = {verdict(Verdict::kPass, "runs that met their goals"),
               verdict(Verdict::kFail, "runs that missed one"),
               verdict(Verdict::kInvalid, "runs that prove nothing"),
               {"Goals met", all > 0 ? fmt::format("{} of {}", met, all) : "–", "over all runs"},
               {"Requests", count_or_dash(requests), "without warm-up"},
               {"Faults", count_or_dash(faults), "set and undone"}};
  DocTable table{.heads = {{"run"},
                           {"verdict"},
                           {"goals met", true},
                           {"requests", true},
                           {"rate", true},
                           {"success", true},
                           {"p99", true},
                           {"build"},
                           {"machine"},
                           {"started"}}};
  for (const RunFacts& run : runs) {
    const Environment& e = run.result.environment;
    const std::string goals =
        run.goals() > 0 ? fmt::format("{} of {}", run.goals_in(State::kHeld), run.goals()) : "–";
    table.rows.push_back({{run.label, run.result.text},
                          {std::string(name_of(run.result.verdict)), "", tone_of(run.result.verdict)},
                          {goals},
                          {count_or_dash(run.summary.sent)},
                          {run.summary.sent > 0 ? rate_text(run.summary.achieved_rate) : "–"},
                          {percent_or_dash(run.summary.success)},
                          {at(run.summary.response, 99)},
                          {e.commit.empty() ? e.version : e.commit},
                          {e.machine},
                          {e.started}});
  }
  s.tables.push_back(std::move(table));
  for (const RunFacts& run : runs)
    if (run.result.verdict != Verdict::kPass && !run.summary.reasons.empty())
      s.lines.push_back({run.summary.reasons.front(), run.label, tone_of(run.result.verdict)});
  return s;
}

DocSection goals(std::span<const RunFacts> runs) {
  DocSection s{.id = "goals", .title = "Goals"};
  const std::vector<Goal> all = goals_of(runs);
  if (all.empty()) {
    s.lead = "No run sets a goal: they measure only.";
    return s;
  }
  const auto met = std::ranges::count_if(all, [](const Goal& g) { return g.worst() == State::kHeld; });
  s.lead = fmt::format("{} of {} goals met in every run of their campaign.", met, all.size());
  DocTable table{.heads = {{"campaign"}, {"state"}, {"goal"}, {"over"}, {"measured", true}, {"why"}}};
  for (const State wanted : {State::kBroken, State::kUnknown, State::kHeld})  // missed ones first
    for (const Goal& goal : all) {
      if (goal.worst() != wanted) continue;
      std::string state(state_text(wanted));
      if (goal.seen.size() > 1)
        state += fmt::format(", held in {} of {}", goal.in(State::kHeld), goal.seen.size());
      const std::string scope = scope_text(goal.check->scope);
      table.rows.push_back(
          {{goal.campaign},
           {state, "", tone_of(wanted)},
           {goal.check->name, goal.check->check == goal.check->name ? "" : goal.check->check},
           {scope.empty() ? "whole run" : scope},
           {measured_text(goal)},
           {why_text(goal)}});
    }
  s.tables.push_back(std::move(table));
  return s;
}

DocSection recommendations(const std::vector<Recommendation>& all) {
  DocSection s{.id = "recommendations", .title = "Recommendations"};
  s.lead = all.empty() ? "None: no rule applies to these runs."
                       : "Drawn by rules from the figures below, gravest first.";
  for (const Recommendation& r : all)
    s.lines.push_back({r.text, r.run.empty() ? "All runs:" : r.run + ":",
                       r.weight == Weight::kMend    ? Tone::kBad
                       : r.weight == Weight::kDoubt ? Tone::kUnsure
                                                    : Tone::kPlain});
  return s;
}

DocSection latency(std::span<const RunFacts> runs) {
  DocSection s{.id = "latency", .title = "Latency"};
  s.lead =
      "Response times from the intended start, of every request that was sent, however it ended; warm-up "
      "left out.";
  DocTable table{.heads = {{"run"}, {"scenario"}, {"requests", true}}};
  constexpr std::array<double, 6> kPercentiles = {50, 75, 90, 95, 99, 99.9};
  for (const double p : kPercentiles) table.heads.push_back({fmt::format("p{:g}", p), true});
  table.heads.push_back({"max", true});
  boost::json::array lines;
  constexpr std::array<const char*, 8> kTones = {"ok",        "denied", "limited", "failed",
                                                 "timed_out", "all",    "p95",     "skipped"};
  for (const RunFacts& run : runs) {
    for (const LatencyRow& row : run.latencies) {
      std::vector<DocCell> cells = {
          name_of_run(run), {row.scenario.empty() ? "all" : row.scenario}, {count_or_dash(row.requests)}};
      for (const double p : kPercentiles) cells.push_back({at(row.response, p)});
      cells.push_back({row.response.count() > 0 ? duration_text(row.response.max()) : "–"});
      table.rows.push_back(std::move(cells));
    }
    if (run.summary.response.count() > 0)
      lines.push_back(boost::json::object{{"outcome", "ok"},
                                          {"run", run.label},
                                          {"tone", kTones[lines.size() % kTones.size()]},
                                          {"response", boost::json::parse(run.percentiles_data)},
                                          {"service", boost::json::array{}}});
  }
  if (!lines.empty()) {
    const boost::json::object data = {{"intervals", {{"at", boost::json::array{}}}},
                                      {"end", 1},
                                      {"phases", boost::json::array{}},
                                      {"spans", boost::json::array{}},
                                      {"bad", boost::json::array{}},
                                      {"journeys", false},
                                      {"targets", boost::json::object{}},
                                      {"percentiles", lines}};
    s.charts.push_back(
        {"",
         chart_html("percentiles", "Response time by percentile", "a line a run; log scale", "chart tall"),
         boost::json::serialize(data)});
  }
  s.tables.push_back(std::move(table));
  return s;
}

DocSection reliability(std::span<const RunFacts> runs) {
  DocSection s{.id = "reliability", .title = "Reliability"};
  DocTable table{.title = "How requests ended",
                 .heads = {{"run"},
                           {"ok", true},
                           {"denied", true},
                           {"limited", true},
                           {"failed", true},
                           {"timed out", true},
                           {"skipped", true},
                           {"sent again", true},
                           {"processes lost"},
                           {"what went wrong"}}};
  for (const RunFacts& run : runs) {
    std::string lost;
    for (const std::string& name : run.result.deaths) lost += (lost.empty() ? "" : ", ") + name;
    table.rows.push_back({name_of_run(run),
                          {count_or_dash(run.count(Outcome::kOk))},
                          {count_or_dash(run.count(Outcome::kDenied))},
                          {count_or_dash(run.count(Outcome::kLimited))},
                          bad_count(run.count(Outcome::kFailed)),
                          bad_count(run.count(Outcome::kTimedOut)),
                          {count_or_dash(run.count(Outcome::kSkipped))},
                          {count_or_dash(run.summary.measured.stats.retries)},
                          {lost, "", lost.empty() ? Tone::kPlain : Tone::kBad},
                          {reasons_text(run.summary.measured.stats)}});
  }
  s.tables.push_back(std::move(table));
  for (const RunFacts& run : runs) {
    std::set<std::pair<std::string_view, Reason>> kinds;
    for (const Sample& sample : run.result.samples)
      if (kinds.size() < kSamplesShown && kinds.emplace(sample.step, sample.reason).second)
        s.lines.push_back({sample_text(sample), run.label + ":", Tone::kBad});
  }
  add_table(s, series_table(runs, "Retries, breakers, reconnects and refusals, as the targets count them",
                            kReliable));
  return s;
}

DocSection chaos(std::span<const RunFacts> runs) {
  DocSection s{.id = "chaos", .title = "Chaos"};
  DocTable table{.title = "Faults",
                 .heads = {{"run"},
                           {"fault"},
                           {"when"},
                           {"requests", true},
                           {"success", true},
                           {"p99", true},
                           {"last failure after its end", true},
                           {"recovery, as its goal says"}}};
  DocTable log{
      .title = "What happened, and when", .heads = {{"run"}, {"at", true}, {"what"}}, .folded = true};
  for (const RunFacts& run : runs) {
    for (const FaultFacts& f : run.faults) {
      std::string goal;
      Tone tone = Tone::kPlain;
      for (const CheckResult& check : run.result.checks)
        if (check.check.contains("recovery") &&
            (check.check.contains(f.name) || check.scope.window.contains(f.name) || run.faults.size() == 1)) {
          goal += (goal.empty() ? "" : ", ") +
                  fmt::format("{} ({})", check.measured.empty() ? "–" : check.measured, check.check);
          if (tone != Tone::kBad) tone = tone_of(check.state);
        }
      const std::string last = !f.watched ? "–" : !f.last_bad ? "none" : seconds_text(*f.last_bad);
      table.rows.push_back({name_of_run(run),
                            {f.name},
                            {clock_text(f.from) + "–" + clock_text(f.to)},
                            {count_or_dash(f.requests)},
                            {percent_or_dash(f.success)},
                            {at(f.response, 99)},
                            {last, f.watched && !f.ended_well ? "and the run ended so" : ""},
                            {goal, "", tone}});
    }
    for (const Happening& h : run.result.happenings)
      log.rows.push_back(
          {name_of_run(run), {clock_text(h.at)}, {h.text, "", h.bad ? Tone::kBad : Tone::kPlain}});
  }
  if (table.rows.empty()) s.lead = "No run sets a fault.";
  add_table(s, std::move(table));
  add_table(s, std::move(log));
  return s;
}

DocSection security(std::span<const RunFacts> runs) {
  DocSection s{.id = "security", .title = "Security"};
  s.lead =
      "Denied: a 401 or 403 that the step expected. Let through: a denial was expected, and something else "
      "came.";
  DocTable table{.title = "Denials",
                 .heads = {{"run"},
                           {"denials expected", true},
                           {"denied", true},
                           {"let through", true},
                           {"denied by mistake", true},
                           {"limited", true},
                           {"TLS failures", true}}};
  for (const RunFacts& run : runs)
    table.rows.push_back({name_of_run(run),
                          {count_or_dash(run.summary.measured.stats.expected_denials)},
                          {count_or_dash(run.count(Outcome::kDenied))},
                          bad_count(run.reason(Reason::kNotDenied)),
                          bad_count(run.reason(Reason::kUnexpectedDenial)),
                          {count_or_dash(run.count(Outcome::kLimited))},
                          bad_count(run.reason(Reason::kTls))});
  s.tables.push_back(std::move(table));
  add_table(s, series_table(runs, "Denials, verifications and limits, as the targets count them", kSecure));
  return s;
}

DocSection capacity(std::span<const RunFacts> runs) {
  DocSection s{.id = "capacity", .title = "Capacity"};
  s.lead = "The knee: the rate from which on p99 was more than three times what it was at the lowest rates.";
  DocTable table{.heads = {{"run"},
                           {"highest rate", true},
                           {"knee", true},
                           {"CPU a request", true},
                           {"connections", true},
                           {"what the limit was"}}};
  for (const RunFacts& run : runs) {
    const auto figure = [&](std::string_view label) {
      const auto found = std::ranges::find(run.summary.capacity, label, &Figure::label);
      return found == run.summary.capacity.end() ? DocCell{} : DocCell{found->value, found->note};
    };
    DocCell knee;
    if (run.knee)
      knee = {rate_text(run.knee->rate), fmt::format("p99 {}, before {}", duration_text(run.knee->p99),
                                                     duration_text(run.knee->ground_p99))};
    table.rows.push_back({name_of_run(run),
                          figure("Highest rate"),
                          knee,
                          figure("CPU a request"),
                          figure("Connections"),
                          {run.summary.limit}});
  }
  s.tables.push_back(std::move(table));
  return s;
}

DocSection metrics(std::span<const RunFacts> runs) {
  DocSection s{.id = "metrics", .title = "Metrics of the targets"};
  constexpr std::size_t kRows = 200;
  for (const RunFacts& run : runs) {
    DocTable table{
        .heads = {{"target"}, {"series"}, {"first", true}, {"last", true}, {"max", true}, {"increase", true}},
        .folded = true};
    std::size_t left_out = 0;
    for (const SeriesFacts& f : run.series) {
      if (f.family.ends_with("_bucket") || f.family.ends_with("_info")) continue;
      if (table.rows.size() == kRows) {
        ++left_out;
        continue;
      }
      table.rows.push_back({{f.target},
                            {f.name},
                            {number_text(f.first)},
                            {number_text(f.last)},
                            {number_text(f.most)},
                            {f.counter ? number_text(f.increase) : "–"}});
    }
    table.title = fmt::format("{}: {} series{}", run.label, table.rows.size(),
                              left_out > 0 ? fmt::format(", {} more in its result.json", left_out) : "");
    add_table(s, std::move(table));
  }
  s.lead = s.tables.empty() ? "No run has any."
                            : "Their first, last and greatest values, and the increase of counters.";
  return s;
}

DocSection pictures(std::span<const RunFacts> runs) {
  DocSection s{.id = "pictures", .title = "Pictures"};
  for (const RunFacts& run : runs)
    if (!run.charts_html.empty())
      s.charts.push_back(
          {run.label, (s.charts.empty() ? charts_key_html() : "") + run.charts_html, run.charts_data});
  if (s.charts.empty()) s.lead = "No run lasted for an interval.";
  return s;
}

DocSection environments(std::span<const RunFacts> runs) {
  DocSection s{.id = "environment", .title = "Environment"};
  DocTable table{
      .heads = {{"run"}, {"folder"}, {"harness"}, {"target"}, {"machine"}, {"campaign"}, {"to do it again"}}};
  for (const RunFacts& run : runs) {
    const Environment& e = run.result.environment;
    table.rows.push_back(
        {name_of_run(run),
         {run.folder},
         {e.version.empty() ? "" : fmt::format("{} ({})", e.version, e.commit), e.build},
         {e.target_version},
         {e.machine, e.cpus > 0 ? fmt::format("{} × {}, {}", e.cpus, e.cpu, e.kernel) : e.kernel},
         {run.result.file, e.campaign_hash},
         {e.command, e.time_scale == 1 ? "" : "time scale " + number_text(e.time_scale)}});
  }
  s.tables.push_back(std::move(table));
  return s;
}

}  // namespace prove
