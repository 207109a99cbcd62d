#include "telemetry/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace telemetry {

namespace {

std::uint64_t count_fds(const std::string& folder, bool own) {
  // Linux 6.2 and later tell the number as the directory's size; before that it has to be read.
  struct stat about{};
  if (::stat(folder.c_str(), &about) == 0 && about.st_size > 0)
    return static_cast<std::uint64_t>(about.st_size);
  DIR* dir = ::opendir(folder.c_str());
  if (!dir) return 0;
  std::uint64_t entries = 0;
  while (::readdir(dir)) ++entries;
  ::closedir(dir);
  const std::uint64_t others = own ? 3 : 2;  // ".", ".." and the directory itself
  return entries > others ? entries - others : 0;
}

std::uint64_t boot_time() {
  std::ifstream stat("/proc/stat");
  for (std::string key; stat >> key;) {
    std::uint64_t value = 0;
    if (key == "btime" && stat >> value) return value;
  }
  return 0;
}

}  // namespace

ProcessFigures read_process(pid_t pid) {
  ProcessFigures figures;
  const std::string folder = "/proc/" + (pid == 0 ? "self" : std::to_string(pid));
  std::ifstream file(folder + "/stat");
  std::string line;
  if (!std::getline(file, line)) return figures;
  // The second field is the program's name in parentheses and may hold anything; fields count from behind it.
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  std::uint64_t user = 0, system = 0, started = 0, pages = 0;
  std::uint64_t user_of_children = 0, system_of_children = 0;
  rest >> user >> system >> user_of_children >> system_of_children;  // 14 to 17
  for (int field = 18; field < 20; ++field) rest >> skipped;
  rest >> figures.threads >> skipped >> started >> figures.virtual_bytes >> pages;  // 20 to 24
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  figures.cpu_seconds = static_cast<double>(user + system) / ticks;
  figures.children_cpu_seconds = static_cast<double>(user_of_children + system_of_children) / ticks;
  figures.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  static const std::uint64_t booted = boot_time();
  figures.start_time = static_cast<double>(booted) + static_cast<double>(started) / ticks;
  figures.open_fds = count_fds(folder + "/fd", pid == 0);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  return figures;
}

void expose(Page& page, const ProcessFigures& self) {
  page.single("process_cpu_seconds_total", "counter", "CPU time, user and system.", self.cpu_seconds);
  page.single("process_resident_memory_bytes", "gauge", "Resident memory.", self.resident_bytes);
  page.single("process_virtual_memory_bytes", "gauge", "Virtual memory.", self.virtual_bytes);
  page.single("process_open_fds", "gauge", "Open file descriptors.", self.open_fds);
  page.single("process_max_fds", "gauge", "Limit of open file descriptors.", self.max_fds);
  page.single("process_start_time_seconds", "gauge", "Start time since the epoch.", self.start_time);
  page.single("process_threads", "gauge", "Threads.", self.threads);
}

}  // namespace telemetry
