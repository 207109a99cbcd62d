#include "telemetry/exposition.h"

#include <fmt/format.h>

#include <vector>

#include "telemetry/exposition_limits.h"
#include "telemetry/page.h"
#include "telemetry/process.h"

namespace telemetry {

namespace {

template <class Enum, class Visit>
void each(Visit visit) {
  for (std::size_t i = 0; i < kSize<Enum>; ++i) visit(static_cast<Enum>(i));
}

template <class Enum>
void per_enum(Page& page, Workers workers, std::string_view label_name,
              PerEnum<Enum, Counter> WorkerMetrics::* member) {
  each<Enum>([&](Enum e) {
    page.sample({{label_name, label(e)}}, total(workers, [&](auto& w) -> auto& { return (w.*member)[e]; }));
  });
}

// A label's blocks of all workers; `ids` is what has been interned so far.
template <class Block, std::size_t kBound>
std::vector<const Block*> blocks_of(Workers workers, PerLabel<Block, kBound> WorkerMetrics::* member,
                                    std::size_t id) {
  std::vector<const Block*> blocks;
  for (const WorkerMetrics* w : workers)
    if (const Block* block = (w->*member).find(id)) blocks.push_back(block);
  return blocks;
}

template <class Block, class Pick>
std::uint64_t total_of(const std::vector<const Block*>& blocks, Pick pick) {
  std::uint64_t sum = 0;
  for (const Block* block : blocks) sum += pick(*block).read();
  return sum;
}

std::vector<std::string> escaped(std::vector<std::string> names) {
  for (std::string& name : names) name = escape_label(name);
  return names;
}

void render_connections(Page& page, Workers workers) {
  page.single("sekisho_connections_active", "gauge", "Open client connections.",
              total(workers, [](auto& w) -> auto& { return w.connections_active; }));
  page.single("sekisho_connections_accepted_total", "counter", "Client connections accepted.",
              total(workers, [](auto& w) -> auto& { return w.connections_accepted; }));
  page.family("sekisho_connections_refused_total", "counter", "Client connections closed unserved.");
  per_enum(page, workers, "reason", &WorkerMetrics::connections_refused);
  page.single("sekisho_received_bytes_total", "counter", "Bytes from clients.",
              total(workers, [](auto& w) -> auto& { return w.bytes_received; }));
  page.single("sekisho_sent_bytes_total", "counter", "Bytes to clients.",
              total(workers, [](auto& w) -> auto& { return w.bytes_sent; }));
}

void render_requests(Page& page, Workers workers) {
  const std::vector<std::string> names = escaped(routes().names());
  page.family("sekisho_requests_total", "counter", "Requests by route, status and how they ended.");
  for (std::size_t id = 0; id < names.size(); ++id) {
    const auto blocks = blocks_of(workers, &WorkerMetrics::routes, id);
    for (std::size_t slot = 0; slot < kStatusSlots && !blocks.empty(); ++slot)
      each<Outcome>([&](Outcome e) {
        const std::uint64_t n = total_of(blocks, [&](auto& b) -> auto& { return b.requests[slot][e]; });
        if (n != 0)
          page.sample({{"route", names[id]}, {"code", status_label(slot)}, {"outcome", label(e)}}, n);
      });
  }
  page.family("sekisho_cache_requests_total", "counter",
              "Requests by route and what the cache did for them.");
  for (std::size_t id = 0; id < names.size(); ++id) {
    const auto blocks = blocks_of(workers, &WorkerMetrics::routes, id);
    if (blocks.empty()) continue;
    each<CacheResult>([&](CacheResult e) {
      page.sample({{"route", names[id]}, {"result", label(e)}},
                  total_of(blocks, [&](auto& b) -> auto& { return b.cache[e]; }));
    });
  }
  page.family("sekisho_denials_total", "counter", "Requests answered by the gateway itself, by reason.");
  per_enum(page, workers, "reason", &WorkerMetrics::denials);
  page.family("sekisho_identity_verifications_total", "counter", "Credentials looked at, by result.");
  per_enum(page, workers, "result", &WorkerMetrics::verifications);

  page.family("sekisho_request_duration_seconds", "histogram",
              "First byte of a request to last of its reply.");
  page.histogram({}, total_histogram(workers, [](auto& w) -> auto& { return w.request_duration; }));
  page.family("sekisho_gateway_duration_seconds", "histogram",
              "The gateway's own part: without waiting for the origin or for the client.");
  page.histogram({}, total_histogram(workers, [](auto& w) -> auto& { return w.gateway_duration; }));
  page.family("sekisho_phase_duration_seconds", "histogram", "Time in each phase of a request.");
  each<Phase>([&](Phase e) {
    page.histogram({{"phase", label(e)}},
                   total_histogram(workers, [&](auto& w) -> auto& { return w.phases[e]; }));
  });
}

void render_origins(Page& page, Workers workers) {
  const std::vector<std::string> names = escaped(origins().names());
  std::vector<std::vector<const OriginMetrics*>> blocks;
  blocks.reserve(names.size());
  for (std::size_t id = 0; id < names.size(); ++id)
    blocks.push_back(blocks_of(workers, &WorkerMetrics::origins, id));
  const auto for_each_origin = [&](auto visit) {
    for (std::size_t id = 0; id < names.size(); ++id)
      if (!blocks[id].empty()) visit(std::string_view(names[id]), blocks[id]);
  };

  page.family("sekisho_origin_requests_total", "counter", "Requests to origins, by how they ended.");
  for_each_origin([&](std::string_view name, auto& of) {
    each<OriginOutcome>([&](OriginOutcome e) {
      page.sample({{"origin", name}, {"outcome", label(e)}},
                  total_of(of, [&](auto& b) -> auto& { return b.requests[e]; }));
    });
  });
  page.family("sekisho_origin_connections_total", "counter",
              "Connections to origins: opened, reused, retried.");
  for_each_origin([&](std::string_view name, auto& of) {
    each<OriginConnection>([&](OriginConnection e) {
      page.sample({{"origin", name}, {"event", label(e)}},
                  total_of(of, [&](auto& b) -> auto& { return b.connections[e]; }));
    });
  });
  page.family("sekisho_origin_duration_seconds", "histogram",
              "Time from asking an origin to the head of its reply.");
  for_each_origin([&](std::string_view name, auto& of) {
    HistogramSum sum;
    for (const OriginMetrics* block : of) block->duration.read_into(sum);
    page.histogram({{"origin", name}}, sum);
  });
}

void render_cache(Page& page, const CacheGauges& cache) {
  page.single("sekisho_cache_entries", "gauge", "Objects in memory.", cache.entries);
  page.single("sekisho_cache_bytes", "gauge", "Bytes in memory: keys, heads and bodies.", cache.bytes);
  page.single("sekisho_cache_capacity_bytes", "gauge", "Bytes that the cache may hold.",
              cache.capacity_bytes);
  page.single("sekisho_cache_evictions_total", "counter", "Objects that gave way to others.",
              cache.evictions);
  page.single("sekisho_cache_fills_active", "gauge", "Fetches into the cache under way.", cache.fills_active);
  page.single("sekisho_cache_fill_bytes", "gauge", "Bytes buffered by fills under way.", cache.fill_bytes);
}

void render_issuers(Page& page, std::span<const IssuerKeys> issuers) {
  page.family("sekisho_jwks_fetches_total", "counter", "Refreshes of an issuer's keys, by result.");
  for (const IssuerKeys& one : issuers)
    for (const auto& [result, n] : one.fetches)
      page.sample({{"identity", escape_label(one.identity)}, {"result", result}}, n);
  page.family("sekisho_jwks_keys", "gauge", "Published keys that verify tokens now.");
  for (const IssuerKeys& one : issuers) page.sample({{"identity", escape_label(one.identity)}}, one.keys);
  page.family("sekisho_jwks_age_seconds", "gauge", "Time since the keys were fetched.");
  for (const IssuerKeys& one : issuers)
    if (one.age_seconds) page.sample({{"identity", escape_label(one.identity)}}, *one.age_seconds);
}

void render_workers(Page& page, Workers workers) {
  page.single("sekisho_workers", "gauge", "Worker threads.", workers.size());
  page.family("sekisho_loop_lag_seconds", "histogram", "How long events waited for their turn of the loop.");
  page.histogram({}, total_histogram(workers, [](auto& w) -> auto& { return w.loop_lag; }));
  page.family("sekisho_worker_loop_lag_seconds", "gauge", "The latest lag of each worker's loop.");
  for (std::size_t i = 0; i < workers.size(); ++i)
    page.sample({{"worker", fmt::format("{}", i)}},
                static_cast<double>(workers[i]->loop_lag_last.read()) / 1e9);
}

void render_self(Page& page, const Scrape& scrape) {
  page.single("sekisho_access_log_lines_total", "counter", "Access-log lines written.",
              scrape.access_log_lines_written);
  page.family("sekisho_access_log_dropped_total", "counter", "Access-log lines lost, by reason.");
  page.sample({{"reason", "queue"}}, scrape.access_log_dropped_queue);
  page.sample({{"reason", "output"}}, scrape.access_log_dropped_output);
  if (const auto& audit = scrape.audit) {
    page.single("sekisho_audit_lines_total", "counter", "Audit-log lines written.", audit->lines);
    page.family("sekisho_audit_dropped_total", "counter", "Audit-log lines lost, by reason.");
    page.sample({{"reason", "queue"}}, audit->dropped_queue);
    page.sample({{"reason", "output"}}, audit->dropped_output);
    page.single("sekisho_audit_output_errors_total", "counter",
                "Tries to write the audit log that failed; the lines are tried again.", audit->output_errors);
    page.single("sekisho_audit_blocked_seconds_total", "counter",
                "How long workers waited for room in the audit log's buffer.",
                static_cast<double>(audit->blocked.count()) / 1e9);
  }
  if (const ProcessMetrics* process = scrape.process) {
    page.family("sekisho_reloads_total", "counter", "Reloads of the configuration, by result.");
    page.sample({{"result", "success"}}, process->reloads_succeeded.read());
    page.sample({{"result", "failure"}}, process->reloads_failed.read());
    page.single("sekisho_config_loaded_timestamp_seconds", "gauge",
                "When the configuration in force was loaded.", process->config_loaded_at.load());
    page.family("sekisho_config_info", "gauge", "The hash of the configuration in force.");
    page.sample({{"hash", fmt::format("{:016x}", process->config_hash.load())}}, 1);
  }
  page.single("sekisho_ready", "gauge", "Whether /ready says yes.", scrape.ready ? 1 : 0);
  page.family("sekisho_build_info", "gauge", "What is running.");
  page.sample({{"version", escape_label(scrape.version)}, {"commit", escape_label(scrape.commit)}}, 1);
}

void render_process(Page& page) {
  const ProcessFigures self = read_process();
  page.single("process_cpu_seconds_total", "counter", "CPU time, user and system.", self.cpu_seconds);
  page.single("process_resident_memory_bytes", "gauge", "Resident memory.", self.resident_bytes);
  page.single("process_virtual_memory_bytes", "gauge", "Virtual memory.", self.virtual_bytes);
  page.single("process_open_fds", "gauge", "Open file descriptors.", self.open_fds);
  page.single("process_max_fds", "gauge", "Limit of open file descriptors.", self.max_fds);
  page.single("process_start_time_seconds", "gauge", "Start time since the epoch.", self.start_time);
  page.single("process_threads", "gauge", "Threads.", self.threads);
}

}  // namespace

std::string render(const Scrape& scrape) {
  Page page;
  render_requests(page, scrape.workers);
  render_origins(page, scrape.workers);
  render_cache(page, scrape.cache);
  render_issuers(page, scrape.issuers);
  render_limits(page, scrape.limits, scrape.workers);
  render_connections(page, scrape.workers);
  render_workers(page, scrape.workers);
  render_self(page, scrape);
  render_process(page);
  return page.take();
}

}  // namespace telemetry
