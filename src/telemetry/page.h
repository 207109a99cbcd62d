// A page of Prometheus' text format as it is written: families and their samples.
//
// Owner:    one rendering.  Thread: its own.  Failures: none.
// Internal to the exposition; include exposition.h to render one.
#pragma once

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/histogram.h"
#include "telemetry/metrics.h"

namespace telemetry {

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

using Workers = std::span<const WorkerMetrics* const>;

template <class Read>
std::uint64_t total(Workers workers, Read read) {
  std::uint64_t sum = 0;
  for (const WorkerMetrics* w : workers) sum += static_cast<std::uint64_t>(read(*w).read());
  return sum;
}

template <class Pick>
HistogramSum total_histogram(Workers workers, Pick pick) {
  HistogramSum sum;
  for (const WorkerMetrics* w : workers) pick(*w).read_into(sum);
  return sum;
}

}  // namespace telemetry
