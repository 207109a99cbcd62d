#include "prove/wire/inflater.h"

#include <new>

namespace prove {

Inflater::Inflater() {
  constexpr int kGzip = 16 + MAX_WBITS;
  if (::inflateInit2(&stream_, kGzip) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() {
  ::inflateEnd(&stream_);
}

void Inflater::start() {
  ::inflateReset(&stream_);
  stream_.avail_in = 0;
  made_ = 0;
  fed_ = ended_ = false;
  why_ = {};
}

void Inflater::put(std::string_view in) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib only reads it
  stream_.avail_in = static_cast<uInt>(in.size());
  fed_ = fed_ || !in.empty();
}

bool Inflater::next(std::string_view& out) {
  while (why_.empty()) {
    if (ended_) {  // members may follow one another: RFC 1952, 2.2
      if (stream_.avail_in == 0) return false;
      ::inflateReset(&stream_);
      ended_ = false;
    }
    stream_.next_out = block_.data();
    stream_.avail_out = static_cast<uInt>(block_.size());
    const int said = ::inflate(&stream_, Z_NO_FLUSH);
    ended_ = said == Z_STREAM_END;
    if (said != Z_OK && said != Z_STREAM_END && said != Z_BUF_ERROR) {
      why_ = "it is no gzip";
      return false;
    }
    const std::size_t made = block_.size() - stream_.avail_out;
    made_ += made;
    if (made_ > kMost) {
      why_ = "more than 256 MiB come out of it";
      return false;
    }
    out = {reinterpret_cast<const char*>(block_.data()), made};
    if (made > 0) return true;
    if (!ended_ && (said == Z_BUF_ERROR || stream_.avail_in == 0)) return false;
  }
  return false;
}

bool Inflater::whole() {
  if (why_.empty() && fed_ && !ended_) why_ = "it is cut off";
  return why_.empty();
}

}  // namespace prove
