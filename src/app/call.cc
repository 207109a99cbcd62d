#include "app/call.h"

#include <algorithm>

#include "http/problem.h"
#include "http/target.h"

namespace app {

const Param* Call::param(std::string_view name) const {
  const auto* end = params.begin() + param_count;
  const auto* found = std::ranges::find(params.begin(), end, name, &Param::name);
  return found == end ? nullptr : found;
}

std::optional<std::string> Call::query(std::string_view name) const {
  return http::query_value_decoded(raw_query, name);
}

void Answer::add(std::string_view name, std::string_view value) {
  fields.append(name).append(": ");
  const std::size_t begin = fields.size();
  fields.append(value);
  std::replace_if(
      fields.begin() + static_cast<std::ptrdiff_t>(begin), fields.end(),
      [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  fields.append("\r\n");
}

std::string_view Answer::text() const {
  if (const auto* own = std::get_if<std::string>(&body)) return *own;
  if (const auto* constant = std::get_if<std::string_view>(&body)) return *constant;
  return {};
}

std::optional<std::uint64_t> Answer::length() const {
  if (const auto* file = std::get_if<File>(&body)) return file->length();
  if (const auto* pulled = std::get_if<Pulled>(&body)) return pulled->length;
  return text().size();
}

void Answer::append_field_lines(std::string& out) const {
  if (!type.empty()) out.append("Content-Type: ").append(type).append("\r\n");
  if (!cache_control.empty()) out.append("Cache-Control: ").append(cache_control).append("\r\n");
  out.append(fields);
}

Answer problem(const Call& call, base::Code code, std::string detail) {
  Answer answer;
  const base::ErrorRow& row = base::row_of(code);
  answer.status = row.status;
  answer.type = http::kProblemType;
  http::append_problem({code, detail}, call.request_id, answer.body.emplace<std::string>());
  if (row.retry_after != 0) answer.add("Retry-After", std::to_string(row.retry_after));
  answer.error = {code, ""};
  answer.failed = true;
  answer.detail = std::move(detail);
  return answer;
}

Answer problem(const Call& call, base::Error error) {
  Answer answer = problem(call, error.code, std::string(error.text));
  answer.error = error;
  return answer;
}

}  // namespace app
