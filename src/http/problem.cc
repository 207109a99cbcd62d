#include "http/problem.h"

#include "text/json_text.h"

namespace http {

void append_problem(const base::Error& error, std::string_view request_id, std::string& out) {
  const base::ErrorRow& row = base::row_of(error.code);
  const auto member = [&out](std::string_view key, std::string_view value) {
    out += ",\"";
    out += key;
    out += "\":";
    text::append_json(out, value);
  };
  out += "{\"type\":\"urn:sekisho:problem:";
  out += row.slug;
  out += '"';
  member("title", row.title);
  out += ",\"status\":";
  out += std::to_string(row.status);
  // What is wrong with our own key is the operator's business: it stands in the logs.
  const bool ours = error.code == base::Code::kOriginDenied;
  if (!error.text.empty() && !ours) member("detail", error.text);
  if (!request_id.empty()) member("request_id", request_id);
  out += "}\n";
}

}  // namespace http
