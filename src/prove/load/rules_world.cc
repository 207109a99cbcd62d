// Rules on what is under test and on what is done to it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "config/error.h"
#include "prove/load/reading.h"
#include "prove/load/rules.h"

namespace prove::rules {
namespace {

constexpr std::array<std::string_view, 7> kDeeds = {"call", "command", "pause", "terminate",
                                                    "kill", "restart", "signal"};

void refuse_capture(Reader& reader, const YamlNode& node, const Deed& deed) {
  if (deed.call.captures.empty()) return;
  const Reader::Step step(reader, "call");
  reader.fail_at(node.find("call")->value, "capture",
                 "is for calls of the setup: only they come before the load");
}

}  // namespace

void place_process(Reader& reader, const Entry& entry, Process&& process, Campaign& campaign) {
  process.name = entry.name;
  process.line = entry.line;
  process.folder =
      process.folder.empty()
          ? campaign.folder
          : std::filesystem::absolute(reader.resolve(process.folder)).lexically_normal().string();
  campaign.processes.push_back(std::move(process));
}

void check_process(Reader& reader, const YamlNode& node, Process& process) {
  if (process.command.front().empty()) reader.fail_at(node, "command", "names no program");
}

void check_ready(Reader& reader, const YamlNode& node, Ready& ready) {
  if (node.kind != YamlNode::Kind::kMap) return;
  reader.exactly_one(node, std::array<std::string_view, 2>{"url", "tcp"});
  if (!ready.tcp.empty() && node.find("status") != nullptr) reader.fail_at(node, "status", "needs 'url'");
}

void check_tls(Reader& reader, const YamlNode& node, Tls& tls) {
  if (tls.ca_file.empty()) return;
  tls.ca_file = reader.resolve(tls.ca_file);
  std::error_code error;
  if (!std::filesystem::is_regular_file(tls.ca_file, error))
    reader.fail_at(node, "ca_file", fmt::format("there is no file '{}'", tls.ca_file));
}

void place_target(Reader&, const Entry& entry, Target&& target, Campaign& campaign) {
  target.name = entry.name;
  target.line = entry.line;
  campaign.targets.push_back(std::move(target));
}

void check_target(Reader& reader, const YamlNode& node, Target& target) {
  if (node.kind != YamlNode::Kind::kMap) return;
  if (node.find("process") != nullptr && node.find("pid") != nullptr)
    reader.fail_at(node, "pid", "stands beside 'process'; give one of them");
  if (!target.metrics_headers.empty() && target.metrics.empty())
    reader.fail_at(node, "metrics_headers", "needs 'metrics'");
  if (target.secret_access_key.empty() && !target.access_key_id.empty())
    reader.fail_at(node, "access_key_id", "needs 'secret_access_key'");
  if (target.access_key_id.empty() && !target.secret_access_key.empty())
    reader.fail_at(node, "secret_access_key", "needs 'access_key_id'");
  if (target.access_key_id.empty() && !target.session_token.empty())
    reader.fail_at(node, "session_token", "needs 'access_key_id' and 'secret_access_key'");
}

// ---- deeds

void place_prepare(Reader& reader, const YamlNode& node, Deed&& deed, Campaign& campaign) {
  deed.line = node.line;
  if (deed.kind != Deed::Kind::kCall && deed.kind != Deed::Kind::kCommand)
    reader.fail(node.line, "needs 'call' or 'command': no process runs yet");
  refuse_capture(reader, node, deed);
  campaign.prepare.push_back(std::move(deed));
}

void place_setup(Reader& reader, const YamlNode& node, Deed&& deed, Campaign& campaign) {
  deed.line = node.line;
  Reading::of(reader).end_call();
  if (!deed.call.captures.empty()) {  // one row for each repetition, and a name that no data set can have
    DataSpec set;
    set.name = fmt::format("setup[{}]", campaign.setup.size());
    set.line = node.line;
    for (const Capture& capture : deed.call.captures) set.columns.push_back(capture.as);
    set.captured = true;
    set.choose = deed.call.choose;
    deed.call.fills = set.name;
    campaign.data.push_back(std::move(set));
  }
  campaign.setup.push_back(std::move(deed));
}

void place_teardown(Reader& reader, const YamlNode& node, Deed&& deed, Campaign& campaign) {
  deed.line = node.line;
  refuse_capture(reader, node, deed);
  campaign.teardown.push_back(std::move(deed));
}

void place_call(Reader&, const YamlNode&, Call&& call, Deed& deed) {
  deed.kind = Deed::Kind::kCall;
  deed.call = std::move(call);
}

void place_undo(Reader& reader, const YamlNode& node, Deed&& deed, Fault& fault) {
  deed.line = node.line;
  refuse_capture(reader, node, deed);
  fault.undo = std::move(deed);
}

void check_call(Reader& reader, const YamlNode& node, Call& call) {
  if (node.kind != YamlNode::Kind::kMap || node.find("choose") == nullptr) return;
  if (call.captures.empty()) reader.fail_at(node, "choose", "needs 'capture'");
  if (call.repeat == 1) reader.fail_at(node, "choose", "needs 'repeat': of one row there is no choice");
}

void check_deed(Reader& reader, const YamlNode& node, Deed& deed) {
  const std::string_view what = reader.exactly_one(node, kDeeds);
  if (what == "signal" && node.find("process") == nullptr) reader.fail_at(node, "signal", "needs 'process'");
  if (what != "signal" && node.find("process") != nullptr) reader.fail_at(node, "process", "needs 'signal'");
  if (what == "command" && deed.command.front().empty()) reader.fail_at(node, "command", "names no program");
  if (what != "command" && what != "call" && node.find("timeout") != nullptr)
    reader.fail_at(node, "timeout", "needs 'call' or 'command'");
}

void check_fault(Reader& reader, const YamlNode& node, Fault& fault) {
  check_deed(reader, node, fault.deed);
  const Deed::Kind kind = fault.deed.kind;
  const bool undone =
      kind == Deed::Kind::kPause || kind == Deed::Kind::kTerminate || kind == Deed::Kind::kKill;
  if (!fault.undo) return;
  if (undone || kind == Deed::Kind::kRestart)
    reader.fail_at(node, "undo", "has nothing to do: what the fault does undoes itself");
  if (fault.duration.count() == 0) reader.fail_at(node, "undo", "needs 'for', which says when");
}

void place_fault(Reader& reader, const YamlNode& node, Fault&& fault, Campaign& campaign) {
  fault.line = fault.deed.line = node.line;
  refuse_capture(reader, node, fault.deed);
  for (const Fault& other : campaign.faults)
    if (other.name == fault.name)
      reader.fail_at(node, "name",
                     fmt::format("'{}' is also the name of the fault in line {}", fault.name, other.line));
  campaign.faults.push_back(std::move(fault));
}

}  // namespace prove::rules
