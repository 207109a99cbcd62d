#include "prove/stage/family.h"

#include <dirent.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/sabotage.h"

namespace prove {

std::map<pid_t, Family::Relation> Family::all_of_machine() {
  std::map<pid_t, Relation> all;
  DIR* dir = ::opendir("/proc");
  if (!dir) return all;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    std::ifstream file("/proc/" + std::string(name) + "/stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    // The program's name in parentheses may hold anything; fields count from behind it.
    std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
    std::string skipped;
    Relation relation;
    rest >> skipped >> relation.parent >> relation.group;      // 3 to 5
    for (int field = 6; field < 22; ++field) rest >> skipped;  // to 21
    if (rest >> relation.started) all[pid] = relation;
  }
  ::closedir(dir);
  return all;
}

std::vector<pid_t> Family::members(pid_t head, const std::map<pid_t, Relation>& all) const {
  const auto known = [&](pid_t pid, const Relation& r) {
    const auto it = known_.find(pid);
    return it != known_.end() && it->second == r.started;
  };
  const bool leads = all.at(head).group == head;
  std::vector<pid_t> found;
  for (const auto& [pid, relation] : all)
    if (pid == head || (leads && relation.group == head) || known(pid, relation)) found.push_back(pid);
  if (sabotage::on("prove-family-of-one")) return {head};
  for (std::size_t i = 0; i < found.size(); ++i)  // grows: the children of children
    for (const auto& [pid, relation] : all)
      if (relation.parent == found[i] && std::ranges::find(found, pid) == found.end()) found.push_back(pid);
  return found;
}

Family::Figures Family::read(pid_t head) {
  const std::map<pid_t, Relation> all = all_of_machine();
  const auto self = all.find(head);
  if (self == all.end()) return {};
  if (head != head_ || self->second.started != head_started_) {
    head_ = head;
    head_started_ = self->second.started;
    known_.clear();
    cpu_ = 0;
  }
  const std::vector<pid_t> found = members(head, all);
  known_.clear();
  Figures sum;
  for (const pid_t pid : found) {
    known_[pid] = all.at(pid).started;
    const telemetry::ProcessFigures one = telemetry::read_process(pid);
    if (pid == head && one.resident_bytes == 0) return {};  // gone, or not yet itself
    sum.cpu_seconds += one.cpu_seconds + one.children_cpu_seconds;
    sum.resident_bytes += one.resident_bytes;
    sum.open_fds += one.open_fds;
    sum.threads += one.threads;
    if (one.resident_bytes > 0) ++sum.processes;
  }
  cpu_ = std::max(cpu_, sum.cpu_seconds);
  sum.cpu_seconds = cpu_;
  return sum;
}

}  // namespace prove
