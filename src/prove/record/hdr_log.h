// HdrHistogram's files: histograms in its V2 compressed encoding, interval logs (.hlog, format 1.3),
// percentile tables (.hgrm). Its own tools and every library of that name read them.
//
// Owner:    who records or reports.  Thread: one.
// Units:    nanoseconds in the encoding; milliseconds in an .hgrm and in an .hlog's Interval_Max, as is the
//           custom.
// Failures: decoding gives an error value. Writers write to a stream whose state their owner looks at.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "prove/record/hdr.h"

namespace prove {

std::string encode_hdr(const Hdr& histogram);           // Base64; minimum, maximum and sum are not in it
base::Result<Hdr> decode_hdr(std::string_view base64);  // of our own layout only

// A line for each interval and tag, written as it ends, so that a log is whole up to where a run broke off.
class HlogWriter {
 public:
  HlogWriter(std::ostream& out, base::Wall start, std::string_view comment);
  // `from` and `seconds` after the start; the tag without ',' and blanks ("response", "service").
  void add(std::string_view tag, double from, double seconds, const Hdr& histogram);

 private:
  std::ostream& out_;
};

std::string hgrm(const Hdr& histogram);

}  // namespace prove
