#include "prove/engine/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

namespace prove {
namespace {

constexpr std::array<std::string_view, 5> kBuiltIn = {"iteration", "user", "uuid", "random", "now"};

void add(std::set<std::size_t>& slots, const Template& text) {
  for (const std::size_t slot : text.slots()) slots.insert(slot);
}

std::set<std::size_t> slots_of(const Scenario& scenario) {
  std::set<std::size_t> slots;
  for (const Step& step : scenario.steps) {
    add(slots, step.path);
    add(slots, step.body);
    for (const auto& [name, value] : step.headers) add(slots, value);
    for (const Template* text : step.expect.templates()) add(slots, *text);
    for (const Part& part : step.multipart) {
      add(slots, part.name);
      add(slots, part.value);
      if (part.filename) add(slots, *part.filename);
    }
  }
  for (const Block& block : scenario.blocks)
    for (const std::optional<Condition>* asked : {&block.only_if, &block.repeat.until})
      if (*asked) {
        add(slots, (*asked)->left);
        add(slots, (*asked)->right);
      }
  return slots;
}

bool is_of(const std::string& name, const DataSpec& spec) {
  if (spec.captured) return std::ranges::find(spec.columns, name) != spec.columns.end();
  const std::string& set = spec.name;
  return name.starts_with(set) && (name.size() == set.size() || name[set.size()] == '.');
}

// RFC 9562, version 4.
void write_uuid(Random& random, std::string& out) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  out.clear();
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff,
                 a & 0xfff, 0x8000 | (b >> 48 & 0x3fff), b & 0xffff'ffff'ffff);
}

}  // namespace

Sources::Sources(const Campaign& campaign, const Scenario& scenario, const std::vector<Dataset>& data,
                 const MintedTokens& tokens)
    : all_data_(&data) {
  std::set<std::size_t> sets;
  for (const std::size_t slot : slots_of(scenario)) {
    const std::string& name = campaign.slots.name(slot);
    const auto set = std::ranges::find_if(campaign.data, [&](const DataSpec& d) { return is_of(name, d); });
    const auto minted = tokens.by_name.find(name);
    const auto built_in = std::ranges::find(kBuiltIn, name);
    if (Function::is_call(name)) {
      if (auto function = Function::parse(name)) made_.push_back({slot, *std::move(function)});
      continue;
    }
    if (set != campaign.data.end())
      sets.insert(static_cast<std::size_t>(set - campaign.data.begin()));
    else if (minted != tokens.by_name.end() && !minted->second.empty())
      tokens_.push_back({slot, &minted->second});
    else if (built_in != kBuiltIn.end())
      built_in_.push_back({slot, static_cast<BuiltIn>(built_in - kBuiltIn.begin())});
  }
  data_.assign(sets.begin(), sets.end());
}

void Sources::fill(Values& values, Random& random, std::vector<Cursor>& cursors, Who who) const {
  for (const std::size_t set : data_) (*all_data_)[set].pick(random, cursors[set], values);
  for (const auto& [slot, minted] : tokens_)
    values[slot] = minted->size() == 1 ? minted->front() : (*minted)[random.below(minted->size())];
  for (const auto& [slot, function] : made_) function.write(random, values[slot]);
  for (const auto& [slot, what] : built_in_) {
    std::string& value = values[slot];
    if (what == BuiltIn::kUuid) {
      write_uuid(random, value);
      continue;
    }
    const std::uint64_t n = what == BuiltIn::kIteration ? who.iteration
                            : what == BuiltIn::kUser    ? who.user
                            : what == BuiltIn::kRandom
                                ? random.next() >> 1
                                : static_cast<std::uint64_t>(base::unix_seconds(base::wall_now()));
    value.clear();
    fmt::format_to(std::back_inserter(value), "{}", n);
  }
}

}  // namespace prove
