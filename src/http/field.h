// The fields of a message: names that the gateway knows by number, and a list of fields, without allocation
// up to a size that requests do not go beyond.
//
// Owner:    a RequestHead or ResponseHead.
// Thread:   the worker that owns the head.
// Lifetime: names and values are views into the buffer that was parsed; they die when it is reused.
// Failure:  none; how many there may be is the parser's to say (HeadLimits::fields).
// Standard: RFC 9110 §5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace http {

// Below 64, so that a set of them is one word.
enum class FieldId : std::uint8_t {
  kOther = 0,
  kHost,
  kConnection,
  kContentLength,
  kTransferEncoding,
  kAuthorization,
  kCookie,
  kRange,
  kIfRange,
  kIfMatch,
  kIfNoneMatch,
  kIfModifiedSince,
  kIfUnmodifiedSince,
  kExpect,
  kUpgrade,
  kTe,
  kTrailer,
  kKeepAlive,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kCacheControl,
  kPragma,
  kAge,
  kDate,
  kEtag,
  kLastModified,
  kExpires,
  kVary,
  kSetCookie,
  kContentType,
  kContentRange,
  kContentEncoding,
  kAcceptRanges,
  kAcceptEncoding,
  kXForwardedFor,
  kXForwardedProto,
  kXForwardedHost,
  kForwarded,
  kXRequestId,
  kVia,
  kServer,
  kCacheStatus,
  kLocation,
  kAllow,
  kRetryAfter,
  kWwwAuthenticate,
  kTraceparent,
  kUserAgent,
  kOrigin,
  kReferer,
  kSecFetchSite,
  kMaxForwards,
  kAccept,
  kAcceptLanguage,
  kCount
};
static_assert(static_cast<unsigned>(FieldId::kCount) <= 64);

// The number of a name, in any case; kOther when the gateway has no business with it.
FieldId field_id(std::string_view name);
// The name as the gateway writes it itself ("Content-Length"); empty for kOther.
std::string_view field_name(FieldId id);

struct Field {
  std::string_view name;   // as it was sent
  std::string_view value;  // without white space around it
  FieldId id;
};

constexpr std::uint64_t bit_of(FieldId id) {
  return std::uint64_t{1} << static_cast<unsigned>(id);
}

class FieldList {
 public:
  static constexpr std::size_t kInline = 128;  // more are moved to the heap, until clear()

  FieldList() {}  // NOLINT(modernize-use-equals-default): leaves 5 KiB of slots as they are, on purpose
  FieldList(const FieldList& other) { *this = other; }
  FieldList& operator=(const FieldList& other) {
    if (this == &other) return *this;
    clear();
    for (const Field& f : other) push(f.name, f.value, f.id);
    return *this;
  }
  ~FieldList() {}  // NOLINT(modernize-use-equals-default)

  void clear() {
    size_ = 0;
    present_ = 0;
    repeated_ = 0;
    if (slots_ != inline_) [[unlikely]]
      drop();
  }
  void push(std::string_view name, std::string_view value, FieldId id) {
    if (size_ == room_) [[unlikely]]
      grow();
    slots_[size_++] = Field{name, value, id};
    repeated_ |= present_ & bit_of(id);
    present_ |= bit_of(id);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Field* begin() const { return slots_; }
  const Field* end() const { return slots_ + size_; }
  const Field& operator[](std::size_t i) const { return slots_[i]; }

  // By id; kOther is not a name and may not be asked for.
  bool has(FieldId id) const { return (present_ & bit_of(id)) != 0; }
  bool has_any(std::uint64_t bits) const { return (present_ & bits) != 0; }  // of bit_of, or-ed
  bool repeated(FieldId id) const { return (repeated_ & bit_of(id)) != 0; }
  // The first field of that name, or null.
  const Field* find(FieldId id) const {
    if (!has(id)) return nullptr;
    const Field* f = slots_;
    while (f->id != id) ++f;
    return f;
  }
  // Its value; empty when there is none.
  std::string_view value(FieldId id) const {
    const Field* f = find(id);
    return f ? f->value : std::string_view();
  }
  // By name, in any case, for names that configuration brings.
  const Field* find(std::string_view name) const;

 private:
  void grow();
  void drop();

  std::size_t size_ = 0;
  std::uint64_t present_ = 0;
  std::uint64_t repeated_ = 0;
  Field* slots_ = inline_;
  std::size_t room_ = kInline;
  std::unique_ptr<Field[]> larger_;
  union {
    Field inline_[kInline];
  };
};

}  // namespace http
