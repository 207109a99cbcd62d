"""The admin listener: who may, alive, ready and why not, what is counted, and the log level."""
import json
import os
import stat
import threading

import pytest

from lib import openapi
from lib.deadline import patience, until
from lib.gateway import complaint
from lib.issuer import Issuer
from lib.origin import Ask, says
from lib.peers import free_port
from lib.tokens import SECRET, Signer, bearer, hs256
from lib.wire import Client, Truncated, fetch

FRESH = {"Cache-Control": "max-age=600"}


def config(origin, folder, **more):
    return {
        "origins": {"app": {"type": "http", "url": origin.url}, "site": {"type": "dir", "path": str(folder)}},
        "identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}]}},
        "routes": [{"path": "/", "origin": "app"}, {"path": "/off/", "origin": "app", "cache": "off"},
                   {"path": "/site/", "origin": "site"}, {"path": "/private/", "origin": "site", "identity": "staff"}]
    } | more


@pytest.fixture
def gw(gateway, origin, folder):
    (folder / "x").write_text("object")
    return gateway(config(origin, folder))


def test_health_says_alive(gw):
    reply = fetch(gw.admin, "/health")
    assert reply.status == 200
    assert fetch(gw.admin, "/health", method="HEAD").status == 200


def test_ready_tells_each_dependency(gw):
    reply = gw.ready()
    assert reply.status == 200 and reply["Content-Type"].startswith("application/json")
    text = json.dumps(json.loads(reply.body))
    assert "app" in text and "site" in text


def test_ready_is_red_with_the_reason_and_the_name(gateway, origin, folder):
    made = config(origin, folder)
    made["origins"]["down"] = {"type": "http", "url": f"http://127.0.0.1:{free_port()}"}
    made["routes"].append({"path": "/down/", "origin": "down"})
    gw = gateway(made, wait="listening")
    reply = until(lambda: (r := gw.ready()).status == 503 and r, 10, "readiness to be red")
    assert "down" in reply.text and "refuse" in reply.text.lower()
    assert gw.get("/x").status == 200, "what works goes on working"
    assert fetch(gw.admin, "/health").status == 200


def test_how_requests_fared_shows_in_metrics_and_beside_readiness(gateway, origin, folder):
    gw = gateway(config(origin, folder))

    def told():
        return next(d for d in json.loads(gw.ready().body)["dependencies"] if d["name"] == "app")

    def in_a_row():
        return gw.metrics().total("sekisho_origin_failures_in_a_row", origin="app")

    assert in_a_row() == 0 and "last_request" not in told(), "nothing has been asked yet"
    origin.on("/sick", lambda ask: ask.reply(b"no", status=500))
    for n in (1, 2):
        assert gw.get("/off/sick").status == 500
        assert in_a_row() == n
    assert (told()["last_request"], told()["failures_in_a_row"]) == ("server_error", 2)
    assert told()["ready"], "it takes connections"
    origin.on("/well", lambda ask: ask.reply(b"yes"))
    assert gw.get("/off/well").status == 200
    assert in_a_row() == 0
    assert told()["last_request"] == "reply"


def test_the_admin_listener_serves_no_routes_and_the_main_one_no_admin(gw):
    assert gw.administrate("/site/x").status == 404
    for target in ("/metrics", "/ready", "/log/level"):
        reply = gw.get("/site" + target)
        assert reply.status == 404


