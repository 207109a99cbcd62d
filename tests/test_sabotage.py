"""The sabotaged build: each mistake shows when it is switched on, and not before.

`make sabotage` builds it (`cmake --preset sabotage`); without it the file is skipped.
Every probe runs twice against the same binary: with nothing switched on it must see nothing.
"""
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lib.deadline import holds, until
from lib.gateway import ROOT, Gateway
from lib.issuer import Issuer
from lib.origin import says
from lib.tokens import AUDIENCE, ISSUER, SECRET, Signer, b64, bearer, claims, hs256
from lib.wire import Client, Truncated, fetch, is_hit

BINARY = Path(os.environ.get("SEKISHO_SABOTAGED_BIN", ROOT / "build/sabotage/sekisho")).resolve()
if not BINARY.exists():
    pytest.skip("no sabotaged build (cmake --preset sabotage)", allow_module_level=True)

NAMES = [name for name in re.findall(r'Row\{"sabotage:([a-z0-9-]+)"', (ROOT / "src/base/sabotage.h").read_text())
         if not name.startswith("prove-")]  # those are the harness's: test_prove_sabotage.py
FRESH = {"Cache-Control": "max-age=60", "ETag": '"tag"'}


class Lab:
    """A gateway with a sabotage, or without, before an origin; all that a probe needs."""

    def __init__(self, directory, origin, name):
        self.directory, self.origin, self.name, self.gw = directory, origin, name, None
        origin.forgiving = True
        origin.on("/x", lambda ask: ask.reply(b"the object", fields=FRESH))

    def start(self, config=None, **more) -> Gateway:
        identity = {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "leeway": "0s",
                    "keys": [{"inline": SECRET}], "from": ["bearer", {"query": "token"}]}
        config = config or {
            "origins": {"app": {"type": "http", "url": self.origin.url}}, "identities": {"staff": identity},
            "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "60s"}},
                       {"path": "/private/", "origin": "app", "identity": "staff"}],
            "shutdown": {"delay": "0s"}, "workers": 1} | more
        self.gw = Gateway(self.directory, config, env={"SEKISHO_SABOTAGE": self.name})
        self.gw.arguments[0] = str(BINARY)
        return self.gw.start()

    def private(self, token=None, path="/private/x"):
        return self.gw.get(path, bearer(token) if token else ())


PROBES = {}


def probe(function):
    PROBES[function.__name__.replace("_", "-")] = function
    return function


# ---- who is calling


@probe
def signature_not_checked(lab):
    lab.start()
    return lab.private(hs256("x" * 48)).status == 200


@probe
def expiry_not_checked(lab):
    lab.start()
    return lab.private(hs256(exp=int(time.time()) - 60)).status == 200


@probe
def remembered_past_expiry(lab):
    lab.start()
    end = int(time.time()) + 2
    token = hs256(exp=end)
    assert lab.private(token).status == 200
    assert lab.private(hs256(exp=int(time.time()) - 60)).status == 401
    until(lambda: time.time() > end + 0.5, 5, "the token's end")
    return lab.private(token).status == 200


@probe
def audience_not_checked(lab):
    lab.start()
    return lab.private(hs256(aud="others")).status == 200


@probe
def issuer_not_checked(lab):
    lab.start()
    return lab.private(hs256(iss="https://other.test")).status == 200


@probe
def alg_none_accepted(lab):
    lab.start()
    return lab.private(b64({"alg": "none"}) + "." + b64(claims()) + ".").status == 200


@probe
def auth_off(lab):
    lab.start()
    return lab.private().status == 200


@probe
def authorization_forwarded(lab):
    lab.start()
    assert lab.private(hs256()).status == 200
    return "Authorization" in lab.origin.last


@probe
def token_logged(lab):
    lab.start()
    token = hs256()
    assert lab.gw.get("/private/x?token=" + token).status == 200
    lab.gw.access_for(lambda record: record["path"].startswith("/private/x"))
    return token in lab.gw.out.read_text()


@probe
def claims_not_checked(lab):
    lab.start(routes={"path": "/private/", "origin": "app", "identity": "staff",
                      "require": {"claim": "role", "equals": "admin"}})
    assert lab.private(hs256(role="admin")).status == 200
    return lab.private(hs256()).status == 200


