// A campaign made ready to be sent: names resolved, files read, constant requests rendered. Shared by
// generators.
//
// Owner:    the engine.  Thread: immutable after construction, any.
// Lifetime: campaign and tokens outlive it; it stays where it is.
// Failure:  constructor: std::runtime_error with one line.
#pragma once

#include <strings.h>

#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/tls.h"
#include "prove/engine/course.h"
#include "prove/engine/engine.h"
#include "prove/engine/sources.h"
#include "prove/wire/capture.h"
#include "prove/wire/expectation.h"
#include "prove/wire/request.h"

namespace prove {

struct PlannedTarget {
  std::vector<net::Endpoint> addresses;
  std::unique_ptr<net::TlsContext> tls;  // null: plain
  std::string server_name;
  std::string proof_base;      // how proofs of possession begin their htu
  std::size_t proof_skip = 0;  // and how much of a request's path that stands for
  std::string host;            // lower-case
};

struct PlannedStep {
  PlannedStep(const Step& s, const Target& to, std::size_t target_index, const Slots& slots)
      : step(&s), target(target_index), request(s, to), expectation(s), captures(s, slots) {
    for (const auto& [name, value] : s.headers)
      own_cookies = own_cookies || ::strcasecmp(name.c_str(), "cookie") == 0;
  }

  const Step* step;
  std::size_t target;
  Request request;
  Expectation expectation;
  Captures captures;
  std::size_t proof = 0;     // index of ProofSpec, where the step has one
  bool own_cookies = false;  // instead of those of a jar
};

struct PlannedScenario {
  const Scenario* scenario;
  Sources sources;
  std::vector<PlannedStep> steps;
  std::unique_ptr<const Course> course = nullptr;  // null: one step after the other
  std::vector<std::size_t> captured = {};  // slots that are emptied when a journey begins; with a course
};

struct Plan {
  Plan(const Campaign& campaign, const MintedTokens& tokens);
  Plan(Plan&&) = delete;

  const Campaign& campaign;
  const MintedTokens& tokens;
  std::vector<PlannedTarget> targets;
  std::vector<Dataset> data;
  std::vector<PlannedScenario> scenarios;
};

}  // namespace prove
