// A campaign as it is imported, before it is a text; and the names that secrets get in it.
//
// Owner:    the import.  Thread: one.
// Texts:    what is called a template is one already: what the source says is escaped by plain(), variables
//           stand in it as `${NAME:-default}`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prove::import {

inline constexpr std::size_t kMaxSteps = 500;

struct DraftStep {
  std::string target;  // its name
  std::string method = "GET";
  std::string path;                                          // a template
  std::vector<std::pair<std::string, std::string>> headers;  // names, templates
  std::string body;                                          // a template
  std::string expect;                                        // 200, 2xx
  std::int64_t think_ms = 0;
  std::vector<std::string> remarks;
};

struct DraftScenario {
  std::string name;
  std::vector<DraftStep> steps;
};

struct Draft {
  std::string source;                                        // "HAR 1.2, …"
  std::vector<std::pair<std::string, std::string>> targets;  // names, URLs; made by target_of()
  std::vector<DraftScenario> scenarios;
  std::vector<std::string> remarks;  // what could not be carried
  std::size_t body_bytes = 0;        // so far

  std::size_t steps() const;
  // The name of the target at this URL, known or new.
  std::string target_of(const std::string& url);
  DraftScenario& scenario(std::string_view name);  // known or new; the name is made one that may stand there
};

// As a template and a value that says just this.
std::string plain(std::string_view text);

// Percent-encoded where no request line can hold it; `{` and `}` too.
std::string as_target(std::string_view text);
// A value within a path or a query.
std::string as_component(std::string_view text);

class Cover {
 public:
  // The variable that stands for a secret: the same for the same one. `hint`: what it is called there.
  std::string variable(std::string_view hint, std::string_view secret);

  // As templates, secrets covered.
  std::string field(std::string_view name, std::string_view value);
  std::string target(std::string_view path_and_query);
  std::string pairs(std::string_view text);  // a=b&c=d
  std::string json(std::string_view text);   // nothing to cover: as it is; no JSON: ""

  // What is known as a secret is one wherever else it stands.
  void everywhere(std::string& text) const;

  const std::map<std::string, std::string>& names() const { return names_; }  // and what they are called

 private:
  std::string names_after(std::string_view hint);

  std::map<std::string, std::string, std::less<>> variables_;  // by secret
  std::map<std::string, std::string> names_;
};

bool looks_secret(std::string_view text);  // whatever it is called

// Gives the step its body, as far as a campaign file can hold it and no secret is in it. Else a remark.
void give_body(DraftStep& step, Draft& draft, Cover& cover, std::string_view type, const std::string& body);

std::string write_campaign(const Draft& draft, const Cover& cover, const std::string& name);

}  // namespace prove::import
