// The language of guardrails: "p95 < 50ms", "100% * delta(hits_total) / delta(requests_total) > 40%".
//
//   comparison   sum (< | <= | > | >= | == | !=) sum
//   sum          numbers with units, measures, + - * / ( )
//   units        us ms s m h   %   B KB KiB MB MiB GB GiB   and any of them, or none, /s or /h: 1MB/h, 100/s;
//                of times several, from large to small: 1m30s
//
// Measures of the load, over the check's scope:
//   p50 p99.9 min mean max       response time, for ever where a request did not end as expected;
//                                p95(ok): of one outcome, what it took
//   service.p99 first_byte.p95   the same of the service time and of the time to the first byte;
//                                lag.p99: how late the generator was
//   success                      share that ended as its step expects: ok, denied or limited as expected,
//                                of all requests, the skipped ones too
//   failed                       share that did not: all but `success`
//   ok limited wrong timed_out skipped    share of all requests
//   denied                       share of the requests that expect a denial which got one
//   count(outcome) requests      how many; retries: sent again; redirects: followed; left_out: steps, by `if`
//   rate offered                 requests as expected and scheduled, a second
//   bytes_per_second             of reply bodies
//   uploaded uploaded_bytes      share of the request bodies that the target took whole; bytes of them
//   reason(reset) status(503) status(5xx)  how many
//   recovery recovery(fault)     from the fault's end until all is well again and stays so: judge/recovery.h
// Each of them takes scenario=, step=, tag=, phase= and window= for another part of the run than the check's
// own; recovery, offered, lag and what is asked of the target have no steps:
//   p95(window=outage) < 1.2 * p95(window=before outage)    p50(ok, scenario=hits) < p50(ok, scenario=misses)
// Measures of the target, from its metrics and /proc; {…} chooses by label and is optional, what it leaves is
// added up; {…} that no series has is unknown, but 0 where `or 0` follows it
//   delta(name{a="b", c=~"x|y"}) increase of a counter; rate(name): a second
//   first last min max avg (name), slope(name): a second, by least squares; 1MB/h is the way to write its
//   limit
//   rss rss_slope cpu fds threads hit_ratio   short for the usual ones; target="name" in {} chooses one
// and the names of the campaign's `define:`.
//
// A measure has a kind (a time, a share, bytes, a plain number), told for series by their names' endings
// (_seconds, _bytes), and only the same kinds are compared: 50 is no time and 0.4 is no percentage. 0 fits
// all.
//
// Owner:    whoever parsed it.  Thread: immutable, any.
// Failures: texts for the author of the campaign, at load; nothing here fails later.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/measure.h"
#include "prove/model/model.h"
#include "prove/model/quantity.h"
#include "prove/model/timeline.h"

namespace prove {

struct Node {
  enum class Op : std::uint8_t {
    kLiteral,
    kMeasure,
    kNegative,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide
  } op = Op::kLiteral;
  Dimension kind;
  double value = 0;
  Measure measure;
  std::unique_ptr<Node> left, right;
};

struct Relation {
  enum class Op : std::uint8_t {
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kEqual,
    kNotEqual
  } op = Op::kLess;
  std::unique_ptr<Node> left, right;
  std::string right_text;  // for "must be < 50ms"
};

std::string_view name_of(Relation::Op op);  // "<="

std::expected<Relation, std::string> parse_expression(std::string_view text, const Pairs& defines);

// For whoever loads campaigns: what is wrong, or "". The second is for the value of one `define:`.
std::string check_expression(std::string_view text, const Pairs& defines);
std::string check_define(std::string_view name, const Pairs& defines);

// The part of the run that a check is about, and that which a measure in it asks about.
Scope scope_of(const Check& check);
Scope scope_of(const Measure& measure, Scope of_check);

// What an expression measures, in the order in which it says so; nothing of one that is wrong.
void each_measure(std::string_view text, const Pairs& defines,
                  const std::function<void(const Measure&)>& visit);

// What a check names of the campaign, for its loader to look up.
struct References {
  std::set<std::string> faults, targets, scenarios, phases, windows;
};
References references_of(std::string_view text, const Pairs& defines);

// The metrics that scrapes must keep: those that the checks name, and the few that every report draws.
std::set<std::string> needed_families(const Campaign& campaign);

}  // namespace prove
