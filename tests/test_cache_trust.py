"""What a stranger's request may not do to the cache or the origin, and what an origin's words mean for copies."""
import threading
from email.utils import formatdate

import pytest

from lib import configs
from lib.deadline import patience, until
from lib.gateway import complaint
from lib.origin import Ask, says
from lib.tokens import SECRET, bearer, hs256
from lib.wire import cache_status, is_hit

FRESH = {"Cache-Control": "max-age=60", "ETag": '"tag"'}
STAFF = {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}]}}


@pytest.fixture
def gw(gateway, origin):
    return gateway(configs.app(origin))


def fresh(origin, path="/x", **fields):
    origin.on(path, lambda ask: ask.reply(b"body", fields=FRESH | {k.replace("_", "-"): v for k, v in fields.items()}))


def says_who(ask) -> None:
    """An origin that answers for whoever the request says it is."""
    ask.reply(repr(sorted(ask.fields)).encode(), fields=FRESH)


# ---- fields of strangers


@pytest.mark.parametrize("name", [
    "X-Api-Key", "Api-Key", "X-Auth-Token", "X-Amz-Security-Token", "X-Access-Token", "X-Session-Id", "X-Csrf-Token",
    "X-XSRF-TOKEN", "Private-Token", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-Acme-Token", "DPoP",
    "X-Functions-Key", "X-Serverless-Authorization", "JWT", "X-WP-Nonce", "X-Scope-OrgID"
])
def test_a_credential_by_another_name_is_never_shared(gw, origin, name):
    origin.on("/x", lambda ask: ask.reply(f"for {ask.get(name)}".encode(), fields=FRESH))
    assert gw.get("/x", {name: "alice"}).body == b"for alice", "it goes on"
    assert gw.get("/x", {name.lower(): "bob"}).body == b"for bob"
    for _ in range(2):
        assert gw.get("/x").body == b"for None"
    assert is_hit(gw.get("/x"))
    reply = gw.get("/x", {name: "alice"})
    assert reply.body == b"for alice" and cache_status(reply)["fwd"] == "bypass"


def test_what_a_bucket_is_not_told_makes_no_difference(gateway, folder):
    (folder / "x.txt").write_text("same for all")
    gw = gateway(configs.site(folder, cache={"ttl": "1h"}))
    gw.get("/x.txt")
    assert is_hit(gw.get("/x.txt", {"X-Api-Key": "alice"}))


DROPPED = [
    "X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Port",
    "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-Unheard-Of", "X-Forwarded",
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Host", "X-HTTP-Host-Override", "Proxy",
    "X_Forwarded_For", "Authorization_", "x_api_key", "X-Middleware-Subrequest", "X-Envoy-Original-Path", "X-Scheme",
    "Front-End-Https", "X.Original.URL", "X!Forwarded!User", "X~Real~IP", "X-Http.Method", "Remote.User", "X-Acme-User",
    "X-Acme-Groups", "X-Backend-Host"
]
VOUCHED = [
    "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
    "X-Forwarded-Client-Cert", "X-Forwarded-Access-Token", "X-Remote-User", "Remote-User", "Remote-Groups", "X-Real-IP",
    "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP", "X-Auth-Request-User",
    "X-Auth-Request-Email", "X-WEBAUTH-USER", "X-Authenticated-User", "X-User", "X-User-Id", "X-Username", "Client-Cert",
    "X-SSL-Client-Verify", "Cf-Access-Authenticated-User-Email", "X-Consumer-Username", "X-MS-Client-Principal-Name",
    "X-Auth-User", "X-Auth-Email", "X-Auth-Groups", "X-Authorized-User", "Impersonate-User", "Impersonate-Group",
    "X-Amzn-Mtls-Clientcert", "X-SSL-Cert", "SM-User", "OIDC-Claim-email", "X-Verified-User", "X-Current-User",
    "X-Shib-User", "X-Saml-User", "X-Client-Cn"
]


@pytest.mark.parametrize("cache", [{"enabled": True}, "off"])
@pytest.mark.parametrize("trusted", [False, True])
def test_what_steers_an_origin_or_says_who_calls_is_dropped(gateway, origin, cache, trusted):
    gw = gateway(configs.app(origin, cache=cache) | {"trusted_proxies": ["127.0.0.0/8"] if trusted else []})
    origin.otherwise(says_who)
    sent = {name: "evil" for name in DROPPED + VOUCHED} | {name.upper(): "evil" for name in DROPPED + VOUCHED}
    for method, body in (("GET", None), ("POST", b"x")):
        names = list(sent)
        while names:
            some, names = names[:40], names[40:]
            assert b"evil" not in gw.get("/x?" + some[0], {name: "evil" for name in some}, method=method, body=body).body
    gw.get("/poisoned", {"X-Forwarded-Prefix": "evil", "X-Original-URL": "evil"})
    clean = gw.get("/poisoned")
    assert b"evil" not in clean.body and is_hit(clean) is (cache != "off")


