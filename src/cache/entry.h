// A cached reply: complete, immutable, shared by everybody who is answering from it.
//
// Owner:    base::Ref; the memory tier holds one, every reply under way another, so eviction never waits for
//           a slow client and never pulls bytes from under one.
// Thread:   any, once made. The only mutable part is `hook`, which belongs to cache::Memory.
// Lifetime: the last Ref. Views returned by an Entry live as long as it does.
// Failure:  none.
// Counted:  in the account of its Parts, its chunks too, for as long as anybody keeps it.
//
// One allocation holds the object, its key, its rendered fields and, up to kInlineBody, its body:
//
//     Entry | key | etag | last-modified | fields … Content-Length: n CRLF CRLF | body
//                                          `------------------- tail() ---------------'
//
// What differs from reply to reply (Age, Cache-Status, Connection, the request id) goes in *front* of the
// stored fields, right after the status line: their order carries no meaning (RFC 9110 §5.3). So a whole
// reply to a small object is one short prefix and one contiguous copy:
//
//     "HTTP/1.1 200 OK\r\nAge: 7\r\nCache-Status: …\r\n" + entry.tail()
//
// A larger body stays in the chunks that the fill received. 206 and 304 use fields(), which has no
// Content-Length and no empty line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/account.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/ref.h"
#include "cache/key.h"

namespace cache {

class Entry;

// Where the memory tier keeps an entry; links are guarded by its queue lock. `uses` counts hits up to 3.
// `before` and `after` are entries of the same resource.
struct MemoryHook {
  const Entry* older = nullptr;
  const Entry* newer = nullptr;
  const Entry* before = nullptr;
  const Entry* after = nullptr;
  std::atomic<base::Nanos::rep> anew{0};  // see Entry::grant_anew
  std::atomic<std::uint8_t> uses{0};
  enum class In : std::uint8_t { kNone, kSmall, kMain } in = In::kNone;
};

// Who may be given a body with a Content-Encoding whose reply has no Vary.
enum class Coded : std::uint8_t {
  kNo,      // it has none: everybody
  kAsked,   // who accepts that coding, as the one did who asked for it
  kAlways,  // everybody: it came so to one who had not asked for it
};

class Entry final : public base::Shared<Entry> {
 public:
  static constexpr std::size_t kInlineBody = 16 << 10;

  struct Parts {
    KeyView key;
    std::uint16_t status = 200;
    std::string_view fields = {};  // end-to-end fields, each ended by CRLF; none of Content-Length,
                                   // Transfer-Encoding, Age, Cache-Status, Connection
    std::string_view etag = {};    // as the origin sent it, quotes and W/ included; "" when there is none
    std::string_view last_modified = {};
    std::vector<base::Ref<const base::Chunk>> body = {};  // in order, whole
    base::Mono stored_at = {};                            // when the reply's head came
    base::Nanos initial_age{0};                           // Storable's
    base::Nanos freshness{0};
    Resource resource = 0;
    base::Mono asked_at = {};  // when the origin had not been asked yet; a write after it makes this old
    Coded coded = Coded::kNo;
    base::Account* account = nullptr;  // may be null
  };
  static base::Ref<const Entry> make(Parts parts);

  KeyView key() const { return {{text(), key_size_}, hash_}; }
  Resource resource() const { return resource_; }
  base::Mono asked_at() const { return asked_at_; }
  std::uint16_t status() const { return status_; }
  Coded coded() const { return coded_; }
  std::string_view etag() const { return {text() + key_size_, etag_size_}; }
  std::string_view last_modified() const { return {text() + key_size_ + etag_size_, last_modified_size_}; }
  std::string_view fields() const { return {text() + head_at_, fields_size_}; }
  // fields(), Content-Length and the empty line; with the body behind it when that is inline.
  std::string_view tail() const { return {text() + head_at_, tail_size_}; }
  // fields(), Content-Length and the empty line only: the reply to HEAD.
  std::string_view head_only() const { return {text() + head_at_, head_size_}; }

  std::uint64_t content_length() const { return content_length_; }
  bool is_inline() const { return chunks_.empty(); }  // tail() is everything
  std::string_view inline_body() const { return tail().substr(head_size_); }
  std::span<const base::Ref<const base::Chunk>> chunks() const { return chunks_; }

  // RFC 9111 §4.2.3: initial age and the time since it was stored; never negative.
  base::Nanos age(base::Mono now) const { return now > born_ ? now - born_ : base::Nanos(0); }
  base::Nanos freshness() const { return freshness_; }
  bool fresh(base::Mono now) const { return now < born_ + freshness_; }  // §4.2: lifetime > age

  // Whether a client that will not have this one may have the origin asked again: kAnewAtOnce times, then
  // once every kAnewEvery, whoever asks. The count goes over to the entry that replaces this one.
  static constexpr base::Nanos kAnewEvery = base::Seconds(10);
  static constexpr int kAnewAtOnce = 4;
  bool grant_anew(base::Mono now) const;

  // Bytes that this entry takes of the process: block, chunks, the allocator's headers, its place in the
  // index.
  std::size_t cost() const { return cost_; }

  mutable MemoryHook hook;

  ~Entry() {
    if (account_) account_->release(base::Account::Kind::kObjects, block_);
  }
  static void operator delete(void* p) { ::operator delete(p); }  // the block is larger than the type

 private:
  Entry() = default;
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }

  std::uint64_t hash_ = 0;
  base::Mono born_;  // stored_at less the initial age
  base::Nanos freshness_{0};
  std::uint32_t key_size_ = 0;
  std::uint32_t etag_size_ = 0, last_modified_size_ = 0;
  std::uint32_t head_at_ = 0;      // where the rendered fields begin in text()
  std::uint32_t fields_size_ = 0;  // the end-to-end fields
  std::uint32_t head_size_ = 0;    // with Content-Length and the empty line
  std::uint32_t tail_size_ = 0;    // with the inline body
  std::uint16_t status_ = 200;
  Coded coded_ = Coded::kNo;
  Resource resource_ = 0;
  base::Mono asked_at_;
  std::uint64_t content_length_ = 0;
  std::size_t cost_ = 0;
  std::size_t block_ = 0;  // of it, without the chunks
  base::Account* account_ = nullptr;
  std::vector<base::Ref<const base::Chunk>> chunks_;
};

// Walks [offset, offset + length) of an entry's body as the contiguous pieces it is kept in: what a Range or
// a gathered write needs. The entry must outlive the cursor.
class BodyCursor {
 public:
  BodyCursor(const Entry& entry, std::uint64_t offset, std::uint64_t length);
  explicit BodyCursor(const Entry& entry) : BodyCursor(entry, 0, entry.content_length()) {}

  // The next piece; empty at the end.
  std::string_view next();
  std::uint64_t left() const { return left_; }

 private:
  const Entry* entry_;
  std::size_t chunk_ = 0;
  std::size_t at_ = 0;  // within the chunk, or within the inline body
  std::uint64_t left_ = 0;
};

}  // namespace cache
