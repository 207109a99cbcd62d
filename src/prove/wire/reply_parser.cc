#include "prove/wire/reply_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace prove {
namespace {

// RFC 9110, 5.6.2
constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return kToken[c]; });
}

// What may stand in a value or a reason: no control but the tab.
bool is_text(std::string_view text) {
  bool fine = true;
  for (const unsigned char c : text) fine &= (c >= 0x20 && c != 0x7f) | (c == '\t');
  return fine;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(),
                                                        [](char a, char b) { return lower(a) == b; });
}

std::string_view trim(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// Each member of a comma-separated list.
template <class F>
void each_member(std::string_view list, F f) {
  while (true) {
    const std::size_t comma = list.find(',');
    f(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

template <class T>
bool parse_number(std::string_view text, T& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// The next line of a head that is known to be whole; false when it ends with a bare LF.
bool cut_line(std::string_view& head, std::string_view& line) {
  const std::size_t end = head.find('\n');
  if (end == 0 || head[end - 1] != '\r') return false;
  line = head.substr(0, end - 1);
  head.remove_prefix(end + 1);
  return true;
}

}  // namespace

void ReplyParser::start(bool to_head) {
  state_ = State::kHead;
  to_head_ = to_head;
  begun_ = false;
  status_ = 0;
  piece_ = head_ = {};
  pending_.clear();
  handed_out_ = false;
}

ReplyParser::Event ReplyParser::bad(std::string_view why) {
  state_ = State::kBad;
  keep_alive_ = false;
  why_ = why;
  return Event::kBad;
}

ReplyParser::Event ReplyParser::next(std::string_view& in) {
  for (;;) {
    switch (state_) {
      case State::kHead:
        return read_head(in);
      case State::kBody:
        if (left_ == 0) {
          state_ = State::kEnd;
          return Event::kEnd;
        }
        return take(in, left_);
      case State::kUntilClose:
        return take(in, in.size());
      case State::kChunkData:
        if (left_ > 0) return take(in, left_);
        state_ = State::kChunkEnd;
        break;
      case State::kChunkSize: {
        const auto text = line(in);
        if (!text) return state_ == State::kBad ? Event::kBad : Event::kMore;
        if (!parse_chunk_size(*text)) return bad("a chunk's size is not a number");
        trailers_ = 0;
        state_ = left_ > 0 ? State::kChunkData : State::kTrailer;
        break;
      }
      case State::kChunkEnd: {
        const auto text = line(in);
        if (!text) return state_ == State::kBad ? Event::kBad : Event::kMore;
        if (!text->empty()) return bad("a chunk is longer than its size");
        state_ = State::kChunkSize;
        break;
      }
      case State::kTrailer: {
        const auto text = line(in);
        if (!text) return state_ == State::kBad ? Event::kBad : Event::kMore;
        if (text->empty()) {
          state_ = State::kEnd;
          return Event::kEnd;
        }
        trailers_ += text->size();
        const std::size_t colon = text->find(':');
        if (trailers_ > kMaxHead || colon == std::string_view::npos || !is_token(text->substr(0, colon)) ||
            !is_text(*text))
          return bad("a trailer is no field");
        break;
      }
      case State::kEnd:
        return Event::kEnd;
      case State::kBad:
        return Event::kBad;
    }
  }
}

ReplyParser::Event ReplyParser::take(std::string_view& in, std::size_t n) {
  if (in.empty()) return Event::kMore;
  piece_ = in.substr(0, n);
  in.remove_prefix(piece_.size());
  if (state_ != State::kUntilClose) left_ -= piece_.size();
  return Event::kBody;
}

ReplyParser::Event ReplyParser::ended() {
  if (state_ == State::kUntilClose) {
    state_ = State::kEnd;
    return Event::kEnd;
  }
  if (state_ == State::kEnd) return Event::kEnd;
  return bad("the connection ended before the reply did");
}

ReplyParser::Event ReplyParser::read_head(std::string_view& in) {
  for (;;) {
    if (in.empty()) return Event::kMore;
    if (std::exchange(handed_out_, false)) pending_.clear();  // an interim reply
    begun_ = true;
    // An end that lies across the border between what is pending and what came is found as well.
    constexpr std::string_view kEmptyLine = "\r\n\r\n";
    std::string_view head;
    if (pending_.empty()) {
      const std::size_t end = in.substr(0, kMaxHead).find(kEmptyLine);
      if (end == std::string_view::npos) {
        if (in.size() >= kMaxHead) return bad("the head is longer than 64 KiB");
        pending_.assign(in);
        in = {};
      } else {
        head = in.substr(0, end + 2);
        in.remove_prefix(end + kEmptyLine.size());
      }
    } else {
      const std::size_t before = pending_.size();
      const std::size_t from = before < 3 ? 0 : before - 3;
      pending_.append(in.substr(0, kMaxHead - before));
      const std::size_t end = pending_.find(kEmptyLine, from);
      if (end == std::string::npos) {
        if (pending_.size() >= kMaxHead) return bad("the head is longer than 64 KiB");
        in = {};
      } else {
        in.remove_prefix(end + kEmptyLine.size() - before);
        head = std::string_view(pending_).substr(0, end + 2);
        handed_out_ = true;
      }
    }
    if (head.empty()) {
      // What can be no reply is refused at once: its empty line may never come.
      constexpr std::string_view kBegin = "HTTP/1.";
      const std::size_t n = std::min(kBegin.size(), pending_.size());
      if (std::string_view(pending_).substr(0, n) != kBegin.substr(0, n))
        return bad("the reply does not begin with HTTP/1.");
      if (pending_.contains("\n\n")) return bad("the head's lines end with a bare LF");
      return Event::kMore;
    }
    if (!parse_head(head)) return bad(why_);
    if (status_ >= 200) break;
    // Interim replies announce the one that counts, RFC 9110 section 15.2.
    if (status_ == 101) return bad("101 without a request for it");
    status_ = 0;  // so that what never came is not told to be a reply
  }

  if (to_head_ || status_ == 204 || status_ == 304) {
    framing_ = Framing::kNone;
  } else if (chunked_) {
    framing_ = Framing::kChunked;
  } else if (length_) {
    framing_ = Framing::kLength;
  } else {
    framing_ = Framing::kUntilClose;
  }
  left_ = framing_ == Framing::kLength ? *length_ : 0;
  state_ = framing_ == Framing::kChunked      ? State::kChunkSize
           : framing_ == Framing::kUntilClose ? State::kUntilClose
                                              : State::kBody;
  return Event::kHead;
}

bool ReplyParser::parse_head(std::string_view head) {
  head_ = head;
  keep_alive_ = true;
  chunked_ = false;
  length_.reset();
  std::string_view rest = head;
  std::string_view line;
  if (!cut_line(rest, line) || !parse_status_line(line)) {
    why_ = "the status line is none";
    return false;
  }
  while (!rest.empty()) {
    why_ = "a header line is no field";
    if (!cut_line(rest, line)) return false;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (!is_token(name) || !is_text(value)) return false;
    if (!take_field(name, value)) return false;
  }
  if (chunked_ && length_) {
    why_ = "Content-Length beside Transfer-Encoding";
    return false;
  }
  return true;
}

bool ReplyParser::parse_status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || (line[7] != '0' && line[7] != '1')) return false;
  if (line[8] != ' ' || (line.size() > 12 && line[12] != ' ') || !is_text(line)) return false;
  if (!parse_number(line.substr(9, 3), status_, 10) || status_ < 100 || status_ > 599) return false;
  if (line[7] == '0') keep_alive_ = false;
  return true;
}

bool ReplyParser::take_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 10:
      if (same(name, "connection"))
        each_member(value, [this](std::string_view option) {
          if (same(option, "close")) keep_alive_ = false;
        });
      return true;
    case 14: {
      if (!same(name, "content-length")) return true;
      why_ = "Content-Length is not one number";
      std::uint64_t n = 0;
      if (!parse_number(trim(value), n, 10) || (length_ && *length_ != n)) return false;
      length_ = n;
      return true;
    }
    case 17:
      if (!same(name, "transfer-encoding")) return true;
      why_ = "a transfer coding other than chunked";
      if (chunked_ || !same(trim(value), "chunked")) return false;
      chunked_ = true;
      return true;
    default:
      return true;
  }
}

