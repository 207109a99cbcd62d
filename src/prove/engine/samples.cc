#include "prove/engine/samples.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "prove/model/seconds.h"
#include "prove/wire/mask.h"
#include "prove/wire/secrets.h"

namespace prove {

Samples::Samples(const Plan& plan) : plan_(plan), most_(plan.campaign.samples), all_(plan.campaign.keep_all) {
  counts_.resize(plan.scenarios.size());
  for (std::size_t s = 0; s < counts_.size(); ++s) counts_[s].resize(plan.scenarios[s].steps.size());
  const Slots& slots = plan.campaign.slots;
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (sounds_secret(slots.name(i)) ||
        std::ranges::any_of(plan.campaign.tokens,
                            [&](const TokenSpec& token) { return token.name == slots.name(i); }))
      secret_slots_.push_back(i);
}

std::vector<std::string> Samples::secrets(const Step& step, const Evidence& evidence,
                                          const Values& values) const {
  std::vector<std::string> out;
  out.reserve(2 * (secret_slots_.size() + evidence.replaced.size()) + plan_.campaign.tokens.size() +
              step.expect.headers.size() + 2 * plan_.campaign.targets.size());
  for (const std::size_t slot : secret_slots_) out.push_back(values[slot]);
  for (const auto& [slot, value] : evidence.replaced)
    if (std::ranges::find(secret_slots_, slot) != secret_slots_.end()) out.push_back(value);
  for (std::size_t i = out.size(); i-- > 0;) append_escaped(out.emplace_back(), out[i], Escape::kBase64);
  for (const TokenSpec& token : plan_.campaign.tokens) out.emplace_back(token.key.reveal());
  for (const ProofSpec& proof : plan_.campaign.proofs) out.emplace_back(proof.key.reveal());
  for (const HeaderCheck& check : step.expect.headers)
    if (sounds_secret(check.name)) out.push_back(check.value.render(values));
  for (const Target& target : plan_.campaign.targets) {
    out.emplace_back(target.secret_access_key.reveal());
    out.emplace_back(target.session_token.reveal());
  }
  return out;
}

void Samples::keep(const Record& record, const Evidence& evidence, const Values& values) {
  const PlannedScenario& scenario = plan_.scenarios[record.scenario];
  const PlannedStep& step = scenario.steps[record.step];
  ++counts_[record.scenario][record.step][index(record)];
  const std::string_view sent = evidence.wire.bytes;
  const std::string_view reply = evidence.reply.substr(0, kBytes);
  Seen seen{.request = std::string(sent.substr(0, kBytes)), .reply = std::string(reply)};
  if (sent.size() < kBytes)
    seen.request += filler().substr(0, std::min<std::uint64_t>(evidence.wire.generated, 64));
  std::vector<std::string> hidden = secrets(*step.step, evidence, values);
  if (evidence.jar) evidence.jar->append_values_to(hidden);
  Mask mask(std::move(hidden));
  mask.learn(seen);
  const Reply came{.status = record.status,
                   .length = evidence.length,
                   .body = evidence.body,
                   .found_beyond = evidence.found_beyond,
                   .raw = evidence.reply};
  Sample& sample = kept_.emplace_back();
  sample.scenario = scenario.scenario->name;
  sample.step = step.step->name;
  sample.outcome = record.ending.outcome;
  sample.reason = record.ending.reason;
  sample.at = seconds_of(record.intended);
  sample.took = record.done - record.intended;
  const auto told = [&](std::string text) {
    if (text.size() > kBytes) text.resize(kBytes);
    return mask.text(std::move(text));
  };
  sample.expected = told(step.expectation.text(values));
  if (!record.ending.met())
    sample.why = told(step.expectation.broken(record.ending.reason, came, evidence.trouble, values));
  sample.cut = sent.size() + evidence.wire.generated > seen.request.size() ||
               evidence.reply.size() >= kBytes || (reply.size() < record.bytes);
  sample.request = mask.message(std::move(seen.request));
  sample.reply = mask.message(std::move(seen.reply));
  if (!record.ending.met()) return;
  for (const Capture& capture : step.step->captures)
    if (const auto slot = plan_.campaign.slots.find(capture.as))
      sample.captured[capture.as] = std::ranges::find(secret_slots_, *slot) != secret_slots_.end()
                                        ? "…"
                                        : mask.text(values[*slot].substr(0, kBytes));
}

std::vector<Sample> Samples::first_of(std::vector<Sample> samples, std::uint64_t most) {
  std::ranges::sort(samples, {}, &Sample::at);
  std::map<std::tuple<std::string, std::string, Reason>, std::uint64_t> counts;
  std::erase_if(samples, [&](const Sample& s) { return counts[{s.scenario, s.step, s.reason}]++ >= most; });
  if (samples.size() > kMost) samples.resize(kMost);
  return samples;
}

}  // namespace prove
