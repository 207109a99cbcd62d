// Where a session reads: a small buffer while a request is under way, a larger one for a head that needs it,
// none in between. Thousands of sessions that wait for a reply hold what their head takes, and not what it
// could have taken.
//
// Owner:    Buffers: what the sessions of one thread share.  Input: a session.
// Thread:   that thread's.  Units: bytes.  Failure: none.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace serve {

class Buffers {
 public:
  static constexpr std::size_t kSize = 4 << 10;  // nearly every head

  std::unique_ptr<char[]> take() {
    if (spare_.empty()) return std::make_unique_for_overwrite<char[]>(kSize);
    auto buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }
  void give_back(std::unique_ptr<char[]> buffer) {
    if (spare_.size() < kSpare) spare_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t kSpare = 256;  // a megabyte; more are freed when a peak has passed
  std::vector<std::unique_ptr<char[]>> spare_;
};

// [begin, end) is read and not consumed; what lies before may be viewed.
struct Input {
  std::unique_ptr<char[]> data;
  std::size_t size = 0, begin = 0, end = 0;

  bool empty() const { return begin == end; }
  std::string_view pending() const { return {data.get() + begin, end - begin}; }
  std::span<char> room() { return {data.get() + end, size - end}; }

  void take(Buffers& from) {
    if (data) return;
    data = from.take();
    size = Buffers::kSize;
    begin = end = 0;
  }
  void give_back(Buffers& to) {
    if (size == Buffers::kSize) to.give_back(std::move(data));
    data.reset();
    size = begin = end = 0;
  }
  void to_front() {
    if (begin == 0) return;
    std::memmove(data.get(), data.get() + begin, end - begin);
    end -= begin;
    begin = 0;
  }
  // While nothing views into it. Never smaller: a PROXY header may have made it larger than any head needs.
  void grow(std::size_t wanted) {
    if (wanted <= size) return;
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    std::memcpy(larger.get(), data.get(), end);
    data = std::move(larger);
    size = wanted;
  }
};

}  // namespace serve
