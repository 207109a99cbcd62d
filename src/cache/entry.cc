#include "cache/entry.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <utility>

namespace cache {

namespace {

constexpr std::string_view kLengthName = "Content-Length: ";
constexpr std::size_t kAllocatorHeader = 16;
// A slot of the index at its usual load, a place among the ghosts, and one among the resources (memory.cc).
constexpr std::size_t kIndexShare = 96;

char* append(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// A fill reads into chunks of one size, so the last one of a short body may be mostly empty.
void trim_last(std::vector<base::Ref<const base::Chunk>>& body, std::uint64_t total, base::Account* account) {
  base::Ref<const base::Chunk>& last = body.back();
  if (last->used() > 0 && last->capacity() - last->used() > total / 8)
    last = base::Chunk::copy_of(last->view(), account);
}

}  // namespace

base::Ref<const Entry> Entry::make(Parts parts) {
  std::erase_if(parts.body, [](const auto& chunk) { return chunk->used() == 0; });
  std::uint64_t length = 0;
  for (const auto& chunk : parts.body) length += chunk->used();

  char number[20];
  const auto digits = std::to_chars(number, number + sizeof number, length).ptr;
  const std::string_view length_text(number, static_cast<std::size_t>(digits - number));

  const std::size_t head_at = parts.key.bytes.size() + parts.etag.size() + parts.last_modified.size();
  const std::size_t head_size = parts.fields.size() + kLengthName.size() + length_text.size() + 4;
  const bool fits = length <= kInlineBody;
  const std::size_t tail_size = head_size + (fits ? static_cast<std::size_t>(length) : 0);
  const std::size_t block = sizeof(Entry) + head_at + tail_size;

  auto* entry = new (::operator new(block)) Entry;
  base::Ref<const Entry> ref(entry);
  entry->hash_ = parts.key.hash;
  entry->born_ = parts.stored_at - parts.initial_age;
  entry->freshness_ = parts.freshness;
  entry->key_size_ = static_cast<std::uint32_t>(parts.key.bytes.size());
  entry->etag_size_ = static_cast<std::uint32_t>(parts.etag.size());
  entry->last_modified_size_ = static_cast<std::uint32_t>(parts.last_modified.size());
  entry->head_at_ = static_cast<std::uint32_t>(head_at);
  entry->fields_size_ = static_cast<std::uint32_t>(parts.fields.size());
  entry->head_size_ = static_cast<std::uint32_t>(head_size);
  entry->tail_size_ = static_cast<std::uint32_t>(tail_size);
  entry->status_ = parts.status;
  entry->coded_ = parts.coded;
  entry->resource_ = parts.resource;
  entry->asked_at_ = parts.asked_at;
  entry->content_length_ = length;
  entry->cost_ = entry->block_ = block + kAllocatorHeader + kIndexShare;
  entry->account_ = parts.account;
  if (parts.account) parts.account->hold(base::Account::Kind::kObjects, entry->block_);

  char* p = reinterpret_cast<char*>(entry + 1);
  for (const std::string_view text : {parts.key.bytes, parts.etag, parts.last_modified, parts.fields,
                                      kLengthName, length_text, std::string_view("\r\n\r\n")})
    p = append(p, text);
  if (fits) {
    for (const auto& chunk : parts.body) p = append(p, chunk->view());
  } else {
    trim_last(parts.body, length, parts.account);
    parts.body.shrink_to_fit();
    entry->chunks_ = std::move(parts.body);
    for (const auto& chunk : entry->chunks_) entry->cost_ += chunk->cost() + sizeof chunk;
  }
  return ref;
}

bool Entry::grant_anew(base::Mono now) const {
  const base::Nanos::rep at = now.time_since_epoch().count();
  const base::Nanos::rep latest = at + (kAnewEvery * (kAnewAtOnce - 1)).count();
  base::Nanos::rep last = hook.anew.load(std::memory_order_relaxed);
  do {
    if (last > latest) return false;
  } while (!hook.anew.compare_exchange_weak(last, std::max(last, at) + kAnewEvery.count(),
                                            std::memory_order_relaxed));
  return true;
}

BodyCursor::BodyCursor(const Entry& entry, std::uint64_t offset, std::uint64_t length) : entry_(&entry) {
  if (offset >= entry.content_length()) return;
  left_ = std::min(length, entry.content_length() - offset);
  if (!entry.is_inline())
    while (offset >= entry.chunks()[chunk_]->used()) offset -= entry.chunks()[chunk_++]->used();
  at_ = static_cast<std::size_t>(offset);
}

std::string_view BodyCursor::next() {
  if (left_ == 0) return {};
  const std::string_view whole =
      entry_->is_inline() ? entry_->inline_body() : entry_->chunks()[chunk_++]->view();
  const std::string_view piece =
      whole.substr(at_, static_cast<std::size_t>(std::min<std::uint64_t>(left_, whole.size() - at_)));
  at_ = 0;
  left_ -= piece.size();
  return piece;
}

}  // namespace cache
