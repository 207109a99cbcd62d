"""One reading of a path for routes, policy, cache and origins; what configuration may say of paths and methods."""
import re

import pytest

from lib.configs import UNLIMITED
from lib.deadline import until
from lib.gateway import complaint, run
from lib.origin import Ask
from lib.peers import free_port
from lib.tokens import AUDIENCE, ISSUER, SECRET, bearer, hs256
from lib.wire import is_hit

STAFF = {"staff": {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"],
                   "keys": [{"inline": SECRET}]}}


def guarded(url, cache="off", open_route=None, guard=None, path="/private/"):
    """An open route and, beneath it, a guarded one, both to the same server."""
    return {"origins": {"app": {"type": "http", "url": url}, "inner": {"type": "http", "url": url + "/inner"}},
            "identities": STAFF,
            "routes": [{"path": "/", "origin": "app", "cache": cache} | (open_route or {}),
                       {"path": path, "origin": "inner", "identity": "staff", "cache": cache} | (guard or {})]} | UNLIMITED


@pytest.fixture
def gw(gateway, origin):
    return gateway(guarded(origin.url))


# ---- what reaches an origin


def test_reserved_characters_reach_an_origin_as_they_were_sent(gw, origin):
    with gw.client() as client:
        for asked, sent in {
                "/x%3b": "/x%3B", "/x;y": "/x;y", "/%21%24%26%27%28%29%2a%2b%2c%3a%3d%40": "/%21%24%26%27%28%29%2A%2B%2C%3A%3D%40",
                "/!$&'()*+,:=@": "/!$&'()*+,:=@", "/%5b%5d%3f%23": "/%5B%5D%3F%23", "/%253b%252f": "/%253b%252f",
                "/%41%7e%2d%5F": "/A~-_", "/%c3%bc": "/%C3%BC", "/|": "/%7C", "/%7c": "/%7C", "//a//b": "/a/b",
                "/x%20y//z": "/x%20y/z"
        }.items():
            assert client.get(asked).status == 200, asked
            assert origin.last.target == sent, asked


def test_the_rest_behind_a_prefix_keeps_its_spelling(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/a b/", "origin": "app", "cache": "off"}]})
    with gw.client() as client:
        for asked in ("/a%20b/x%3By;z", "//a%20b//x%3By;z", "/%61%20%62/x%3by;z"):
            assert client.get(asked).status == 200, asked
            assert origin.last.target == "/x%3By;z"


# ---- no spelling leads around a guard


@pytest.mark.parametrize("target", [
    "/private/x", "/private", "//private/x", "/%70rivate/x", "/private//x", "/p%72ivate;/x", "/private;/x", "/private;a=b/x",
    "/private%3b/x", "/private%3Ba/x", "/;a/private/x", "/private;", "/private;x", "/;/private/x", "/private;/;/x",
    "/private%2fx", "/private%2Fx", "/%2fprivate/x", "/private%5cx", "/private\\x", "/x%5c..%5cprivate", "/x/..;/private/x",
    "/x/%2e%2e;/private", "/x/%2e%2e%3b/private", "/..;a=b/private/x", "/x/../private/x", "/x/.%2e/private/x",
    "/./private/x", "/private%00/x", "/private%0a/x", "/private%7f"
])
def test_no_spelling_of_a_guarded_path_reaches_its_origin_unguarded(gw, origin, target):
    reply = gw.get(target)
    assert reply.status in (400, 401), target
    assert origin.requests == []


@pytest.mark.parametrize("spelt", ["/s@cret(1)/x", "/s%40cret(1)/x", "/s%40cret%281%29/x", "/%73@cret%281)/x"])
def test_a_guard_whose_path_has_reserved_characters_matches_each_spelling(gateway, origin, spelt):
    gw = gateway(guarded(origin.url, path="/s@cret(1)/"))
    assert gw.get(spelt).status == 401
    assert gw.get(spelt, fields=bearer(hs256())).status == 200


def test_a_semicolon_passes_where_it_leads_to_no_guard(gw, origin):
    for target in ("/open;v=1/x", "/x/private;v=1", "/privateer;x", "/a;b%3Bc/"):
        assert gw.get(target).status == 200, target
        assert origin.last.target == target
    for target in ("/private/x;v=1", "/private/x%3bv"):
        assert gw.get(target).status == 401
        assert gw.get(target, fields=bearer(hs256())).status == 200, "the guard itself lets it through"


def test_what_guards_by_methods_or_limits_is_not_led_around_either(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}}, "rates": {"few": {"requests": "100/s"}},
                  "routes": [{"path": "/", "origin": "app", "cache": "off"},
                             {"path": "/read", "origin": "app", "methods": ["GET"], "cache": "off"},
                             {"path": "/slow", "origin": "app", "rates": ["few"], "cache": "off"},
                             {"path": "/free", "origin": "app", "cache": "off"}]})
    assert gw.get("/read;x", method="DELETE").status == 400
    assert gw.get("/slow;x").status == 400
    assert gw.get("/free;x").status == 200


