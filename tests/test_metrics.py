"""Every series of /metrics is moved by somebody: one run that drives what it can, and reasons for what it cannot.

A counter that nobody increments, a label that nothing ever has, a histogram that records nothing: dashboards are built on
them, and show a comfortable zero. Whoever adds a series makes it move here, or says below why it cannot."""
import re
import threading

import pytest

from lib.deadline import until
from lib.issuer import Issuer
from lib.peers import free_port
from lib.tokens import AUDIENCE, Signer, bearer
from lib.wire import Client, exchange

KEY = Signer("HS256")
FORGED = Signer("HS256", private="f" * 64)
PUBLISHED = Signer("ES256", kid="1")
PROXY = "127.0.0.3"

# Held against their sum over everything but this label: that one route or issuer has no such result says nothing.
BY = {"sekisho_cache_requests_total": "result", "sekisho_origin_requests_total": "outcome",
      "sekisho_origin_connections_total": "event", "sekisho_jwks_fetches_total": "result", "sekisho_jwks_keys": "",
      "sekisho_rate_limit_requests_total": "result", "sekisho_limit_buckets": "table",
      "sekisho_concurrency_requests_total": "result", "sekisho_concurrency_in_use": "", "sekisho_concurrency_queued": "",
      "sekisho_origin_failures_in_a_row": ""}

# What stands still in this run: who moves it, or what it would take.
STILL = {
    r"sekisho_access_log_dropped_total\{.*": "an output that takes no bytes: the tests of line_log and line_sink",
    r"sekisho_audit_(dropped_total\{.*|output_errors_total|blocked_seconds_total|waiting_workers)": "likewise: test_audit.py",
    r"sekisho_log_dropped_total\{.*": "likewise: oplog_test",
    r"sekisho_connections_refused_total\{reason=(error|limit|address|descriptors)\}": "full houses: test_crowds.py",
    r"sekisho_connections_evicted_total": "likewise",
    r"sekisho_descriptors_refused_total\{.*": "likewise",
    r"sekisho_denials_total\{reason=overloaded\}": "a table of the process is full",
    r"sekisho_denials_total\{reason=(forbidden|origin_denied|shed|too_many_failures|unsupported_media_type)\}":
        "a bucket that denies (test_s3.py), a worker that is late, a flood (test_limits.py), an app",
    r"sekisho_denials_total\{reason=(loop|misdirected)\}": "a loop of gateways, an https URL: test_paths.py",
    r"sekisho_denials_total\{reason=(credential_expired|right_withdrawn|upgrade_required)\}": "streams: test_tunnels.py",
    r"sekisho_failed_verifications_refused_total": "a flood: test_limits.py",
    r"sekisho_jwks_fetches_total\{result=(malformed|too_large|issuer_mismatch|no_usable_key|status)\}":
        "issuers that lie: test_jwks.py",
    r"sekisho_limit_buckets_evicted_total\{.*": "a million addresses: test_limits.py",
    r"sekisho_memory_held_bytes\{by=(bodies|buffers|replies)\}": "bodies and readers that are slow: test_read_ahead.py, "
                                                                  "test_memory.py",
    r"sekisho_slow_readers_cut_total|sekisho_denials_total\{reason=slow_reader\}": "test_memory.py",
    r"sekisho_origin_requests_total\{outcome=bad_reply\}": "origins that lie: test_http_origin.py",
    r"sekisho_origin_requests_total\{outcome=denied\}": "a bucket that does not take our key: test_s3.py",
    r"sekisho_redis_(errors|reconnects)_total": "a Redis that goes away: test_limits.py",
    r"sekisho_rate_limit_fallback_total": "likewise",
    r"sekisho_ready": "an origin is down on purpose",
}


def written(key: tuple) -> str:
    name, pairs = key
    return name + ("{" + ",".join(f"{label}={value}" for label, value in pairs) + "}" if pairs else "")


class Watched:
    """The gateway's metrics, and the most that each series has been: a gauge is rightly zero most of the time."""

    def __init__(self, gw):
        self.gw, self.seen = gw, {}

    def metrics(self):
        metrics = self.gw.metrics()
        for key, value in metrics.samples.items():
            self.seen[key] = max(self.seen.get(key, 0), value)
        return metrics

    def until(self, metric: str, what: str, **labels) -> None:
        until(lambda: self.metrics().total(metric, **labels), 10, what)


