#include "cli/prove.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "config/env.h"
#include "prove/import/import.h"
#include "prove/load/load.h"
#include "prove/record/result_json.h"
#include "prove/report/dossier.h"
#include "prove/report/report_files.h"
#include "prove/run/selftest.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> assignments(const std::vector<std::string>& words) {
  std::map<std::string, std::string> out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == word.npos) throw std::runtime_error("'" + word + "' is not NAME=VALUE");
    out[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return out;
}

// Of a file that somebody else has made: not more than can be imported, and one byte.
std::string bytes_of(const std::string& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) throw std::runtime_error(file + ": is a folder, not a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": cannot be read: " + std::generic_category().message(errno));
  std::string out;
  std::array<char, 64 << 10> piece;
  while (in.read(piece.data(), piece.size()), in.gcount() > 0 && out.size() <= prove::kMaxImport)
    out.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    throw std::runtime_error(file + ": cannot be read: " + std::generic_category().message(errno));
  return out;
}

// Unlike CLI::Range it takes no NaN.
CLI::Validator between(double least, double most) {
  return {[least, most](const std::string& text) {
            double value = 0;
            const bool number = CLI::detail::lexical_cast(text, value);
            return number && value >= least && value <= most
                       ? std::string()
                       : fmt::format("{} is not between {} and {}", text, least, most);
          },
          fmt::format("[{} - {}]", least, most)};
}

}  // namespace

ProveCommand::ProveCommand(CLI::App& app, std::string typed)
    : root_(app.add_subcommand("prove", "load, faults and a verdict that can be FAIL")) {
  options_.command = std::move(typed);
  root_->require_subcommand(1);
  add_run();
  add_check();
  add_import();
  add_ab();
  add_compare();
  add_report();
  add_dossier();
  add_selftest();
}

void ProveCommand::add_campaign(CLI::App& command) {
  command.add_option("campaign", options_.campaign, "the campaign file")->required();
  command.add_option("--set", set_, "NAME=VALUE: what ${NAME} is in the campaign; may be repeated");
  command
      .add_option("--time-scale", options_.time_scale,
                  "multiplies the durations of phases, faults and windows; stands in every report")
      ->check(CLI::Range(1e-6, 1e3, "0.000001 to 1000"))
      ->capture_default_str();
}

void ProveCommand::add_run() {
  run_ = root_->add_subcommand("run", "run a campaign: exit 0 PASS, 1 FAIL, 2 no run, 3 INVALID");
  add_campaign(*run_);
  run_->add_option("--out", options_.out, "folder of the reports (prove-NAME)");
  run_->add_option("--save", options_.save, "write the result to this file too, as a baseline");
  run_->add_option("--baseline", options_.baseline, "a saved result to set this one beside");
  run_->add_flag("--quiet", options_.quiet, "no progress while it runs");
  run_->add_flag(
      "--debug", debug_,
      "no load: print one iteration of each scenario whole, and exit 0 when it went as expected, 1 when "
      "not");
}

void ProveCommand::add_check() {
  check_ = root_->add_subcommand("check", "say whether a campaign file is good, without running it");
  add_campaign(*check_);
}

void ProveCommand::add_import() {
  import_ = root_->add_subcommand(
      "import", "make a first campaign from a recording (HAR 1.2) or a description (OpenAPI 3.0, 3.1)");
  import_->add_option("file", file_, "the file, JSON or YAML")->required();
  import_->add_option("--out", options_.out, "a new file for it (the standard output)");
}

void ProveCommand::add_comparison(CLI::App& command) {
  command.add_option("--threshold", threshold_, "how large a change must be, in percent")
      ->check(between(0, 1000))
      ->capture_default_str();
  command
      .add_option("--points", points_, "and how large that of a share, in points of a percent at the least")
      ->check(between(0, 100))
      ->capture_default_str();
  command.add_option("--alpha", comparison_.alpha, "how improbable by chance")
      ->check(between(1e-6, 0.5))
      ->capture_default_str();
  command.add_option("--metric", comparison_.metrics,
                     "compare this row alone, such as \"cpu per request\"; may be repeated");
}

void ProveCommand::add_ab() {
  ab_ = root_->add_subcommand(
      "ab",
      "two of something under one campaign, run by run in turn: exit 1 when B is worse or FAILs, 3 "
      "when that is not decided");
  add_campaign(*ab_);
  ab_->add_option("--a", a_, "NAME=VALUE on side A, such as SEKISHO=./old; may be repeated")->required();
  ab_->add_option("--b", b_, "NAME=VALUE on side B; may be repeated")->required();
  ab_->add_option("--runs", sides_.runs, "runs of each side")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  ab_->add_option("--out", options_.out, "folder of the reports (prove-ab)");
  ab_->add_flag("--quiet", options_.quiet, "only the comparison");
  add_comparison(*ab_);
}