def test_who_cuts_a_path_at_a_semicolon_is_thought_of(gateway, origin):
    config = guarded(origin.url)
    config["routes"].append({"path": "/private/open/", "origin": "app", "cache": "off"})
    gw = gateway(config)
    assert gw.get("/private/open/x").status == 200
    assert gw.get("/private;/open/x").status == 400


def test_a_route_says_what_becomes_of_a_semicolon(gateway, origin):
    gw = gateway(guarded(origin.url, open_route={"path_parameters": "allow"}))
    assert gw.get("/private;x/y").status == 200 and origin.last.target == "/private;x/y"
    gw = gateway(guarded(origin.url, open_route={"path_parameters": "refuse"}))
    for target in ("/a;b", "/a%3bb"):
        assert gw.get(target).status == 400, target
    assert gw.get("/a?b;c").status == 200, "a query is no path"


def test_letters_of_another_case_and_dots_at_the_end_are_other_names(gw, origin):
    for target in ("/PRIVATE/x", "/private./x", "/private%20/x"):
        assert gw.get(target).status == 200
        assert origin.last.target == target, "and the origin is asked for just these"


# ---- the cache


def test_the_cache_tells_apart_what_an_origin_tells_apart(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}}]})
    with gw.client() as client:
        assert client.get("/a;b").body == b"/a;b"
        other = client.get("/a%3Bb")
        assert not is_hit(other) and other.body == b"/a%3Bb"
        assert is_hit(client.get("/a%3bb")), "but for the case of hex digits"
        assert not is_hit(client.get("/A/~"))
        assert is_hit(client.get("/%41/%7e")) and is_hit(client.get("//A//~"))


# ---- what configuration may say


@pytest.mark.parametrize("path", [
    "/private/*", "/private/**", "/private?", "/{tenant}/x", "/private/:id/x", "/<id>", "/^private", "/private$", "/(a|b)",
    "/private/.*", "/private/.+", "/[a-z]", "/a\\b", "/a%2fb", "/%70rivate", "/a#b", "/a/../b", "/a//b", "/a/./b", "/..;x/a",
    "private", "/a\x01"
])
def test_a_path_that_is_meant_as_a_pattern_or_cannot_match_is_refused(tmp_path, path):
    complaint(tmp_path, guarded("http://127.0.0.1:9", guard={"path": path}), "routes[1].path: ")


def test_paths_with_letters_that_only_look_like_signs_are_good(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": path, "origin": "app", "cache": "off"}
                             for path in ("/$metadata", "/c++", "/Products(1)", "/~me", "/a:b", "/ü ber")]})
    for target in ("/$metadata", "/%24metadata", "/c++", "/c%2b%2b", "/Products(1)/x", "/~me", "/a:b", "/%c3%bc%20ber/"):
        assert gw.get(target).status == 200, target


def test_a_link_is_not_followed_unless_the_folder_says_so(gateway, folder):
    (folder / "private").mkdir()
    (folder / "private" / "x").write_text("secret")
    (folder / "alias").symlink_to("private")
    (folder / "file").symlink_to("private/x")

    def site(**more):
        return {"origins": {"site": {"type": "dir", "path": str(folder)} | more,
                            "inner": {"type": "dir", "path": str(folder / "private")}}, "identities": STAFF,
                "routes": [{"path": "/", "origin": "site"},
                           {"path": "/private", "origin": "inner", "identity": "staff"}]} | UNLIMITED

    gw = gateway(site())
    assert gw.get("/private/x").status == 401
    for target in ("/alias/x", "/file"):
        assert gw.get(target).status == 404
    assert gateway(site(follow_links=True)).get("/alias/x").text == "secret"


# ---- methods


@pytest.mark.parametrize("method", ["QUERY", "PROPFIND", "MKCOL", "X-OWN~1", "get", "A" * 32])
def test_any_token_is_a_method_towards_an_http_origin(gateway, origin, method):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}}]})
    for _ in range(2):
        reply = gw.get("/x", method=method, body=b"q")
        assert reply.status == 200 and not is_hit(reply)
        assert (origin.last.method, origin.last.body) == (method, b"q")
    assert origin.count("/x") == 2, "and nothing of it is kept"


