// llhttp as a second opinion, for fuzzers only: what it makes of one message, collected.
//
// Owner:    a fuzz target. Thread: its own. Lifetime: copies everything.
// Failure:  `complete` stays false when llhttp refuses or wants more; `error` tells which.
#pragma once

#include <llhttp.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/chars.h"
#include "http/field.h"
#include "http/fuzz_require.h"

namespace http {

class LlhttpOracle {
 public:
  explicit LlhttpOracle(llhttp_type_t type) {
    llhttp_settings_init(&settings_);
    settings_.on_url = [](llhttp_t* p, const char* at, std::size_t n) {
      return self(p).url.append(at, n), 0;
    };
    settings_.on_header_field = [](llhttp_t* p, const char* at, std::size_t n) {
      return self(p).name_.append(at, n), 0;
    };
    settings_.on_header_value = [](llhttp_t* p, const char* at, std::size_t n) {
      return self(p).value_.append(at, n), 0;
    };
    settings_.on_header_value_complete = [](llhttp_t* p) {
      LlhttpOracle& o = self(p);
      o.fields.emplace_back(std::exchange(o.name_, {}), std::string(trim_ows(o.value_)));
      o.value_.clear();
      return 0;
    };
    settings_.on_headers_complete = [](llhttp_t* p) {
      LlhttpOracle& o = self(p);
      o.head_complete = true;
      o.head_fields = o.fields.size();
      o.chunked = (p->flags & F_CHUNKED) != 0;
      o.has_length = (p->flags & F_CONTENT_LENGTH) != 0;
      o.content_length = p->content_length;
      return o.bodiless ? 1 : 0;
    };
    settings_.on_body = [](llhttp_t* p, const char* at, std::size_t n) {
      return self(p).body.append(at, n), 0;
    };
    settings_.on_message_complete = [](llhttp_t* p) {
      return self(p).complete = true, static_cast<int>(HPE_PAUSED);
    };
    llhttp_init(&parser_, type, &settings_);
    parser_.data = this;
  }
  LlhttpOracle(const LlhttpOracle&) = delete;
  LlhttpOracle& operator=(const LlhttpOracle&) = delete;

  // Feeds the message in pieces of `step` bytes, up to its end or the first error.
  void feed(std::string_view text, std::size_t step) {
    while (!text.empty() && !complete && error == HPE_OK) {
      const std::string_view piece = text.substr(0, step);
      const auto result = llhttp_execute(&parser_, piece.data(), piece.size());
      std::size_t used = piece.size();
      if (result != HPE_OK) used = static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - piece.data());
      if (result != HPE_OK && !complete) error = result;
      consumed += used;
      text.remove_prefix(used);
    }
  }
  // Whether a request's method is one of those that it takes at all.
  static bool knows(std::string_view method) {
#define SEKISHO_IS_METHOD(number, name, text) \
  if (method == #text) return true;
    HTTP_METHOD_MAP(SEKISHO_IS_METHOD)
#undef SEKISHO_IS_METHOD
    return false;
  }
  std::string_view method() const { return llhttp_method_name(static_cast<llhttp_method_t>(parser_.method)); }
  unsigned status() const { return parser_.status_code; }
  unsigned minor() const { return parser_.http_minor; }

  // Whether these are the fields it saw in the head, in order.
  bool same_fields(const FieldList& list) const {
    if (list.size() != head_fields) return false;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (list[i].name != fields[i].first || list[i].value != fields[i].second) return false;
    return true;
  }

  bool bodiless = false;  // set before feeding: a reply to HEAD
  bool head_complete = false;
  bool complete = false;
  bool chunked = false;
  bool has_length = false;
  llhttp_errno_t error = HPE_OK;
  std::uint64_t content_length = 0;
  std::size_t consumed = 0;
  std::size_t head_fields = 0;  // the others are trailers
  std::string url, body;
  std::vector<std::pair<std::string, std::string>> fields;

 private:
  static LlhttpOracle& self(llhttp_t* p) { return *static_cast<LlhttpOracle*>(p->data); }
  llhttp_settings_t settings_;
  llhttp_t parser_;
  std::string name_, value_;
};

}  // namespace http
