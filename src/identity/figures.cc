#include "identity/figures.h"

#include <chrono>
#include <string>

namespace identity {

void expose(telemetry::Page& page, const std::vector<std::shared_ptr<KeySource>>& sources) {
  struct Row {
    std::string identity;
    KeySource::Figures figures;
  };
  std::vector<Row> rows;
  rows.reserve(sources.size());
  const base::Mono now = base::mono_now();
  for (const auto& source : sources)
    rows.push_back({telemetry::escape_label(source->name()), source->figures(now)});

  page.family("sekisho_jwks_fetches_total", "counter", "Refreshes of an issuer's keys, by result.");
  for (const auto& [identity, figures] : rows)
    for (std::size_t i = 0; i < figures.fetches.size(); ++i)
      page.sample({{"identity", identity}, {"result", label(static_cast<FetchResult>(i))}},
                  figures.fetches[i]);
  page.family("sekisho_jwks_keys", "gauge", "Published keys that verify tokens now.");
  for (const auto& [identity, figures] : rows) page.sample({{"identity", identity}}, figures.keys);
  page.family("sekisho_jwks_age_seconds", "gauge", "Time since the keys were fetched.");
  for (const auto& [identity, figures] : rows)
    if (figures.age)
      page.sample({{"identity", identity}}, std::chrono::duration<double>(*figures.age).count());
}

}  // namespace identity
