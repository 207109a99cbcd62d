// Which configuration makes which origin, and when two configurations are one.
#include <type_traits>

#include "base/siphash.h"
#include "origin/dir_origin.h"
#include "origin/http_origin.h"
#include "origin/s3_origin.h"

namespace origin {

namespace {

// An injective rendering: every value is led by its length or has a fixed one.
class Print {
 public:
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    text_ += text;
  }
  void add(std::uint64_t n) { text_.append(reinterpret_cast<const char*>(&n), sizeof n); }
  void add(bool b) { add(std::uint64_t{b}); }
  void add(base::Millis t) { add(static_cast<std::uint64_t>(t.count())); }
  void add(const base::Secret& secret) { add(secret.reveal()); }
  void add(const config::OriginTimeouts& t) { add(t.connect), add(t.first_byte), add(t.idle); }
  void add(const config::Pool& p) { add(p.idle), add(p.idle_timeout), add(p.resolve_every); }
  void add(const config::OriginTls& t) {
    add(t.verify), add(std::string_view(t.ca_file)), add(std::string_view(t.server_name));
  }
  void add(const config::Url& u) {
    add(u.tls), add(std::string_view(u.host)), add(std::uint64_t{u.port}), add(std::string_view(u.path));
  }

  void add(const config::DirOrigin& o) { add(std::string_view(o.path)); }
  void add(const config::HttpOrigin& o) {
    add(o.url), add(o.preserve_host), add(o.timeouts), add(o.pool), add(o.tls);
  }
  void add(const config::S3Origin& o) {
    add(std::string_view(o.bucket)), add(std::string_view(o.region)), add(o.endpoint);
    add(static_cast<std::uint64_t>(o.style)), add(std::string_view(o.prefix));
    add(std::string_view(o.access_key_id)), add(o.secret_access_key), add(o.session_token);
    add(o.timeouts), add(o.pool), add(o.tls);
  }

  std::uint64_t hash() const { return base::siphash(text_); }
  ~Print() { OPENSSL_cleanse(text_.data(), text_.size()); }
  Print() { text_.reserve(4096); }  // secrets are in there: no copies left behind by growing
  Print(const Print&) = delete;
  Print& operator=(const Print&) = delete;

 private:
  std::string text_;
};

}  // namespace

std::uint64_t fingerprint_of(const config::Origin& configuration) {
  Print print;
  print.add(std::string_view(configuration.name));
  print.add(std::uint64_t{configuration.kind.index()});
  std::visit([&](const auto& kind) { print.add(kind); }, configuration.kind);
  return print.hash();
}

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
