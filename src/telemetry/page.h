// A page of /metrics as it is written: families and their samples, in Prometheus' text format 0.0.4.
//
// Owner:    one rendering.  Thread: its own, while the workers go on counting.  Failures: none.
// Units:    seconds and bytes, as Prometheus asks for.
//
// Whoever counts writes its own families, by a function `expose(page, …)` that stands beside the counters; a
// service of cli calls it. What each thread counts in a block of its own is a row of a table:
//
//   struct Metrics { telemetry::Counter commands; telemetry::Histogram latency; };   // a block a worker
//   constexpr telemetry::Family<Metrics> kFamilies[] = {
//       {"sekisho_redis_commands_total", "Commands.", &Metrics::commands},
//       {"sekisho_redis_duration_seconds", "From a command given to its reply.", &Metrics::latency}};
//   telemetry::expose(page, kFamilies, blocks);                                      // their sums
//
// A series that nothing moves is not exposed: tests/test_metrics.py finds it.
#pragma once

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "telemetry/counter.h"
#include "telemetry/histogram.h"

namespace telemetry {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

// One label of a sample. Values come escaped.
struct Label {
  std::string_view name;
  std::string_view value;
};
using LabelSet = std::initializer_list<Label>;

std::string escape_label(std::string_view value);

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }

  template <class Number>
  void sample(LabelSet labels, Number value) {
    line("", labels, {}, value);
  }

  void histogram(LabelSet labels, const HistogramSum& sum) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      below += sum.buckets[i];
      const std::string bound = fmt::format("{}", static_cast<double>(kBounds[i]) / 1e9);
      line("_bucket", labels, {"le", bound}, below);
    }
    const std::uint64_t count = sum.count();
    line("_bucket", labels, {"le", "+Inf"}, count);
    line("_sum", labels, {}, static_cast<double>(sum.nanos) / 1e9);
    line("_count", labels, {}, count);
  }

  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample({}, value);
  }

  std::string take() { return std::move(out_); }

 private:
  template <class Number>
  void line(std::string_view suffix, LabelSet labels, Label last, Number value) {
    const auto out = std::back_inserter(out_);
    out_.append(name_).append(suffix);
    char before = '{';
    const auto put = [&](const Label& label) {
      fmt::format_to(out, "{}{}=\"{}\"", std::exchange(before, ','), label.name, label.value);
    };
    for (const Label& label : labels) put(label);
    if (!last.name.empty()) put(last);
    if (before == ',') out_ += '}';
    fmt::format_to(out, " {}\n", value);
  }

  std::string name_;
  std::string out_;
};

// The blocks of a kind, one for each thread that counts.
template <class Block>
using Blocks = std::span<const Block* const>;

template <class Block, class Read>
std::uint64_t total(Blocks<Block> blocks, Read read) {
  std::uint64_t sum = 0;
  for (const Block* block : blocks) sum += static_cast<std::uint64_t>(read(*block).read());
  return sum;
}

template <class Block, class Pick>
HistogramSum total_histogram(Blocks<Block> blocks, Pick pick) {
  HistogramSum sum;
  for (const Block* block : blocks) pick(*block).read_into(sum);
  return sum;
}

template <class Block>
struct Family {
  std::string_view name, help;
  std::variant<Counter Block::*, Gauge Block::*, Histogram Block::*> member;
};

template <class Block, std::size_t kSize>
void expose(Page& page, const Family<Block> (&families)[kSize], std::type_identity_t<Blocks<Block>> blocks) {
  for (const Family<Block>& family : families) {
    std::visit(
        [&]<class Member>(Member Block::* member) {
          const auto pick = [member](const Block& block) -> const Member& { return block.*member; };
          if constexpr (std::is_same_v<Member, Histogram>) {
            page.family(family.name, "histogram", family.help);
            page.histogram({}, total_histogram(blocks, pick));
          } else {
            page.single(family.name, std::is_same_v<Member, Counter> ? "counter" : "gauge", family.help,
                        total(blocks, pick));
          }
        },
        family.member);
  }
}

}  // namespace telemetry
