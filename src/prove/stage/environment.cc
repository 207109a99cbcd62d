#include "prove/stage/environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "base/siphash.h"
#include "version.h"

namespace prove {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "";
}

std::uint64_t cpus() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<std::uint64_t>(CPU_COUNT(&set)) : 0;
}

constexpr std::string_view kBuild =
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    "asan";
#elif __has_feature(thread_sanitizer)
    "tsan";
#elif defined(SEKISHO_SABOTAGE)
    "sabotage";
#elif defined(NDEBUG)
    "release";
#else
    "debug";
#endif
#else
    "release";
#endif

}  // namespace

Environment describe_environment(const Campaign& campaign, std::string command) {
  Environment e;
  const std::time_t now = base::unix_seconds(base::wall_now());
  e.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
  e.version = SEKISHO_VERSION;
  e.commit = SEKISHO_COMMIT;
  e.build = kBuild;
  e.campaign_hash = fmt::format("{:016x}", campaign.hash);
  e.command = std::move(command);
  e.cpu = cpu_model();
  utsname kernel{};
  if (::uname(&kernel) == 0) e.kernel = std::string(kernel.sysname) + " " + kernel.release;
  e.cpus = cpus();
  e.memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
             static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  // Memory to the GiB: two machines of one kind differ by a few pages.
  const std::string fingerprint = fmt::format("{}|{}|{}|{}", e.cpu, e.kernel, e.cpus, e.memory >> 30);
  e.machine = fmt::format("{:016x}", base::siphash(fingerprint, {0, 0}));
  e.time_scale = campaign.time_scale;
  e.seed = campaign.seed;
  e.generators = campaign.generators ? campaign.generators : 1;
  return e;
}

}  // namespace prove
