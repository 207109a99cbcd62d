// An HTTP server behind the gateway: all methods, bodies streamed both ways, WebSocket upgrades.
//
// Owner, thread, lifetime, failure: as Origin.
// Standard: RFC 9110 §7.6 (forwarding), RFC 6455 §4 (upgrade).
#pragma once

#include "client/http1.h"
#include "client/pool.h"
#include "origin/origin.h"

namespace origin {

class HttpOrigin final : public Origin {
 public:
  static constexpr Abilities kAbilities{.writes = true,
                                        .forwards_fields = true,
                                        .told_host = true,
                                        .upgrades = true,
                                        .path = PathForm::kSent,
                                        .says_freshness = true};

  HttpOrigin(const config::Origin& configuration, const config::HttpOrigin& options, Env env);

  net::Task<base::Result<Reply>> fetch(const Ask& ask, net::Cancel* cancel) override;
  net::Task<base::Result<>> probe(net::Cancel* cancel) override;
  std::string_view finding() const override { return pool_->trouble(); }
  std::string_view allowed_methods() const override { return http::kUsualMethods; }
  bool effective_query(std::string_view raw_query, bool has_query, std::string& out) const override;
  void close_idle() override { pool_->close_idle(); }

 private:
  void render(const Ask& ask, std::string& out) const;

  const std::string base_path_;
  const std::string authority_;
  const bool preserve_host_;
  base::Ref<client::Pool> pool_;
};

}  // namespace origin
