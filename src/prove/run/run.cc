#include "prove/run/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "prove/engine/engine.h"
#include "prove/judge/compare.h"
#include "prove/judge/judge.h"
#include "prove/load/load.h"
#include "prove/model/expression.h"
#include "prove/model/seconds.h"
#include "prove/record/hdr_log.h"
#include "prove/record/result_json.h"
#include "prove/report/progress.h"
#include "prove/report/report_files.h"
#include "prove/report/report_text.h"
#include "prove/run/abort.h"
#include "prove/stage/environment.h"
#include "prove/stage/observer.h"
#include "prove/stage/stage.h"
#include "prove/wire/secrets.h"
#include "prove/wire/token.h"

namespace prove {
namespace {

namespace fs = std::filesystem;

constexpr int kIncomplete = 2;  // passed, but a report or a comparison that was asked for is not there
constexpr base::Millis kTurn{50};
constexpr std::int64_t kMostIntervals = 2'000;  // so that a day's time series costs what an hour's does

MintedTokens mint_all(const Campaign& campaign) {
  MintedTokens tokens;
  for (const ProofSpec& spec : campaign.proofs) tokens.keyrings.emplace(spec.name, Keyring(spec));
  for (const TokenSpec& spec : campaign.tokens) {
    Keyring* ring = spec.proof.empty() ? nullptr : &tokens.keyrings.at(spec.proof);
    std::vector<std::string>& minted = tokens.by_name[spec.name];
    minted.reserve(spec.count);
    for (std::uint64_t i = 0; i < spec.count; ++i)
      minted.push_back(mint(spec, i, base::wall_now(), ring ? ring->thumbprint(i % ring->size()) : ""));
    if (ring) ring->bind(minted);
  }
  return tokens;
}

std::string describe_load(const Phase& phase) {
  const auto shape = [](auto from, auto to, std::string_view unit) {
    return from == to ? fmt::format("{}{}", to, unit) : fmt::format("{} → {}{}", from, to, unit);
  };
  std::string text = phase.rate ? shape(phase.rate->first, phase.rate->second, "/s")
                                : shape(phase.users->first, phase.users->second, " users");
  if (phase.arrivals == Arrivals::kPoisson) text += ", Poisson";
  return text;
}

// What is known before the first request.
Result describe(const Campaign& campaign, const Timeline& timeline, const RunOptions& options) {
  Result result;
  result.name = campaign.name;
  result.text = campaign.text;
  result.file = fs::path(campaign.file).filename();
  result.environment =
      describe_environment(campaign, without_secrets(options.command, campaign, options.set));
  for (std::size_t i = 0; i < campaign.phases.size(); ++i) {
    const Phase& phase = campaign.phases[i];
    result.phases.push_back({phase.name, seconds_of(timeline.phase_start(i)),
                             seconds_of(timeline.phase_end(i)), phase.warm_up, describe_load(phase)});
  }
  for (const Scenario& scenario : campaign.scenarios) {
    ScenarioInfo info{scenario.name, scenario.weight, {}};
    for (const Step& step : scenario.steps) {
      info.steps.push_back(step.name);
      info.tags.push_back(step.tags);
    }
    result.scenarios.push_back(std::move(info));
  }
  result.spans = timeline.spans();
  result.timeline = timeline.segments();
  return result;
}

void add_intervals(Engine& engine, Result& result, HlogWriter& log) {
  for (const IntervalPart& part : engine.take_intervals()) {
    log.add("response", part.row.at - part.row.seconds, part.row.seconds, part.response);
    log.add("service", part.row.at - part.row.seconds, part.row.seconds, part.service);
    result.intervals.push_back(part.row);
  }
}

Progress progress_of(const Result& result, const Timeline& timeline, double elapsed,
                     std::vector<std::string> faults) {
  Progress p;
  p.campaign = result.name;
  p.elapsed = std::max(elapsed, 0.0);
  p.total = seconds_of(timeline.end());
  p.ending = p.elapsed > p.total || !result.aborted.empty();
  for (const PhaseInfo& phase : result.phases) {
    if (p.elapsed < phase.from) break;
    p.phase = phase.name;
    p.warm_up = phase.warm_up;
  }
  for (const Interval& row : result.intervals)
    for (std::size_t i = 0; i < kOutcomes; ++i) p.outcomes[i] += row.outcomes[i];
  if (!result.intervals.empty()) {
    const Interval& last = result.intervals.back();
    std::uint64_t done = 0;
    for (const std::uint64_t n : last.outcomes) done += n;
    p.offered_rate = static_cast<double>(last.offered) / last.seconds;
    p.done_rate = static_cast<double>(done) / last.seconds;
    p.p50 = last.p50;
    p.p99 = last.p99;
    p.waiting = last.waiting;
    p.busy = last.busy;
  }
  p.faults = std::move(faults);
  return p;
}

void take_happenings(Stage& stage, Result& result) {
  for (Happening& happening : stage.take_happenings()) result.happenings.push_back(std::move(happening));
}

// The version that a target says of itself: the labels of its …_build_info series.
std::string version_of_target(const std::vector<Series>& series) {
  for (const Series& s : series) {
    if (!s.name.ends_with("_build_info")) continue;
    std::string text;
    for (const auto& [label, value] : s.labels)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", label, value);
    return text;
  }
  return "";
}

// The life of a run. `folder` takes the processes' logs and the interval log.
Result conduct(const Campaign& given, const RunOptions& options, const std::string& folder,
               Interrupt& interrupt) {
  Campaign campaign = given;
  const auto longest = [&] {
    base::Nanos sum{0};
    for (const Phase& phase : campaign.phases) sum += phase.duration;
    return sum;
  }();
  campaign.interval = std::max(campaign.interval, std::chrono::ceil<base::Millis>(longest / kMostIntervals));
  const Timeline timeline = Timeline::of(campaign);
  Result result = describe(campaign, timeline, options);
  std::atomic<int> heard{0};
  const auto cancelled = [&] { return interrupt.count() > heard; };

  const MintedTokens tokens = mint_all(campaign);
  Stage stage(campaign, tokens, folder, cancelled);
  stage.perform(campaign.prepare, "prepare");
  stage.start_processes();
  stage.perform(campaign.setup, "setup");
  stage.give_captured(campaign.data);
  if (!cancelled()) {
    Engine engine(campaign, timeline, tokens);
    Observer observer(campaign, timeline, needed_families(campaign), [&](const Target& t) {
      return t.pid ? static_cast<pid_t>(t.pid) : stage.pid_of(t.process);
    });
    std::ofstream log_file(folder + "/latency.hlog");
    HlogWriter log(log_file, base::wall_now(), "response and service time, by sekisho prove");
    ProgressDisplay display(stderr, ProgressDisplay::mode_for(stderr, options.quiet));
    AbortWatch watch(campaign, timeline, engine, result);
    observer.sample_before();
    engine.start();
    observer.start(engine.began(), campaign.interval);
    stage.start_faults(engine.began());
    while (!engine.done()) {
      if (interrupt.requested(kTurn)) engine.interrupt();
      if (watch.ends_it(base::mono_now())) stage.end_faults();  // what hangs by a fault shall come back
      add_intervals(engine, result, log);
      take_happenings(stage, result);
      const base::Mono now = base::mono_now();
      if (display.due(now))
        display.show(progress_of(result, timeline, seconds_of(now - engine.began()), stage.active_faults()),
                     now);
    }
    display.end();
    if (result.aborted.empty()) result.ended_at = seconds_of(base::mono_now() - engine.began());
    Engine::Books books = engine.finish();
    result.segments = std::move(books.segments);
    result.aftermaths = std::move(books.aftermaths);
    result.samples = std::move(books.samples);
    if (books.unconnected > 0)  // the target is not to blame
      result.happenings.push_back({result.ended_at,
                                   fmt::format("this machine had no descriptor or port for {} of the load's "
                                               "connections",
                                               books.unconnected),
                                   true});
    add_intervals(engine, result, log);
    log_file.close();
    if (!log_file) fs::remove(folder + "/latency.hlog");  // cut short, it would look whole
    result.series = observer.finish();
    result.environment.target_version = version_of_target(result.series);
    stage.end_faults();
    take_happenings(stage, result);
  }
  result.interrupted = cancelled() && result.aborted.empty();
  heard = interrupt.count();  // the teardown is part of an orderly end, and another Ctrl-C ends that too
  try {
    stage.perform(campaign.teardown, "teardown");
    if (cancelled()) throw std::runtime_error("the teardown was interrupted");
  } catch (const std::runtime_error& error) {
    result.happenings.push_back({result.ended_at, error.what(), true});
  }
  stage.close();
  take_happenings(stage, result);
  result.deaths = stage.deaths();
  judge(result, campaign);
  return result;
}

// Makes the scratch folder anew. Only what an earlier run has made is emptied: --out may name any folder.
void renew(const fs::path& scratch) {
  const fs::path mark = scratch / ".sekisho-prove";
  if (fs::exists(scratch) && !fs::exists(mark) && (!fs::is_directory(scratch) || !fs::is_empty(scratch)))
    throw std::runtime_error(
        fmt::format("{}: is not the harness's own; choose another folder with --out", scratch.string()));
  fs::remove_all(scratch);
  fs::create_directories(scratch);
  std::ofstream(mark).close();
}

// The same world and the same steps, and nothing of the load: a moment for each scenario, long enough for one
// arrival.
Campaign one_of_each(Campaign campaign) {
  campaign.phases.clear();
  campaign.faults.clear();
  campaign.windows.clear();
  campaign.guardrails.clear();
  campaign.require.clear();
  campaign.generators = 1;
  campaign.samples = 1;
  campaign.keep_all = true;
  campaign.grace = base::Millis(0);
  for (const Scenario& scenario : campaign.scenarios) {
    Phase& phase = campaign.phases.emplace_back();
    phase.name = scenario.name;
    phase.only = {scenario.name};
    phase.duration = base::Millis(10);
    phase.rate = {100, 100};
    base::Millis longest{0};
    for (const Step& step : scenario.steps)
      longest += step.timeout + std::max(step.think_min, step.think_max);
    campaign.grace = std::max(campaign.grace, longest);
  }
  return campaign;
}

// False when the two may not be compared.
bool print_comparison(const std::vector<RunFigures>& baseline, const RunFigures& figures) {
  std::vector<RunFigures> both = baseline;
  both.push_back(figures);
  const std::vector<std::string> lines = differences(both);
  for (const std::string& line : lines) say(stderr, fmt::format("sekisho: not compared: {}\n", line));
  if (!lines.empty()) return false;
  const CompareOptions comparison;
  say(stdout, table_of(compare(baseline, {figures}, comparison), comparison));
  return true;
}

std::string out_folder(const RunOptions& options) {
  return options.out.empty() ? "prove-" + fs::path(options.campaign).stem().string() : options.out;
}

Campaign load(const RunOptions& options, const std::string& scratch) {
  return load_campaign(options.campaign, {.set = options.set,
                                          .time_scale = options.time_scale,
                                          .binary = fs::read_symlink("/proc/self/exe"),
                                          .run_dir = fs::absolute(scratch),
                                          .env = config::process_env()});
}

}  // namespace

RunEnd run_and_report(const RunOptions& options, Interrupt& interrupt) {
  RunEnd end;
  end.folder = out_folder(options);
  const std::string scratch = end.folder + "/run";
  remove_reports(end.folder);  // an earlier run's must not pass for this one's
  renew(scratch);
  const Campaign campaign = load(options, scratch);
  end.result = conduct(campaign, options, scratch, interrupt);
  try {
    write_reports(end.result, end.folder);
    if (fs::exists(scratch + "/latency.hlog"))
      fs::rename(scratch + "/latency.hlog", end.folder + "/latency.hlog");
    else if (!end.result.intervals.empty())
      throw std::runtime_error(end.folder + "/latency.hlog: could not be written");
    if (!options.save.empty()) save_result(end.result, options.save);
  } catch (const std::runtime_error& error) {
    end.report_error = error.what();
  }
  return end;
}

int run_debug(const RunOptions& options, Interrupt& interrupt) {
  const std::string folder = out_folder(options) + "/debug";
  renew(folder);
  const Campaign campaign = one_of_each(load(options, folder));
  RunOptions silent = options;
  silent.quiet = true;
  const Result result = conduct(campaign, silent, folder, interrupt);
  say(stdout, debug_text(result));
  const bool spoiled = result.interrupted || !result.deaths.empty() ||
                       std::ranges::any_of(result.happenings, [](const Happening& h) { return h.bad; });
  if (spoiled) return static_cast<int>(Verdict::kInvalid);
  std::vector<std::size_t> all(result.segments.size());
  std::ranges::generate(all, [n = std::size_t{0}]() mutable { return n++; });
  const Total sum = total(result, all);
  return sum.requests() > 0 && sum.stats.met() == sum.requests() ? 0 : static_cast<int>(Verdict::kFail);
}

int run_campaign(const RunOptions& options, Interrupt& interrupt) {
  std::vector<RunFigures>
      baseline;  // read first: an hour of load for a file that is not there is an hour lost
  if (!options.baseline.empty())
    baseline.push_back(figures_of(load_result(options.baseline), options.baseline));
  const RunEnd end = run_and_report(options, interrupt);
  const Verdict verdict = end.result.verdict;
  say(stdout, text_summary(end.result));
  bool complete = true;
  if (!baseline.empty()) complete = print_comparison(baseline, figures_of(end.result, end.folder));
  if (end.report_error.empty()) {
    say(stdout, fmt::format("  report: {}/report.html\n", end.folder));
  } else {
    say(stderr, fmt::format("sekisho: {}\n", end.report_error));
    complete = false;
  }
  return verdict == Verdict::kPass && !complete ? kIncomplete : static_cast<int>(verdict);
}

}  // namespace prove
