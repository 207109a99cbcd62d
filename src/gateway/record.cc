#include "gateway/record.h"

#include "base/error_table.h"
#include "base/sabotage.h"
#include "http/target.h"

namespace gateway {

using base::Code;
using telemetry::CacheResult;
using telemetry::Outcome;
using telemetry::Phase;

namespace {

constexpr std::uint16_t kClientClosed = 499;  // nginx's number, which every log analyser knows

Outcome outcome_of(const Exchange& x) {
  // Ended by us, whatever was out by then.
  if (x.gone.requested() && x.why_gone != &kClientLeft) return base::row_of(x.why_gone->code).outcome;
  if (x.cut && !x.whole()) return Outcome::kOurError;
  // A problem of our own is all there at once: when it broke off, it was the client who left.
  const bool left = x.failed && (x.error.code == Code::kClientGone || x.plan == Plan::kProblem);
  const bool gone = !x.whole() && (x.gone.requested() || left);
  if (x.failed && x.error.code == Code::kSlowReader) return Outcome::kDenied;
  if (gone) return Outcome::kClientGone;
  if (x.failed) return Outcome::kOriginError;
  if (x.plan > Plan::kRefusal) return Outcome::kServed;
  return base::row_of(x.error.code).outcome;
}

// What the origin gave and the cache could not keep is no miss: nothing would have made it a hit.
bool could_not_be_kept(const Exchange& x) {
  return x.plan == Plan::kOrigin && x.rules.store && x.head.method == http::Method::kGet && !x.reader &&
         !x.entry;
}

CacheResult cache_result(const Exchange& x) {
  switch (x.cache) {
    case CacheUse::kHit:
      return sabotage::on("hit-counted-as-miss") ? CacheResult::kMiss : CacheResult::kHit;
    case CacheUse::kMiss:
      if (could_not_be_kept(x)) break;
      return sabotage::on("miss-counted-as-hit") ? CacheResult::kHit : CacheResult::kMiss;
    case CacheUse::kCollapsed:
      return CacheResult::kCollapsed;
    case CacheUse::kNone:
    case CacheUse::kBypass:
      break;
  }
  return CacheResult::kBypass;
}

// The target as it was sent, less the tokens; without its query where nothing is known of what it holds.
std::string_view logged_path(const Exchange& x, std::string& scratch) {
  if (!x.parsed) return {};
  if (x.head.target.empty() || x.head.target.front() != '/') return x.target.path;
  const std::size_t mark = x.head.target.find('?');
  if (mark == std::string_view::npos) return x.head.target;
  const std::string_view path = x.head.target.substr(0, mark);
  if (sabotage::on("token-logged")) return x.head.target;
  if (!x.has_query) return path;
  const std::vector<std::string>& credentials = x.snapshot->snapshot->credential_queries();
  if (!http::query_has(x.target.raw_query, credentials)) return x.head.target;
  scratch.assign(path).append("?");
  http::query_without(x.target.raw_query, credentials, scratch);
  if (scratch.size() == path.size() + 1) return path;
  return scratch;
}

// Refusals: the outcome kDenied; what a limit of ours turned away, which counts as our error; and an origin's
// refusal of ourselves.
bool denied(Outcome outcome, Code code) {
  if (outcome == Outcome::kDenied) return true;
  return (outcome == Outcome::kOurError || outcome == Outcome::kOriginError) && base::row_of(code).denied;
}

// What both logs say alike.
template <class Line>
void describe(const Exchange& x, base::Wall started, std::string_view path, Line& line) {
  line.time = started;
  line.request_id = x.request_id;
  line.client = x.client;
  if (x.principal) line.issuer = x.principal->issuer;
  if (x.parsed) line.method = x.head.method_text;
  line.path = path;
  if (x.route) line.route = x.route->path();
  line.status = x.status;
  line.bytes_sent = x.bytes_out;
  line.bytes_received = x.bytes_in;
  line.duration = x.finished - x.started;
}

void audit_line(const Exchange& x, Outcome outcome, telemetry::AuditRecord& line) {
  if (x.principal) {
    line.subject = x.principal->subject;
    line.agent = x.principal->agent;
  }
  line.bytes = true;
  if (outcome == Outcome::kServed) return;
  line.decision =
      denied(outcome, x.error.code) ? telemetry::AuditDecision::kDeny : telemetry::AuditDecision::kError;
  if (outcome == Outcome::kClientGone) {
    line.reason = telemetry::label(Code::kClientGone);
  } else if (x.error.code == Code::kUnauthorized) {
    line.reason = x.error.text;  // one of identity::reason
  } else {
    line.reason = telemetry::label(x.error.code);
    line.detail = x.error.text;
    if (x.error.code == Code::kTooManyRequests && x.standing.count > 0)
      line.limit = x.standing.decisive().policy->name;
  }
}

}  // namespace

void record(Exchange& x, telemetry::WorkerMetrics& metrics, telemetry::AccessLogBuffer& log,
            telemetry::AuditBuffer& audit, base::Wall started) {
  if (sabotage::on("memory-leak")) sabotage::leak_memory(2048);
  if (sabotage::one_in("descriptor-leak", 50)) sabotage::leak_descriptor();
  x.finished = base::mono_now();
  const Outcome outcome = outcome_of(x);
  if (x.cut && !x.whole()) x.error = {Code::kShuttingDown, "cut, since shutdown.timeout was over"};
  if (!x.head_sent) x.status = x.cut ? base::row_of(Code::kShuttingDown).status : kClientClosed;
  const base::Nanos total = x.finished - x.started;
  const bool asked = x.origin_asked != base::Mono{};
  if (asked) x.origin_wait += x.origin_answered - x.origin_asked;

  // ---- metrics
  const telemetry::LabelId label = x.route ? x.route->rules->label : telemetry::LabelRegistry::kNone;
  telemetry::RouteMetrics& route = metrics.routes[label];
  route.request(x.status, outcome);
  const bool cache_asked = x.route && x.route->rules->cacheable && x.cache != CacheUse::kNone;
  if (cache_asked) route.cache[cache_result(x)].add();
  if (denied(outcome, x.error.code)) metrics.denials[x.error.code].add();
  metrics.bytes_received.add(x.bytes_in);
  metrics.bytes_sent.add(x.bytes_out);
  metrics.request_duration.record(total);
  metrics.gateway_duration.record(total - x.origin_wait - x.client_wait);
  base::Mono last = x.started;
  for (const Phase phase : {Phase::kIdentity, Phase::kLimit, Phase::kCache, Phase::kBody}) {
    const base::Mono ended = x.ended[phase];
    if (ended == base::Mono{}) continue;
    metrics.phases[phase].record(ended - last);
    last = ended;
  }
  if (asked) {
    metrics.phases[Phase::kOrigin].record(x.origin_wait);
    last = x.origin_answered;
  }
  metrics.phases[Phase::kRespond].record(x.finished - last);

  // ---- the lines
  const bool logged = log.enabled() && !sabotage::one_in("access-line-lost", 200);
  const bool audited = audit.enabled() && (audit.all_requests() || denied(outcome, x.error.code));
  if (!logged && !audited) return;
  std::string scratch;
  const std::string_view path = logged_path(x, scratch);
  const std::string_view cache = cache_asked ? telemetry::label(cache_result(x)) : std::string_view();
  if (audited) {
    telemetry::AuditRecord line;
    describe(x, started, path, line);
    audit_line(x, outcome, line);
    line.cache = cache;
    audit.append(line);
  }
  if (!logged) return;
  telemetry::AccessRecord line;
  describe(x, started, path, line);
  if (x.principal) line.principal = x.principal->subject;
  if (x.parsed) {
    line.host = x.head.host;
    line.protocol = x.head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
    line.user_agent = x.head.value(http::FieldId::kUserAgent);
  }
  line.cache = cache;
  if (x.route && x.route->rules->origin) line.origin_name = x.route->rules->origin->name;
  if (outcome == Outcome::kClientGone) {
    line.reason = telemetry::label(Code::kClientGone);
  } else if (outcome != Outcome::kServed) {
    line.reason = telemetry::label(x.error.code);
    line.detail = x.error.text;
  }
  if (asked) line.origin = x.origin_wait;
  log.append(line);
}

}  // namespace gateway
