// Undoes Content-Encoding: gzip (RFC 1952), a piece at a time.
//
// Owner:    an exchange.  Thread: one.
// Failure:  feed() and whole() say false, why() what is wrong. What came out before stays as it is.
// Memory:   zlib's window and one block; what comes out is handed on. More than kMost bytes are a failure, so
//           that no small reply keeps a thread busy for ever.
#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace prove {

class Inflater {
 public:
  static constexpr std::uint64_t kMost = 256 << 20;

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void start();
  // f() is given what comes out, piece by piece.
  template <class F>
  bool feed(std::string_view in, F&& f) {
    put(in);
    for (std::string_view out; next(out);) f(out);
    return why_.empty();
  }
  // Nothing more comes; whether that is the end of it. No byte at all is a body that is empty.
  bool whole();
  std::string_view why() const { return why_; }

 private:
  void put(std::string_view in);
  bool next(std::string_view& out);

  z_stream stream_{};
  std::array<unsigned char, 16 << 10> block_;
  std::uint64_t made_ = 0;
  bool fed_ = false;
  bool ended_ = false;  // of a member
  std::string_view why_;
};

}  // namespace prove
