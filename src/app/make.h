// Makes the application that a configuration names.
//
// Owner:    whoever asks: a worker's snapshot, which makes them anew at each reload.
// Thread:   that of the loop that serves it.
// Failure:  std::runtime_error with one line, as for origins.
#pragma once

#include <atomic>
#include <memory>

#include "app/endpoint.h"
#include "config/model.h"

namespace app {

// What applications are made of; outlives them.
struct Env {
  const std::atomic<bool>* ready = nullptr;     // as the admin listener's /ready says; null: always
  const std::atomic<bool>* draining = nullptr;  // the end has begun; null: never
};

std::shared_ptr<Endpoint> make_endpoint(const config::App& configuration, const Env& env);

}  // namespace app