void ProveCommand::add_compare() {
  compare_ = root_->add_subcommand(
      "compare", "saved results beside each other: exit 1 for a regression, 2 when they may not be compared");
  compare_->add_option("baseline", baseline_, "the baseline's files; with one, all others are candidates")
      ->required();
  compare_->add_option("--candidate", candidate_, "the candidate's files");
  compare_->add_flag("--anyway", comparison_.anyway, "compare what differs in more than the runs");
  add_comparison(*compare_);
}

void ProveCommand::add_report() {
  report_ = root_->add_subcommand("report", "make the reports again from a result.json");
  report_->add_option("result", file_, "the file")->required();
  report_->add_option("--out", options_.out, "the folder for them (that of the file)");
}

void ProveCommand::add_dossier() {
  dossier_ = root_->add_subcommand(
      "dossier",
      "one proof of several runs, in HTML and Markdown: exit 0 when all PASS, 1 when one FAILs, else 3");
  dossier_->add_option("folders", folders_, "folders of runs, or of such folders, as ab leaves them")
      ->required();
  dossier_->add_option("--out", options_.out, "the folder for dossier.html and dossier.md (prove-dossier)");
}

void ProveCommand::add_selftest() {
  selftest_ = root_->add_subcommand("selftest",
                                    "freeze a target of the harness's own; the stall must be in its figures");
  selftest_->add_option("--json", file_, "write the figures to this file too");
}

int ProveCommand::check() const {
  const prove::Campaign campaign =
      prove::load_campaign(options_.campaign, {.set = assignments(set_),
                                               .time_scale = options_.time_scale,
                                               .binary = fs::read_symlink("/proc/self/exe"),
                                               .run_dir = fs::temp_directory_path(),
                                               .env = config::process_env()});
  fmt::print("{}: good, {} scenarios, {} phases, {} guardrails\n", options_.campaign,
             campaign.scenarios.size(), campaign.phases.size(), campaign.guardrails.size());
  return 0;
}

// What does not load is not written.
int ProveCommand::import() const {
  const std::string text = prove::import_campaign(bytes_of(file_), fs::path(file_).filename().string());
  prove::load_campaign_text(text, options_.out.empty() ? "campaign.yaml" : options_.out,
                            {.set = {}, .binary = "sekisho", .run_dir = "/tmp", .env = {}});
  if (options_.out.empty()) {
    std::cout << text << std::flush;
    if (!std::cout) throw std::runtime_error("the standard output takes no more");
    return 0;
  }
  std::error_code error;
  if (fs::exists(options_.out, error)) throw std::runtime_error(options_.out + ": is there already");
  std::ofstream out(options_.out, std::ios::binary);
  out << text << std::flush;
  if (!out) throw std::runtime_error(options_.out + ": cannot be written");
  return 0;
}

int ProveCommand::compare() const {
  if (!candidate_.empty())
    return prove::compare_files(baseline_, candidate_, comparison_, std::cout, std::cerr);
  if (baseline_.size() < 2) throw std::runtime_error("compare needs two results at least");
  return prove::compare_files({baseline_.front()}, {baseline_.begin() + 1, baseline_.end()}, comparison_,
                              std::cout, std::cerr);
}

int ProveCommand::run() {
  comparison_.threshold = threshold_ / 100;
  comparison_.points = points_ / 100;
  if (*check_) return check();
  if (*import_) return import();
  if (*compare_) return compare();
  if (*selftest_) return prove::run_selftest(std::cout, file_);
  if (*dossier_) return prove::write_dossier(folders_, options_.out.empty() ? "prove-dossier" : options_.out);
  if (*report_) {
    const fs::path folder = fs::path(file_).parent_path();
    if (options_.out.empty()) options_.out = folder.empty() ? "." : folder.string();
    prove::write_reports(prove::load_result(file_), options_.out);
    return 0;
  }
  prove::Interrupt interrupt;
  options_.set = assignments(set_);
  if (*run_ && debug_) return prove::run_debug(options_, interrupt);
  if (*run_) return prove::run_campaign(options_, interrupt);
  sides_.a = assignments(a_);
  sides_.b = assignments(b_);
  if (options_.out.empty()) options_.out = "prove-ab";
  return prove::run_ab(options_, sides_, comparison_, interrupt);
}

}  // namespace cli
