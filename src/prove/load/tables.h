// Data files: CSV and JSON as rows of texts.
//
// Thread:   any; pure functions.
// Failures: a predicate to follow the file's name, with the line where there is one: "has 2 of 3 columns in
//           line 17".
// Bounds:   a million rows, 256 columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/values.h"

namespace prove {

struct Table {
  std::vector<std::string> columns;  // of a bare list: one, ""
  std::vector<std::vector<std::string>> rows;
};

// RFC 4180: the first line names the columns; a field in quotes may hold commas, newlines and, doubled,
// quotes. Lines end with LF or CR LF; a byte order mark is skipped.
config::Parsed<Table> parse_csv(std::string_view text);

// A list of objects with the same members, whose order is that of the first, or a list of texts. Numbers,
// to the letter, and true and false become texts.
config::Parsed<Table> parse_json_table(std::string_view text);

}  // namespace prove
