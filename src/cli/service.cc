#include "cli/service.h"

#include <algorithm>
#include <exception>
#include <ranges>

namespace cli {

void ServiceList::start(const Service::Snapshot& snapshot) {
  for (Service* service : services_) service->start(snapshot);
}

void ServiceList::reopen() {
  for (Service* service : services_) service->reopen();
}

std::string ServiceList::reload(const Service::Snapshot& next) {
  std::size_t asked = 0;
  try {
    while (asked < services_.size()) services_[asked++]->prepare(next);
  } catch (const std::exception& error) {
    while (asked > 0) services_[--asked]->discard();
    const std::string why = error.what();
    return why.empty() ? "no reason given" : why;
  }
  for (Service* service : std::views::reverse(services_)) service->commit(next);
  return "";
}

void ServiceList::drain() {
  for (Service* service : services_) service->drain();
}

void ServiceList::close() {
  for (Service* service : services_) service->close();
}

void ServiceList::cut() {
  for (Service* service : services_) service->cut();
}

bool ServiceList::finished() const {
  return std::ranges::all_of(services_, &Service::finished);
}

void ServiceList::stop() {
  for (Service* service : std::views::reverse(services_)) service->stop();
}

void ServiceList::expose(telemetry::Page& page) const {
  for (const Service* service : services_) service->expose(page);
}

std::vector<admin::Dependency> ServiceList::dependencies() const {
  std::vector<admin::Dependency> out;
  for (const Service* service : services_) service->dependencies(out);
  return out;
}

}  // namespace cli
