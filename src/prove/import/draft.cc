#include "prove/import/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "prove/import/document.h"
#include "prove/wire/mask.h"
#include "prove/wire/secrets.h"

namespace prove::import {
namespace {

constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxBodies = 1 << 20;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A name as scenarios, targets and the like may have.
std::string as_name(std::string_view text) {
  constexpr std::size_t kLongest = 48;
  std::string out;
  for (const char c : text.substr(0, kLongest))
    if (is_letter_or_digit(c))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "other" : out;
}

std::string encoded(std::string_view text, std::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    if (is_letter_or_digit(c) || also_plain.contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string covered_json(Cover& cover, const Json& value, std::string_view name, bool& found) {
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) {
      out += out.empty() ? "{" : ",";
      out += plain(boost::json::serialize(Json(key))) + ":" + covered_json(cover, member, key, found);
    }
    return out.empty() ? "{}" : out + "}";
  }
  if (value.is_array()) {
    for (const Json& item : value.get_array())
      out += (out.empty() ? "[" : ",") + covered_json(cover, item, name, found);
    return out.empty() ? "[]" : out + "]";
  }
  const std::string said = text(&value);
  if (said.empty() || value.is_bool() || !(sounds_secret(name) || looks_secret(said)))
    return plain(json_of(value));
  found = true;
  return "\"" + cover.variable(name, said) + "\"";
}

}  // namespace

std::size_t Draft::steps() const {
  return std::accumulate(scenarios.begin(), scenarios.end(), std::size_t{0},
                         [](std::size_t sum, const DraftScenario& s) { return sum + s.steps.size(); });
}

std::string Draft::target_of(const std::string& url) {
  for (const auto& [name, known] : targets)
    if (known == url) return name;
  const std::string_view host = std::string_view(url).substr(url.find("://") + 3);
  const std::string wanted = as_name(host.substr(0, host.find_first_of(":/")));
  std::string name = wanted;
  for (int again = 2; std::ranges::any_of(targets, [&](const auto& t) { return t.first == name; }); ++again)
    name = fmt::format("{}-{}", wanted, again);
  targets.emplace_back(name, url);
  return name;
}

DraftScenario& Draft::scenario(std::string_view wanted) {
  const std::string name = as_name(wanted);
  const auto known = std::ranges::find(scenarios, name, &DraftScenario::name);
  return known != scenarios.end() ? *known : scenarios.emplace_back(DraftScenario{name, {}});
}

std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) out += '$';
    if (text.substr(i).starts_with("{{")) {
      out += "{{{{";
      ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

std::string as_target(std::string_view text) {
  return encoded(text, "-._~/:@!$&'()*+,;=?%[]");
}
std::string as_component(std::string_view text) {
  return encoded(text, "-._~");
}

bool looks_secret(std::string_view text) {
  return Mask({}).text(std::string(text)) != text;
}

// ---- secrets

std::string Cover::names_after(std::string_view hint) {
  std::string name;
  for (const char c : hint.substr(0, 40)) {
    if (is_letter_or_digit(c))
      name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (name.ends_with('_')) name.pop_back();
  // Names that the harness has for itself, and those that a variable cannot have.
  const bool taken =
      name.starts_with("PORT_") || name == "SEKISHO" || name == "RUN_DIR" || name == "CAMPAIGN_DIR";
  if (name.empty() || taken || (name[0] >= '0' && name[0] <= '9')) name = "SECRET_" + name;
  while (name.ends_with('_')) name.pop_back();
  std::string unique = name;
  for (int again = 2; names_.contains(unique); ++again) unique = fmt::format("{}_{}", name, again);
  return unique;
}

std::string Cover::variable(std::string_view hint, std::string_view secret) {
  auto known = variables_.find(secret);
  if (known == variables_.end()) {
    const std::string name = names_after(hint);
    names_[name] = hint;
    known = variables_.emplace(std::string(secret), name).first;
  }
  return fmt::format("${{{}:-to-be-given}}", known->second);
}

std::string Cover::field(std::string_view name, std::string_view value) {
  if (!sounds_secret(name) && !looks_secret(value)) return plain(value);
  const std::size_t space = value.find(' ');
  const std::string_view scheme = value.substr(0, space);
  // `Bearer …`, `DPoP …`, `Basic …`: of the rest nothing is told.
  const bool has_scheme =
      space != value.npos && scheme.size() <= 16 && std::ranges::all_of(scheme, is_letter_or_digit);
  if (!has_scheme) return variable(name, value);
  const bool basic = scheme == "Basic" || scheme == "basic";
  return std::string(scheme) + " " + variable(basic ? "CREDENTIALS" : "TOKEN", value.substr(space + 1));
}

std::string Cover::pairs(std::string_view text) {
  std::string out;
  for (bool more = true; more;) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = equals == pair.npos ? "" : pair.substr(equals + 1);
    out += plain(name);
    if (equals != pair.npos) out += '=';
    out +=
        !value.empty() && (sounds_secret(name) || looks_secret(value)) ? variable(name, value) : plain(value);
    more = end != text.npos;
    if (more) out += '&';
    text.remove_prefix(more ? end + 1 : text.size());
  }
  return out;
}

std::string Cover::target(std::string_view text) {
  const std::size_t query = text.find('?');
  std::string out;
  for (std::string_view path = text.substr(0, query); !path.empty();) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(1, end - 1);
    out += '/';
    out += looks_secret(segment) ? variable("PART_OF_PATH", segment) : plain(segment);
    path.remove_prefix(end);
  }
  if (out.empty()) out = "/";
  return query == text.npos ? out : out + "?" + pairs(text.substr(query + 1));
}

std::string Cover::json(std::string_view written) {
  Json value;
  try {
    value = read_document(written, "body");
  } catch (const std::runtime_error&) {
    return "";
  }
  bool found = false;
  const std::string covered = covered_json(*this, value, "", found);
  return found ? covered : plain(written);
}

void Cover::everywhere(std::string& text) const {
  constexpr std::size_t kTelling = 12;  // what is shorter may be a word of any text
  for (const auto& [secret, name] : variables_) {
    if (secret.size() < kTelling) continue;
    const std::string instead = fmt::format("${{{}:-to-be-given}}", name);
    for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += instead.size())
      text.replace(at, secret.size(), instead);
  }
}

void give_body(DraftStep& step, Draft& draft, Cover& cover, std::string_view type, const std::string& body) {
  if (body.empty()) return;
  const auto left_out = [&](std::string_view why) {
    step.remarks.push_back(fmt::format("Its body, {} bytes of {}, is not carried: {}.", body.size(),
                                       type.empty() ? "no type" : type, why));
  };
  if (body.size() > kMaxBody) return left_out("it is longer than 64 KiB; body_file can send a file");
  if (draft.body_bytes + body.size() > kMaxBodies)
    return left_out("all bodies together are longer than 1 MiB");
  if (body.contains('\0')) return left_out("it is no text");
  std::string covered;
  if (type.contains("json"))
    covered = cover.json(body);
  else if (type.starts_with("application/x-www-form-urlencoded"))
    covered = cover.pairs(body);
  else if (type.starts_with("text/plain") && !looks_secret(body))
    covered = plain(body);
  else
    return left_out("only JSON, forms and plain text are, since elsewhere secrets cannot be told");
  if (covered.empty()) return left_out("it is not what its type says");
  draft.body_bytes += body.size();
  step.body = covered;
}

}  // namespace prove::import
