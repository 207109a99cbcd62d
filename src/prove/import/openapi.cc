#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>

#include "config/address.h"
#include "config/values.h"
#include "prove/import/sources.h"

namespace prove::import {
namespace {

constexpr std::string_view kNoServer = "http://127.0.0.1:8080";
constexpr std::array<std::string_view, 7> kMethods = {"get",     "put",  "post", "delete",
                                                      "options", "head", "patch"};

// Values of schemas. What refers to itself ends by depth, what grows by that ends by the number of values.
class Examples {
 public:
  explicit Examples(const Json& document) : document_(document) {}

  // What a reference refers to; nothing where it leads out of the document, or round in circles.
  const Json* resolved(const Json* value) const {
    for (int hops = 0; hops < 16; ++hops) {
      const std::string reference = text(value, "$ref");
      if (reference.empty()) return value;
      if (!reference.starts_with("#/")) return nullptr;
      boost::system::error_code error;
      value = document_.find_pointer(reference.substr(1), error);
      if (error) return nullptr;
    }
    return nullptr;
  }

  // An example that the document gives, of a parameter, a body or a schema.
  const Json* given(const Json* at) const {
    if (const Json* one = find(at, "example")) return one;
    const Json* several = find(at, "examples");
    if (!items(several).empty()) return &items(several).front();
    for (const auto& [name, example] : members(several))
      if (const Json* value = find(resolved(&example), "value")) return value;
    return nullptr;
  }

  Json of(const Json* schema, int depth = 0) {
    constexpr int kDeepest = 8;
    constexpr int kMost = 2'000;
    schema = resolved(schema);
    if (schema == nullptr || depth > kDeepest || ++made_ > kMost) return nullptr;
    for (const Json* value : {given(schema), find(schema, "const"), find(schema, "default")})
      if (value != nullptr) return *value;
    if (!items(find(schema, "enum")).empty()) return items(find(schema, "enum")).front();
    for (const std::string_view either : {"oneOf", "anyOf"})
      if (!items(find(schema, either)).empty()) return of(&items(find(schema, either)).front(), depth + 1);
    const std::string type = type_of(schema);
    if (type == "object" || (type.empty() && (find(schema, "properties") || find(schema, "allOf"))))
      return object_of(schema, depth);
    if (type == "array") {
      boost::json::array list;
      if (find(schema, "items") != nullptr) list.push_back(of(find(schema, "items"), depth + 1));
      return list;
    }
    if (type == "boolean") return true;
    if (type == "integer" || type == "number") {
      const std::string least = text(schema, "minimum");
      return number_value(least.empty() ? "1" : least);
    }
    return text_value(type == "null" ? "" : text_of_format(text(schema, "format")));
  }

 private:
  static std::string type_of(const Json* schema) {
    const Json* type = find(schema, "type");
    for (const Json& one : items(type))
      if (text(&one) != "null") return text(&one);
    return text(type);
  }

  static std::string_view text_of_format(std::string_view format) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kFormats{{
        {"uuid", "00000000-0000-4000-8000-000000000001"},
        {"date", "2026-01-01"},
        {"date-time", "2026-01-01T00:00:00Z"},
        {"email", "somebody@example.com"},
        {"uri", "https://example.com/"},
        {"hostname", "example.com"},
        {"ipv4", "192.0.2.1"},
        {"byte", "YQ=="},
    }};
    const auto known = std::ranges::find(kFormats, format, [](const auto& f) { return f.first; });
    return known == kFormats.end() ? "example" : known->second;
  }

  // What is required, and all where nothing is said to be.
  Json object_of(const Json* schema, int depth) {
    boost::json::object out;
    for (const Json& part : items(find(schema, "allOf"))) {
      const Json value = of(&part, depth + 1);
      for (const auto& [name, member] : members(&value)) out.insert_or_assign(name, member);
    }
    std::set<std::string> required;
    for (const Json& name : items(find(schema, "required"))) required.insert(text(&name));
    for (const auto& [name, property] : members(find(schema, "properties"))) {
      const Json* known = resolved(&property);
      const bool wanted = required.empty() || required.contains(name) || given(known) != nullptr;
      if (wanted && !is_true(find(known, "readOnly"))) out.insert_or_assign(name, of(&property, depth + 1));
    }
    return out;
  }

  const Json& document_;
  int made_ = 0;
};

class OpenApi {
 public:
  OpenApi(const Json& document, Draft& draft, Cover& cover, const std::string& name)
      : document_(document), draft_(draft), cover_(cover), name_(name) {}

