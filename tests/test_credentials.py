"""What is a credential of the gateway's stays at the gateway: on every route, both ways, however it is written."""
import json

import pytest

from lib.gateway import complaint
from lib.tokens import AUDIENCE, ISSUER, SECRET, bearer, hs256
from lib.wire import is_hit

PLACES = [{"header": "X-Token"}, {"cookie": "session"}, {"query": "tok"}]
TOKEN = hs256()


def jwt(*places, **changes):
    return {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"],
            "keys": [{"inline": SECRET}], "from": list(places)} | changes


IDENTITIES = {"staff": jwt("bearer", *PLACES), "robots": jwt({"header": "X-Robot"}, {"cookie": "robot"}, {"query": "key"})}


@pytest.fixture
def app(gateway, origin):
    origin.otherwise(lambda ask: ask.reply(b"the object", fields={"Cache-Control": "max-age=60"}))
    route = {"origin": "app"}
    return gateway({
        "origins": {"app": {"type": "http", "url": origin.url}}, "identities": IDENTITIES,
        "routes": [route | {"path": "/"}, route | {"path": "/staff/", "identity": "staff"},
                   route | {"path": "/robots/", "identity": "robots"},
                   route | {"path": "/basic/", "forward_authorization": True},
                   route | {"path": "/own/", "identity": "staff", "forward_authorization": True},
                   route | {"path": "/login/", "forward_credentials": ["staff"]}]})


# ---- a request, on a route that does not ask


SENT = {
    "bearer": ("", [("Authorization", f"Bearer {TOKEN}")]),
    "bearer, shouted": ("", [("authorization", f"BEARER   {TOKEN}")]),
    "two fields": ("", [("Authorization", "Basic YTpi"), ("Authorization", f"Bearer {TOKEN}")]),
    "behind another scheme": ("", [("Authorization", f"Basic YTpi, Bearer {TOKEN}")]),
    "a header": ("", [("X-Token", TOKEN)]),
    "a header in another case": ("", [("x-tOKEN", TOKEN)]),
    "a header, twice": ("", [("X-Token", TOKEN), ("X-Token", TOKEN)]),
    "a header that servers fold into it": ("", [("X_Token", TOKEN), ("x_tOKEN", TOKEN), ("X.Token", TOKEN)]),
    "a cookie": ("", [("Cookie", f"session={TOKEN}")]),
    "a cookie among others": ("", [("Cookie", f"a=1; session={TOKEN}; b=2")]),
    "a cookie in several fields": ("", [("Cookie", "a=1"), ("Cookie", f"session={TOKEN}"), ("cookie", f"b=2;session={TOKEN}")]),
    "a cookie, in quotes": ("", [("Cookie", f'session="{TOKEN}"')]),
    "a cookie, with spaces": ("", [("Cookie", f"a=1;\t session ={TOKEN}")]),
    "a parameter": (f"?tok={TOKEN}", []),
    "a parameter, encoded": (f"?%74ok={TOKEN}&x=1", []),
    "a parameter, twice, one of them encoded": (f"?x=1&tok={TOKEN}&%74%6Fk={TOKEN}", []),
    "of the other identity": (f"?key={TOKEN}", [("X-Robot", TOKEN), ("Cookie", f"robot={TOKEN}")]),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_credential_reaches_no_origin_of_an_open_route(app, origin, name, method):
    query, fields = SENT[name]
    assert app.get(f"/open{query}", fields, method=method, body=b"" if method == "POST" else None).status == 200
    assert TOKEN.encode() not in origin.received()
    assert len(origin.requests) == 1


def test_a_credential_of_another_identity_reaches_no_origin(app, origin):
    other = [("Authorization", f"Bearer {TOKEN}"), ("X_Token", TOKEN), ("Cookie", f"session={TOKEN}; a=1")]
    assert app.get(f"/robots/x?tok={TOKEN}", [("X-Robot", TOKEN), *other]).status == 200
    assert TOKEN.encode() not in origin.received() and origin.last.get("Cookie") == "a=1"


def test_what_is_no_credential_goes_on_as_it_came(app, origin):
    fields = {"Authorization": "Basic YTpi", "Cookie": "Session=1; a=session=x", "X-Tokens": "1"}
    app.get("/open?Tok=1&a=tok&toks=2&&b=%74ok&", fields)
    assert origin.last.target == "/open?Tok=1&a=tok&toks=2&&b=%74ok&"
    assert {name: origin.last.get(name) for name in fields} == fields
    app.get("/open?", {})
    assert origin.last.target == "/open?", "an empty query is one"


def test_a_credential_reaches_no_origin_by_a_tunnel(app, origin):
    origin.on("/ws", lambda ask: ask.reply(b"", 400))
    app.get(f"/ws?tok={TOKEN}", [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                                 ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), ("X-Token", TOKEN),
                                 ("Authorization", f"Bearer {TOKEN}"), ("Cookie", f"session={TOKEN}")])
    assert origin.last.path == "/ws" and TOKEN.encode() not in origin.received()


