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
    return it != known_.end() && it->second.started == r.started;
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

// What members had used that are gone since the last reading, as far as nobody among the others has waited
// for them: then it is in his figures.
double Family::ended(const std::map<pid_t, Known>& now) const {
  double gone = 0, waited_for = 0;
  for (const auto& [pid, was] : known_) {
    const auto it = now.find(pid);
    if (it == now.end() || it->second.started != was.started)
      gone += was.own + was.children;
    else
      waited_for += std::max(0.0, it->second.children - was.children);
  }
  return std::max(0.0, gone - waited_for);
}

Family::Figures Family::read(pid_t head) {
  const std::map<pid_t, Relation> all = all_of_machine();
  const auto self = all.find(head);
  if (self == all.end()) return {};
  if (head != head_ || self->second.started != head_started_) {
    head_ = head;
    head_started_ = self->second.started;
    known_.clear();
    ended_ = cpu_ = 0;
  }
  Figures sum;
  std::map<pid_t, Known> now;
  for (const pid_t pid : members(head, all)) {
    const telemetry::ProcessFigures one = telemetry::read_process(pid);
    if (pid == head && one.resident_bytes == 0) return {};  // gone, or not yet itself
    // One that has ended and waits to be waited for still has its time.
    now[pid] = {all.at(pid).started, one.cpu_seconds, one.children_cpu_seconds};
    sum.cpu_seconds += one.cpu_seconds + one.children_cpu_seconds;
    sum.resident_bytes += one.resident_bytes;
    sum.open_fds += one.open_fds;
    sum.threads += one.threads;
    if (one.resident_bytes > 0) ++sum.processes;
  }
  ended_ += ended(now);
  known_ = std::move(now);
  cpu_ = std::max(cpu_, sum.cpu_seconds + ended_);
  sum.cpu_seconds = cpu_;
  return sum;
}

}  // namespace prove