  void read() {
    const std::string version = text(&document_, "openapi");
    if (!version.starts_with("3.0") && !version.starts_with("3.1"))
      throw std::runtime_error(
          fmt::format("{}: openapi is '{}'; 3.0 and 3.1 can be read", name_, version.substr(0, 20)));
    const Json* paths = find(&document_, "paths");
    if (paths == nullptr || !paths->is_object())
      throw std::runtime_error(name_ + ": paths is missing, or no map");
    draft_.source = fmt::format("OpenAPI {}, {}", version, text(find(&document_, "info"), "title"));
    const std::string base = server();
    for (const auto& [path, item] : members(paths)) {
      const Json* known = Examples(document_).resolved(&item);
      for (const std::string_view method : kMethods)
        if (const Json* operation = find(known, method)) take(base, path, known, method, operation);
    }
    if (left_out_ > 0)
      draft_.remarks.push_back(fmt::format("{} operations behind the first {}", left_out_, kMaxSteps));
    if (!members(find(&document_, "webhooks")).empty())
      draft_.remarks.emplace_back("webhooks: they are sent by the server");
  }

 private:
  // The first server's URL, its variables at their defaults.
  std::string server() {
    const boost::json::array& servers = items(find(&document_, "servers"));
    const Json* first = servers.empty() ? nullptr : &servers.front();
    std::string url = text(first, "url");
    for (const auto& [variable, about] : members(find(first, "variables"))) {
      const std::string hole = "{" + std::string(variable) + "}";
      const std::string value = text(&about, "default");
      for (std::size_t at = 0; (at = url.find(hole, at)) != url.npos; at += value.size())
        url.replace(at, hole.size(), value);
    }
    if (url.starts_with('/')) url = url == "/" ? std::string(kNoServer) : fmt::format("{}{}", kNoServer, url);
    const auto known = config::UrlText::parse(url);
    if (known && !url.starts_with(kNoServer))
      return fmt::format("{}://{}{}", known->tls ? "https" : "http", known->authority(), known->path);
    draft_.remarks.push_back(
        fmt::format("where the server is: the document does not say it. {} stands there; "
                    "--set TARGET=URL gives another",
                    kNoServer));
    return known ? url : std::string(kNoServer);
  }

  void take(const std::string& base, std::string_view path, const Json* item, std::string_view method,
            const Json* operation) {
    if (draft_.steps() >= kMaxSteps) {
      ++left_out_;
      return;
    }
    DraftStep step;
    step.target = draft_.target_of(base);
    step.method = method;
    std::ranges::transform(step.method, step.method.begin(),
                           [](char c) { return static_cast<char>(c - 32); });
    if (const std::string summary = text(operation, "summary"); !summary.empty())
      step.remarks.push_back(summary);
    std::string query, filled(path);
    for (const Json* parameter : parameters(item, operation)) place(step, filled, query, parameter);
    secure(step, query, operation);
    // What has no parameter that fills it is a hole in the document.
    if (filled.contains('{')) {
      step.remarks.emplace_back("A part of its path is described nowhere.");
      for (std::size_t open = 0; (open = filled.find('{')) != filled.npos;)
        filled.replace(open, std::min(filled.find('}', open), filled.size() - 1) - open + 1, "1");
    }
    if (!filled.starts_with('/')) filled.insert(0, "/");
    step.path = plain(as_target(filled)) + (query.empty() ? "" : "?" + query);
    give_content(step, Examples(document_).resolved(find(operation, "requestBody")));
    step.expect = expected(find(operation, "responses"));
    const boost::json::array& tags = items(find(operation, "tags"));
    draft_.scenario(tags.empty() ? "untagged" : text(&tags.front())).steps.push_back(std::move(step));
  }

  // Those of the operation, and those of its path that it does not say anew.
  std::vector<const Json*> parameters(const Json* item, const Json* operation) const {
    const Examples examples(document_);
    std::vector<const Json*> out;
    for (const Json* from : {operation, item})
      for (const Json& written : items(find(from, "parameters"))) {
        const Json* parameter = examples.resolved(&written);
        const bool known = std::ranges::any_of(out, [&](const Json* other) {
          return text(other, "name") == text(parameter, "name") && text(other, "in") == text(parameter, "in");
        });
        if (parameter != nullptr && !known) out.push_back(parameter);
      }
    return out;
  }

  void place(DraftStep& step, std::string& path, std::string& query, const Json* parameter) {
    Examples examples(document_);
    const std::string name = text(parameter, "name");
    const std::string in = text(parameter, "in");
    const Json* schema = examples.resolved(find(parameter, "schema"));
    const Json* example = examples.given(parameter);
    if (example == nullptr) example = examples.given(schema);
    if (!is_true(find(parameter, "required")) && example == nullptr && in != "path") return;
    if (in == "cookie") {
      step.remarks.push_back(fmt::format("The cookie {} is not carried.", name));
      return;
    }
    Json made = example != nullptr ? *example : examples.of(schema);
    if (made.is_array()) made = made.get_array().empty() ? Json(nullptr) : Json(made.get_array().front());
    std::string value = text(&made);
    if (value.empty() && made.is_object()) {
      step.remarks.push_back(fmt::format("The parameter {} is an object, and not carried.", name));
      if (in != "path") return;
    }
    if (value.empty()) value = "1";
    if (example == nullptr) step.remarks.push_back(fmt::format("{} is made up: {}.", name, value));
    if (in == "path") {
      const std::string hole = "{" + name + "}";
      const std::string encoded = as_component(value);
      for (std::size_t at = 0; (at = path.find(hole, at)) != path.npos; at += encoded.size())
        path.replace(at, hole.size(), encoded);
    } else if (in == "query") {
      query += (query.empty() ? "" : "&") + cover_.pairs(as_component(name) + "=" + as_component(value));
    } else if (in == "header") {
      add_field(step, name, cover_.field(name, value));
    }
  }

