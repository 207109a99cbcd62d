#include "net/tls_sessions.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace net {

namespace {

constexpr std::size_t kNames = 64;  // of one context; a Client follows redirects
constexpr std::size_t kEach = 16;   // as many connections as may begin at once without a full handshake

struct Free {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, Free>;

struct Kept {
  Session session;
  base::Mono since;
};

class Sessions {
 public:
  using ByName = std::map<std::string, std::deque<Kept>>;

  // Where sessions of this name go; null: there are too many names. Entries are never taken away.
  ByName::value_type* place(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto known = kept_.find(name); known != kept_.end()) return &*known;
    return kept_.size() < kNames ? &*kept_.try_emplace(name).first : nullptr;
  }

  void put(ByName::value_type& place, Session session) {
    const std::lock_guard lock(mutex_);
    if (place.second.size() == kEach) place.second.pop_front();
    place.second.push_back({std::move(session), base::mono_now()});
  }

  Session take(ByName::value_type& place) {
    const std::lock_guard lock(mutex_);
    while (!place.second.empty()) {
      Kept& youngest = place.second.back();
      if (!good(youngest)) {
        place.second.pop_back();
        continue;
      }
      if (SSL_SESSION_get_protocol_version(youngest.session.get()) < TLS1_3_VERSION) {
        SSL_SESSION_up_ref(youngest.session.get());
        return Session(youngest.session.get());
      }
      Session once = std::move(youngest.session);
      place.second.pop_back();
      return once;
    }
    return nullptr;
  }

 private:
  static bool good(const Kept& kept) {
    if (base::mono_now() - kept.since >= kSessionLife || SSL_SESSION_is_resumable(kept.session.get()) != 1)
      return false;
    X509* const peer = SSL_SESSION_get0_peer(kept.session.get());
    return peer && X509_cmp_current_time(X509_get0_notAfter(peer)) > 0;
  }

  std::mutex mutex_;
  ByName kept_;
};

void forget(void*, void* sessions, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Sessions*>(sessions);
}

int slot() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &forget);
  return index;
}

Sessions* sessions_of(SSL* ssl) {
  return static_cast<Sessions*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot()));
}

// 1: the session is ours from now on.
int remember(SSL* ssl, SSL_SESSION* session) {
  auto* const place = static_cast<Sessions::ByName::value_type*>(SSL_get_app_data(ssl));
  const bool verified =
      (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0 || SSL_get_verify_result(ssl) == X509_V_OK;
  if (!place || !verified) return 0;
  sessions_of(ssl)->put(*place, Session(session));
  return 1;
}

}  // namespace

void keep_sessions(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &remember);
  auto sessions = std::make_unique<Sessions>();
  if (SSL_CTX_set_ex_data(context, slot(), sessions.get()) == 1)
    static_cast<void>(sessions.release());  // the context's, which forgets them
  else
    SSL_CTX_sess_set_new_cb(context, nullptr);
}

void resume_session(SSL* ssl, const std::string& server_name) {
  Sessions* const sessions = sessions_of(ssl);
  auto* const place = sessions ? sessions->place(server_name) : nullptr;
  if (!place) return;
  SSL_set_app_data(ssl, place);
  if (const Session session = sessions->take(*place)) SSL_set_session(ssl, session.get());
}

}  // namespace net
