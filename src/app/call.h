// What an application is asked, and what it answers. Nothing here knows of sockets or of HTTP versions.
//
// Owner:    whoever serves the application: the walk of a request, the admin listener, a test.
// Thread:   that of its loop.
// Lifetime: a Call views what whoever serves has read, until answer() has returned. An Answer owns what it
//           says and may outlive the Call.
// Failure:  see endpoint.h.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/schema.h"
#include "base/error.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/upload.h"

namespace app {

struct Operation;

// Who calls, as whoever serves has found out. Applications identify nobody.
struct Caller {
  std::string_view credential{};  // "jwt", "bootstrap_token"; empty: nobody was identified
  std::string_view issuer{}, subject{}, agent{};
  bool identified() const { return !credential.empty(); }
};

struct Param {
  std::string_view name;
  std::string_view text;
  std::int64_t number = 0;  // of an {…:int}
};

struct Call {
  // ---- said by whoever serves
  const http::RequestHead* head = nullptr;
  std::string_view path{};       // decoded, what is left of it behind the route's prefix; begins with a slash
  std::string_view raw_query{};  // as sent, without the question mark and without credentials
  Caller caller{};
  std::string_view request_id{};
  std::string_view peer{};        // the client's address, as logs write it
  net::Upload* upload = nullptr;  // the request's body; null: there is none
  net::Cancel* gone = nullptr;    // the client has left; may be null
  bool local = false;             // only this host can ask here

  // ---- said by Endpoint::find()
  const Operation* operation = nullptr;
  static constexpr std::size_t kMaxParams = 4;
  std::array<Param, kMaxParams> params{};
  std::size_t param_count = 0;

  // ---- said by Endpoint::answer(), for the handler
  Object body{};

  const Param* param(std::string_view name) const;
  // The value decoded; none also where its encoding is bad.
  std::optional<std::string> query(std::string_view name) const;
};

// What policy is asked about a call: who is the caller's principal, who does what to what.
struct Question {
  std::string_view action;    // Operation::id; empty: there is no such operation
  std::string_view resource;  // the path
};

// A body that is read as the client takes it.
class Source : public net::Upload {
 public:
  virtual ~Source() = default;
};

struct Pulled {
  std::unique_ptr<Source> from;
  std::optional<std::uint64_t> length;  // none: a stream, such as text/event-stream
};

// A file, or a part of one; closed with the Answer.
class File {
 public:
  File(int fd, std::uint64_t offset, std::uint64_t length) : fd_(fd), offset_(offset), length_(length) {}
  File(File&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), offset_(other.offset_), length_(other.length_) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    offset_ = other.offset_;
    length_ = other.length_;
    return *this;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  std::uint64_t offset() const { return offset_; }
  std::uint64_t length() const { return length_; }

 private:
  int fd_;
  std::uint64_t offset_, length_;
};

// What an operation did, with which argument, for the audit log. Never a secret.
struct Argument {
  std::string_view name;
  std::string value;
};

struct Answer {
  std::uint16_t status = 200;
  std::string_view type = "application/json";  // of the body; empty: there is none
  std::string_view cache_control = "no-store";
  std::string fields{};  // more field lines, each ended by CRLF: add()
  // A text of one's own, a text that lives as long as the process, a file, a pulled body.
  std::variant<std::string, std::string_view, File, Pulled> body{};

  // ---- for logs
  base::Error error{};   // of a problem; its text is static
  bool failed = false;   // `error` says why
  std::string detail{};  // what the problem says beyond that
  std::vector<Argument> arguments{};

  void add(std::string_view name, std::string_view value);  // controls in the value become spaces
  // The body where it is a text.
  std::string_view text() const;
  std::optional<std::uint64_t> length() const;
  // Content-Type, Cache-Control and `fields`, each ended by CRLF: all lines but those of the protocol.
  void append_field_lines(std::string& out) const;
};

// A problem as RFC 9457 has it. `detail` is for the client; `error.text`, where it has one, for logs.
Answer problem(const Call& call, base::Code code, std::string detail);
Answer problem(const Call& call, base::Error error);

}  // namespace app
