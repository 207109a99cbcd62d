#include "prove/wire/json_text.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

namespace prove {
namespace {

namespace json = boost::json;

// What Boost.JSON's own parser does, but for numbers and the letters in front of strings. The names are those
// that its basic_parser calls.
struct AsWritten {
  using Error = boost::system::error_code;
  using View = json::string_view;
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};

  json::value_stack stack;
  std::string part;

  AsWritten() { stack.reset(); }

  void push(char letter, View rest) {
    part.append(rest.data(), rest.size());
    stack.push_string(letter + part);
    part.clear();
  }
  void add(View more) { part.append(more.data(), more.size()); }

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t n, Error&) {
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t n, Error&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(View text, std::size_t, Error&) {
    stack.push_chars(text);
    return true;
  }
  bool on_key(View text, std::size_t, Error&) {
    stack.push_key(text);
    return true;
  }
  bool on_string_part(View text, std::size_t, Error&) {
    add(text);
    return true;
  }
  bool on_string(View text, std::size_t, Error&) {
    push('s', text);
    return true;
  }
  bool on_number_part(View text, Error&) {
    add(text);
    return true;
  }
  bool on_int64(std::int64_t, View text, Error&) {
    push('n', text);
    return true;
  }
  bool on_uint64(std::uint64_t, View text, Error&) {
    push('n', text);
    return true;
  }
  bool on_double(double, View text, Error&) {
    push('n', text);
    return true;
  }
  bool on_bool(bool value, Error&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(Error&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(View, Error&) { return true; }
  bool on_comment(View, Error&) { return true; }
};

void append(std::string& out, const json::value& value) {
  if (const json::string* text = value.if_string()) {
    const std::string_view plain(text->data() + 1, text->size() - 1);
    if (text->front() == 'n')
      out += plain;
    else
      out += json::serialize(json::value(plain));
    return;
  }
  char before = 0;
  const auto next = [&](char open) {
    out += before == 0 ? open : ',';
    before = ',';
  };
  if (const json::array* list = value.if_array()) {
    for (const json::value& item : *list) {
      next('[');
      append(out, item);
    }
    out += before == 0 ? "[]" : "]";
  } else if (const json::object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      next('{');
      out += json::serialize(json::value(key));
      out += ':';
      append(out, member);
    }
    out += before == 0 ? "{}" : "}";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::optional<json::value> parse_as_written(std::string_view text, std::size_t depth) {
  json::parse_options options;
  options.max_depth = depth;
  json::basic_parser<AsWritten> parser{options};
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error || read != text.size()) return std::nullopt;
  return parser.handler().stack.release();
}

std::string text_of(const json::value& value) {
  if (const json::string* text = value.if_string()) return {text->data() + 1, text->size() - 1};
  return json_of(value);
}

std::string json_of(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::optional<std::string> JsonText::at(std::string_view pointer) const {
  if (!document_) return std::nullopt;
  boost::system::error_code error;
  const json::value* found = document_->find_pointer(pointer, error);
  return found ? std::optional(text_of(*found)) : std::nullopt;
}

}  // namespace prove
