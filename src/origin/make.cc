// Which configuration makes which origin.
#include <type_traits>

#include "origin/dir_origin.h"
#include "origin/http_origin.h"
#include "origin/s3_origin.h"

namespace origin {

std::shared_ptr<Origin> make_origin(const config::Origin& configuration, Env env) {
  return std::visit(
      [&](const auto& options) -> std::shared_ptr<Origin> {
        using Options = std::decay_t<decltype(options)>;
        if constexpr (std::is_same_v<Options, config::DirOrigin>)
          return std::make_shared<DirOrigin>(configuration, options);
        else if constexpr (std::is_same_v<Options, config::HttpOrigin>)
          return std::make_shared<HttpOrigin>(configuration, options, env);
        else
          return std::make_shared<S3Origin>(configuration, options, env);
      },
      configuration.kind);
}

}  // namespace origin
