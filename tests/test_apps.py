"""Applications inside the gateway: what a route says of callers holds for them as for origins."""
import json
import signal

import pytest

from lib import openapi
from lib.deadline import until
from lib.peers import free_port
from lib.tokens import SECRET, bearer, hs256
from lib.wire import fetch


def config(origin, routes=(), **more):
    return {
        "origins": {"site": {"type": "http", "url": origin.url}},
        "apps": {"about": {"type": "status"}},
        "identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}]}},
        "routes": [{"path": "/", "origin": "site"}, {"path": "/about/", "app": "about"},
                   {"path": "/me/", "app": "about", "identity": "staff"}, *routes],
    } | more


@pytest.fixture
def gw(gateway, origin):
    return gateway(config(origin))


def test_it_says_alive_and_ready(gw, origin):
    for path, said in (("/about/health", {"alive": True}), ("/about/ready", {"ready": True}),
                       ("/about/whoami", {"anonymous": True})):
        reply = gw.get(path)
        assert reply.status == 200 and json.loads(reply.body) == said, path
        assert reply["Content-Type"] == "application/json" and reply["Cache-Control"] == "no-store"
        head = gw.get(path, method="HEAD")
        assert head.status == 200 and head["Content-Length"] == str(len(reply.body)) and not head.body
    assert not origin.count("/about/health"), "no origin was asked"


def test_a_connection_goes_on_after_an_answer(gw):
    with gw.client() as client:
        for path in ("/about/health", "/about/absent", "/about/whoami"):
            client.get(path)
        assert client.get("/about/health", method="POST", body=b"x" * 100).status == 405
        assert client.get("/about/health").status == 200


def test_ready_is_red_while_an_origin_is_away(gateway, origin):
    made = config(origin)
    made["origins"]["down"] = {"type": "http", "url": f"http://127.0.0.1:{free_port()}"}
    gw = gateway(made, wait="listening")
    reply = until(lambda: (r := gw.get("/about/ready")).status == 503 and r, 10, "readiness to be red")
    assert json.loads(reply.body) == {"ready": False}, "without reasons"
    assert gw.get("/about/health").status == 200


def test_ready_turns_red_while_the_gateway_drains(gateway, origin):
    gw = gateway(config(origin, shutdown={"delay": "1500ms"}))
    assert gw.get("/about/ready").status == 200
    gw.signal(signal.SIGTERM)
    until(lambda: gw.get("/about/ready").status == 503, 1.4, "readiness to be red")
    assert gw.wait() == 0


def test_whoami_is_whom_the_route_has_identified(gw):
    token = hs256(iss="https://id.example", sub="ann", act={"sub": "bot"})
    assert json.loads(gw.get("/me/whoami", bearer(token)).body) == {
        "issuer": "https://id.example", "subject": "ann", "agent": "bot"}
    assert json.loads(gw.get("/about/whoami", bearer(token)).body) == {"anonymous": True}, "no identity, no belief"
    assert json.loads(gw.get("/me/whoami", bearer(hs256())).body).keys() <= {"issuer", "subject", "agent"}
    assert gw.get("/me/whoami").status == 401
    assert gw.get("/me/whoami", bearer(hs256(exp=1))).status == 401


def test_what_is_not_there_is_a_problem(gw):
    for path in ("/about/absent", "/about/", "/about/health/", "/about/whoami/x"):
        reply = gw.get(path)
        assert reply.status == 404 and reply["Content-Type"] == "application/problem+json", path
        body = json.loads(reply.body)
        assert body["type"] == "urn:sekisho:problem:not-found" and body["request_id"]
    for method in ("POST", "DELETE", "OPTIONS", "PROPFIND"):
        reply = gw.get("/about/health", method=method)
        assert reply.status == 405 and reply["Allow"] == "GET, HEAD", method


def test_the_operations_are_told_to_machines(gw):
    document = json.loads(gw.get("/about/openapi.json").body)
    for method, path, operation in openapi.check(document):
        openapi.check_reply(document, operation, gw.get("/about" + path, method=method))


def test_rates_hold_for_an_application(gateway, origin):
    gw = gateway(config(origin, [{"path": "/tight/", "app": "about", "rates": ["tight"]}],
                        rates={"tight": {"requests": "1/1h"}}))
    assert gw.get("/tight/health").status == 200
    assert gw.get("/tight/health").status == 429


def test_it_is_counted_and_logged_under_its_route(gw):
    gw.get("/me/whoami", bearer(hs256(sub="ann")))
    line = gw.access_for(lambda line: line["path"] == "/me/whoami")
    assert line["route"] == "/me/" and line["status"] == 200 and line["principal"] == "ann"
    assert "cache" not in line and "origin_ms" not in line
    gw.get("/me/absent", bearer(hs256()))
    metrics = until(lambda: (m := gw.metrics()).total("sekisho_requests_total", route="/me/") >= 2 and m, 5,
                    "two requests")
    assert metrics.total("sekisho_requests_total", route="/me/", outcome="served") == 2
    assert metrics.total("sekisho_requests_total", route="/me/", code="404") == 1


def test_a_reload_brings_and_takes_an_application(gateway, origin):
    gw = gateway(config(origin))
    assert gw.reload(gw.config | {"routes": [{"path": "/", "origin": "site"}, {"path": "/new/", "app": "about"}]}).ok
    until(lambda: gw.get("/new/health").status == 200, 5, "the application")
    assert origin.count("/about/health") == 0
    gw.get("/about/health")
    assert origin.count("/about/health") == 1, "the route of the origin has it again"
    assert fetch(gw.admin, "/ready").status == 200