def test_what_everybody_sends_goes_on(gw, origin):
    origin.otherwise(says_who)
    plain = {"Accept": "a/b", "Accept-Language": "de", "X-Requested-With": "XMLHttpRequest", "X-User-Agent": "grpc-web",
             "X-Grpc-Web": "1", "Origin": "https://a.test", "Idempotency-Key": "1", "tracestate": "a=b", "X-Own": "1"}
    reply = gw.get("/x", plain)
    for name, value in plain.items():
        assert repr((name, value)) in reply.text
    assert is_hit(gw.get("/x", plain))


def test_a_field_that_the_route_names_goes_on_and_is_part_of_the_key(gateway, origin):
    gw = gateway(configs.app(origin, forward_fields=["X-Forwarded-Prefix", "x_tenant", "X-Api-Key"]))
    origin.on("/x", lambda ask: ask.reply(repr([ask.get(n) for n in ("X-Forwarded-Prefix", "X_Tenant", "X-Api-Key")]).encode(),
                                          fields=FRESH))
    asked = [{}, {"X-Forwarded-Prefix": "/a"}, {"x-forwarded-prefix": "/b"}, {"X_Tenant": "/a"}, {"X-Api-Key": "/a"},
             {"X-Api-Key": "/a", "X_Tenant": "b"}]
    bodies = [gw.get("/x", fields).body for fields in asked]
    assert len(set(bodies)) == len(asked)
    for fields, body in zip(asked, bodies):
        reply = gw.get("/x", fields)
        assert is_hit(reply) and reply.body == body
    reply = gw.get("/x", {"X_Tenant": "/a", "Connection": "x_tenant"})
    assert reply.body == bodies[3], "Connection cannot take away what the key says"
    gw.get("/x", method="PUT")
    assert not any(is_hit(gw.get("/x", fields)) for fields in asked), "a write takes all of them"


def test_who_calls_is_believed_of_a_trusted_proxy_where_the_route_names_it(gateway, origin):
    origin.otherwise(says_who)
    for trusted in ([], ["127.0.0.0/8"]):
        gw = gateway(configs.app(origin, forward_fields=["X-Forwarded-User"]) | {"trusted_proxies": trusted})
        assert (b"alice" in gw.get("/x", {"X-Forwarded-User": "alice"}).body) is bool(trusted)


@pytest.mark.parametrize("route, said", [({"forward_fields": ["Cookie"]}, "forward_fields"),
                                         ({"forward_fields": ["X-Forwarded-For"]}, "forward_fields"),
                                         ({"forward_fields": ["a b"]}, "forward_fields"),
                                         ({"forward_fields": ["Transfer-Encoding"]}, "forward_fields"),
                                         ({"cache": {"ignore_cookies": ["*"]}}, "ignore_cookies"),
                                         ({"cache": {"ignore_cookies": ["a*b"]}}, "ignore_cookies"),
                                         ({"cache": {"client_no_cache": "never"}}, "client_no_cache")])
def test_a_key_that_cannot_hold_is_an_error(tmp_path, origin, route, said):
    for command in ("check", "serve"):
        complaint(tmp_path, configs.app(origin, **route), said, command)


# ---- cookies


def test_cookies_that_do_not_count_do_not_turn_the_cache_off(gateway, origin):
    gw = gateway(configs.app(origin, cache={"ignore_cookies": ["_ga", "_g_*"]}))
    origin.on("/x", lambda ask: ask.reply(f"{ask.get('Cookie')}".encode(), fields=FRESH))
    assert gw.get("/x", {"Cookie": "_ga=evil; _g_a=evil"}).body == b"None", "what is for all is asked for without them"
    assert is_hit(gw.get("/x", {"Cookie": "_ga=2"})) and is_hit(gw.get("/x"))
    for cookie in ("session=1", "_ga=1; session=1", "_gaa=1", "_GA=1", "x_ga=1"):
        reply = gw.get("/x", {"Cookie": cookie})
        assert not is_hit(reply) and reply.text == cookie, "one that counts goes on, and the others with it"


# ---- behind an identity


def private_gw(gateway, origin, **cache):
    return gateway({"origins": {"app": {"type": "http", "url": origin.url}}, "identities": STAFF,
                    "apps": {"about": {"type": "status"}},
                    "routes": [{"path": "/", "origin": "app"}, {"path": "/me/", "origin": "app", "identity": "staff"} | cache,
                               {"path": "/about/", "app": "about", "identity": "staff"}]})


