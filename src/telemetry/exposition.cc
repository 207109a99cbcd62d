#include "telemetry/exposition.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error_table.h"

namespace telemetry {

namespace {

using Workers = Blocks<WorkerMetrics>;

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

constexpr Family<WorkerMetrics> kConnections[] = {
    {"sekisho_connections_active", "Open client connections.", &WorkerMetrics::connections_active},
    {"sekisho_connections_accepted_total", "Client connections accepted.",
     &WorkerMetrics::connections_accepted},
    {"sekisho_connections_evicted_total", "Idle client connections closed to make room for others.",
     &WorkerMetrics::connections_evicted},
    {"sekisho_received_bytes_total", "Bytes from clients.", &WorkerMetrics::bytes_received},
    {"sekisho_sent_bytes_total", "Bytes to clients.", &WorkerMetrics::bytes_sent},
};
constexpr Family<WorkerMetrics> kDurations[] = {
    {"sekisho_request_duration_seconds", "First byte of a request to last of its reply.",
     &WorkerMetrics::request_duration},
    {"sekisho_gateway_duration_seconds",
     "The gateway's own part: without waiting for the origin or for the client.",
     &WorkerMetrics::gateway_duration},
};
constexpr Family<WorkerMetrics> kLoops[] = {
    {"sekisho_loop_lag_seconds", "How long events waited for their turn of the loop.",
     &WorkerMetrics::loop_lag},
};

void expose_connections(Page& page, Workers workers) {
  expose(page, kConnections, workers);
  page.family("sekisho_connections_refused_total", "counter", "Client connections closed unserved.");
  per_enum(page, workers, "reason", &WorkerMetrics::connections_refused);
}

void expose_requests(Page& page, Workers workers) {
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
  each<base::Code>([&](base::Code e) {
    if (base::row_of(e).denied)
      page.sample({{"reason", label(e)}}, total(workers, [&](auto& w) -> auto& { return w.denials[e]; }));
  });
  page.family("sekisho_identity_verifications_total", "counter", "Credentials looked at, by result.");
  per_enum(page, workers, "result", &WorkerMetrics::verifications);

  expose(page, kDurations, workers);
  page.family("sekisho_phase_duration_seconds", "histogram", "Time in each phase of a request.");
  each<Phase>([&](Phase e) {
    page.histogram({{"phase", label(e)}},
                   total_histogram(workers, [&](auto& w) -> auto& { return w.phases[e]; }));
  });
}

void expose_origins(Page& page, Workers workers) {
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

void expose_workers(Page& page, Workers workers) {
  page.single("sekisho_workers", "gauge", "Worker threads.", workers.size());
  expose(page, kLoops, workers);
  page.family("sekisho_worker_loop_lag_seconds", "gauge", "The latest lag of each worker's loop.");
  for (std::size_t i = 0; i < workers.size(); ++i)
    page.sample({{"worker", fmt::format("{}", i)}},
                static_cast<double>(workers[i]->loop_lag_last.read()) / 1e9);
}

}  // namespace

void expose(Page& page, Workers workers) {
  expose_requests(page, workers);
  expose_origins(page, workers);
  expose_connections(page, workers);
  expose_workers(page, workers);
}

}  // namespace telemetry