@probe
def withdrawn_key_trusted(lab):
    old, new, issuer = Signer("ES256", "old"), Signer("ES256", "new"), Issuer()
    try:
        issuer.publish(old, new)
        gw = lab.start(identities={"staff": {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": "ES256",
                                             "jwks": {"url": issuer.keys_url, "min_ttl": "1s", "ttl": "1s"}}})
        token = old.token()
        assert lab.private(token).status == 200
        issuer.publish(new)
        until(lambda: gw.total("sekisho_jwks_keys") == 1, 5, "the old key to be gone")
        assert lab.private(old.token(sub="bob")).status == 401
        return lab.private(token).status == 200
    finally:
        issuer.stop()


@probe
def forwarded_believed_from_anybody(lab):
    gw = lab.start(rates={"few": {"requests": "2/h", "per": "address"}}, limits={"rates": "few"})
    return all(gw.get("/x", {"X-Forwarded-For": f"192.0.2.{n}"}).status == 200 for n in range(5))


# ---- how often


@probe
def rates_ignored(lab):
    gw = lab.start(rates={"few": {"requests": "2/h"}}, limits={"rates": "few"})
    return all(gw.get("/x").status == 200 for _ in range(5))


@probe
def concurrency_ignored(lab):
    gw, gate = lab.start(routes={"path": "/", "origin": "app", "concurrency": 1}), threading.Event()
    lab.origin.on("/slow", says(200, {"Content-Length": "2"}, gate, b"ok"))
    with gw.client() as client:
        client.ask("/slow")
        until(lambda: lab.origin.count("/slow"), 5, "the first to reach the origin")
        second = gw.get("/x").status
        gate.set()
        assert client.read().status == 200
    return second == 200


@probe
def failures_ignored(lab):
    lab.start(limits={"failures": {"rate": "1/h", "burst": 2}})
    return all(lab.private(hs256("x" * 48)).status == 401 for _ in range(5))


# ---- the cache


@probe
def cache_off(lab):
    gw = lab.start()
    gw.get("/x")
    return not is_hit(gw.get("/x"))


@probe
def wrong_object(lab):
    gw = lab.start()
    lab.origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    with gw.client() as client:
        return any(client.get(f"/{n % 7}").text != f"/{n % 7}" for n in range(1000))


@probe
def key_ignores_query(lab):
    gw = lab.start()
    lab.origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    gw.get("/q?a=1")
    return gw.get("/q?a=2").text != "/q?a=2"


@probe
def stale_forever(lab):
    gw = lab.start()
    lab.origin.on("/soon", lambda ask: ask.reply(b"", fields={"Cache-Control": "max-age=1"}))
    gw.get("/soon")
    end = time.monotonic() + 1.5
    until(lambda: time.monotonic() > end, 5, "the end of its lifetime")
    return is_hit(gw.get("/soon"))


@probe
def single_flight_off(lab):
    gw, gate = lab.start(), threading.Event()
    lab.origin.on("/slow", says(200, FRESH | {"Content-Length": "2"}, gate, b"ok"))
    clients = [gw.client() for _ in range(5)]
    for client in clients:
        client.ask("/slow")
    until(lambda: lab.origin.count("/slow"), 5, "the first to reach the origin")
    alone = holds(lambda: lab.origin.count("/slow") == 1, 0.3)
    gate.set()
    assert all(client.read().status == 200 for client in clients)
    return not alone


@probe
def hit_before_identity(lab):
    lab.start()
    assert lab.private(hs256()).status == 200
    return lab.private().status == 200


@probe
def no_store_ignored(lab):
    gw = lab.start()
    lab.origin.on("/no", lambda ask: ask.reply(b"x", fields={"Cache-Control": "no-store"}))
    gw.get("/no")
    return is_hit(gw.get("/no"))


@probe
def origin_error_stored(lab):
    gw = lab.start()
    lab.origin.on("/bad", lambda ask: ask.reply(b"x", status=503))
    gw.get("/bad")
    return is_hit(gw.get("/bad"))


# ---- replies


