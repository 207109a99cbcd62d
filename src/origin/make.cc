// Which configuration makes which origin.
#include <type_traits>

#include "origin/dir_origin.h"
#include "origin/http_origin.h"
#include "origin/s3_origin.h"

namespace origin {

namespace {

template <class Options>
struct ClassFor;
template <>
struct ClassFor<config::DirOrigin> {
  using Type = DirOrigin;
};
template <>
struct ClassFor<config::S3Origin> {
  using Type = S3Origin;
};
template <>
struct ClassFor<config::HttpOrigin> {
  using Type = HttpOrigin;
};
template <class Options>
using ClassOf = ClassFor<std::decay_t<Options>>::Type;

}  // namespace

Abilities abilities_of(const config::Origin& configuration) {
  return std::visit([](const auto& options) { return ClassOf<decltype(options)>::kAbilities; },
                    configuration.kind);
}

std::shared_ptr<Origin> make_origin(const config::Origin& configuration, Env env) {
  return std::visit(
      [&](const auto& options) -> std::shared_ptr<Origin> {
        using Class = ClassOf<decltype(options)>;
        if constexpr (std::is_same_v<Class, DirOrigin>)  // asks nobody over the network
          return std::make_shared<Class>(configuration, options);
        else
          return std::make_shared<Class>(configuration, options, env);
      },
      configuration.kind);
}

}  // namespace origin
