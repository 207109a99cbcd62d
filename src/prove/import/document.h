// The document that is imported: JSON or YAML as one tree, with numbers as they were written.
//
// Owner:    the import.  Thread: one.
// Failures: read_document(): std::runtime_error or config::ConfigError, one line. The others give nothing
//           where there is nothing, whatever else may stand there: what comes from outside has any shape.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace prove::import {

using Json = boost::json::value;  // with the letters of parse_as_written()

// JSON where it begins with `{`, else YAML.
Json read_document(std::string_view text, const std::string& name);

const Json* find(const Json* object, std::string_view key);
const boost::json::array& items(const Json* list);       // none: empty
const boost::json::object& members(const Json* object);  // none: empty
std::string text(const Json* value);                     // of a text, a number, true and false; else ""
std::string text(const Json* object, std::string_view key);
std::optional<double> number(const Json* value);
bool is_true(const Json* value);
std::string json_of(const Json& value);  // as JSON

Json text_value(std::string_view text);
Json number_value(std::string_view digits);

}  // namespace prove::import