def test_hiding_leaves_one_object_in_the_cache(app, origin):
    for number, more in enumerate(({}, bearer(TOKEN), {"X-Token": TOKEN}, {"Cookie": f"session={TOKEN}"})):
        assert is_hit(app.get("/one", more)) == (number > 0)
    assert is_hit(app.get(f"/one?tok={TOKEN}"))
    assert origin.count("/one") == 1


# ---- where the route says so


def test_authorization_goes_on_where_an_open_route_says_so(app, origin):
    for value in (f"Bearer {TOKEN}", "Basic YTpi"):
        app.get("/basic/x", {"Authorization": value, "X-Token": TOKEN, "Cookie": f"session={TOKEN}"})
        assert origin.last.get("Authorization") == value
        assert "X-Token" not in origin.last and "Cookie" not in origin.last


def test_a_route_passes_its_own_and_no_other(app, origin):
    app.get(f"/own/x?key={TOKEN}", [("Cookie", f"session={TOKEN}; robot={TOKEN}"), ("X-Robot", TOKEN)])
    assert origin.last.get("Cookie") == f"session={TOKEN}"
    assert "X-Robot" not in origin.last and origin.last.target == "/x"
    app.get(f"/own/x?tok={TOKEN}")
    assert origin.last.target == "/x", "a query is no place to pass a token on"


def test_a_named_identity_passes_on_a_route_that_is_open(app, origin):
    fields = {"Authorization": f"Bearer {TOKEN}", "X-Token": TOKEN, "Cookie": f"session={TOKEN}"}
    for _ in range(2):
        assert not is_hit(app.get(f"/login/x?tok={TOKEN}&key={TOKEN}", fields | {"X-Robot": TOKEN}))
        assert origin.last.target == f"/x?tok={TOKEN}" and "X-Robot" not in origin.last
        assert {name: origin.last.get(name) for name in fields} == fields
    record = app.access_for(lambda record: record["path"].startswith("/login/"))
    assert record["path"] == "/login/x"


@pytest.mark.parametrize("route, mentions", [
    ({"forward_credentials": ["stuff"]}, "there is no identity 'stuff', did you mean 'staff'?"),
    ({"forward_credentials": ["staff", "staff"]}, "names 'staff' twice"),
    ({"forward_credentials": ["staff"], "origin": "site"}, "needs an origin of type http"),
    ({"forward_authorization": True, "origin": "site"}, "needs an origin of type http"),
])
def test_only_an_http_origin_is_given_credentials_of_known_identities(tmp_path, origin, route, mentions):
    complaint(tmp_path, {"origins": {"app": {"type": "http", "url": origin.url},
                                     "site": {"type": "dir", "path": str(tmp_path)}}, "identities": IDENTITIES,
                         "routes": [{"path": "/", "origin": "app"} | route]}, mentions)


# ---- Referer