def configuration(origin, folder, issuer, redis) -> dict:
    (folder / "x").write_text("object")
    address = "127.0.0.1"
    return {
        "listen": ["127.0.0.1:0", {"address": f"{PROXY}:0", "proxy_protocol": True}],
        "trusted_proxies": [PROXY],
        "timeouts": {"header": "300ms"},
        "limits": {"body": "1KiB", "failures": {"rate": "1000/s", "burst": 1000}, "memory": "1MiB"},
        "cache": {"memory": {"size": "64KiB", "max_object": "32KiB"}},
        "rates": {"few": {"requests": "2/h", "per": "address"},
                  "shared": {"requests": "1000/s", "per": "address", "shared": True}},
        "redis": {"url": redis.url},
        "audit": {"output": "audit.log"},
        "identities": {
            "staff": {"type": "jwt", "audience": AUDIENCE, "algorithms": ["HS256"], "keys": [KEY.key()],
                      "from": ["bearer", {"cookie": "session"}]},
            "published": {"type": "jwt", "issuer": issuer.url, "audience": "any", "algorithms": ["ES256"],
                          "jwks": issuer.keys_url},
            "away": {"type": "jwt", "issuer": "http://away.test", "audience": "any", "algorithms": ["ES256"],
                     "jwks": {"url": f"http://{address}:{free_port()}/keys", "timeout": "100ms"}}},
        "origins": {
            "app": {"type": "http", "url": origin.url, "timeouts": {"first_byte": "500ms"},
                    "concurrency": {"max": 100}},
            "narrow": {"type": "http", "url": origin.url},
            "site": {"type": "dir", "path": str(folder)},
            "down": {"type": "http", "url": f"http://{address}:{free_port()}"},
            "nowhere": {"type": "http", "url": "http://no-such-host.invalid"}},
        "routes": [
            {"path": "/app/", "origin": "app", "cache": {"ttl": "1m"}, "read_ahead": "1KiB"},
            {"path": "/narrow/", "origin": "narrow", "cache": "off",
             "concurrency": {"max": 1, "queue": 1, "wait": "300ms"}},
            {"path": "/site/", "origin": "site"},
            {"path": "/down/", "origin": "down"},
            {"path": "/nowhere/", "origin": "nowhere"},
            {"path": "/few/", "origin": "site", "rates": ["few"]},
            {"path": "/shared/", "origin": "site", "rates": ["shared"]},
            {"path": "/private/", "origin": "site", "identity": "staff"},
            {"path": "/admins/", "origin": "site", "identity": "staff", "require": {"claim": "role", "equals": "admin"}},
            {"path": "/published/", "origin": "site", "identity": "published"},
            {"path": "/away/", "origin": "site", "identity": "away"}]}


def refuse_and_serve(gw) -> None:
    """One request for each reason to deny one, and the ordinary ones."""
    token = KEY.token(iss="https://id.test", aud=AUDIENCE)
    for target in ("/site/x", "/site/absent", "/nothing", "/%2fx", "/app/" + "a" * 9000, "/down/x", "/nowhere/x",
                   "/few/x", "/few/x", "/few/x", "/shared/x", "/shared/x", "/private/x", "/away/x"):
        gw.get(target)
    for target in ("/private/x", "/private/x", "/admins/x"):
        gw.get(target, bearer(token))
    gw.get("/private/x", {"Cookie": f"session={token}"}, method="POST", body=b"x")
    gw.get("/private/x", {"Cookie": f"session={token}"} | bearer(token))
    gw.get("/private/x", bearer(FORGED.token(iss="https://id.test", aud=AUDIENCE)))
    gw.get("/published/x", bearer(PUBLISHED.token(iss=gw.issuer.url)))
    gw.get("/away/x", bearer(PUBLISHED.token(iss="http://away.test")))
    gw.get("/site/x", method="POST", body=b"x")
    gw.get("/app/x", method="POST", body=b"x" * 2000)
    gw.get("/app/x", method="POST", body=b"x")
    gw.get("/site/x", {"Field": "a" * 20_000})
    for data in (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
                 b"POST /app/x HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\nx",
                 b"GET /site/x HTTP/1.1\r\nHost:"):  # which never ends
        exchange(gw.address, data)


def use_the_origin(gw) -> None:
    for target in ("/app/kept", "/app/kept"):
        gw.get(target)
    gw.get("/app/kept", {"Cookie": "a=b"})
    for number in range(40):  # the cache is small
        gw.get(f"/app/large?{number}")
    for target in ("/app/broken", "/app/closed", "/app/slow", "/app/denied"):
        gw.get(target)


