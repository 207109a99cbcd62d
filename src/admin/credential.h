// Who may use the admin listener: the holder of the bootstrap token, or of a JWT whose claims say so.
//
// Owner:    AdminServer.
// Thread:   the admin thread; the constructor and open_token_file() run before it starts.
// Failures: open_token_file() throws std::runtime_error with one line. A refusal is a base::Error:
//           kUnauthorized (text: one of identity::reason), kClaimsRejected, kTooManyFailures.
// Standard: RFC 6750 §2.1.
//
// Guessing is slow: beyond kFailures within a second every credential is refused unread for the rest of it, the
// right one too. The bootstrap token has 256 bits, so the bound is against noise and load, not against luck.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "base/secret.h"
#include "identity/principal.h"

namespace admin {

// The token in the file. Where there is no file: makes it, with 32 random bytes in base64url and a newline, mode
// 0600 whatever the umask, and says so in the log (the path, never the token). Refused: a symbolic link, what is
// no plain file or not ours, what group or others may read or write, fewer than 32 characters, or such as no
// header field can carry.
base::Secret open_token_file(const std::string& path);

class Credentials {
 public:
  static constexpr int kFailures = 10;  // a second

  struct Caller {
    std::string_view credential;                     // "bootstrap_token" or "jwt"
    base::Ref<const identity::Principal> principal;  // of a jwt
  };

  // Verifies a JWT and holds its claims against admin.require.
  using Jwt = std::function<base::Result<base::Ref<const identity::Principal>>(std::string_view token,
                                                                               base::Wall now)>;

  // Without a token and without identities nobody may.
  Credentials() = default;
  explicit Credentials(base::Secret token) : token_(std::move(token)) {}

  void accept(Jwt jwt) { jwt_ = std::move(jwt); }  // null: none; a reload may change it

  // `authorization`: the field's value, "" when there is none.
  base::Result<Caller> check(std::string_view authorization, base::Mono now, base::Wall wall);

 private:
  base::Error failed(base::Error error, base::Mono now);

  base::Secret token_;
  Jwt jwt_;
  base::Mono window_{};  // when the second of failures_ began
  int failures_ = 0;
};

}  // namespace admin