std::optional<std::string_view> ReplyParser::find(std::string_view name) const {
  std::string_view rest = head_;
  return next_field(rest, name);
}

// From the front of `rest`, whose status line is no field of any name.
std::optional<std::string_view> ReplyParser::next_field(std::string_view& rest, std::string_view name) {
  std::string_view line;
  while (!rest.empty() && cut_line(rest, line)) {
    if (line.size() > name.size() && line[name.size()] == ':' && same(line.substr(0, name.size()), name))
      return trim(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

std::optional<std::string_view> ReplyParser::line(std::string_view& in) {
  constexpr std::size_t kMaxLine = 8 << 10;
  if (std::exchange(handed_out_, false)) pending_.clear();
  const std::size_t end = in.find('\n');
  const std::size_t n = end == std::string_view::npos ? in.size() : end + 1;
  if (pending_.size() + n > kMaxLine) {
    bad("a line of the chunked framing is too long");
    return std::nullopt;
  }
  if (end == std::string_view::npos) {
    pending_.append(in);
    in = {};
    return std::nullopt;
  }
  std::string_view text = in.substr(0, n);
  in.remove_prefix(n);
  if (!pending_.empty()) {
    pending_.append(text);
    text = pending_;
    handed_out_ = true;
  }
  if (text.size() < 2 || text[text.size() - 2] != '\r') {
    bad("a line of the chunked framing ends with a bare LF");
    return std::nullopt;
  }
  return text.substr(0, text.size() - 2);
}

bool ReplyParser::parse_chunk_size(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (!is_text(text)) return false;
  std::string_view digits = text.substr(0, semicolon);
  if (semicolon != std::string_view::npos) digits = digits.substr(0, digits.find_last_not_of(" \t") + 1);
  return parse_number(digits, left_, 16);
}

}  // namespace prove
