// For tests only: a call without a client, and a body that comes in pieces.
//
// Owner: a test. Thread: its own. Failure: those of gtest.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "app/call.h"
#include "app/operation.h"

namespace app::testing_support {

class Body final : public net::Upload {
 public:
  explicit Body(std::string_view text) : text_(text) {}

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override {
    const std::size_t n = std::min({out.size(), text_.size() - given, std::size_t{7}});
    if (n == 0 && breaks) co_return base::fail(base::Code::kClientGone, "the client has left");
    std::memcpy(out.data(), text_.data() + given, n);
    given += n;
    co_return n;
  }

  std::size_t given = 0;
  bool breaks = false;  // instead of ending

 private:
  std::string text_;
};

struct Asked {
  Asked(http::Method method, std::string_view path, std::string_view text = {},
        std::string_view type = "application/json")
      : content_type(type), path_text(path), body(text) {
    head.method = method;
    if (!text.empty()) {
      head.framing = http::Framing::kLength;
      head.content_length = text.size();
    }
    if (!content_type.empty()) head.fields.push("Content-Type", content_type, http::FieldId::kContentType);
    call.head = &head;
    call.path = path_text;
    if (!text.empty()) call.upload = &body;
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  std::string content_type;
  std::string path_text;
  http::RequestHead head;
  Body body;
  Call call;
};

// That the reply to this call is what the operation declares.
inline void expect_as_declared(const Answer& answer, const Call& call) {
  ASSERT_NE(call.operation, nullptr);
  if (answer.failed) return;
  EXPECT_TRUE(answer.status == call.operation->success || answer.status == call.operation->also)
      << answer.status;
  EXPECT_EQ(answer.type, call.operation->produces);
  if (!call.operation->reply) return;
  const auto read = read_object(answer.text(), *call.operation->reply);
  EXPECT_TRUE(read) << read.error() << "\n" << answer.text();
}

}  // namespace app::testing_support
