// The keys of the top level, the timeline and the verdict.
#include "prove/load/keys.h"

#include "prove/load/forms.h"
#include "prove/load/rows.h"
#include "prove/load/rules.h"

namespace config::rows {

template <>
struct WordsOf<prove::Shares> {
  static constexpr std::string_view kNames[] = {"observed", "confident"};
};
template <>
struct WordsOf<prove::Arrivals> {
  static constexpr std::string_view kNames[] = {"even", "poisson"};
};

}  // namespace config::rows

namespace prove {
namespace {

using namespace rows;          // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace config::rows;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using rows::kLive;
using rows::reference;

// ---- the timeline

constexpr Row kPhaseRows[] = {
    config::rows::text<&Phase::name, config::Name>("name", config::kRequired, kLive,
                                                   "Its name in the report and in the scopes of checks."),
    toggle<&Phase::warm_up>("warm_up", "false", kLive, "Reported, and no part of any verdict."),
    duration<&Phase::duration>("duration", config::kRequired, {1ms, 720h}, kLive, "How long it lasts."),
    written<&Phase::rate, form::Rate>(
        "rate", "", "Journeys begun in a second, whatever the target does (open model); a range is a ramp."),
    written<&Phase::users, form::Users>(
        "users", "",
        "Users who each begin a journey when their last has ended (closed model); a range is a "
        "ramp."),
    duration<&Phase::ramp>("ramp", "(the whole phase)", {1ms, 720h}, kLive,
                           "How long a range takes from its one end to the other."),
    word<&Phase::arrivals>("arrivals", "even", kLive, "How a rate's journeys are spread over time."),
    reference<&Phase::only, Reading::Named::kScenario>("only", "(all)", "The scenarios that take part."),
};
constexpr config::Section kPhase =
    table<Phase>({"phase", "", "A stretch of the load, with exactly one of `rate` and `users`.", ""},
                 kPhaseRows, checked<Phase, rules::check_phase>);

constexpr Row kWindowRows[] = {
    duration<&Window::from>("from", config::kRequired, {0ms, 720h}, kLive,
                            "Its beginning, from the beginning of the first phase."),
    duration<&Window::to>("to", config::kRequired, {1ms, 720h}, kLive, "Its end."),
};
constexpr config::Section kWindow =
    table<Window>({"window", "", "A stretch of the timeline that checks can be about.", ""}, kWindowRows);

// ---- the verdict

void put_window(Reader& reader, const YamlNode& node, std::string&& name, Check& check) {
  Reading::of(reader).refer(Reading::Named::kWindow, name, node.line);
  check.window = std::move(name);
}

consteval Row check_row() {
  Row row = written<&Check::text, form::Line>("check", config::kRequired,
                                              "The expression that must hold, such as `p95 < 50ms`.");
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& check = *static_cast<Check*>(owner);
    check.text = read_value<form::Line>(reader, self, node);
    Reading::of(reader).expression(check.text, node.line);
  };
  return row;
}

constexpr Row kCheckRows[] = {
    check_row(),
    written<&Check::name, form::Word>("name", "(the expression)", "Its name in the report."),
    reference<&Check::scenario, Reading::Named::kScenario>("scenario", "(all)",
                                                           "The scenario that it is about."),
    reference<&Check::phase, Reading::Named::kPhase>("phase", "(all but warm-ups)",
                                                     "The phase that it is about."),
    put<Check, form::Word, put_window>(
        "window", "(the whole run)",
        "The window or fault that it is about, or `before NAME` or `after NAME`."),
    written<&Check::step, form::Word>("step", "(all)", "The step that it is about, by its name."),
    config::rows::text<&Check::tag, config::Name>("tag", "(all)", kLive,
                                                  "Or all steps with this one among their `tags`."),
    toggle<&Check::abort>("abort", "false", kLive,
                          "Of a guardrail: whether it ends the run, as FAIL, as soon as it is broken."),
    duration<&Check::after>("after", "0s", {0ms, 720h}, kLive,
                            "With `abort`: how long its part of the run goes on at the least."),
};
constexpr config::Section kCheck =
    table<Check>({"check", "", "An expression and what part of the run it is about.", "check"}, kCheckRows);

constexpr Row kValidityRows[] = {
    written<&Validity::rate, form::Percent>(
        "rate", "99%", "The share of an offered rate that must be sent, in every phase."),
    duration<&Validity::send_lag>("send_lag", "10ms", {1ms, 1h}, kLive,
                                  "How late requests may be sent, at the 99th percentile, before a latency "
                                  "that is too long may be the harness's."),
    written<&Validity::busy, form::Percent>(
        "busy", "90%", "How busy a generator's thread may be before it may be what users waited for."),
    count<&Validity::tail_samples>("tail_samples", "10", {1, 1'000'000}, kLive,
                                   "Requests that must lie beyond a percentile that a check asks for, and of "
                                   "which a share of all or of none must be told."),
    word<&Validity::shares>("shares", "observed", kLive,
                            "What a check of a share is of: what was seen, of requests enough to show it, or "
                            "its bound at 95 % confidence."),
    duration<&Validity::recovered>("recovered", "3s", {100ms, 30s}, kLive,
                                   "How long all must hold again for a recovery to have ended."),
    duration<&Validity::slope>("slope", "10m", {1s, 720h}, kLive,
                               "The shortest stretch that a slope may be asked of."),
};
constexpr config::Section kValidity = table<Validity>(
    {"validity", "", "When a run proves nothing and its verdict is INVALID.", ""}, kValidityRows);

void put_define(Reader& reader, const Entry& entry, std::string&& name, std::string&& value,
                Campaign& campaign) {
  Reading::of(reader).definition(name, entry.value.line);
  campaign.define.emplace_back(std::move(name), std::move(value));
}

// ---- the top level

template <class T, const config::Section& S, auto Place>
consteval Row map_of(std::string_view name, std::string_view fallback, std::string_view about) {
  return named_drafts<Campaign, T, S, Place>(name, fallback, kLive, about);
}

// Steps are read into the scenario that they belong to, so the scenario has to have its place before.
consteval Row scenarios_row() {
  Row row = own<Campaign>(Kind::kNamed, "scenarios", config::kRequired, "What users do, by name.");
  row.sections = kOnly<kScenarioSection>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    for (const Entry& entry : reader.named(node)) {
      const Reader::Step step(reader, entry.name);
      rules::place_scenario(reader, entry, *static_cast<Campaign*>(owner));
    }
  };
  return row;
}

