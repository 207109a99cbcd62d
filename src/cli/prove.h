// `sekisho prove …`: the harness on the command line.
//
// Owner:    main.  Thread: main.
// Usage:    ProveCommand prove(app, typed); … parse …; if (prove.chosen()) return prove.run();
// Failures: run() throws std::runtime_error with one line for what is wrong with the command or its files
//           (exit 2).
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "prove/judge/compare.h"
#include "prove/run/ab.h"
#include "prove/run/run.h"

namespace cli {

class ProveCommand {
 public:
  ProveCommand(CLI::App& app, std::string typed);  // `typed`: the command line, for "how to do it again"

  bool chosen() const { return root_->parsed(); }
  int run();

 private:
  void add_run();
  void add_check();
  void add_import();
  void add_ab();
  void add_compare();
  void add_report();
  void add_dossier();
  void add_selftest();
  void add_campaign(CLI::App& command);
  void add_comparison(CLI::App& command);
  int check() const;
  int import() const;
  int compare() const;

  CLI::App* root_;
  CLI::App *run_ = nullptr, *check_ = nullptr, *ab_ = nullptr, *compare_ = nullptr, *report_ = nullptr,
           *dossier_ = nullptr, *selftest_ = nullptr, *import_ = nullptr;
  prove::RunOptions options_;
  prove::AbOptions sides_;
  prove::CompareOptions comparison_;
  double threshold_ = 10;
  double points_ = 0.1;
  std::vector<std::string> set_, a_, b_, baseline_, candidate_, folders_;
  std::string file_;
  bool debug_ = false;
};

}  // namespace cli
