#include "prove/report/dossier.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "prove/record/markup.h"
#include "prove/record/result_json.h"
#include "prove/report/dossier_rules.h"
#include "prove/report/dossier_sections.h"
#include "prove/report/figures.h"
#include "prove/report/page.h"
#include "prove/report/report_files.h"
#include "prove/report/report_text.h"

namespace prove {
namespace {

namespace fs = std::filesystem;

constexpr int kDeep = 4;  // folders within folders; beyond that it is no place for results

void find_results(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  if (fs::is_regular_file(folder / "result.json")) {
    found.push_back(folder);
    return;
  }
  if (depth == 0) return;
  std::vector<fs::path> inside;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !entry.is_symlink()) inside.push_back(entry.path());
  std::ranges::sort(inside);
  for (const fs::path& next : inside) find_results(next, depth - 1, found);
}

// "12 runs, 2026-11-28T10:00:00Z to …"
std::string facts_text(std::span<const RunFacts> runs) {
  std::string first, last;
  for (const RunFacts& run : runs) {
    const std::string& started = run.result.environment.started;
    if (started.empty()) continue;
    if (first.empty() || started < first) first = started;
    last = std::max(last, started);
  }
  std::string text = runs.size() == 1 ? "1 run" : fmt::format("{} runs", runs.size());
  if (!first.empty()) text += first == last ? ", " + first : ", " + first + " to " + last;
  return text;
}

// What keeps the figures of the runs from being set beside each other.
std::vector<DocLine> warnings_of(std::span<const RunFacts> runs) {
  std::vector<DocLine> lines;
  const auto differ = [&](std::string_view what, auto&& value) {
    std::set<std::string> seen;
    for (const RunFacts& run : runs) seen.insert(value(run.result.environment));
    if (seen.size() < 2) return;
    std::string text;
    for (const std::string& one : seen) text += (text.empty() ? "" : "; ") + (one.empty() ? "not told" : one);
    lines.push_back({fmt::format("The runs are of {} {}: {}. Their figures are not comparable as they stand.",
                                 seen.size(), what, text)});
  };
  differ("different machines", [](const Environment& e) {
    return e.machine.empty() ? "" : fmt::format("{} ({} × {}, {})", e.machine, e.cpus, e.cpu, e.kernel);
  });
  differ("different builds of the harness", [](const Environment& e) {
    return e.version.empty() ? "" : fmt::format("{} ({}), {}", e.version, e.commit, e.build);
  });
  differ("different versions of the target", [](const Environment& e) { return e.target_version; });
  differ("different time scales", [](const Environment& e) { return number_text(e.time_scale); });
  return lines;
}

}  // namespace

std::vector<RunFacts> read_runs(const std::vector<std::string>& folders) {
  std::vector<RunFacts> runs;
  for (const std::string& folder : folders) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) throw std::runtime_error(folder + ": is no folder");
    std::vector<fs::path> found;
    find_results(folder, kDeep, found);
    if (found.empty()) throw std::runtime_error(folder + ": holds no result.json, nor does a folder in it");
    for (const fs::path& run : found)
      runs.push_back(facts_of(load_result((run / "result.json").string()), run.lexically_normal().string()));
  }
  label_runs(runs);
  return runs;
}

Verdict verdict_of(std::span<const RunFacts> runs) {
  const auto some = [&](Verdict v) {
    return std::ranges::any_of(runs, [&](const RunFacts& run) { return run.result.verdict == v; });
  };
  return some(Verdict::kFail) ? Verdict::kFail : some(Verdict::kInvalid) ? Verdict::kInvalid : Verdict::kPass;
}

Document dossier_of(std::span<const RunFacts> runs) {
  const Verdict verdict = verdict_of(runs);
  Document d;
  d.title = "Proof of " + (runs.size() == 1 ? runs.front().label : fmt::format("{} runs", runs.size()));
  d.verdict = name_of(verdict);
  d.css = css_of(verdict);
  d.facts = facts_text(runs);
  d.warnings = warnings_of(runs);
  d.sections = {overview(runs), goals(runs),       recommendations(recommend(runs)),
                latency(runs),  reliability(runs), chaos(runs),
                security(runs), capacity(runs),    metrics(runs),
                pictures(runs), environments(runs)};
  d.foot = "sekisho prove dossier. Every figure comes from the result.json of the run that it stands beside.";
  return d;
}

int write_dossier(const std::vector<std::string>& folders, const std::string& out) {
  const std::vector<RunFacts> runs = read_runs(folders);
  const Document document = dossier_of(runs);
  write_files(out, {{"dossier.html", document_html(document)}, {"dossier.md", document_markdown(document)}});
  for (const RunFacts& run : runs) {
    const std::size_t goals = run.goals();
    say(stdout, fmt::format("{} {}{}\n", name_of(run.result.verdict), one_line(run.label),
                            goals > 0 ? fmt::format(": {} of {} goals met",
                                                    run.goals_in(CheckResult::State::kHeld), goals)
                                      : ""));
  }
  const Verdict verdict = verdict_of(runs);
  say(stdout, fmt::format("{}: {}/dossier.html\n", name_of(verdict), out));
  return static_cast<int>(verdict);
}

}  // namespace prove