def test_a_method_that_nobody_knows_is_never_sent_twice(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/", "origin": "app", "cache": "off"}]})
    assert gw.get("/warm").status == 200
    origin.on("/x", Ask.close)
    assert gw.get("/x", method="QUERY").status == 502
    assert origin.count("/x") == 1


@pytest.mark.parametrize("method", ["CONNECT", "connect", "A" * 33])
def test_some_methods_are_implemented_nowhere(gw, origin, method):
    assert gw.get("/x", method=method).status == 501
    assert origin.requests == []


@pytest.mark.parametrize("method", ["TRACE", "trace"])
def test_trace_is_refused_and_told_what_is_allowed(gw, origin, method):
    reply = gw.get("/x", method=method)
    assert reply.status == 405 and "GET" in reply["Allow"]
    assert origin.requests == []


def test_a_route_lists_its_methods(gateway, origin, folder):
    (folder / "x").write_text("x")
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}, "site": {"type": "dir", "path": str(folder)}},
                  "routes": [{"path": "/", "origin": "app", "cache": "off", "methods": ["GET", "QUERY"]},
                             {"path": "/site", "origin": "site", "methods": "GET"}]})
    with gw.client() as client:
        assert client.get("/x").status == 200
        assert client.get("/x", method="QUERY").status == 200
        for method in ("HEAD", "POST", "OPTIONS", "PROPFIND", "query", "get"):
            reply = client.get("/x", method=method)
            assert reply.status == 405, method
            assert reply["Allow"] == "GET, QUERY"
        assert client.get("/site/x").status == 200
        assert client.get("/site/x", method="HEAD")["Allow"] == "GET"
    assert {ask.method for ask in origin.requests} == {"GET", "QUERY"}


def test_methods_make_no_labels(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}}, "routes": [{"path": "/", "origin": "app"}]})
    for i in range(20):
        assert gw.get("/x", method=f"M{i}").status == 200
    assert not [key for key in gw.metrics().samples if re.search(r"'M\d", str(key))]


# ---- OPTIONS, https, loops


def test_options_is_answered_where_it_ends(gw, origin):
    reply = gw.get("*", method="OPTIONS")
    assert reply.status == 200 and reply["Content-Length"] == "0" and "GET" in reply["Allow"]
    reply = gw.get("/x", method="OPTIONS", fields={"Max-Forwards": "0"})
    assert reply.status == 200 and "GET" in reply["Allow"]
    assert origin.requests == []
    assert gw.get("/x", method="OPTIONS", fields={"Max-Forwards": "00"}).status == 200 and origin.requests == []
    assert gw.get("/private/x", method="OPTIONS", fields={"Max-Forwards": "0"}).status == 401
    assert gw.get("/x", method="OPTIONS", fields={"Max-Forwards": "7"}).status == 200
    assert origin.last.get("Max-Forwards") == "6"
    assert gw.get("/x", method="GET", fields={"Max-Forwards": "0"}).status == 200, "it says nothing of GET"
    assert origin.last.get("Max-Forwards") == "0"


def test_an_https_url_over_clear_text_is_misdirected(gateway, origin):
    config = guarded(origin.url)
    gw = gateway(config)
    assert gw.get("http://gateway.test/x").status == 200
    for target in ("https://gateway.test/x", "HTTPS://gateway.test/x"):
        assert gw.get(target).status == 421, target
    trusting = gateway(config | {"trusted_proxies": ["127.0.0.1"]})
    assert trusting.get("https://gateway.test/x", fields={"X-Forwarded-Proto": "https"}).status == 200
    assert len(origin.requests) == 2


def test_a_gateway_that_is_its_own_origin_says_so_at_once(gateway):
    port = free_port()
    for cache in ("off", {"ttl": "1h"}):
        gw = gateway({"listen": f"127.0.0.1:{port}", "origins": {"self": {"type": "http", "url": f"http://127.0.0.1:{port}"}},
                      "routes": [{"path": "/", "origin": "self", "cache": cache}]}, wait="listening")
        assert gw.get("/x").status == 508
        assert gw.get("/x", method="POST", body=b"x").status == 508
        until(lambda: gw.total("sekisho_denials_total", reason="loop") == 2, 5, "both to be counted")
        gw.stop()