def words(reply) -> set:
    return {word.strip() for word in reply["Cache-Control"].split(",")}


@pytest.mark.parametrize("said, goes_out", [([], {"private"}), (["public, max-age=60, s-maxage=90"], {"private", "max-age=60"}),
                                            (["max-age=60", "public"], {"private", "max-age=60"}),
                                            (['private="Set-Cookie", max-age=5'], {"private", "max-age=5"}),
                                            (["no-store"], {"private", "no-store"})])
@pytest.mark.parametrize("status", [200, 404])
def test_replies_behind_an_identity_are_private(gateway, origin, said, goes_out, status):
    gw = private_gw(gateway, origin)
    fields = [("Cache-Control", value) for value in said] + [("CDN-Cache-Control", "max-age=61"), ("Surrogate-Control", "max-age=9"),
                                                             ("Acme-CDN-Cache-Control", "max-age=9")]
    origin.on("/x", lambda ask: ask.reply(b"body", status, fields))
    for method in ("GET", "GET", "HEAD", "POST"):
        reply = gw.get("/me/x", bearer(hs256()), method=method)
        assert reply.status == status and words(reply) == goes_out
        assert "CDN-Cache-Control" not in reply and "Surrogate-Control" not in reply and "Acme-CDN-Cache-Control" not in reply
    assert gw.get("/x")["CDN-Cache-Control"] == "max-age=61", "an open route leaves it"
    assert gw.get("/x").all("Cache-Control") == said


def test_hits_parts_and_304_behind_an_identity_are_private_and_open_ones_are_not(gateway, origin):
    gw = private_gw(gateway, origin)
    origin.on("/x", lambda ask: ask.reply(b"body", fields=FRESH | {"Cache-Control": "public, max-age=60"}))
    token = bearer(hs256())
    for _ in range(2):
        inside, outside = gw.get("/me/x", token), gw.get("/x")
        assert words(inside) == {"private", "max-age=60"} and words(outside) == {"public", "max-age=60"}
    assert is_hit(inside) and is_hit(outside)
    for fields, status in (({"Range": "bytes=0-1"}, 206), ({"If-None-Match": '"tag"'}, 304)):
        reply = gw.get("/me/x", token | fields)
        assert reply.status == status and words(reply) == {"private", "max-age=60"}
    gw.get("/me/x", token, method="PUT")
    assert not is_hit(gw.get("/x")), "it is one resource for all that"


def test_our_own_answers_behind_an_identity_are_private(gateway, origin):
    gw = private_gw(gateway, origin)
    origin.on("/x", lambda ask: ask.close())
    assert {"no-store"} == words(gw.get("/me/x"))  # 401
    assert {"no-store"} == words(gw.get("/me/x", bearer(hs256())))  # 502
    assert {"private", "no-store"} == words(gw.get("/about/whoami", bearer(hs256())))


def test_a_route_may_say_that_its_replies_are_public(gateway, origin):
    gw = private_gw(gateway, origin, cache={"public": True})
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"Cache-Control": "public, s-maxage=60"}))
    for _ in range(2):
        assert words(gw.get("/me/x", bearer(hs256()))) == {"public", "s-maxage=60"}


# ---- what origins say


def test_a_coding_is_not_given_to_who_does_not_accept_it(gw, origin):
    def coded(ask):
        gzip = "gzip" in ask.get("Accept-Encoding", "")
        ask.reply(b"coded" if gzip else b"plain", fields=FRESH | ({"Content-Encoding": "gzip"} if gzip else {}))

    origin.on("/x", coded)
    assert gw.get("/x", {"Accept-Encoding": "gzip"}).body == b"coded"
    for fields in ({}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "identity"}):
        reply = gw.get("/x", fields)
        assert reply.body in (b"plain", b"coded") and not is_hit(reply)
        assert gw.get("/x", fields, method="HEAD").get("Content-Encoding") == reply.get("Content-Encoding")
    for fields in ({"Accept-Encoding": "br, gzip;q=0.5"}, {"Accept-Encoding": "*"}):
        assert is_hit(gw.get("/x", fields)), "and it stays for the others"


def test_a_follower_that_does_not_accept_the_coding_asks_for_itself(gw, origin):
    gate = threading.Event()

    def coded(ask):
        if "Accept-Encoding" in ask:
            gate.wait(patience(20))
            return ask.reply(b"coded", fields=FRESH | {"Content-Encoding": "gzip"})
        ask.reply(b"plain", fields=FRESH)

    origin.on("/x", coded)
    with gw.client() as first, gw.client() as second:
        first.ask("/x", fields={"Accept-Encoding": "gzip"})
        until(lambda: origin.count("/x"), 5, "the leader")
        second.ask("/x")
        gate.set()
        assert second.read().body == b"plain" and first.read().body == b"coded"


