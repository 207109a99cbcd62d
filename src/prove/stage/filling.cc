#include "prove/stage/filling.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "prove/model/template.h"
#include "prove/wire/mask.h"
#include "prove/wire/secrets.h"

namespace prove {
namespace {

using Append = bool (Template::*)(std::string&, const Values&) const;

}  // namespace

// Which names there may be was checked when the file was read.
std::string Filling::value(const std::string& name, std::uint64_t index) const {
  if (const auto token = tokens_.by_name.find(name); token != tokens_.by_name.end())
    return token->second[index % token->second.size()];
  for (const DataSpec& set : campaign_.data) {
    const auto column = std::ranges::find(set.columns, name);
    if (!set.captured || column == set.columns.end()) continue;
    const auto rows = rows_.find(set.name);
    if (rows == rows_.end())  // a teardown behind a setup that was interrupted
      throw std::runtime_error(
          fmt::format("'{{{{{}}}}}' has no value: the setup did not come to capture it", name));
    return rows->second[index % rows->second.size()][static_cast<std::size_t>(column - set.columns.begin())];
  }
  return std::to_string(index);
}

Call Filling::filled(Call call, std::uint64_t index) const {
  const auto fill = [&](std::string& text, Append append, std::string_view place) {
    Slots slots;
    const auto compiled = Template::compile(text, slots);
    if (!compiled) return;
    Values values(slots.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(slots.name(i), index);
    std::string out;
    if (!append) {
      out = compiled->render(values);
    } else if (!((*compiled).*append)(out, values)) {
      throw std::runtime_error(fmt::format("a value of {} would end the line that it stands in", place));
    }
    text = std::move(out);
  };
  fill(call.url.path, &Template::append_target_to, "the URL");
  for (auto& [name, text] : call.headers) fill(text, &Template::append_field_to, "the field " + name);
  fill(call.body, nullptr, "the body");
  return call;
}

std::string Filling::masked(std::string text) const {
  std::vector<std::string> secrets;
  for (const auto& [name, minted] : tokens_.by_name)
    secrets.insert(secrets.end(), minted.begin(), minted.end());
  for (const DataSpec& set : campaign_.data) {
    const auto rows = rows_.find(set.name);
    if (rows == rows_.end()) continue;
    for (std::size_t i = 0; i < set.columns.size(); ++i)
      if (sounds_secret(set.columns[i]))
        for (const std::vector<std::string>& row : rows->second) secrets.push_back(row[i]);
  }
  return Mask(std::move(secrets)).text(std::move(text));
}

}  // namespace prove
