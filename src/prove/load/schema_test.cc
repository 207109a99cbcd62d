#include "prove/load/schema.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "prove/load/guide.h"
#include "prove/load/keys.h"
#include "prove/load/load.h"

namespace prove {
namespace {

void each_section(const config::Section& section, std::set<const config::Section*>& seen) {
  if (!seen.insert(&section).second) return;
  for (const config::Row& row : section.rows)
    for (const config::Section* inner : row.sections) each_section(*inner, seen);
}

TEST(CampaignKeys, AreEachSaidInASentence) {
  std::set<const config::Section*> sections;
  each_section(campaign_section(), sections);
  EXPECT_GE(sections.size(), 18u);
  std::set<std::string_view> names;
  for (const config::Section* section : sections) {
    EXPECT_TRUE(section->text.ends_with('.')) << section->name;
    EXPECT_TRUE(names.insert(section->name).second) << section->name << " is defined twice";
    if (!section->shorthand.empty()) EXPECT_NE(section->find(section->shorthand), nullptr) << section->name;
    for (const config::Row& row : section->rows) {
      EXPECT_TRUE(row.text.ends_with('.')) << section->name << "." << row.name;
      EXPECT_FALSE(row.text.contains('|') || row.form.contains('|')) << section->name << "." << row.name;
      EXPECT_NE(row.read, nullptr) << section->name << "." << row.name;
    }
  }
}

TEST(CampaignSchema, IsJsonThatRefusesUnknownKeysEverywhere) {
  const boost::json::value schema = boost::json::parse(campaign_schema());
  EXPECT_EQ(schema.at("$id").as_string(), "urn:sekisho:campaign");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(schema.at("required"), (boost::json::array{"targets", "scenarios", "phases"}));
  for (const auto& [name, definition] : schema.at("$defs").as_object())
    if (definition.as_object().contains("properties"))
      EXPECT_EQ(definition.at("additionalProperties"), false) << name;
}

TEST(CampaignReference, IsWhatTheDocsSay) {
  std::ifstream in(std::filesystem::path(SEKISHO_SOURCE_DIR) / "docs/campaigns.md", std::ios::binary);
  const std::string docs{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(docs == campaign_reference())
      << "docs/campaigns.md is generated; renew it with: sekisho schema prove --docs > docs/campaigns.md";
}

LoadOptions options() {
  LoadOptions out;
  out.binary = "/bin/true";
  out.run_dir = "/tmp/run";
  out.env = [](const std::string&) { return std::optional<std::string>(); };
  return out;
}

TEST(CampaignReference, BeginsWithACampaignThatLoads) {
  const std::size_t begin = kGuide.find("```yaml\n") + 8;
  const std::string example(kGuide.substr(begin, kGuide.find("```", begin) - begin));
  const Campaign c = load_campaign_text(example, "example.yaml", options());
  EXPECT_EQ(c.scenarios.size(), 2u);
  EXPECT_EQ(c.ports.size(), 2u);
  EXPECT_EQ(c.guardrails.size(), 4u);
}

}  // namespace
}  // namespace prove
