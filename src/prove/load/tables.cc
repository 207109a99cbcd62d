#include "prove/load/tables.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <set>

#include "prove/wire/json_text.h"

namespace prove {
namespace {

namespace json = boost::json;
using config::Parsed;

constexpr std::size_t kMaxRows = 1'000'000;
constexpr std::size_t kMaxColumns = 256;
constexpr std::string_view kTooMany = "has more than 1000000 rows";

// One record after the other; `line` counts for messages, since a field may hold newlines.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  int line() const { return line_; }

  Parsed<std::vector<std::string>> record() {
    std::vector<std::string> fields;
    for (;;) {
      auto one = field();
      if (!one) return std::unexpected(one.error());
      fields.push_back(*std::move(one));
      if (fields.size() > kMaxColumns)
        return std::unexpected(fmt::format("has more than {} columns in line {}", kMaxColumns, line_));
      if (!rest_.starts_with(',')) break;
      rest_.remove_prefix(1);
    }
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.starts_with('\n')) {
      rest_.remove_prefix(1);
      ++line_;
    }
    return fields;
  }

 private:
  Parsed<std::string> field() {
    if (!rest_.starts_with('"')) {
      const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
      std::string_view plain = rest_.substr(0, end);
      if (plain.ends_with('\r') && (end == rest_.size() || rest_[end] == '\n')) plain.remove_suffix(1);
      if (plain.contains('"'))
        return std::unexpected(fmt::format("has a quote inside an unquoted field in line {}", line_));
      rest_.remove_prefix(plain.size());
      return std::string(plain);
    }
    const int first = line_;
    rest_.remove_prefix(1);
    std::string out;
    for (;;) {
      const std::size_t quote = rest_.find('"');
      if (quote == rest_.npos)
        return std::unexpected(fmt::format("has a quote that is not closed in line {}", first));
      const std::string_view piece = rest_.substr(0, quote);
      line_ += static_cast<int>(std::ranges::count(piece, '\n'));
      out += piece;
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      out += '"';
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && rest_[0] != ',' && rest_[0] != '\n' && !rest_.starts_with("\r\n"))
      return std::unexpected(fmt::format("has text behind a quoted field in line {}", line_));
    return out;
  }

  std::string_view rest_;
  int line_ = 1;
};

std::optional<std::string> scalar(const json::value& value) {
  if (value.is_object() || value.is_array() || value.is_null()) return std::nullopt;
  return text_of(value);
}

}  // namespace

Parsed<Table> parse_csv(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Table table;
  CsvReader reader(text);
  if (reader.done()) return std::unexpected("is empty");
  auto header = reader.record();
  if (!header) return std::unexpected(header.error());
  table.columns = *std::move(header);
  std::set<std::string_view> seen;
  for (const std::string& column : table.columns) {
    if (column.empty()) return std::unexpected("has a column without a name in line 1");
    if (!seen.insert(column).second) return std::unexpected(fmt::format("has two columns '{}'", column));
  }
  while (!reader.done()) {
    const int line = reader.line();
    auto row = reader.record();
    if (!row) return std::unexpected(row.error());
    if (row->size() == 1 && row->front().empty() && table.columns.size() > 1) continue;  // an empty line
    if (row->size() != table.columns.size())
      return std::unexpected(
          fmt::format("has {} of {} columns in line {}", row->size(), table.columns.size(), line));
    table.rows.push_back(*std::move(row));
    if (table.rows.size() > kMaxRows) return std::unexpected(std::string(kTooMany));
  }
  if (table.rows.empty()) return std::unexpected("has a header and no rows");
  return table;
}

Parsed<Table> parse_json_table(std::string_view text) {
  const std::optional<json::value> whole = parse_as_written(text);
  if (!whole) return std::unexpected("is not JSON");
  const json::array* list = whole->if_array();
  if (list == nullptr) return std::unexpected("is not a list");
  if (list->empty()) return std::unexpected("is an empty list");
  if (list->size() > kMaxRows) return std::unexpected(std::string(kTooMany));
  Table table;
  const json::object* first = list->front().if_object();
  if (first == nullptr) table.columns = {""};
  if (first != nullptr)
    for (const auto& member : *first) table.columns.emplace_back(member.key());
  if (table.columns.size() > kMaxColumns)
    return std::unexpected(fmt::format("has more than {} members in an object", kMaxColumns));
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::vector<std::string> row;
    if (first == nullptr) {
      auto value = scalar((*list)[i]);
      if (!value) return std::unexpected(fmt::format("has an item that is no text: number {}", i));
      row.push_back(*std::move(value));
    } else {
      const json::object* object = (*list)[i].if_object();
      if (object == nullptr || object->size() != table.columns.size())
        return std::unexpected(fmt::format("has an item without the members of the first: number {}", i));
      for (const std::string& column : table.columns) {
        const json::value* member = object->if_contains(column);
        if (member == nullptr)
          return std::unexpected(fmt::format("has an item without '{}': number {}", column, i));
        auto value = scalar(*member);
        if (!value) return std::unexpected(fmt::format("has a '{}' that is no text: number {}", column, i));
        row.push_back(*std::move(value));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace prove