def wait_in_line(gw, watched, origin) -> None:
    """A place, a queue, and who comes too late for both; one who leaves while it waits."""
    held, go = threading.Event(), threading.Event()

    def hold(ask):
        held.set()
        go.wait(10)
        ask.reply(b"x")

    origin.on("/held", hold)
    with Client(gw.address) as first, Client(gw.address) as second:
        first.ask("/narrow/held")
        assert held.wait(10)
        second.ask("/narrow/x")  # waits
        watched.until("sekisho_concurrency_queued", "somebody to wait", of="route")
        assert gw.get("/narrow/x").status == 503, "no place in the queue either"
        assert second.read().status == 503, "it has waited long enough"
        with Client(gw.address) as leaving:
            leaving.ask("/narrow/x")
            watched.until("sekisho_concurrency_queued", "another to wait", of="route")
        watched.until("sekisho_concurrency_requests_total", "it to leave", result="left")
        second.ask("/narrow/x")
        watched.until("sekisho_concurrency_queued", "one more to wait", of="route")
        go.set()
        assert first.read().status == 200 and second.read().status == 200


def ask_together(gw, watched, origin) -> None:
    """One fetch for three; and one whose client leaves before it comes."""
    held, go = threading.Event(), threading.Event()

    def hold(ask):
        ask.head(200, [("Cache-Control", "max-age=600"), ("Content-Length", "2000")])
        ask.send(b"x" * 1000)
        held.set()
        go.wait(10)
        ask.send(b"x" * 1000)

    origin.on("/together", hold)
    clients = [Client(gw.address) for _ in range(3)]
    for client in clients:
        client.ask("/app/together")
    assert held.wait(10)
    watched.until("sekisho_cache_fills_active", "the fill")
    watched.until("sekisho_cache_fill_bytes", "its first bytes")
    go.set()
    for client in clients:
        assert client.read().status == 200
        client.close()

    gw.get("/app/together", method="DELETE")
    watched.until("sekisho_cache_invalidations_total", "what a write takes")

    asked = threading.Event()
    origin.on("/left", lambda ask: (asked.set(), ask.stall()))
    with Client(gw.address) as leaving:
        leaving.ask("/app/left", fields={"Cookie": "a=b"})
        assert asked.wait(10)
    watched.until("sekisho_origin_requests_total", "the call to end", outcome="cancelled")


def knock_at_the_proxys_door(gw) -> None:
    """Nobody whom it trusts, and one of those who does not say for whom it comes."""
    listener = next(record["address"] for record in gw.logged("listening") if PROXY in record["address"])
    address = (PROXY, int(listener.rpartition(":")[2]))
    for source in ("127.0.0.1", PROXY):
        with Client(address, source=source) as client:
            try:
                client.send(b"GET /site/x HTTP/1.1\r\nHost: a\r\n\r\n")
            except OSError:
                pass  # it has been closed already
            assert client.closed(5)


@pytest.mark.slow
def test_every_series_moves_or_there_is_a_reason(gateway, origin, folder, redis):
    issuer = Issuer()
    issuer.publish(PUBLISHED)
    origin.forgiving = True
    fresh = {"Cache-Control": "max-age=600"}
    origin.otherwise(lambda ask: ask.reply(b"x", fields=fresh))
    origin.on("/large", lambda ask: ask.reply(b"x" * 3_000, fields=fresh))
    origin.on("/broken", lambda ask: ask.reply(b"", 500))
    origin.on("/closed", lambda ask: ask.close())
    origin.on("/slow", lambda ask: ask.stall())
    gw = gateway(configuration(origin, folder, issuer, redis), wait="listening")
    gw.issuer = issuer
    watched = Watched(gw)
    try:
        watched.until("sekisho_redis_up", "Redis")
        watched.until("sekisho_jwks_keys", "the issuer's keys")
        refuse_and_serve(gw)
        use_the_origin(gw)
        wait_in_line(gw, watched, origin)
        ask_together(gw, watched, origin)
        knock_at_the_proxys_door(gw)
        assert gw.reload().ok and not gw.reload("nonsense").ok
        watched.until("sekisho_access_log_lines_total", "lines")
        watched.until("sekisho_audit_lines_total", "lines")
    finally:
        issuer.stop()
    metrics, seen = watched.metrics(), watched.seen

    still = set()
    for key, value in seen.items():
        family = metrics.family(key[0])
        if metrics.types[family] == "histogram" and not key[0].endswith("_count"):
            continue
        label = BY.get(family)
        if label is not None:
            key = (family, tuple(pair for pair in key[1] if pair[0] == label))
            value = sum(value for (name, pairs), value in seen.items() if name == family and set(key[1]) <= set(pairs))
        if value == 0 and not any(re.fullmatch(pattern, written(key)) for pattern in STILL):
            still.add(written(key))
    assert not still, "nothing moved:\n" + "\n".join(sorted(still))
    shown = {metrics.family(name) for name, _ in seen}
    assert set(metrics.types) <= shown, f"without a sample: {set(metrics.types) - shown}"