@pytest.mark.parametrize("data, status", [(b"GET / HTTP/1.1\r\n\r\n", 400), (b"nonsense\r\n\r\n", 400),
                                          (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
                                          (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414)])
def test_the_admin_listener_is_as_strict(gw, data, status):
    with Client(gw.admin) as client:
        client.send(data)
        assert client.read().status in (status, 431 if status == 414 else status)


def test_metrics_are_well_formed(gw):
    gw.get("/site/x")
    reply = fetch(gw.admin, "/metrics")
    assert reply["Content-Type"].startswith("text/plain; version=0.0.4")
    metrics = gw.metrics()
    assert metrics.check_histograms() >= 3
    for family in metrics.types:
        assert family in metrics.helps, family
        assert family.startswith(("sekisho_", "process_")), family
        assert metrics.types[family] != "counter" or family.endswith("_total"), family


def test_requests_are_counted_by_route_status_and_outcome(gw, origin):
    gw.get("/site/x")
    gw.get("/site/absent")
    gw.get("/private/x")
    gw.get("/private/x", bearer(hs256()))
    gw.get("/%2fx")
    origin.on("/die", lambda ask: ask.close())
    gw.get("/die")
    metrics = until(lambda: (m := gw.metrics()).total("sekisho_requests_total") >= 6 and m, 5,
                    "six requests in the metrics")

    def count(**labels):
        return metrics.total("sekisho_requests_total", **labels)

    assert count() == 6
    assert {code: count(code=code) for code in ("200", "400", "401", "404", "502")} == {
        "200": 2, "400": 1, "401": 1, "404": 1, "502": 1
    }
    assert count(route="/private/") + count(route="/private") == 2
    assert count(outcome="served") == 3, "a 404 is a true answer about the object"
    assert count(outcome="denied") == 2
    assert count(outcome="origin_error") == 1
    assert metrics.total("sekisho_denials_total", reason="unauthorized") == 1
    assert metrics.total("sekisho_denials_total", reason="bad_request") == 1


def test_the_cache_is_counted_by_route_and_bypasses_apart(gw, origin):
    origin.otherwise(lambda ask: ask.reply(b"body", fields=FRESH))
    for _ in range(4):
        gw.get("/x")
    for _ in range(3):
        gw.get("/off/x")
    gw.get("/x", {"Cookie": "a=b"})
    metrics = until(lambda: (m := gw.metrics()).total("sekisho_requests_total") >= 8 and m, 5, "eight requests")
    count = lambda **labels: metrics.total("sekisho_cache_requests_total", **labels)
    assert count(result="hit") == 3 and count(result="miss") == 1
    assert count(result="bypass", route="/") == 1
    assert count(result="bypass") in (1, 4), "a route without a cache counts bypasses or nothing"
    assert metrics.total("sekisho_cache_entries") == 1
    assert metrics.total("sekisho_cache_bytes") > 4


def test_what_the_origin_forbids_to_keep_is_no_miss(gw, origin):
    origin.otherwise(lambda ask: ask.reply(b"body", fields=[("Cache-Control", "no-store")]))
    for _ in range(3):
        gw.get("/x")
    metrics = until(lambda: (m := gw.metrics()).total("sekisho_requests_total") >= 3 and m, 5, "three requests")
    assert metrics.total("sekisho_cache_requests_total", result="bypass", route="/") == 3
    assert metrics.total("sekisho_cache_requests_total", result="miss", route="/") == 0


def test_durations_and_phases_are_measured(gw, origin):
    origin.on("/slow", lambda ask: (threading.Event().wait(0.3), ask.reply(b"x")))
    gw.get("/slow")
    gw.get("/private/x", bearer(hs256()))
    metrics = until(lambda: (m := gw.metrics()).total("sekisho_requests_total") >= 2 and m, 5, "two requests")
    assert metrics.total("sekisho_request_duration_seconds_count") == 2
    assert metrics.total("sekisho_request_duration_seconds_sum") >= 0.3
    assert metrics.total("sekisho_gateway_duration_seconds_sum") < 0.25, "waiting for the origin is not ours"
    assert metrics.total("sekisho_phase_duration_seconds_sum", phase="origin") >= 0.3
    assert metrics.total("sekisho_phase_duration_seconds_count", phase="identity") >= 1
    assert metrics.total("sekisho_identity_verifications_total") >= 1


def test_origins_and_connections_are_counted(gw, origin):
    before = gw.metrics()
    with gw.client() as client:
        for _ in range(3):
            client.get("/off/x")
        during = gw.metrics()
        assert during.total("sekisho_connections_active") == 1
    after = until(lambda: (m := gw.metrics()).total("sekisho_connections_active") == 0 and m, 5,
                  "the connection to end")
    assert after.total("sekisho_connections_accepted_total") - before.total("sekisho_connections_accepted_total") == 1
    assert after.total("sekisho_origin_requests_total", origin="app", outcome="reply") == 3


def test_process_figures_are_there(gw):
    metrics = gw.metrics()
    for name in ("process_resident_memory_bytes", "process_open_fds",
                 "process_start_time_seconds"):
        assert metrics.total(name) > 0, name
    assert abs(metrics.total("process_resident_memory_bytes") - gw.rss()) < 32 << 20


def test_labels_are_bounded_whatever_clients_send(gw):
    for number in range(50):
        gw.get(f"/site/{number}?x={number}", {"User-Agent": f"agent-{number}"},
               host=f"host{number}.test",
               method="GET")
        gw.get(f"/{number}", method=f"BREW{number}")
    metrics = gw.metrics()
    values = {value for name, pairs in metrics.samples for _, value in pairs}
    assert not [
        value for value in values if "host1" in value or "BREW" in value or "agent-" in value or "site/1" in value
    ]
    assert len(metrics.samples) < 2500


def test_scraping_under_load_is_consistent(gw, origin):
    stop = threading.Event()

    def load():
        with gw.client() as client:
            while not stop.is_set():
                client.get("/site/x")

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        last = 0
        for _ in range(20):
            metrics = gw.metrics()
            metrics.check_histograms()
            now = metrics.total("sekisho_requests_total")
            assert now >= last
            last = now
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert last > 0


def test_aborted_requests_are_counted_as_such(gw, origin):
    origin.on("/off", lambda ask: ask.stall())
    origin.on("/cut", says(200, {"Content-Length": "9"}, b"half", Ask.close))
    with pytest.raises(Truncated):
        gw.get("/cut")
    client = gw.client()
    origin.on("/stall", lambda ask: ask.stall(60))
    client.ask("/stall")
    until(lambda: origin.count("/stall"), 5, "the request at the origin")
    client.close()
    until(lambda: gw.total("sekisho_requests_total", outcome="client_gone") == 1, 10, "the abort to be counted")
    assert gw.total("sekisho_requests_total", outcome="origin_error") == 1


# ---- the log level


def set_level(gw, level):
    return gw.administrate("/log/level", "POST", json.dumps({"level": level}).encode())


def test_the_log_level_changes_at_run_time(gw):
    def told():
        return [record for record in gw.reload().told if record["level"] == "info"]

    assert told()
    assert set_level(gw, "error").status in (200, 204)
    gw.write(gw.config | {"log": {"level": "error"}})  # a reload sets the level of the file again
    assert not told()


def test_the_log_level_can_be_asked_for(gw):
    assert json.loads(gw.administrate("/log/level").body)["level"] == "info"
    set_level(gw, "warn")
    assert json.loads(gw.administrate("/log/level").body)["level"] == "warn"


@pytest.mark.parametrize("body",
                         [b"", b"{}", b"loud", b'{"level":"loud"}', b'{"level":7}', b"[" * 5000, b'{"level":"debug"'])
def test_a_level_that_is_none_is_refused(gw, body):
    assert gw.administrate("/log/level", "POST", body).status == 400
    assert json.loads(gw.administrate("/log/level").body)["level"] == "info"


@pytest.mark.parametrize("body, why", [
    (b'{"level":"warning"}', "level: must be trace, debug, info, warn, error or off, did you mean 'warn'?"),
    (b'{"levle":"warn"}', "levle: is not known here, did you mean 'level'?"),
    (b'{"level":"warn","level":"debug"}', "the body is no JSON object, or names a member twice"),
    (b"{}", "level: is missing"),
])  # yapf: disable
def test_a_refused_level_says_why(gw, body, why):
    reply = gw.administrate("/log/level", "POST", body)
    assert reply.status == 400 and reply["Content-Type"] == "application/problem+json"
    assert json.loads(reply.body)["detail"] == why


def test_a_body_that_is_too_large_is_refused(gw):
    reply = gw.administrate("/log/level", "POST", b'{"level":"warn"}' + b" " * 20_000)
    assert reply.status == 413
    assert json.loads(gw.administrate("/log/level").body)["level"] == "info"


def test_a_level_from_a_web_page_is_refused(gw):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        reply = gw.administrate("/log/level", "POST", b'{"level":"debug"}', {"Content-Type": kind})
        assert reply.status == 415
    assert json.loads(gw.administrate("/log/level").body)["level"] == "info"


# ---- what there is


def test_the_operations_are_told_to_machines(gw):
    assert fetch(gw.admin, "/openapi.json").status == 401
    document = json.loads(gw.administrate("/openapi.json").body)
    operations = openapi.check(document)
    assert {(method, path) for method, path, _ in operations} == {
        ("GET", "/health"), ("GET", "/ready"), ("GET", "/serving"), ("GET", "/metrics"), ("GET", "/log/level"),
        ("POST", "/log/level"), ("GET", "/openapi.json")}
    for method, path, operation in operations:
        body = b'{"level":"warn"}' if "requestBody" in operation else None
        openapi.check_reply(document, operation, gw.administrate(path, method, body))
        if {} not in operation["security"]:
            assert fetch(gw.admin, path, method=method).status == 401
            openapi.check_reply(document, operation, fetch(gw.admin, path, method=method))


@pytest.mark.parametrize("path, allowed", [("/health", "GET, HEAD"), ("/metrics", "GET, HEAD"),
                                           ("/log/level", "GET, HEAD, POST")])
def test_a_method_that_a_path_has_not_is_told_the_others(gw, path, allowed):
    for method in ("DELETE", "PUT", "OPTIONS", "PROPFIND"):
        reply = gw.administrate(path, method)
        assert reply.status == 405 and reply["Allow"] == allowed


# ---- who may

ADMINS = {"identity": "staff", "require": {"claim": "role", "equals": "admin"}}


def level(gw, fields=(), method="GET"):
    return fetch(gw.admin, "/log/level", fields, method, body=b'{"level":"info"}' if method == "POST" else None)


def test_everything_but_health_and_readiness_asks_for_a_credential(gateway, origin, folder):
    gw = gateway(config(origin, folder, admin={"listen": "0.0.0.0:0"}), wait="listening")
    for target, method in (("/log/level", "GET"), ("/log/level", "POST"), ("/metrics", "GET"), ("/metrics", "HEAD"),
                           ("/", "GET"), ("/absent", "GET"), ("/health/", "GET"), ("/Ready", "GET"), ("/%72eady", "GET"),
                           ("/health", "POST")):
        reply = fetch(gw.admin, target, method=method)
        if target == "/health":
            assert reply.status == 405, "it can be read by everybody, and nothing else"
            continue
        assert reply.status == 401, target
        assert reply["WWW-Authenticate"] == 'Bearer realm="sekisho"', target
        with_token = gw.administrate(target, method)
        assert with_token.status in (200, 400, 404), target
    for target in ("/health", "/ready", "/health?x=1"):
        assert fetch(gw.admin, target).status == 200, target


@pytest.mark.parametrize("host, status", [("127.0.0.1", 200), ("127.0.0.2", 200), ("[::1]", 200), ("0.0.0.0", 401),
                                          ("[::]", 401)])
def test_metrics_are_open_on_loopback_only(gateway, origin, folder, host, status):
    gw = gateway(config(origin, folder, admin={"listen": f"{host}:0"}), wait="listening")
    assert fetch(gw.admin, "/metrics").status == status
    assert gw.administrate("/metrics").status == 200


@pytest.mark.parametrize("fields, status", [
    ({}, 401),
    ({"Authorization": ""}, 401),
    ({"Authorization": "Bearer"}, 401),
    ({"Authorization": "Basic YWRtaW46YWRtaW4="}, 401),
    (bearer("x" * 43), 401),
    (bearer(hs256(role="user")), 403),
    (bearer(hs256()), 403),
    (bearer(hs256(role=["admin"])), 403),
    (bearer(hs256(role="admin")), 200),
    (bearer(hs256(role="admin", exp=1)), 401),
    (bearer(hs256(role="admin", secret="another secret of the tests, of 48 bytes or more")), 401),
    (bearer(hs256(role="admin") + "x"), 401),
])  # yapf: disable
def test_an_identity_and_its_claims_decide(gateway, origin, folder, fields, status):
    gw = gateway(config(origin, folder, admin={"listen": "127.0.0.1:0"} | ADMINS))
    reply = level(gw, fields)
    assert reply.status == status
    if status == 401:
        assert reply["WWW-Authenticate"].startswith("Bearer")
        assert "text" not in reply.text and hs256()[:20] not in reply.text
    if status == 403:
        assert reply["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert level(gw, bearer(gw.admin_token())).status == 200, "the bootstrap token, too"


def test_a_token_is_taken_from_the_authorization_field_alone(gw):
    token = gw.admin_token()
    assert fetch(gw.admin, f"/log/level?token={token}&access_token={token}").status == 401
    assert level(gw, {"Cookie": f"token={token}"}).status == 401
    assert level(gw, [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]).status == 400


def test_without_an_identity_no_jwt_is_taken(gw):
    assert level(gw, bearer(hs256(role="admin"))).status == 401


def test_a_reload_changes_who_may(gateway, origin, folder):
    gw = gateway(config(origin, folder))
    admin = bearer(hs256(role="admin"))
    assert level(gw, admin).status == 401
    assert gw.reload(gw.config | {"admin": gw.config["admin"] | ADMINS}).ok
    until(lambda: level(gw, admin).status == 200, 5, "the identity to be taken")
    assert level(gw, bearer(hs256(role="user"))).status == 403
    changed = ADMINS | {"require": {"claim": "role", "equals": "user"}}
    assert gw.reload(gw.config | {"admin": gw.config["admin"] | changed}).ok
    until(lambda: level(gw, admin).status == 403, 5, "the new rule to hold")
    made = config(origin, folder, admin={"listen": "127.0.0.1:0"})
    assert gw.reload(made).ok
    until(lambda: level(gw, admin).status == 401, 5, "the identity to go")


def test_an_identity_with_published_keys_is_asked_again_for_a_new_one(gateway, origin, folder):
    issuer, old, new = Issuer(), Signer("ES256", kid="old"), Signer("ES256", kid="new")
    try:
        issuer.publish(old)
        made = config(origin, folder, admin={"listen": "127.0.0.1:0"} | ADMINS)
        made["identities"]["staff"] = {"type": "jwt", "issuer": issuer.url, "audience": "any", "algorithms": ["ES256"],
                                       "jwks": {"url": issuer.keys_url, "cooldown": "1s"}}
        gw = gateway(made)
        assert level(gw, bearer(old.token(iss=issuer.url, role="admin"))).status == 200
        issuer.publish(old, new)
        assert level(gw, bearer(new.token(iss=issuer.url, role="admin"))).status == 200
        assert level(gw, bearer(new.token(iss=issuer.url, role="user"))).status == 403
    finally:
        issuer.stop()


def test_guessing_is_slow_and_shuts_nobody_else_out(gw):
    assert level(gw, bearer(gw.admin_token())).status == 200
    statuses = [level(gw, bearer("x" * 43)).status for _ in range(40)]
    assert 10 <= statuses.count(401) < 35 and statuses.count(429) == 40 - statuses.count(401)
    assert fetch(gw.admin, "/health").status == 200 and gw.metrics()
    with Client(gw.admin, source="127.0.0.9") as other:
        assert other.get("/log/level", bearer(gw.admin_token())).status == 200
    until(lambda: level(gw, bearer(gw.admin_token())).status == 200, 5, "the address to be heard again")


def test_strangers_do_not_shut_the_right_token_out_of_their_address(gw):
    right = bearer(gw.admin_token())
    for fields in ((), bearer("x" * 43)):
        seen = [level(gw, fields).status for _ in range(30)]
        assert set(seen) == {401, 429}, "and they are still slowed down"
        assert level(gw, right).status == 200
        assert set(level(gw, fields).status for _ in range(3)) == {429}


@pytest.mark.parametrize("path", ["/ready", "/metrics", "/health", "/log/level"])
def test_a_name_that_is_not_listed_is_not_answered(gateway, origin, folder, path):
    """A web page that has its own name resolve to this address reads nothing (DNS rebinding)."""
    (folder / "x").write_text("object")
    gw = gateway(config(origin, folder, admin={"listen": "127.0.0.1:0", "hosts": ["metrics.internal"]}))
    known = bearer(gw.admin_token())
    for host in ("evil.test", "evil.test:9901", "localhost.evil.test", "127.0.0.1.evil.test", "0x7f000001"):
        reply = fetch(gw.admin, path, known, host=host)
        assert reply.status == 403 and "admin.hosts" in reply.text, host
    for host in ("localhost", "127.0.0.1", f"127.0.0.1:{gw.admin[1]}", "[::1]:9901", "10.0.0.7", "Metrics.internal:80"):
        assert fetch(gw.admin, path, known, host=host).status == 200, host
    assert gw.reload(gw.config | {"admin": gw.config["admin"] | {"hosts": ["other.internal"]}}).ok
    until(lambda: fetch(gw.admin, path, known, host="metrics.internal").status == 403, 5, "the new list")
    assert fetch(gw.admin, path, known, host="other.internal").status == 200


def test_hosts_are_names_alone(tmp_path):
    complaint(tmp_path, {"admin": {"listen": "127.0.0.1:0", "hosts": ["sekisho:9901"]},
                         "origins": {"site": {"type": "dir", "path": "."}}, "routes": [{"path": "/", "origin": "site"}]},
              "admin.hosts")


def test_the_token_may_be_a_mounted_secret(gateway, origin, folder, tmp_path):
    """As Kubernetes mounts one: links to a file of root's that the group may read."""
    mounted = tmp_path / "secret"
    (mounted / "..2026").mkdir(parents=True)
    (mounted / "..2026" / "token").write_text("t" * 43 + "\n")
    (mounted / "..2026" / "token").chmod(0o440)
    (mounted / "..data").symlink_to("..2026")
    (mounted / "token").symlink_to("..data/token")
    gw = gateway(config(origin, folder, admin={"listen": "127.0.0.1:0", "token_file": str(mounted / "token")}))
    assert level(gw, bearer("t" * 43)).status == 200


def test_the_bootstrap_token_is_made_once_for_its_owner_alone(gateway, origin, folder):
    before = os.umask(0o002)
    try:
        gw = gateway(config(origin, folder))
    finally:
        os.umask(before)
    path = gw.directory / "admin.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = gw.admin_token()
    assert len(token) == 43
    assert gw.logged("admin token created")[0]["file"] == str(path)
    again = gateway(config(origin, folder, admin={"listen": "127.0.0.1:0", "token_file": str(path)}))
    assert again.admin_token() == token and not again.logged("admin token created")
    assert level(again, bearer(token)).status == 200
    assert token not in "".join(each.stderr() + each.out.read_text() for each in (gw, again))


@pytest.mark.parametrize("prepare, told", [
    (lambda path: path.write_text("short"), "too short"),
    (lambda path: path.touch(), "too short"),
    (lambda path: (path.write_text("x" * 43), path.chmod(0o644)), "0600"),
    (lambda path: (path.write_text("x" * 43), path.chmod(0o660)), "0600"),
    (lambda path: path.symlink_to("/etc/hostname"), "symbolic link"),
    (lambda path: path.symlink_to("nowhere"), "symbolic link"),
    (lambda path: (path.write_text("x" * 43), path.chmod(0o644), path.rename(path.parent / "other"),
                   path.symlink_to("other")), "0600"),
    (lambda path: path.mkdir(), "no plain file"),
    (lambda path: path.parent.rmdir(), "No such file"),
])  # yapf: disable
def test_a_token_file_that_is_not_ours_alone_is_refused(gateway, origin, folder, tmp_path, prepare, told):
    path = tmp_path / "secrets" / "token"
    path.parent.mkdir()
    before = os.umask(0o077)
    try:
        prepare(path)
    finally:
        os.umask(before)
    gw = gateway(config(origin, folder, admin={"listen": "127.0.0.1:0", "token_file": str(path)}), start=False)
    gw.start(wait="")
    assert gw.wait() != 0
    assert told in gw.stderr() and str(path) in gw.stderr() and "xxxxxxxx" not in gw.stderr()
    assert not (tmp_path / "secrets/nowhere").exists()
    gw.process = None


def test_the_operational_log_is_json(gw):
    gw.stop()
    for line in gw.stderr().splitlines():
        record = json.loads(line)
        assert {"time", "level", "message"} <= record.keys()
        assert record["level"] in ("trace", "debug", "info", "warn", "error")


def test_no_admin_listener_unless_configured(gateway, origin, folder):
    gw = gateway(config(origin, folder, admin={}), wait="")
    until(lambda: gw.logged("listening"), 10, "the gateway to listen")
    assert {record["listener"] for record in gw.logged("listening")} == {"main"}
    assert gw.get("/x").status == 200


def test_many_scrapes_at_once(gw):
    failures = []

    def scrape():
        try:
            for _ in range(5):
                gw.metrics()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=scrape) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience(20))
    assert not failures