def test_what_an_origin_codes_for_all_is_given_to_all(gw, origin):
    fresh(origin, Content_Encoding="gzip")
    gw.get("/x")
    assert is_hit(gw.get("/x")) and is_hit(gw.get("/x", {"Accept-Encoding": "br"}))


@pytest.mark.parametrize("cdn, control, kept", [("no-store", "max-age=60", False), ("private", "max-age=60", False),
                                                ("max-age=0", "max-age=60", False), ("max-age=60", "no-store", True),
                                                ("max-age=60", "max-age=0", True), ('max-age="60"', "max-age=60", False),
                                                ("max-age=60,", "no-store", False), ("", "max-age=60", True),
                                                ("NO-STORE", "max-age=60", True), ("no-store=?0, max-age=60", "private", True)])
def test_cdn_cache_control_goes_before_cache_control(gw, origin, cdn, control, kept):
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"CDN-Cache-Control": cdn, "Cache-Control": control}))
    assert gw.get("/x")["Cache-Control"] == control
    assert is_hit(gw.get("/x")) is kept


@pytest.mark.parametrize("name, said", [
    *(("Cache-Control", said) for said in ('foo="bar, no-store', 'max-age=60, foo="bar', "max-age=60; public",
                                           'max-age=60, "no-store"')),
    *(("CDN-Cache-Control", said) for said in ("no-store,", "No-Store", "private;", "no-store max-age=0")),
])
def test_what_caches_are_told_unreadably_is_not_stored(gateway, origin, name, said):
    """Also where nothing but the route gives a lifetime."""
    gw = gateway(configs.app(origin, cache={"ttl": "1h"}))
    origin.on("/x", lambda ask: ask.reply(b"body", fields={name: said}))
    gw.get("/x")
    assert not is_hit(gw.get("/x"))


def test_stored_is_said_of_what_is_stored(gw, origin):
    gate = threading.Event()
    fresh(origin, "/small")
    origin.on("/cut", says(200, FRESH | {"Content-Length": "9"}, b"half", gate, Ask.close))
    origin.on("/slow", says(200, FRESH | {"Content-Length": "100000"}, b"x" * 50000, gate, b"x" * 50000))
    assert cache_status(gw.get("/small")).get("stored") is True
    with gw.client() as cut, gw.client() as slow:
        for client, path in ((cut, "/cut"), (slow, "/slow")):
            client.ask(path)
            assert "stored" not in cache_status(client.read_head()), "nobody knows yet"
        gate.set()
        until(lambda: is_hit(gw.get("/slow")), 10, "it to be")


def test_a_modification_after_the_reply_was_made_is_not_believed(gw, origin):
    made, later = formatdate(1_700_000_000, usegmt=True), formatdate(1_700_000_060, usegmt=True)
    fresh(origin, Date=made, Last_Modified=later, Cache_Control="max-age=999999999")
    for _ in range(2):
        assert gw.get("/x")["Last-Modified"] == made
    assert is_hit(gw.get("/x"))
    assert gw.get("/x", {"If-Modified-Since": made}).status == 304
    fresh(origin, "/good", Date=later, Last_Modified=made, Cache_Control="max-age=999999999")
    assert gw.get("/good")["Last-Modified"] == made


# ---- what clients ask of the cache

ANEW = [{"Cache-Control": "no-cache"}, {"Cache-Control": "max-age=0"}, {"Pragma": "no-cache"}, {"Cache-Control": "min-fresh=999"}]


def test_a_stranger_can_have_an_object_fetched_anew_only_now_and_then(gw, origin):
    fresh(origin)
    gw.get("/x")
    for n in range(40):
        assert gw.get("/x", ANEW[n % len(ANEW)]).body == b"body"
    assert 1 < origin.count("/x") <= 7
    assert is_hit(gw.get("/x", {"Cache-Control": "no-cache"}))


def test_what_is_fetched_anew_takes_the_place_of_the_old(gw, origin):
    bodies = iter([b"old", b"new"])
    origin.on("/x", lambda ask: ask.reply(next(bodies), fields=FRESH))
    gw.get("/x")
    assert gw.get("/x", {"Cache-Control": "no-cache"}).body == b"new"
    assert gw.get("/x").body == b"new" and is_hit(gw.get("/x"))


@pytest.mark.parametrize("how, asked", [("ignore", 1), ("always", 9)])
def test_a_route_says_what_a_clients_no_cache_does(gateway, origin, how, asked):
    gw = gateway(configs.app(origin, cache={"client_no_cache": how}))
    fresh(origin)
    gw.get("/x")
    for n in range(8):
        gw.get("/x", ANEW[n % len(ANEW)])
    assert origin.count("/x") == asked
