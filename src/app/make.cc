#include "app/make.h"

#include <type_traits>
#include <variant>

#include "app/status.h"

namespace app {

std::shared_ptr<Endpoint> make_endpoint(const config::App& configuration, const Env& env) {
  return std::visit(
      [&](const auto& kind) -> std::shared_ptr<Endpoint> {
        using Kind = std::decay_t<decltype(kind)>;
        static_assert(std::is_same_v<Kind, config::StatusApp>, "an application that nobody makes");
        return std::make_shared<Status>(env.ready, env.draining);
      },
      configuration.kind);
}

}  // namespace app