@probe
def reply_delayed(lab):
    gw = lab.start()
    with gw.client() as client:
        client.get("/x")
        began = time.monotonic()
        for _ in range(10):
            client.get("/x")
        return time.monotonic() - began > 0.2


@probe
def cpu_wasted(lab):
    gw = lab.start()
    with gw.client() as client:
        for _ in range(500):
            client.get("/x")
    # With 8 µs more, not one request takes the gateway 5 µs or less; without, some do on any machine.
    return gw.metrics().total("sekisho_gateway_duration_seconds_bucket", le="5e-06") == 0


@probe
def worker_stuck(lab):
    gw, worst = lab.start(), 0
    with gw.client() as client:
        end = time.monotonic() + 2.5
        while (began := time.monotonic()) < end:
            client.get("/x")
            worst = max(worst, time.monotonic() - began)
    return worst > 0.25


@probe
def reply_corrupt(lab):
    gw = lab.start()
    with gw.client() as client:
        return any(client.get("/x").text != "the object" for _ in range(4000))


@probe
def reply_dropped(lab):
    gw = lab.start()
    try:
        with gw.client() as client:
            for _ in range(3000):
                client.get("/x")
    except (Truncated, ConnectionResetError):
        return True
    return False


@probe
def reply_short(lab):
    gw = lab.start()
    try:
        with gw.client(timeout=1) as client:
            for _ in range(4000):
                client.get("/x")
    except TimeoutError:
        return True
    return False


@probe
def range_off_by_one(lab):
    gw = lab.start()
    gw.get("/x")
    return gw.get("/x", {"Range": "bytes=4-6"}).text != "obj"


@probe
def conditions_ignored(lab):
    gw = lab.start()
    gw.get("/x")
    return gw.get("/x", {"If-None-Match": '"tag"'}).status == 200


@probe
def origin_failure_200(lab):
    gw = lab.start()
    lab.origin.on("/cut", lambda ask: ask.close())
    return gw.get("/cut").status == 200


@probe
def connection_per_request(lab):
    gw = lab.start()
    with gw.client() as client:
        return client.get("/x").get("Connection") == "close"


# ---- what is told of it


@probe
def metrics_frozen(lab):
    gw = lab.start()
    gw.metrics()
    gw.get("/x")
    return gw.total("sekisho_requests_total") == 0


@probe
def hit_counted_as_miss(lab):
    gw = lab.start()
    assert [is_hit(gw.get("/x")) for _ in range(3)] == [False, True, True]
    return gw.total("sekisho_cache_requests_total", result="miss") == 3


@probe
def miss_counted_as_hit(lab):
    gw = lab.start()
    assert [is_hit(gw.get("/x")) for _ in range(3)] == [False, True, True]
    return gw.total("sekisho_cache_requests_total", result="hit") == 3


@probe
def access_line_lost(lab):
    gw = lab.start()
    with gw.client() as client:
        for _ in range(1500):
            client.get("/x")
    client.close()
    gw.access_for("/x")
    return holds(lambda: len(gw.access()) < 1500, 0.5)  # lines are handed over at most 100 ms late


# ---- what it takes


@probe
def memory_leak(lab):
    gw = lab.start()
    with gw.client() as client:
        for _ in range(500):
            client.get("/x")
        before = gw.rss()
        for _ in range(4000):
            client.get("/x")
    return gw.rss() - before > 6 << 20


@probe
def descriptor_leak(lab):
    gw = lab.start()
    with gw.client() as client:
        client.get("/x")
        before = gw.descriptors()
        for _ in range(1500):
            client.get("/x")
        return gw.descriptors() > before + 10


@probe
def connection_limit_ignored(lab):
    gw = lab.start(limits={"connections": 4})
    clients = [gw.client() for _ in range(8)]
    return all(client.get("/x").status == 200 for client in clients)


@probe
def connection_count_leak(lab):
    gw = lab.start(limits={"connections": 4})

    def served():
        try:
            return gw.get("/x").status == 200
        except (Truncated, ConnectionResetError):
            return False

    def alone():
        until(lambda: gw.total("sekisho_connections_active") == 0, 5, "the last connection to be gone")
        return served()

    return not all(alone() for _ in range(8))


