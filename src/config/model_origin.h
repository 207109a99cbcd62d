// What is behind the gateway, in the model: origins, and how they are asked.
//
// Owner, thread, lifetime: as model.h says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/secret.h"
#include "config/model_limits.h"
#include "config/model_net.h"

namespace config {

struct OriginTimeouts {
  Millis connect{2'000};
  Millis first_byte{30'000};  // from the request sent to the head of the reply
  Millis idle{30'000};        // between two reads of a reply body
};

struct Pool {
  std::uint64_t idle = 64;       // kept open a worker
  Millis idle_timeout{30'000};   // then closed
  Millis resolve_every{30'000};  // a name is looked up again after this
};

struct ReplyLimits {               // of a reply's head, else 502
  std::uint64_t head = 128 << 10;  // bytes
  std::uint64_t fields = 512;
};

struct DirOrigin {
  std::string path;
  bool follow_links = false;  // those that stay beneath it
  // Files of the gateway's own that lie beneath it: the configuration, keys, logs. They are given to nobody.
  std::vector<std::string> own_files;
};

enum class S3Style : std::uint8_t { kPath, kVirtualHost };

struct S3Origin {
  std::string bucket;
  std::string region;              // "": found, by what the bucket says of itself (origin/s3_place.h)
  Url endpoint;                    // default https://s3.<region>.amazonaws.com, or without a region
  S3Style style = S3Style::kPath;  // default: virtual-host for amazonaws.com, path elsewhere
  std::string prefix;              // put before every key; "" or ends with a slash
  bool versions = false;           // a request may name an old version
  std::string access_key_id;       // with secret_access_key; neither: anonymous
  base::Secret secret_access_key;
  base::Secret session_token;
  ReplyLimits limits;
  OriginTimeouts timeouts;
  Pool pool;
  OriginTls tls;
};

struct HttpOrigin {
  Url url;
  bool preserve_host = false;  // send the client's Host instead of the url's
  ReplyLimits limits;
  OriginTimeouts timeouts;
  Pool pool;
  OriginTls tls;
};

struct Origin {
  std::string name;
  int line = 0;
  std::optional<Concurrency> concurrency;  // requests that are with the origin
  bool optional = false;                   // readiness stays green without it
  std::variant<DirOrigin, S3Origin, HttpOrigin> kind;
};

}  // namespace config
