#include "origin/s3_parts.h"

#include <algorithm>
#include <optional>
#include <string>

#include "client/reply_maker.h"

namespace origin {

using base::Code;
using base::fail;
using client::ComposedBody;
using client::OwnHead;
using client::ReplyMaker;
using http::FieldId;

namespace {

class PartsBody final : public ComposedBody {
 public:
  PartsBody(S3Origin& origin, std::string_view path, std::string_view query, const http::RangeSet& set,
            const http::ResponseHead& about, std::string boundary)
      : origin_(origin),
        path_(path),
        query_(query),
        etag_(about.value(FieldId::kEtag)),
        content_type_(about.value(FieldId::kContentType)),
        boundary_(std::move(boundary)),
        set_(set),
        size_(about.content_length) {}

  std::string_view boundary() const { return boundary_; }
  std::uint64_t length() const {
    return http::multipart_length(boundary_, content_type_, set_.ranges(), size_);
  }

  net::Task<base::Result<std::size_t>> read(std::span<char> out, net::Cancel* cancel) override {
    for (;;) {
      if (text_at_ < text_.size()) {
        const std::size_t n = text_.copy(out.data(), out.size(), text_at_);
        text_at_ += n;
        co_return n;
      }
      if (part_) {
        const auto n = co_await part_->read(out, cancel);
        if (!n || *n > 0) co_return n;
        part_.reset();
      }
      if (finished_) co_return std::size_t{0};
      text_.clear();
      text_at_ = 0;
      if (next_ == set_.size()) {
        http::append_multipart_end(boundary_, text_);
        finished_ = true;
        continue;
      }
      const auto begun = co_await begin_part(set_.ranges()[next_++], cancel);
      if (!begun) co_return std::unexpected(begun.error());
    }
  }

 private:
  net::Task<base::Result<>> begin_part(http::ByteRange range, net::Cancel* cancel) {
    const std::string wanted = range_value(range);
    auto reply =
        co_await origin_.ask({.path = path_, .query = query_, .range = wanted, .if_match = etag_}, cancel);
    if (!reply) {
      const bool changed = reply.error().code == Code::kPreconditionFailed;
      co_return changed ? fail(Code::kOriginBadReply, "the object changed while its ranges were sent")
                        : std::unexpected(reply.error());
    }
    const auto given = http::parse_content_range(reply->head().value(FieldId::kContentRange));
    if (reply->status() != 206 || !given || given->range != range || given->size != size_ ||
        reply->length() != range.length())
      co_return fail(Code::kOriginBadReply, "the object store sent another range than asked for");
    part_ = std::move(*reply);
    http::append_part_head(boundary_, content_type_, range, size_, text_);
    co_return base::Result<>{};
  }

  S3Origin& origin_;
  const std::string path_, query_, etag_, content_type_, boundary_;
  const http::RangeSet set_;
  const std::uint64_t size_;
  std::size_t next_ = 0;
  bool finished_ = false;
  std::string text_;  // a part's head, or the end
  std::size_t text_at_ = 0;
  std::optional<Reply> part_;
};

}  // namespace

std::string range_value(http::ByteRange range) {
  return "bytes=" + std::to_string(range.first) + "-" + std::to_string(range.last);
}

Reply make_parts_reply(S3Origin& origin, std::string_view path, std::string_view query,
                       const http::RangeSet& set, Reply about) {
  const http::ResponseHead& head = about.head();
  auto body = std::make_unique<PartsBody>(origin, path, query, set, head, http::make_boundary());
  const std::string type = "multipart/byteranges; boundary=" + std::string(body->boundary());
  const auto carried = [](const http::Field& field) {
    return field.id != FieldId::kContentType && field.id != FieldId::kContentLength &&
           field.id != FieldId::kContentRange && field.id != FieldId::kTransferEncoding;
  };
  std::size_t text = 128 + type.size();
  for (const http::Field& field : head.fields) text += field.name.size() + field.value.size();
  auto own = std::make_unique<OwnHead>(std::uint16_t{206}, text);
  own->set_length(body->length());
  own->add(FieldId::kContentType, type);
  for (const http::Field& field : head.fields)
    if (carried(field)) own->add(field.id, field.name, field.value);
  return ReplyMaker::of(std::move(body), std::move(own), about.requested_at(), about.idle_timeout());
}

}  // namespace origin