# ---- how it changes and ends


@probe
def reload_drops_cache(lab):
    gw = lab.start()
    gw.get("/x")
    assert gw.reload().ok
    return not is_hit(gw.get("/x"))


@probe
def reload_ignored(lab):
    gw = lab.start()
    assert gw.reload(gw.config | {"routes": [{"path": "/new/", "origin": "app"}]}).ok
    return gw.get("/new/x").status != 200 or gw.get("/x").status != 404


@probe
def reload_resets_connections(lab):
    gw = lab.start()
    with gw.client() as client:
        client.get("/x")
        assert gw.reload().ok
        try:
            return client.get("/x").status != 200
        except (Truncated, OSError):
            return True


@probe
def reload_opens_door(lab):
    gw = lab.start()
    assert lab.private().status == 401
    assert gw.reload().ok
    return lab.private().status == 200


@probe
def bad_reload_ends(lab):
    gw = lab.start()
    gw.write("listen: [")
    gw.signal(signal.SIGHUP)
    until(lambda: not gw.running or gw.logged("configuration not reloaded; the old one stays"), 5, "the reload")
    return not gw.running


@probe
def drain_cuts_in_flight(lab):
    gw, gate = lab.start(), threading.Event()
    lab.origin.on("/slow", says(200, {"Content-Length": "2"}, b"o", gate, b"k"))
    with gw.client() as client:
        client.ask("/slow")
        head = client.read_head()
        gw.signal(signal.SIGTERM)
        until(lambda: gw.logged("shutting down"), 5, "the drain to begin")
        holds(lambda: gw.running, 0.2)
        gate.set()
        try:
            return b"".join(client.pieces(head)) != b"ok"
        except Truncated:
            return True


@probe
def drain_keeps_ready(lab):
    gw = lab.start(shutdown={"delay": "1s"})
    admin = gw.admin
    gw.signal(signal.SIGTERM)
    until(lambda: gw.logged("shutting down"), 5, "the drain to begin")
    return holds(lambda: fetch(admin, "/ready").status == 200, 0.3)


@probe
def drain_without_delay(lab):
    gw = lab.start(shutdown={"delay": "1s"})
    address = gw.address
    gw.signal(signal.SIGTERM)
    until(lambda: gw.logged("shutting down"), 5, "the drain to begin")

    def served():
        try:
            with Client(address) as client:
                return client.get("/x").status == 200
        except (Truncated, OSError):
            return False

    return not holds(served, 0.3)


@probe
def sigterm_ignored(lab):
    gw = lab.start()
    gw.signal(signal.SIGTERM)
    try:
        gw.wait(2)
    except subprocess.TimeoutExpired:
        return True
    return False


# ---- each of them, off and on


@pytest.mark.parametrize("on", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_shows_when_it_is_switched_on(tmp_path, origin, name, on):
    lab = Lab(tmp_path / "gateway", origin, name if on else "")
    try:
        assert PROBES[name](lab) is on
        assert ("sabotage:" + name in lab.gw.stderr()) is on
    finally:
        if lab.gw:
            lab.gw.kill()


def test_every_probe_is_of_a_sabotage_that_exists():
    assert set(PROBES) == set(NAMES)


def serve(tmp_path, value):
    return subprocess.run([str(BINARY), "serve", "-c", str(tmp_path / "none.yaml")], text=True, capture_output=True,
                          timeout=10, env=os.environ | {"SEKISHO_SABOTAGE": value})


def test_an_unknown_name_refuses_to_start(tmp_path):
    done = serve(tmp_path, "auth-off,gremlins")
    assert done.returncode == 2
    assert done.stderr == "sekisho: SEKISHO_SABOTAGE: there is no sabotage 'gremlins'\n"


def test_it_says_what_is_wrong_with_it(tmp_path):
    warning = serve(tmp_path, "auth-off,cache-off").stderr.splitlines()[0]
    assert "sabotaged" in warning and warning.endswith(": sabotage:auth-off, sabotage:cache-off")
    assert serve(tmp_path, "").stderr.splitlines()[0].endswith(": nothing")
