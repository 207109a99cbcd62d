#include "config/keys.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "config/load.h"
#include "config/reader.h"
#include "config/reference.h"
#include "config/schema.h"

namespace config {
namespace {

const Env kNoEnv = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

void walk(const Section& section, std::set<const Section*>& seen,
          const std::function<void(const Row&)>& visit) {
  if (!seen.insert(&section).second) return;
  for (const Row& row : section.rows) {
    visit(row);
    for (const Section* inner : row.sections) walk(*inner, seen, visit);
  }
  if (section.common != nullptr) walk(*section.common, seen, visit);
}
void each_row(const std::function<void(const Row&)>& visit) {
  std::set<const Section*> seen;
  walk(root_section(), seen, visit);
}

// The model has its defaults in place; a row only repeats them for people. Reads the row's text into a fresh
// owner and finds that nothing changed.
TEST(Keys, GiveTheDefaultsThatTheModelHas) {
  std::set<const Section*> seen;
  int compared = 0;
  walk(root_section(), seen, [](const Row&) {});
  for (const Section* section : seen) {
    for (const Row& row : section->rows) {
      if (row.show == nullptr || row.required() || row.fallback.empty() || row.fallback == "[]") continue;
      if (row.fallback.starts_with('(')) continue;
      const std::shared_ptr<void> fresh = section->fresh(), read = section->fresh();
      YamlNode node;
      node.kind = YamlNode::Kind::kScalar;
      node.text = row.fallback;
      Reader reader("t.yaml", kNoEnv);
      row.read(reader, row, node, read.get());
      EXPECT_EQ(row.show(fresh.get()), row.show(read.get())) << section->name << "." << row.name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 60);
}

TEST(Keys, EachHaveATextAndAreNamedInLowerCase) {
  each_row([](const Row& row) {
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), row.name.npos) << row.name;
    if (row.kind == Kind::kPlanned) return;
    EXPECT_TRUE(row.text.ends_with('.')) << row.name;
    EXPECT_NE(row.read, nullptr) << row.name;
  });
}

TEST(Reload, CannotChangeTheseKeys) {
  std::vector<std::string> fixed;
  each_row([&](const Row& row) {
    if (row.reload == Reload::kRestart) fixed.emplace_back(row.name);
  });
  EXPECT_EQ(fixed,
            (std::vector<std::string>{"listen",      "address",    "proxy_protocol", "workers",  // clients
                                      "listen",      "token_file",                               // admin
                                      "connections",                                             // limits
                                      "output",      "enabled",    "output",                     // log
                                      "output",      "requests",   "when_full",      "buffer",
                                      "size",        "every",      "keep",           "address",  // audit
                                      "url",         "user",       "password",       "database",
                                      "prefix",      "connect",    "timeout",  // redis
                                      "verify",      "ca_file",    "server_name",    "servers",
                                      "timeout",     "tries",      "min_ttl"}));  // and resolver
}

TEST(Reload, NamesTheFixedKeysThatDiffer) {
  const auto load = [](const std::string& text) {
    return load_text(text + "\norigins: { a: { type: dir, path: p } }\nroutes: { path: /, origin: a }\n",
                     "t.yaml", kNoEnv);
  };
  const Config before = load("listen: 0.0.0.0:1");
  EXPECT_TRUE(
      changed_but_fixed(before, load("listen: [ { address: 0.0.0.0:1 } ]\ntimeouts: { idle: 1s }")).empty());
  const Config after = load(
      "listen: [0.0.0.0:1, 0.0.0.0:2]\nworkers: 3\nadmin: { listen: 127.0.0.1:9 }\nlimits: { connections: 9, "
      "body: 1 }");
  EXPECT_EQ(changed_but_fixed(before, after),
            (std::vector<std::string>{"listen", "workers", "admin.listen", "limits.connections"}));
}

TEST(Schema, IsJsonThatRefusesUnknownKeysEverywhere) {
  const boost::json::value schema = boost::json::parse(json_schema());
  EXPECT_EQ(schema.at("$schema").as_string(), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(schema.at("required"), (boost::json::array{"listen", "routes"}));
  EXPECT_EQ(schema.at("properties").at("workers").at("default"), 0);
  for (const auto& [name, definition] : schema.at("$defs").as_object())
    if (definition.as_object().contains("properties"))
      EXPECT_EQ(definition.at("additionalProperties"), false) << name;
  EXPECT_FALSE(schema.at("$defs").at("listen").at("properties").as_object().contains("tls"));
}

TEST(Reference, IsWhatTheDocsSay) {
  EXPECT_EQ(file_text(std::filesystem::path(SEKISHO_SOURCE_DIR) / "docs/configuration.md"),
            reference_markdown())
      << "docs/configuration.md is generated; renew it with: sekisho schema --docs > docs/configuration.md";
}

TEST(Examples, Load) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(SEKISHO_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    std::map<std::string, std::string> env;
    const std::string text = file_text(entry.path());
    const std::string marker = "# check-env: ";
    if (const std::size_t at = text.find(marker); at != text.npos) {
      std::istringstream words(text.substr(at + marker.size(), text.find('\n', at) - at - marker.size()));
      for (std::string word; words >> word;)
        env[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    EXPECT_NO_THROW(load_file(entry.path().string(),
                              [&env](const std::string& name) -> std::optional<std::string> {
                                const auto found = env.find(name);
                                if (found == env.end()) return std::nullopt;
                                return found->second;
                              }))
        << entry.path();
  }
  EXPECT_GE(count, 5);
}

}  // namespace
}  // namespace config
