// sekisho_instr: runs one case a fixed number of times; see instr.h and scripts/instructions.
//
//   sekisho_instr --list          the cases, each with its number of operations
//   sekisho_instr --environment   what a count depends on beside our own code: a name and its value a line
//   sekisho_instr CASE
#include "instr.h"

#include <gnu/libc-version.h>
#include <openssl/crypto.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "version.h"

extern "C" {
// noinline and the empty asm keep both of them functions that are called and that return: a tail call would
// end the counting before the work, or never.
[[gnu::noinline]] void instr_measured(void (*body)(void*, std::uint64_t), void* context,
                                      std::uint64_t operations) {
  body(context, operations);
  asm volatile("" : : : "memory");
}
[[gnu::noinline]] void instr_paused(void (*body)(void*), void* context) {
  body(context);
  asm volatile("" : : : "memory");
}
}

namespace instr {
namespace {

std::array<std::span<const Case>, 3> all_cases() {
  return {message_cases(), decision_cases(), pipeline_cases()};
}

int list() {
  for (const auto& cases : all_cases())
    for (const Case& one : cases)
      std::printf("%.*s\t%lu\n", static_cast<int>(one.name.size()), one.name.data(), one.operations);
  return 0;
}

int environment() {
  std::printf("compiler\t%s\n", __VERSION__);
  std::printf("flags\t%s\n", SEKISHO_FLAGS);
  std::printf("standard library\t%d\n", __GLIBCXX__);
  std::printf("openssl\t%s\n", OpenSSL_version(OPENSSL_VERSION));
  std::printf("glibc\t%s\n", gnu_get_libc_version());
  std::printf("commit\t%s\n", SEKISHO_COMMIT);
  return 0;
}

int run(std::string_view name) {
  for (const auto& cases : all_cases()) {
    for (const Case& one : cases) {
      if (one.name != name) continue;
      Run run(one.operations);
      one.run(run);
      return 0;
    }
  }
  std::fprintf(stderr, "sekisho_instr: no case %.*s; see --list\n", static_cast<int>(name.size()),
               name.data());
  return 2;
}

}  // namespace

void expect(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "sekisho_instr: not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::_Exit(1);
}

}  // namespace instr

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "--list") return instr::list();
  if (what == "--environment") return instr::environment();
  if (!what.empty()) return instr::run(what);
  std::fprintf(stderr, "usage: sekisho_instr --list | --environment | CASE\n");
  return 2;
}
