// A client of the admin listener, and its short walk: identify → require → answer → audit. Nothing else
// stands between an operator and the gateway: no route, no rate, no queue, no engine.
//
// Owner:    AdminServer's scope, through the coroutine that serve::run() is.  Thread: the admin loop's.
// Lifetime: from accept to close.
// Failure:  none outward.
//
// Every action and every refused attempt goes to the audit log; of attempts beyond the bound on failures only
// the first of a second does. The content type that POST insists on keeps other people's web pages from
// posting here through an operator's browser, and hosts.h keeps them from asking by names of their own. What
// is open is so under its plain spelling alone.
#pragma once

#include <string>
#include <vector>

#include "admin/credential.h"
#include "admin/hosts.h"
#include "admin/operations.h"
#include "app/call.h"
#include "serve/downstream.h"
#include "serve/http1.h"
#include "telemetry/audit_log.h"

namespace admin {

class Session;

// What the sessions of the listener share.
struct House {
  serve::Shared& shared;
  Operations& operations;
  Credentials& credentials;
  Hosts hosts{};
  telemetry::AuditLog* audit;    // may be null
  bool local;                    // the listener is on loopback
  base::Mono told_of_flood{};    // when the last refusal for too many failures was audited
  std::vector<Session*> open{};  // the oldest first
};

class Session {
 public:
  Session(House& house, int fd, const net::Endpoint& peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool is_open() const { return http_.open(); }
  void cut() { http_.cut(); }

  // ---- as the session's guest, see serve/session.h
  serve::Http1& session() { return http_; }
  serve::Request& open_request() { return request_; }
  void close() {}
  void next() { request_.clear(); }
  const serve::Terms& terms() const;
  bool step(serve::Downstream) { return false; }
  net::Task<> rest(serve::Downstream down);
  bool ended() const { return whole_; }

 private:
  net::Task<app::Answer> respond(serve::Downstream down);
  net::Task<base::Result<Credentials::Caller>> identify();
  void audit(const app::Call& call, const Credentials::Caller& caller, const app::Answer& answer,
             base::Mono began);

  House& house_;
  serve::Http1 http_;
  serve::Request request_;
  serve::Out out_;
  bool whole_ = false;
};

}  // namespace admin
