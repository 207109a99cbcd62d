#include "cli/services.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "base/sabotage.h"
#include "cache/figures.h"
#include "cli/cgroup.h"
#include "identity/figures.h"
#include "limit/figures.h"
#include "telemetry/oplog.h"
#include "upstream/figures.h"

namespace cli {

namespace log = telemetry::log;

namespace {

constexpr base::Millis kLastLines{500};  // for the outputs of logs, when requests have been cut

constexpr std::uint64_t kProgram = 64 << 20;  // beside what is held for clients

std::uint64_t resident() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

log::Level level_of(config::LogLevel level) {
  return static_cast<log::Level>(level);
}
static_assert(static_cast<int>(config::LogLevel::kError) == static_cast<int>(log::Level::kError));

std::unique_ptr<telemetry::AuditLog> open_audit_log(const config::Audit& rules) {
  if (rules.output.empty()) return nullptr;
  return std::make_unique<telemetry::AuditLog>(telemetry::AuditOptions{
      .output = rules.output,
      .all_requests = rules.requests == config::AuditRequests::kAll,
      .block = rules.when_full == config::WhenFull::kBlock,
      .buffer = rules.buffer,
      .rotation = {.size = rules.rotate_size, .every = rules.rotate_every, .keep = rules.keep},
      .syslog_address = rules.syslog_address});
}

bool store(void* memory, base::Ref<const cache::Entry> entry) {
  return static_cast<cache::Memory*>(memory)->put(std::move(entry));
}

}  // namespace

// ---- logs

Logs::Logs(const config::Config& config) {
  log::set_level(level_of(config.log.level));
  log::open(config.log.output);
  if (config.log.access.enabled) access_ = std::make_unique<telemetry::AccessLog>(config.log.access.output);
  audit_ = open_audit_log(config.audit);
}

void Logs::event(const telemetry::AuditRecord& record) {
  if (audit_) audit_->event(record);
}

void Logs::reopen() {
  log::reopen();
  if (access_) access_->reopen();
  if (audit_) audit_->reopen();
}

void Logs::commit(const Snapshot& now) {
  log::set_level(level_of(now->config().log.level));
}

void Logs::give_up_by(base::Mono when) {
  if (access_) access_->give_up_by(when);
  if (audit_) audit_->give_up_by(when);
}

// Workers that wait for room in the audit log are to end, too.
void Logs::cut() {
  give_up_by(base::mono_now() + kLastLines);
}

void Logs::dependencies(std::vector<admin::Dependency>& out) const {
  if (!audit_) return;
  const auto stall = audit_->stall();
  if (stall.waiting == 0 || stall.for_ < telemetry::LineLog::kStall) return;
  out.push_back({.kind = "audit",
                 .name = audit_->output(),
                 .ready = false,
                 .reason = fmt::format("the buffer is full and its output takes no lines: {} workers wait",
                                       stall.waiting)});
}

void Logs::expose(telemetry::Page& page) const {
  log::expose(page);
  if (access_) access_->expose(page);
  if (audit_) audit_->expose(page);
}

// ---- limits

Limits::Limits(const config::Config& config)
    : rates(config.limits),
      failures(config.limits),
      shared(config.redis.url ? std::make_unique<limit::SharedBuckets>(config.limits.memory / 8) : nullptr) {}

void Limits::commit(const Snapshot& now) {
  now->configure_gates();
  const config::Limits& rules = now->config().limits;
  const base::Mono at = base::mono_now();
  if (!rates.resize(rules, at) || !failures.configure(rules, at))
    log::error("no memory for limits.memory; the tables keep their size", {});
}

void Limits::expose(telemetry::Page& page) const {
  limit::expose(page, rates, failures, gates);
  upstream::expose(page, healths);
}

// ---- cache

Cache::Cache(const config::Config& rules)
    : account(rules.memory.max),
      memory(rules.cache.memory.size),
      fills(rules.cache.memory.max_object, rules.cache.fill_budget, account, &store, &memory,
            memory.writes()),
      loans(memory) {}

void Cache::commit(const Snapshot& now) {
  const config::Cache& rules = now->config().cache;
  if (sabotage::on("reload-drops-cache")) memory.clear();
  account.limit(now->config().memory.max);
  memory.resize(rules.memory.size);
  fills.limits(rules.memory.max_object, rules.fill_budget);
  fills.forget_passed();
}

void Cache::start(const Snapshot& now) {
  const std::uint64_t most = now->config().memory.max;
  const auto allowed = memory_allowed();
  if (allowed && most + kProgram > *allowed)
    log::warn("memory.max is more than the system allows this process beside its own needs",
              {{"max", most}, {"allowed", *allowed}});
}

void Cache::tick() {
  if (!trim_.due(account.held(), resident())) return;
  ::malloc_trim(0);
  trim_.trimmed(resident());
}

void Cache::expose(telemetry::Page& page) const {
  cache::expose(page, memory, fills, loans, account);
}

// ---- keys

void Keys::expose(telemetry::Page& page) const {
  identity::expose(page, refresh_.sources());
}

void Keys::dependencies(std::vector<admin::Dependency>& out) const {
  const base::Mono now = base::mono_now();
  for (const auto& source : refresh_.sources()) {
    auto figures = source->figures(now);
    out.push_back({.kind = "identity",
                   .name = source->name(),
                   .ready = figures.ready,
                   .reason = std::move(figures.reason),
                   .withheld = true});  // where an issuer is, and what is wrong with its certificate
  }
}

// ---- the door

net::Listener::Ipv4 ipv4_at(const config::Config& config, std::uint16_t port) {
  const auto is_one = [port](const config::Address& address) {
    if (port == 0 || address.port != port) return false;
    const net::Endpoint here = *net::Endpoint::parse(address.host, port);
    return net::Endpoint::of(here.bytes(), port).family() == AF_INET;
  };
  const bool beside = std::ranges::any_of(config.listen, is_one, &config::Listen::address) ||
                      (config.admin.listen && is_one(*config.admin.listen));
  return beside ? net::Listener::Ipv4::kNot : net::Listener::Ipv4::kToo;
}

namespace {

std::optional<admin::AdminServer::Place> place_of(const config::Config& config) {
  const auto& wanted = config.admin.listen;
  if (!wanted) return std::nullopt;
  return admin::AdminServer::Place{*net::Endpoint::parse(wanted->host, wanted->port),
                                   ipv4_at(config, wanted->port)};
}

}  // namespace

Door::Door(const config::Config& config, net::LookUps& look_ups, admin::AdminServer::Sources sources,
           std::atomic<bool>& draining, telemetry::AuditLog* audit)
    : draining_(draining),
      server_(place_of(config), look_ups, std::move(sources),
              config.admin.listen ? admin::open_token_file(config.admin.token_file) : base::Secret(), audit) {
}

void Door::drain() {
  if (sabotage::on("drain-keeps-ready")) return;
  draining_ = true;
  server_.draining();
}

}  // namespace cli
