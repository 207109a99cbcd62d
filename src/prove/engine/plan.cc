#include "prove/engine/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "net/look_up.h"

namespace prove {
namespace {

PlannedTarget plan_target(const Campaign& campaign, const Target& target) {
  PlannedTarget out;
  out.addresses = net::ask_system(target.url.host, target.url.port);
  if (out.addresses.empty())
    throw std::runtime_error(fmt::format("{}:{}: target '{}': the name '{}' does not resolve", campaign.file,
                                         target.line, target.name, target.url.host));
  try {
    if (target.url.tls) out.tls = std::make_unique<net::TlsContext>(target.tls.verify, target.tls.ca_file);
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(
        fmt::format("{}:{}: target '{}': {}", campaign.file, target.line, target.name, e.what()));
  }
  // RFC 9449 §4.2: the URI without query and fragment, as the server knows it.
  const config::Url& known = target.public_url.value_or(target.url);
  out.proof_base = fmt::format("{}://{}{}", known.tls ? "https" : "http", known.authority(), known.path);
  out.proof_skip = target.url.path.size();
  out.server_name = target.tls.server_name.empty() ? target.url.host : target.tls.server_name;
  out.host = target.url.host;
  std::ranges::transform(out.host, out.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

Plan::Plan(const Campaign& c, const MintedTokens& minted) : campaign(c), tokens(minted) {
  for (const Target& target : campaign.targets) targets.push_back(plan_target(campaign, target));
  for (const DataSpec& spec : campaign.data) data.emplace_back(spec, campaign.slots);
  for (const Scenario& scenario : campaign.scenarios) {
    PlannedScenario& planned = scenarios.emplace_back(&scenario, Sources(campaign, scenario, data, tokens),
                                                      std::vector<PlannedStep>());
    for (const Step& step : scenario.steps) {
      const auto target = step.target.empty()
                              ? campaign.targets.begin()
                              : std::ranges::find(campaign.targets, step.target, &Target::name);
      const auto index = static_cast<std::size_t>(target - campaign.targets.begin());
      try {
        PlannedStep& made = planned.steps.emplace_back(step, *target, index, campaign.slots);
        if (step.dpop)
          made.proof = static_cast<std::size_t>(
              std::ranges::find(campaign.proofs, step.dpop->by, &ProofSpec::name) - campaign.proofs.begin());
      } catch (const std::runtime_error& e) {
        throw std::runtime_error(
            fmt::format("{}:{}: step '{}': {}", campaign.file, step.line, step.name, e.what()));
      }
    }
    if (scenario.blocks.empty()) continue;
    // A step that is left out must not leave behind what it captured in another journey.
    planned.course = std::make_unique<const Course>(scenario);
    for (const Step& step : scenario.steps)
      for (const Capture& capture : step.captures)
        if (const auto slot = campaign.slots.find(capture.as)) planned.captured.push_back(*slot);
  }
}

}  // namespace prove
