// Counting instructions: cases that run a fixed number of operations, all of whose inputs are fixed.
//
// Owner:    the process, which runs one case and ends.
// Thread:   main.
// Units:    operations; callgrind counts what instr_measured() does, less what instr_paused() does.
// Failure:  a case that does not do what its name says ends the process: a count of something else would be
//           worse than none.
//
// `scripts/instructions` runs each case under callgrind. Google Benchmark cannot be used for that: it decides
// by the clock how often it runs what it measures.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

// By these names callgrind is told when to count. Of C, so that the names are plain.
extern "C" {
void instr_measured(void (*body)(void* context, std::uint64_t operations), void* context,
                    std::uint64_t operations);
void instr_paused(void (*body)(void* context), void* context);
}

namespace instr {

// How often an operation is run before it counts: until caches, buffers and lazily bound symbols are as they
// are in a process that has been up for a while.
inline constexpr std::uint64_t kWarmUp = 64;

inline bool measuring = false;

// Within an operation: does what is not to be counted. Callgrind toggles at instr_paused(), so that outside
// of instr_measured() it would begin to count there.
template <class Work>
void paused(Work work) {
  if (measuring)
    instr_paused([](void* context) { (*static_cast<Work*>(context))(); }, &work);
  else
    work();
}

class Run {
 public:
  explicit Run(std::uint64_t operations) : operations_(operations) {}

  std::uint64_t operations() const { return operations_; }

  // Measures `operation()`, over and over.
  template <class Operation>
  void each(Operation operation) {
    all([&](std::uint64_t n) {
      for (std::uint64_t i = 0; i < n; ++i) operation();
    });
  }
  // Measures `operations(n)`, which does n of them.
  template <class Operations>
  void all(Operations operations) {
    operations(std::min(kWarmUp, operations_));
    measuring = true;
    instr_measured([](void* context, std::uint64_t n) { (*static_cast<Operations*>(context))(n); },
                   &operations, operations_);
    measuring = false;
  }

 private:
  std::uint64_t operations_;
};

// The compiler must believe that somebody reads the value, and that anything may have changed since.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

void expect(bool holds, std::string_view what);

struct Case {
  std::string_view name;  // room/what
  std::uint64_t operations;
  void (*run)(Run&);
};

std::span<const Case> message_cases();   // instr_messages.cc: http, telemetry
std::span<const Case> decision_cases();  // instr_decisions.cc: routes, tokens, signatures, the cache
std::span<const Case> pipeline_cases();  // instr_pipeline.cc: a request from bytes to bytes

}  // namespace instr
