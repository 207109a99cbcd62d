#include "prove/stage/stage.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

#include "prove/model/seconds.h"
#include "prove/wire/call.h"

namespace prove {
namespace {

constexpr base::Millis kLate{1'000};  // a fault that is set later than this is not the campaign's any more

std::string describe(const Deed& deed) {
  switch (deed.kind) {
    case Deed::Kind::kCall:
      return deed.call.method + " " + deed.call.url.shown();
    case Deed::Kind::kCommand:
      return deed.command.empty() ? "command" : deed.command[0];
    case Deed::Kind::kPause:
      return deed.process + " stopped";
    case Deed::Kind::kSignal:
      return deed.process + " got signal " + std::to_string(deed.signal);
    case Deed::Kind::kTerminate:
      return deed.process + " terminated";
    case Deed::Kind::kKill:
      return deed.process + " killed";
    case Deed::Kind::kRestart:
      return deed.process + " restarted";
  }
  return "";
}

}  // namespace

Stage::Stage(const Campaign& campaign, const MintedTokens& tokens, std::string folder,
             std::function<bool()> cancelled)
    : campaign_(campaign),
      filling_(campaign, tokens),
      folder_(std::move(folder)),
      cancelled_(std::move(cancelled)) {
  for (const auto& [name, port] : campaign.ports) env_.emplace_back(name, std::to_string(port));
  for (const Process& process : campaign.processes)
    processes_.push_back(
        std::make_unique<ChildProcess>(process, env_, folder_ + "/" + process.name + ".log"));
}

Stage::~Stage() {
  close();
}

void Stage::start_processes() {
  for (const auto& process : processes_) {
    if (cancelled_()) return;
    try {
      process->start(cancelled_);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(campaign_.file + ":" + std::to_string(process->spec().line) + ": " +
                               error.what());
    }
  }
}

void Stage::perform(const std::vector<Deed>& deeds, const char* where) {
  std::size_t index = 0;
  for (const Deed& deed : deeds) {
    if (cancelled_()) return;
    try {
      do_deed(deed, cancelled_);
    } catch (const std::runtime_error& error) {
      if (cancelled_()) return;
      throw std::runtime_error(campaign_.file + ":" + std::to_string(deed.line) + ": " + where + "[" +
                               std::to_string(index) + "]: " + error.what());
    }
    ++index;
  }
}

ChildProcess* Stage::find(const std::string& name) const {
  for (const auto& process : processes_)
    if (process->spec().name == name) return process.get();
  return nullptr;
}

pid_t Stage::pid_of(const std::string& name) const {
  const ChildProcess* process = find(name);
  return process ? process->pid() : 0;
}

// A call as often as it says; what it captures is kept. How it failed is told without the values in it.
void Stage::do_call(const Deed& deed, const std::function<bool()>& cancelled) {
  const Call& call = deed.call;
  const auto fail = [&](const std::string& how) {
    throw std::runtime_error(call.method + " " + call.url.shown() + " " + how);
  };
  for (std::uint64_t i = 0; i < call.repeat; ++i) {
    CallReply reply;
    try {
      reply = send_call(filling_.filled(call, i), deed.timeout, cancelled);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(filling_.masked(error.what()));
    }
    const auto status = static_cast<std::uint64_t>(reply.status);
    if (status < call.status_from || status > call.status_to)
      fail("was answered " + std::to_string(reply.status));
    if (call.captures.empty()) continue;
    if (!reply.missing.empty()) fail("was answered without '" + reply.missing + "', which is to be captured");
    filling_.keep(call, std::move(reply.captured));
  }
}

void Stage::give_captured(std::vector<DataSpec>& data) const {
  for (DataSpec& set : data)
    if (const auto rows = filling_.rows().find(set.name); rows != filling_.rows().end())
      set.rows = rows->second;
}

void Stage::do_deed(const Deed& deed, const std::function<bool()>& cancelled) {
  ChildProcess* process = find(deed.process);
  const auto must_run = [&](bool ran) {
    if (!ran) throw std::runtime_error("process '" + deed.process + "' does not run");
  };
  switch (deed.kind) {
    case Deed::Kind::kCall:
      return do_call(deed, cancelled);
    case Deed::Kind::kCommand:
      return run_command(deed, cancelled);
    case Deed::Kind::kPause:
      return must_run(process->signal(SIGSTOP));
    case Deed::Kind::kSignal:
      return must_run(process->signal(deed.signal));
    case Deed::Kind::kTerminate:
      return must_run(process->terminate());
    case Deed::Kind::kKill:
      return must_run(process->kill());
    case Deed::Kind::kRestart:
      process->terminate();
      return process->start(cancelled);
  }
}

void Stage::undo_deed(const Fault& fault) {
  if (fault.undo) return do_deed(*fault.undo, [] { return false; });  // however the run ends
  ChildProcess* process = find(fault.deed.process);
  switch (fault.deed.kind) {
    case Deed::Kind::kPause:
      process->signal(SIGCONT);
      return;
    case Deed::Kind::kTerminate:
    case Deed::Kind::kKill:
      return process->start([this] { return cut_ || cancelled_(); });
    default:
      return;
  }
}

void Stage::run_command(const Deed& deed, const std::function<bool()>& cancelled) {
  Process spec;
  spec.name = deed.command[0];
  spec.command = deed.command;
  spec.folder = campaign_.folder;
  ChildProcess child(spec, env_, folder_ + "/commands.log");
  child.start(cancelled);
  const std::string ended = child.wait_end(deed.timeout, cancelled);
  if (!ended.empty()) throw std::runtime_error("'" + spec.name + "': " + ended);
}

void Stage::start_faults(base::Mono began) {
  began_ = began;
  if (!campaign_.faults.empty()) faults_ = std::thread([this, began] { run_faults(began); });
}

void Stage::run_faults(base::Mono began) {
  std::vector<Event> events;
  for (const Fault& fault : campaign_.faults) {
    events.push_back({fault.at, &fault, false});
    if (fault.duration.count() > 0) events.push_back({fault.at + fault.duration, &fault, true});
  }
  std::ranges::sort(events, {}, [](const Event& e) { return std::pair(e.at, !e.undo); });
  for (const Event& event : events) {
    const std::string what = "fault '" + event.fault->name + "'";
    bool missed = false;
    {
      std::unique_lock lock(lock_);
      while (!ending_ && base::mono_now() < began + event.at)
        wake_.wait_for(lock, std::min<base::Nanos>(began + event.at - base::mono_now(), base::Millis(100)));
      const bool set = std::ranges::find(active_, event.fault) != active_.end();
      if (event.undo && !set) continue;  // it could not be set
      missed = ending_ && !event.undo;
    }
    const base::Nanos late = base::mono_now() - (began + event.at);
    if (missed) {  // what is told of its window and of what came after it would be told of nothing
      if (late >= base::Nanos(0)) note(what + " was not set before the run was over", true);
      continue;
    }
    try {
      if (event.undo)
        undo_deed(*event.fault);
      else
        do_deed(event.fault->deed, [this] { return cut_ || cancelled_(); });
      std::lock_guard lock(lock_);
      if (event.undo)
        std::erase(active_, event.fault);
      else if (event.fault->duration.count() > 0)
        active_.push_back(event.fault);
    } catch (const std::runtime_error& error) {
      note(what + (event.undo ? " could not be undone: " : " could not be set: ") + error.what(), true);
      std::lock_guard lock(lock_);
      std::erase(active_, event.fault);
      continue;
    }
    if (late > kLate && !ending_)
      note(what + " came " + std::to_string(late / base::Millis(1)) + " ms late", true);
    note(what + (event.undo ? " over" : ": " + describe(event.fault->deed)));
  }
  std::unique_lock lock(lock_);  // the children that were started here live as long as this thread
  wake_.wait(lock, [this] { return closing_; });
}

void Stage::end_faults() {
  if (cancelled_()) cut_ = true;
  {
    std::lock_guard lock(lock_);
    ending_ = true;
  }
  wake_.notify_all();
}

void Stage::close() {
  end_faults();
  // Faults are undone while their thread lives, and processes end before it does.
  for (;;) {
    {
      std::lock_guard lock(lock_);
      if (active_.empty()) break;
    }
    std::this_thread::sleep_for(base::Millis(2));
  }
  for (auto process = processes_.rbegin(); process != processes_.rend(); ++process) (*process)->terminate();
  {
    std::lock_guard lock(lock_);
    closing_ = true;
  }
  wake_.notify_all();
  if (faults_.joinable()) faults_.join();
}

void Stage::note(std::string text, bool bad) {
  const bool load_runs = began_ != base::Mono{};
  const double at = load_runs ? seconds_of(base::mono_now() - began_) : 0;
  std::lock_guard lock(lock_);
  happenings_.push_back({at, std::move(text), bad});
}

std::vector<Happening> Stage::take_happenings() {
  for (const auto& process : processes_) {
    const std::string& name = process->spec().name;
    if (const std::string how = process->ended_by_itself(); !how.empty()) {
      deaths_.push_back(name);
      note(fmt::format("process '{}' ended by itself: {}", name, how));
    }
    if (const std::string how = process->ended_out_of_order(); !how.empty()) {
      deaths_.push_back(name + " (told to end)");
      note(fmt::format("process '{}' did not end in order: {}", name, how));
    }
  }
  std::lock_guard lock(lock_);
  return std::exchange(happenings_, {});
}

std::vector<std::string> Stage::active_faults() const {
  std::lock_guard lock(lock_);
  std::vector<std::string> names;
  names.reserve(active_.size());
  for (const Fault* fault : active_) names.push_back(fault->name);
  return names;
}

}  // namespace prove
