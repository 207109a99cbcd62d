#include "gateway/key_refresh.h"

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "http/cache_control.h"
#include "net/tls.h"
#include "net/waker.h"

namespace gateway {

namespace {

using Source = std::shared_ptr<identity::KeySource>;

std::optional<base::Seconds> lifetime_of(const http::FieldList& fields) {
  const http::CacheControl control = http::cache_control_of(fields);
  if (control.no_store || control.no_cache) return base::Seconds(0);
  if (!control.max_age) return std::nullopt;
  return base::Seconds(*control.max_age);
}

}  // namespace

struct KeyRefresh::Watched {
  Watched(net::Loop& loop, Source what) : source(std::move(what)), changed(loop) {}
  const Source source;
  net::Event changed;               // it is due sooner than thought, or not at all any more
  net::Cancel* fetching = nullptr;  // what ends the fetch under way
  bool over = false;
};

KeyRefresh::KeyRefresh(net::LookUps& look_ups)
    : resolver_(loop_, look_ups), client_(loop_, resolver_, {.idle = 0}), tasks_(loop_), end_(loop_) {}

KeyRefresh::~KeyRefresh() {
  stop();
}

void KeyRefresh::watch(std::vector<Source> sources) {
  {
    const std::lock_guard guard(lock_);
    sources_ = sources;
  }
  if (!thread_.joinable()) {
    if (stopped_ || sources.empty()) return;
    thread_ = std::thread([this] { loop_.run(); });
  }
  loop_.post([this, sources = std::move(sources)] { take(sources); });
}

void KeyRefresh::stop() {
  stopped_ = true;
  if (!thread_.joinable()) return;
  loop_.post([this] { end_.spawn(shut()); });
  thread_.join();
}

std::vector<Source> KeyRefresh::sources() const {
  const std::lock_guard guard(lock_);
  return sources_;
}

net::Task<> KeyRefresh::shut() {
  take({});
  co_await tasks_.drained();
  loop_.stop();
}

void KeyRefresh::take(const std::vector<Source>& sources) {
  const std::set<Source> wanted(sources.begin(), sources.end());
  std::erase_if(watched_, [&](const auto& one) {
    Watched& old = *one.second;
    if (wanted.contains(old.source)) return false;
    old.over = true;
    old.source->on_wanted(nullptr);
    old.source->abandon();  // here and now, so that it may be watched again while the old fetch winds up
    old.changed.set();
    if (old.fetching) old.fetching->request();
    return true;
  });
  for (const Source& source : wanted) {
    if (watched_.contains(source.get())) continue;
    auto fresh = std::make_shared<Watched>(loop_, source);
    watched_[source.get()] = fresh;
    source->on_wanted([this, weak = std::weak_ptr(fresh)] {
      loop_.post([weak] {
        if (const auto watched = weak.lock()) watched->changed.set();
      });
    });
    tasks_.spawn(keep(fresh));
  }
}

net::Task<> KeyRefresh::keep(std::shared_ptr<Watched> watched) {
  identity::KeySource& source = *watched->source;
  while (!watched->over) {
    std::optional<config::Url> url = source.begin(base::mono_now());
    if (!url) co_await watched->changed.wait(source.due());
    while (url) {
      const identity::KeySource::Reply reply = co_await fetch(*watched, *url);
      url.reset();
      if (!watched->over) url = source.fetched(reply, base::mono_now());
    }
  }
}

net::Task<identity::KeySource::Reply> KeyRefresh::fetch(Watched& watched, config::Url url) {
  const config::Jwks& rules = watched.source->rules();
  identity::KeySource::Reply reply;
  std::shared_ptr<const net::TlsContext> tls;
  try {  // each time, since the authorities' file may be renewed between two fetches
    if (url.tls) tls = std::make_shared<const net::TlsContext>(rules.tls.verify, rules.tls.ca_file);
  } catch (const std::exception& error) {
    reply.why = error.what();
    co_return reply;
  }
  net::Cancel cancel;
  watched.fetching = &cancel;
  // The url is the issuer's as a whole, as written; nothing is added to it, and no redirect followed.
  auto response =
      co_await client_.fetch({.url = std::move(url),
                              .fields = "Accept: application/json\r\nAccept-Encoding: identity\r\n"
                                        "User-Agent: sekisho\r\n",
                              .total = rules.timeout,
                              .max_body = identity::KeySource::kMaxBody,
                              .tls = std::move(tls),
                              .server_name = rules.tls.server_name},
                             &cancel);
  watched.fetching = nullptr;
  if (response) {
    reply.complete = true;
    reply.status = response->status();
    reply.lifetime = lifetime_of(response->fields());
    if (reply.status == 200) reply.body = std::move(response->body);
  } else {
    reply.too_large = reply.complete = response.error().code == base::Code::kReplyTooLarge;
    reply.why = response.error().text;
  }
  co_return reply;
}

// ---- for workers

net::Task<> keys_fetched(identity::KeySource& source, net::Loop& loop, base::Mono until,
                         net::Cancel* cancel) {
  net::Waiting waiting(loop);
  source.on_fetched([waker = waiting.waker()] { waker->wake(); });
  co_await waiting.until(until, cancel);
}

}  // namespace gateway
