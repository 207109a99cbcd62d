#include "app/openapi.h"

#include <algorithm>
#include <vector>

#include "app/router.h"
#include "http/problem.h"
#include "http/reason.h"
#include "text/json_writer.h"
#include "version.h"

namespace app {

namespace {

using text::JsonWriter;

constexpr std::string_view kBearer = "bearer";
constexpr std::string_view kJson = "application/json";

// "/agents/{id:uuid}" as OpenAPI has it: "/agents/{id}".
std::string path_of(const std::vector<Segment>& segments) {
  std::string out;
  for (const Segment& segment : segments) {
    const bool literal = segment.kind == Segment::Kind::kLiteral;
    out.append(literal ? "/" : "/{").append(segment.text).append(literal ? "" : "}");
  }
  return out;
}

std::string_view key_of(http::Method method) {
  switch (method) {
    case http::Method::kPost:
      return "post";
    case http::Method::kPut:
      return "put";
    case http::Method::kDelete:
      return "delete";
    case http::Method::kPatch:
      return "patch";
    case http::Method::kOptions:
      return "options";
    case http::Method::kHead:
      return "head";
    default:
      return "get";
  }
}

void write_parameters(const std::vector<Segment>& segments, JsonWriter& out) {
  const auto literal = [](const Segment& s) { return s.kind == Segment::Kind::kLiteral; };
  if (std::ranges::all_of(segments, literal)) return;
  out.key("parameters").array();
  for (const Segment& segment : segments) {
    if (literal(segment)) continue;
    out.object().member("name", segment.text).member("in", "path").member("required", true);
    out.key("schema").object();
    if (segment.kind == Segment::Kind::kInteger)
      out.member("type", "integer").member("format", "int64").member("minimum", 0);
    else
      out.member("type", "string");
    if (segment.kind == Segment::Kind::kUuid) out.member("format", "uuid");
    out.end_object().end_object();
  }
  out.end_array();
}

void write_content(std::string_view type, const Schema* schema, JsonWriter& out) {
  out.key("content").object().key(type).object();
  if (schema) {
    std::string json;
    append_json_schema(*schema, json);
    out.key("schema").json(json);
  }
  out.end_object().end_object();
}

void write_responses(const Operation& operation, JsonWriter& out) {
  out.key("responses").object();
  for (const std::uint16_t status : {operation.success, operation.also}) {
    if (status == 0) continue;
    out.key(std::to_string(status)).object().member("description", http::reason_of(status));
    if (!operation.produces.empty()) write_content(operation.produces, operation.reply, out);
    out.end_object();
  }
  out.key("default").object().member("$ref", "#/components/responses/Problem").end_object();
  out.end_object();
}

void write_operation(const Operation& operation, const std::vector<Segment>& segments, JsonWriter& out) {
  out.key(key_of(operation.method)).object();
  out.member("operationId", operation.id).member("summary", operation.summary);
  write_parameters(segments, out);
  if (operation.body) {
    out.key("requestBody").object().member("required", true);
    write_content(kJson, operation.body, out);
    out.end_object();
  }
  write_responses(operation, out);
  // An empty requirement beside: without a credential, too (§4.8.30).
  out.key("security").array();
  if (operation.access != Access::kCredential) out.object().end_object();
  if (operation.access != Access::kOpen) out.object().key(kBearer).array().end_array().end_object();
  out.end_array().end_object();
}

void write_components(JsonWriter& out) {
  static constexpr Member kMembers[] = {
      {"type", {.type = Type::kText, .about = "urn:sekisho:problem:…"}},
      {"title", {.type = Type::kText}},
      {"status", {.type = Type::kInteger}},
      {"detail", {.type = Type::kText}, false},
      {"request_id", {.type = Type::kText}, false},
  };
  static constexpr Schema kProblem{.about = "What went wrong (RFC 9457).", .members = kMembers, .open = true};
  out.key("components").object();
  out.key("responses").object().key("Problem").object().member("description", "A problem (RFC 9457).");
  write_content(http::kProblemType, &kProblem, out);
  out.end_object().end_object();
  out.key("securitySchemes").object().key(kBearer).object();
  out.member("type", "http").member("scheme", "bearer").end_object().end_object();
  out.end_object();
}

}  // namespace

std::string openapi_document(std::string_view title, std::span<const Operation> operations) {
  struct Row {
    const Operation* operation;
    std::vector<Segment> segments;
    std::string path;
  };
  std::vector<Row> rows;
  for (const Operation& operation : operations) {
    auto segments = parse_template(operation.path);
    std::string path = path_of(segments);
    rows.push_back({&operation, std::move(segments), std::move(path)});
  }
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    return a.path != b.path ? a.path < b.path : a.operation < b.operation;
  });

  std::string text;
  JsonWriter out(text);
  out.object().member("openapi", "3.1.0");
  out.key("info").object().member("title", title).member("version", SEKISHO_VERSION).end_object();
  out.key("paths").object();
  for (auto row = rows.begin(); row != rows.end();) {
    out.key(row->path).object();
    const std::string& path = row->path;
    for (; row != rows.end() && row->path == path; ++row)
      write_operation(*row->operation, row->segments, out);
    out.end_object();
  }
  out.end_object();
  write_components(out);
  out.end_object();
  return text + "\n";
}

}  // namespace app