@pytest.mark.parametrize("sent, passed", [
    (f"https://a.test/p?tok={TOKEN}", "https://a.test/p"),
    (f"https://a.test/p?x=1&%74ok={TOKEN}&y=%20", "https://a.test/p?x=1&y=%20"),
    (f"https://a.test/p?key={TOKEN}&tok={TOKEN}#top", "https://a.test/p"),
    (f"https://a.test/p#tok={TOKEN}", "https://a.test/p"),
    ("https://a.test/p?x=1&&y=2&", "https://a.test/p?x=1&&y=2&"),
    (f"https://a.test/p?x=1;tok={TOKEN}", "https://a.test/p"),
    (f"https://a.test/p?tok=1&x=1;t%6fk={TOKEN}&y=2", "https://a.test/p"),
    ("https://a.test/p?x=1;y=2", "https://a.test/p?x=1;y=2"),
])
@pytest.mark.parametrize("path", ["/open", "/login/x", "/own/x"])
def test_a_referer_goes_on_without_tokens(app, origin, path, sent, passed):
    app.get(path, {"Referer": sent} | bearer(hs256(jti=path)))
    assert origin.last.get("Referer") == passed


def test_no_referer_nor_query_is_logged(app):
    signature = TOKEN.rsplit(".")[-1]
    app.get(f"/open?%74ok={TOKEN}", {"Referer": f"https://a.test/?tok={TOKEN}"})
    app.get(f"/nowhere/%00?tok={TOKEN}", {"Referer": f"https://a.test/?tok={TOKEN}"})
    assert app.access_for("/open")
    app.stop()
    assert signature not in app.out.read_text() and signature not in app.stderr()


# ---- a reply


COOKIES = {
    "plain": "session=evil", "with attributes": "session=evil; Path=/; HttpOnly", "with spaces": "  session = evil",
    "without a name": "=session=evil", "without a name, with spaces": " = session=evil; Path=/", "removed": "session=; Max-Age=0",
    "of the other identity": "robot=evil",
}


@pytest.mark.parametrize("name", COOKIES)
@pytest.mark.parametrize("path", ["/open", "/staff/x", "/own/x"])
def test_an_origin_sets_no_cookie_that_is_a_credential(app, origin, path, name):
    origin.otherwise(lambda ask: ask.reply(b"x", fields=[("Set-Cookie", "a=1"), ("Set-Cookie", COOKIES[name]),
                                                         ("Set-Cookie", "Session=1; x=session=2")]))
    reply = app.get(path, bearer(TOKEN))
    assert reply.status == 200 and reply.all("Set-Cookie") == ["a=1", "Session=1; x=session=2"]


def test_a_login_page_sets_the_cookie_of_the_identity_it_is_for(app, origin):
    cookies = [("Set-Cookie", "session=new; HttpOnly"), ("Set-Cookie", "robot=evil")]
    origin.otherwise(lambda ask: ask.reply(b"x", fields=cookies))
    assert app.get("/login/x").all("Set-Cookie") == ["session=new; HttpOnly"]


# ---- how many


TWICE = {
    "two fields": ("", [("Authorization", f"Bearer {TOKEN}")] * 2),
    "a header twice": ("", [("X-Token", TOKEN), ("x-token", TOKEN)]),
    "two cookies": ("", [("Cookie", f"session={TOKEN}"), ("Cookie", f"session={TOKEN}")]),
    "two parameters": (f"?tok={TOKEN}&%74ok={TOKEN}", []),
    "bearer and query": (f"?tok={TOKEN}", [("Authorization", f"Bearer {TOKEN}")]),
    "bearer and cookie": ("", [("Authorization", f"Bearer {TOKEN}"), ("Cookie", f"session={TOKEN}")]),
    "bearer and header": ("", [("X-Token", TOKEN), ("Authorization", f"Bearer {TOKEN}")]),
    "a good one and another": ("?tok=x", [("X-Token", TOKEN)]),
}


@pytest.mark.parametrize("name", TWICE)
def test_two_tokens_are_a_bad_request(app, origin, name):
    query, fields = TWICE[name]
    reply = app.get(f"/staff/x{query}", fields)
    assert reply.status == 400 and not origin.requests
    assert reply["WWW-Authenticate"].startswith('Bearer error="invalid_request"')
    assert json.loads(reply.body)["type"].endswith("two-credentials") and TOKEN not in reply.text


def test_an_empty_place_and_another_scheme_are_no_second_token(app):
    fields = {"X-Token": TOKEN, "Authorization": "Basic YTpi", "Cookie": "session="}
    assert app.get("/staff/x?tok=", fields).status == 200


def test_the_challenge_has_a_parameter(app):
    assert app.get("/staff/x")["WWW-Authenticate"] == 'Bearer realm="sekisho"'