def test_two_gateways_that_name_each_other_say_so_at_once(gateway):
    ports = [free_port(), free_port()]
    gws = [gateway({"listen": f"127.0.0.1:{mine}", "origins": {"other": {"type": "http", "url": f"http://127.0.0.1:{other}"}},
                    "routes": [{"path": "/", "origin": "other"}]}, wait="listening")
           for mine, other in (ports, reversed(ports))]
    assert gws[0].get("/x").status == 508
    until(lambda: sum(gw.total("sekisho_denials_total", reason="loop") for gw in gws) == 1, 5, "it to be counted once")


def test_a_loop_through_an_object_store_is_found_too(gateway):
    port = free_port()
    gw = gateway({"listen": f"127.0.0.1:{port}",
                  "origins": {"self": {"type": "s3", "bucket": "b", "endpoint": f"http://127.0.0.1:{port}"}},
                  "routes": [{"path": "/", "origin": "self"}]}, wait="listening")
    assert gw.get("/x").status == 502
    until(lambda: gw.total("sekisho_denials_total", reason="loop") >= 1, 5, "it to be counted")


def test_a_word_of_via_that_is_not_ours_means_nothing(gw, origin):
    assert gw.get("/x", fields={"Via": "1.1 sekisho, 1.0 sekisho-0123456789abcdef"}).status == 200
    assert re.fullmatch(r"1\.1 sekisho, 1\.0 sekisho-0123456789abcdef, 1\.1 sekisho-[0-9a-f]{16}", origin.last.get("Via"))


def test_check_warns_of_an_origin_that_is_a_listener_of_ours(tmp_path):
    file = tmp_path / "sekisho.yaml"

    def warned(listen, url):
        file.write_text(f"listen: '{listen}'\norigins: {{ me: {{ type: http, url: '{url}' }} }}\n"
                        "routes: { path: /, origin: me }\n")
        done = run("check", "-c", file)
        assert done.returncode == 0
        return "origins.me.url" in done.stderr and "a listener of this gateway itself" in done.stderr

    assert warned("127.0.0.1:8080", "http://127.0.0.1:8080")
    assert warned("0.0.0.0:8080", "http://localhost:8080/x")
    assert warned("0.0.0.0:8080", "http://localhost.:8080")
    assert warned("[::]:8080", "http://[::1]:8080")
    assert not warned("127.0.0.1:8080", "http://127.0.0.1:8081")
    assert not warned("0.0.0.0:8080", "http://192.0.2.1:8080")


# ---- interim replies and 426


def interim(*statuses, final=None):
    def handler(ask):
        for status in statuses:
            ask.head(status, [("Link", "</style.css>; rel=preload"), ("X-N", str(status)), ("Connection", "X-Hop"),
                              ("X-Hop", "1")])
        (final or (lambda a: a.reply(b"done")))(ask)

    return handler


@pytest.mark.parametrize("cache", ["off", {"ttl": "1h"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_interim_replies_reach_the_client(gateway, origin, cache, method):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/", "origin": "app", "cache": cache}]})
    origin.on("/x", interim(102, 100, 103, 103))
    with gw.client() as client:
        reply = client.get("/x", method=method, body=b"b" if method == "POST" else None)
        assert reply.status == 200 and reply.body == b"done"
        assert [one.status for one in reply.interim] == [102, 103, 103]
        assert reply.interim[1]["Link"] == "</style.css>; rel=preload"
        assert "X-Hop" not in reply.interim[1] and "Connection" not in reply.interim[1]
        assert client.get("/y").status == 200, "and the connection goes on"


def test_a_client_of_http_1_0_gets_no_interim_reply(gw, origin):
    origin.on("/x", interim(103))
    with gw.client() as client:
        client.send("GET /x HTTP/1.0\r\nHost: x\r\n\r\n")
        reply = client.read()
        assert reply.status == 200 and reply.interim == []


def test_interim_replies_have_an_end(gw, origin):
    origin.on("/x", interim(*[102] * 500))
    reply = gw.get("/x")
    assert reply.status == 502 and len(reply.interim) <= 100


def test_interim_replies_do_not_put_off_the_first_byte(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url, "timeouts": {"first_byte": "500ms"}}},
                  "routes": [{"path": "/", "origin": "app"}]})
    origin.on("/x", interim(102, final=Ask.stall))
    reply = gw.get("/x")
    assert reply.status == 504 and [one.status for one in reply.interim] == [102]


def test_a_426_says_to_what(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"", 426, {"Upgrade": "HTTP/3.0", "Connection": "Upgrade"}))
    reply = gw.get("/x")
    assert reply.status == 426 and reply["Upgrade"] == "HTTP/3.0"
    assert "upgrade" in ", ".join(reply.all("Connection")).lower()
    origin.on("/y", lambda ask: ask.reply(b"", 426))
    assert gw.get("/y").status == 502


