"""A browser sends a cookie for whatever page asks: a cookie as credential needs evidence of who asks (CSRF)."""
import json

import pytest

from lib.deadline import until
from lib.gateway import complaint
from lib.tokens import AUDIENCE, ISSUER, SECRET, bearer, hs256
from lib.wire import is_hit

TOKEN = hs256()
FRIEND = "https://friend.test"
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")]


def config(origin, **more):
    staff = {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "keys": [{"inline": SECRET}],
             "from": ["bearer", {"header": "X-Token"}, {"cookie": "session", "allowed_origins": ["https://Friend.test:443"]}]}
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "identities": {"staff": staff},
            "routes": [{"path": "/", "origin": "app", "identity": "staff"}, {"path": "/open/", "origin": "app"}]} | more


@pytest.fixture(scope="module")
def app(module_origin):
    module_origin.otherwise(lambda ask: ask.reply(b"done", fields={"Cache-Control": "max-age=60"}))
    return module_origin


@pytest.fixture(scope="module")
def gw(module_gateway, app):
    return module_gateway(config(app))


@pytest.fixture(scope="module")
def behind(module_gateway, app):
    """Behind a proxy that says what its clients asked for."""
    return module_gateway(config(app, trusted_proxies=["127.0.0.1/32"]))


def ask(gateway, evidence, method="POST", host="app.test:8080", path="/x", cookie=True):
    fields = [*evidence, ("Cookie", f"session={TOKEN}")] if cookie else evidence
    return gateway.get(path, fields, method=method, host=host,
                       body=None if method in ("GET", "HEAD", "OPTIONS") else b"x")


def refused(reply):
    assert reply.status == 403, reply
    problem = json.loads(reply.body)
    assert problem["type"].endswith("cross-site") and TOKEN not in reply.text