  static void add_field(DraftStep& step, const std::string& name, const std::string& value) {
    constexpr std::array<std::string_view, 4> kOwn = {"content-length", "transfer-encoding", "connection",
                                                      "dpop"};
    std::string known = name;
    std::ranges::transform(known, known.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    const bool fits = config::HeaderName::parse(name).has_value() &&
                      std::ranges::none_of(value, [](unsigned char c) { return c < ' ' || c == 0x7f; }) &&
                      std::ranges::find(kOwn, known) == kOwn.end();
    if (fits && std::ranges::none_of(step.headers, [&](const auto& h) { return h.first == name; }))
      step.headers.emplace_back(name, value);
  }

  // The first of the ways in which the operation wants to be called.
  void secure(DraftStep& step, std::string& query, const Json* operation) {
    const Json* ways = find(operation, "security");
    if (ways == nullptr) ways = find(&document_, "security");
    if (items(ways).empty()) return;
    const Json* schemes = find(find(&document_, "components"), "securitySchemes");
    for (const auto& [name, scopes] : members(&items(ways).front())) {
      const Json* scheme = Examples(document_).resolved(find(schemes, name));
      const std::string type = text(scheme, "type");
      const std::string in = text(scheme, "in");
      const std::string field = text(scheme, "name");
      std::string how = text(scheme, "scheme");
      std::ranges::transform(how, how.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      const std::string secret = "the secret of " + std::string(name);
      if (type == "oauth2" || type == "openIdConnect" || (type == "http" && how == "bearer"))
        add_field(step, "Authorization", "Bearer " + cover_.variable("TOKEN", secret));
      else if (type == "http" && how == "basic")
        add_field(step, "Authorization", "Basic " + cover_.variable("CREDENTIALS", secret));
      else if (type == "apiKey" && in == "header")
        add_field(step, field, cover_.variable(field, secret));
      else if (type == "apiKey" && in == "query")
        query +=
            (query.empty() ? "" : "&") + plain(as_component(field)) + "=" + cover_.variable(field, secret);
      else
        step.remarks.push_back(fmt::format("What {} wants ({}) is not carried.", std::string(name),
                                           type.empty() ? "described nowhere" : type));
    }
  }

  void give_content(DraftStep& step, const Json* body) {
    const boost::json::object& content = members(find(body, "content"));
    if (content.empty()) return;
    const auto chosen = std::ranges::find_if(content, [](const auto& c) {
      const std::string_view type = c.key();
      return type.contains("json") || type.starts_with("application/x-www-form-urlencoded");
    });
    const std::string type(chosen == content.end() ? content.begin()->key() : chosen->key());
    if (chosen == content.end()) {
      step.remarks.push_back(fmt::format("Its body ({}) is not carried: only JSON and forms are.", type));
      return;
    }
    Examples examples(document_);
    const Json* media = &chosen->value();
    const Json* example = examples.given(media);
    const Json value = example != nullptr ? *example : examples.of(find(media, "schema"));
    std::string written;
    if (type.contains("json")) {
      written = json_of(value);
    } else {
      for (const auto& [name, member] : members(&value))
        written += (written.empty() ? "" : "&") + as_component(name) + "=" + as_component(text(&member));
    }
    if (!type.contains('*')) add_field(step, "Content-Type", plain(type));
    give_body(step, draft_, cover_, type, written);
  }

  // The first that is a success, or else the first that there is.
  static std::string expected(const Json* responses) {
    const auto is_status = [](std::string_view code) {
      return code.size() == 3 && code[0] >= '1' && code[0] <= '5' &&
             (code.ends_with("XX") || (code[1] >= '0' && code[1] <= '9' && code[2] >= '0' && code[2] <= '9'));
    };
    std::string first;
    for (const auto& [code, response] : members(responses)) {
      if (!is_status(code)) continue;
      if (first.empty()) first = code;
      if (code.starts_with('2')) {
        first = code;
        break;
      }
    }
    if (first.ends_with("XX")) first.replace(1, 2, "xx");
    return first;
  }

  const Json& document_;
  Draft& draft_;
  Cover& cover_;
  const std::string& name_;
  std::size_t left_out_ = 0;
};

}  // namespace

void read_openapi(const Json& document, Draft& draft, Cover& cover, const std::string& name) {
  OpenApi(document, draft, cover, name).read();
}

}  // namespace prove::import