# ---- large heads of replies


def test_a_reply_may_have_a_large_head_up_to_a_limit(gateway, origin):
    def app(**limits):
        return {"origins": {"app": {"type": "http", "url": origin.url} | ({"limits": limits} if limits else {})},
                "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}}]}

    many = {f"X-{i}": "v" * 200 for i in range(300)}
    origin.on("/many", lambda ask: ask.reply(b"body", fields=many))
    origin.on("/large", lambda ask: ask.reply(b"body", fields={"X": "v" * 70_000}))
    gw = gateway(app())
    for _ in range(2):
        with gw.client() as client:
            reply = client.get("/many")
            assert reply.status == 200 and reply.body == b"body" and reply["X-299"] == "v" * 200
            assert client.get("/large")["X"] == "v" * 70_000
    tight = gateway(app(head="16KiB", fields=127))
    assert tight.get("/many").status == tight.get("/large").status == 502
    origin.on("/huge", lambda ask: ask.reply(b"body", fields={"X": "v" * 140_000}))
    assert gw.get("/huge").status == 502
    wide = gateway(app(head="1MiB", fields=10_000))
    assert wide.get("/huge").status == 200


# ---- buckets


def test_a_prefix_of_keys_ends_at_a_slash(gateway, origin):
    gw = gateway({"origins": {"b": {"type": "s3", "bucket": "b", "endpoint": origin.url, "prefix": "tenant1"}},
                  "routes": [{"path": "/", "origin": "b"}]}, wait="listening")
    assert gw.get("/0/x").status == 200
    assert origin.last.target == "/b/tenant1/0/x"


def test_what_a_query_may_ask_of_a_bucket(gateway, origin):
    def asked(target, **more):
        gw = gateway({"origins": {"b": {"type": "s3", "bucket": "b", "endpoint": origin.url} | more},
                      "routes": [{"path": "/", "origin": "b"}]}, wait="listening")
        assert gw.get(target).status == 200
        return origin.last.target

    hostile = "/x?" + "&".join(["acl", "policy", "tagging", "torrent", "uploads", "uploadId=1", "list-type=2", "versions",
                                "response-content-type=text/html", "response-cache-control=x", "X-Amz-Signature=x",
                                "version%49d=1", "versionId=2", "attributes", "legal-hold", "retention", "select"])
    assert asked(hostile) == "/b/x"
    assert asked(hostile, versions=True) == "/b/x?versionId=1"
    assert asked("/x?partNumber=3") == "/b/x?partNumber=3"


def test_refusals_of_a_bucket_say_what_they_can(gateway, origin):
    gw = gateway({"origins": {"b": {"type": "s3", "bucket": "b", "endpoint": origin.url}},
                  "routes": [{"path": "/", "origin": "b", "cache": {"ttl": "1h"}}]}, wait="listening")

    def answer(status, fields, body=b""):
        origin.on("/b/x", lambda ask: ask.reply(body, status, fields))
        return gw.get("/x"), gw.get("/x", method="HEAD")

    for reply in answer(404, {"x-amz-delete-marker": "true"}):
        assert reply.status == 404 and reply["x-amz-delete-marker"] == "true"
    for reply in answer(405, {"x-amz-delete-marker": "true", "Allow": "DELETE"}):
        assert reply.status == 405 and reply["x-amz-delete-marker"] == "true" and reply["Allow"] == ""
    for status in (503, 429):
        for reply in answer(status, {"Retry-After": "17"}):
            assert reply.status == 503 and reply["Retry-After"] == "17"
            assert reply["Cache-Control"] == "no-store" and reply["Content-Type"] == "application/problem+json"
        for reply in answer(status, {}):
            assert reply.status == 503 and reply["Retry-After"] == "1"
    for reply in answer(301, {"Location": "https://elsewhere.test/"}):
        assert reply.status == 301 and reply["Location"] == "https://elsewhere.test/"
    for reply in answer(301, {"Location": "https://elsewhere.test/", "x-amz-bucket-region": "eu-west-1"}):
        assert reply.status == 502
    for reply in answer(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"):
        assert reply.status == 502, "the origin refuses us, not the client"
    for reply in answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>"):
        assert reply.status == 403
    for target in ("/" + "k" * 1025, "/%ff"):
        assert gw.get(target).status == gw.get(target, method="HEAD").status == 400