OURS = {
    "our own origin": [("Origin", "http://app.test:8080")],
    "in another case": [("Origin", "HTTP://APP.test:8080")],
    "a browser's word": [("Sec-Fetch-Site", "same-origin")],
    "the person": [("Sec-Fetch-Site", "none")],
    "both": [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://app.test:8080")],
    "by TLS that ends before us": [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://app.test:8080")],
    "a friend": [("Origin", FRIEND)],
    "a friend from another site": [("Origin", FRIEND), ("Sec-Fetch-Site", "cross-site")],
}

THEIRS = {
    "nothing": [],
    "another site": [("Sec-Fetch-Site", "cross-site")],
    "a sibling": [("Sec-Fetch-Site", "same-site")],
    "an unknown word": [("Sec-Fetch-Site", "same-origin-ish")],
    "an empty word": [("Sec-Fetch-Site", "")],
    "another origin": [("Origin", "http://evil.test")],
    "null": [("Origin", "null")],
    "null, and a browser's word": [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")],
    "empty": [("Origin", "")],
    "another port": [("Origin", "http://app.test:8081")],
    "no port": [("Origin", "http://app.test")],
    "another scheme": [("Origin", "https://app.test:8080")],
    "no scheme": [("Origin", "app.test:8080")],
    "ours in front": [("Origin", "http://app.test:8080.evil.test")],
    "ours behind": [("Origin", "http://evil.test/app.test:8080")],
    "with a user": [("Origin", "http://app.test:8080@evil.test")],
    "with a slash": [("Origin", "http://app.test:8080/")],
    "a list": [("Origin", "http://app.test:8080 http://evil.test")],
    "two of them": [("Origin", "http://app.test:8080"), ("Origin", "http://app.test:8080")],
    "two words": [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")],
    "a list of words": [("Sec-Fetch-Site", "same-origin, cross-site")],
    "of two minds": [("Origin", "http://evil.test"), ("Sec-Fetch-Site", "same-origin")],
    "of two minds, the other way": [("Origin", "http://app.test:8080"), ("Sec-Fetch-Site", "cross-site")],
    "a friend's sibling": [("Origin", "https://x.friend.test")],
    "a friend's name without TLS": [("Origin", "http://friend.test")],
    "a friend's other port": [("Origin", "https://friend.test:8443")],
    "nominated away": [("Connection", "origin"), ("Origin", "http://evil.test")],
    "a referer": [("Referer", "http://app.test:8080/form")],
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_our_own_pages_may_use_the_cookie(gw, name, method):
    assert ask(gw, OURS[name], method).status == 200


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PROPFIND"])
def test_another_sites_pages_may_not(gw, app, name, method):
    before = len(app.requests)
    refused(ask(gw, THEIRS[name], method))
    assert len(app.requests) == before


@pytest.mark.parametrize("name", THEIRS)
def test_an_upgrade_is_no_safe_method(gw, app, name):
    if name == "nominated away":
        return  # it nominates its own Upgrade
    before = len(app.requests)
    refused(ask(gw, UPGRADE + THEIRS[name], "GET"))
    assert len(app.requests) == before


def test_an_upgrade_of_our_own_page_goes_on(gw, app):
    app.on("/ws", lambda ask: ask.reply(b"", 426, {"Upgrade": "websocket"}))
    for name in OURS:
        assert ask(gw, UPGRADE + OURS[name], "GET", path="/ws").status == 426, name


def test_what_changes_nothing_needs_no_evidence(gw):
    for method in ("GET", "HEAD", "OPTIONS"):
        assert ask(gw, THEIRS["another origin"], method).status == 200
    assert is_hit(ask(gw, THEIRS["another site"], "GET"))


def test_what_no_browser_sends_by_itself_needs_none(gw):
    for fields in (bearer(TOKEN), {"X-Token": TOKEN}):
        for evidence in (THEIRS["nothing"], THEIRS["another origin"], THEIRS["null"]):
            assert ask(gw, [*fields.items(), *evidence], cookie=False).status == 200
            assert ask(gw, [*fields.items(), *UPGRADE, *evidence], "GET", cookie=False).status == 200


def test_an_open_route_asks_for_no_evidence(gw):
    assert ask(gw, THEIRS["another origin"], path="/open/x").status == 200


def test_the_origin_is_compared_with_what_the_client_asked_of_the_proxy(behind):
    told = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.test")]
    for good in ("https://shop.test", "https://shop.test:443"):
        assert ask(behind, [*told, ("Origin", good)]).status == 200
    for bad in ("http://shop.test", "http://app.test:8080", "https://app.test:8080", "https://shop.test:80"):
        refused(ask(behind, [*told, ("Origin", bad)]))
        refused(ask(behind, [*told, ("Origin", bad), ("Sec-Fetch-Site", "same-origin")]))


def test_a_stranger_does_not_say_what_was_asked(gw):
    refused(ask(gw, [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.test"), ("Origin", "https://evil.test")]))


def test_the_refusal_is_counted_and_logged(gateway, app):
    gw = gateway(config(app, audit={"output": "audit.log"}))
    ask(gw, THEIRS["another origin"])
    assert gw.access_for("/x")["reason"] == "cross_site"
    until(lambda: gw.total("sekisho_denials_total", reason="cross_site") == 1, 5, "it to be counted")


@pytest.mark.parametrize("source, mentions", [
    ({"cookie": "s", "allowed_origins": ["*"]}, "must be a URL"),
    ({"cookie": "s", "allowed_origins": ["null"]}, "must be a URL"),
    ({"cookie": "s", "allowed_origins": ["app.test"]}, "must be a URL"),
    ({"cookie": "s", "allowed_origins": ["https://app.test/"]}, "scheme and host alone"),
    ({"cookie": "s", "allowed_origins": ["https://app.test/x"]}, "scheme and host alone"),
    ({"cookie": "s", "allowed_origins": ["https://*.app.test"]}, "host that is none"),
    ({"header": "X-Token", "allowed_origins": ["https://app.test"]}, "needs 'cookie'"),
])
def test_an_allowed_origin_is_an_origin(tmp_path, app, source, mentions):
    broken = config(app)
    broken["identities"]["staff"]["from"] = [source]
    complaint(tmp_path, broken, mentions)