constexpr Row kRootRows[] = {
    written<&Campaign::name, form::Word>("name", "(the file's name)", "The campaign's name."),
    written<&Campaign::text, form::Block>("text", "", "What it shows, in a sentence or two for the report."),
    count<&Campaign::seed>("seed", "1", {}, kLive, "Of all random choices: the same seed, the same choices."),
    count<&Campaign::generators>("generators", "0", {0, 256}, kLive, "Threads that send. 0: one."),
    duration<&Campaign::interval>("interval", "1s", {100ms, 10min}, kLive,
                                  "The step of the time series in the report."),
    count<&Campaign::backlog>(
        "backlog", "65536", {0, 16'777'216}, kLive,
        "Journeys that may wait for a connection, in each generator; more are skipped."),
    count<&Campaign::samples>(
        "samples", "3", {0, 100}, kLive,
        "Requests that went wrong, of each step and reason, that are kept for the report, secrets masked."),
    duration<&Campaign::grace>("grace", "5s", {0ms, 1h}, kLive,
                               "How long the last replies may take after the last phase."),
    drafts<Campaign, Deed, kDeedSection, rules::place_prepare>(
        "prepare", "[]", kLive, "What is done before the processes start: calls and commands."),
    map_of<Process, kProcessSection, rules::place_process>("processes", "",
                                                           "What the harness starts itself, in this order."),
    map_of<Target, kTargetSection, rules::place_target>("targets", config::kRequired,
                                                        "Who takes the load, by name."),
    map_of<TokenSpec, kTokenSection, rules::place_token>("tokens", "", "Tokens for templates: `{{name}}`."),
    map_of<ProofSpec, kProofSection, rules::place_proof>(
        "proofs", "", "Key pairs that tokens are bound to and whose possession steps prove."),
    map_of<DataDraft, kDataSection, rules::place_data>(
        "data", "", "Values for templates: `{{name}}`, or `{{name.column}}` where it has columns."),
    drafts<Campaign, Deed, kDeedSection, rules::place_setup>(
        "setup", "[]", kLive, "What is done when the processes are up, before the load."),
    drafts<Campaign, Deed, kDeedSection, rules::place_teardown>("teardown", "[]", kLive,
                                                                "What is done after it."),
    scenarios_row(),
    drafts<Campaign, Phase, kPhase, rules::place_phase>("phases", config::kRequired, kLive,
                                                        "The load, phase after phase."),
    drafts<Campaign, Fault, kFaultSection, rules::place_fault>("faults", "[]", kLive,
                                                               "What goes wrong meanwhile."),
    map_of<Window, kWindow, rules::place_window>("windows", "", "Named stretches of the timeline."),
    pairs<Campaign, form::Identifier, form::Line, put_define>("define", "Names for expressions."),
    drafts<Campaign, Check, kCheck, rules::place_guardrail>("guardrails", "[]", kLive,
                                                            "What must hold; else the verdict is FAIL."),
    drafts<Campaign, Check, kCheck, rules::place_require>(
        "requires", "[]", kLive,
        "What shows that the path under test was taken; where it does not hold, the verdict is INVALID."),
    section<&Campaign::validity, kValidity>("validity", "When a run proves nothing."),
};
constexpr config::Section kRoot = table<Campaign>({"campaign", "", "The whole file.", ""}, kRootRows,
                                                  checked<Campaign, rules::check_campaign>);

}  // namespace

const config::Section& campaign_section() {
  return kRoot;
}

}  // namespace prove
