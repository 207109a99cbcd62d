"""The memory cache: what is stored, for whom, and how many ask the origin (RFC 9111, RFC 9211)."""
import os
import threading
import time

import pytest

from lib import configs
from lib.deadline import holds, patience, until
from lib.gateway import instrumented
from lib.origin import CHUNKED, Ask, says
from lib.wire import Client, Truncated, cache_status, is_hit

FRESH = {"Cache-Control": "max-age=60", "ETag": '"tag"', "Last-Modified": "Sat, 01 Nov 2025 10:00:00 GMT"}


@pytest.fixture
def gw(gateway, origin):
    return gateway(configs.app(origin))


def fresh(origin, path, body=b"body", **fields):
    origin.on(path, lambda ask: ask.reply(body, fields=FRESH | {k.replace("_", "-"): v for k, v in fields.items()}))


def crowd(gw, count, target, work=None):
    """`count` clients that ask at once; what each got."""
    results, lock = [], threading.Lock()

    def ask():
        try:
            with gw.client(timeout=30) as client:
                result = client.get(target)
        except Exception as error:
            result = error
        with lock:
            results.append(result)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    if work:
        work()
    for thread in threads:
        thread.join()
    return results


def breaks_off(gw, target) -> bool:
    """Whether a reply is cut, or told to be a failure because none of it had gone out yet."""
    try:
        return gw.get(target).status == 502
    except Truncated:
        return True


# ---- hits and what they say


def test_the_second_request_is_a_hit_with_its_age(gw, origin):
    fresh(origin, "/x")
    first, second = gw.get("/x"), gw.get("/x")
    assert "miss" in cache_status(first)["fwd"] and cache_status(first).get("stored") is True
    assert is_hit(second) and "fwd" not in cache_status(second)
    assert int(cache_status(second)["ttl"]) in range(40, 61)
    assert "Age" not in first or first["Age"] == "0"
    assert int(second["Age"]) in range(0, 10)
    assert second.body == first.body == b"body" and second["ETag"] == '"tag"'
    assert origin.count("/x") == 1


def test_age_counts_on_from_the_origins(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"Cache-Control": "max-age=600", "Age": "100"}))
    gw.get("/x")
    assert 100 <= int(gw.get("/x")["Age"]) < 110


def test_what_is_older_than_its_lifetime_is_not_a_hit(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"Cache-Control": "max-age=60", "Age": "100"}))
    assert not is_hit(gw.get("/x")) and not is_hit(gw.get("/x"))
    assert origin.count("/x") == 2


def test_a_stale_object_is_fetched_again(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"Cache-Control": "max-age=1"}))
    gw.get("/x")
    assert is_hit(gw.get("/x"))
    until(lambda: not is_hit(gw.get("/x")), 10, "the object to become stale")
    assert origin.count("/x") >= 2


@pytest.mark.parametrize("fields, lifetime", [({"Cache-Control": "s-maxage=60, max-age=0"}, True),
                                              ({"Cache-Control": "s-maxage=0, max-age=60"}, False),
                                              ({"Expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, True),
                                              ({"Expires": "Fri, 31 Dec 9999 23:59:59 GMT"}, True),
                                              ({"Expires": "Mon, 01 Jan 2700 00:00:00 GMT"}, True),
                                              ({"Date": "Mon, 01 Jan 1601 00:00:00 GMT", "Cache-Control": "max-age=600"}, False),
                                              ({"Date": "Mon, 01 Jan 1601 00:00:00 GMT"}, False),
                                              ({"Expires": "0"}, False),
                                              ({"Expires": "Mon, 01 Jan 2001 00:00:00 GMT"}, False),
                                              ({"Cache-Control": "public, max-age=60"}, True),
                                              ({"Cache-Control": 'MAX-AGE="60"'}, True),
                                              ({"Cache-Control": "max-age=-1"}, False),
                                              ({"Cache-Control": "max-age=60, max-age=0"}, False),
                                              ({"Cache-Control": "max-age=nonsense"}, False), ({}, False)])
def test_freshness_comes_from_the_origin(gw, origin, fields, lifetime):
    origin.on("/x", lambda ask: ask.reply(b"body", fields=fields))
    gw.get("/x")
    assert is_hit(gw.get("/x")) is lifetime


@pytest.mark.parametrize("fields",
                         [{"Cache-Control": "no-store"}, {"Cache-Control": "private"}, {"Cache-Control": "no-cache"}, {
                             "Cache-Control": "max-age=60, no-store"
                         }, {"Cache-Control": "max-age=60, private"}, {"Cache-Control": 'private="X-A", max-age=60'},
                          {"Cache-Control": 'no-cache="Set-Cookie"'}, {"Cache-Control": "max-age=60, NO-STORE"},
                          {"Set-Cookie": "a=b"}, {"Vary": "Accept"}, {"Vary": "*"}, {"Cache-Control": "max-age=0"}])
def test_what_may_not_be_stored_is_not_even_where_the_route_has_a_ttl(gateway, origin, fields):
    gw = gateway(configs.app(origin, cache={"ttl": "1h"}))
    if not {"Cache-Control"} & fields.keys():
        fields = fields | {"Cache-Control": "max-age=60"}
    origin.on("/x", lambda ask: ask.reply(b"body", fields=fields))
    for _ in range(3):
        reply = gw.get("/x")
        assert reply.body == b"body" and not is_hit(reply)
    assert origin.count("/x") == 3


def test_a_ttl_speaks_where_the_origin_is_silent(gateway, origin):
    gw = gateway(configs.app(origin, cache={"ttl": "1h"}))
    origin.on("/silent", lambda ask: ask.reply(b"body"))
    origin.on("/short", lambda ask: ask.reply(b"body", fields={"Cache-Control": "max-age=1"}))
    for path in ("/silent", "/short"):
        gw.get(path)
        assert is_hit(gw.get(path))
    until(lambda: not is_hit(gw.get("/short")), 10, "the origin's own lifetime to end")
    assert is_hit(gw.get("/silent"))


@pytest.mark.parametrize("status", [201, 203, 206, 301, 302, 404, 410, 500, 503])
def test_only_200_is_stored(gateway, origin, status):
    gw = gateway(configs.app(origin, cache={"ttl": "1h"}))
    origin.on("/x", lambda ask: ask.reply(b"body", status, {"Cache-Control": "max-age=60"}))
    for _ in range(2):
        assert gw.get("/x").status == status
    assert origin.count("/x") == 2


def test_only_get_is_stored_and_writing_goes_through(gw, origin):
    fresh(origin, "/x")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert gw.get("/x", method=method).status == 200
    assert origin.count("/x") == 4
    assert not is_hit(gw.get("/x")) and is_hit(gw.get("/x"))
    assert not is_hit(gw.get("/x", method="POST", body=b"x"))
    assert origin.count("/x") == 6


# ---- writes


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "PROPPATCH"])
@pytest.mark.parametrize("status", [200, 201, 204, 303])
def test_a_write_takes_the_old_copy(gw, origin, method, status):
    body = [b"old"]

    def answer(ask):
        if ask.method == "GET":
            return ask.reply(body[0], fields=FRESH)
        body[0] = b"new"
        ask.reply(b"", status)

    for path in ("/x", "/y"):
        origin.on(path, answer)
        gw.get(path)
    assert is_hit(gw.get("/x"))
    assert gw.get("/x", method=method, host="other.test").status == status
    reply = gw.get("/x")
    assert reply.body == b"new" and not is_hit(reply)
    assert is_hit(gw.get("/x")) and is_hit(gw.get("/y")), "and no other"


@pytest.mark.parametrize("method, status", [("PUT", 400), ("DELETE", 404), ("POST", 500), ("POST", 503), ("OPTIONS", 200),
                                            ("HEAD", 200)])
def test_what_changes_nothing_leaves_the_copy(gw, origin, method, status):
    origin.on("/x", lambda ask: ask.reply(b"body", 200 if ask.method == "GET" else status, FRESH))
    gw.get("/x")
    assert gw.get("/x", method=method).status == status
    assert is_hit(gw.get("/x"))


@pytest.mark.parametrize("how", [Ask.stall, lambda ask: ask.send(b"garbage\r\n\r\n")])
def test_a_write_that_nobody_answered_takes_the_old_copy(gateway, origin, how):
    """It may have been made all the same."""
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url, "timeouts": {"first_byte": "300ms"}}},
                  "routes": [{"path": "/", "origin": "app"}]})
    origin.on("/x", lambda ask: ask.reply(b"body", fields=FRESH) if ask.method == "GET" else how(ask))
    gw.get("/x")
    assert gw.get("/x", method="PUT", body=b"new").status in (502, 504)
    assert not is_hit(gw.get("/x"))


def test_a_write_whose_client_leaves_takes_the_old_copy(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields=FRESH) if ask.method == "GET" else ask.stall())
    gw.get("/x")
    with gw.client() as leaving:
        leaving.ask("/x", method="PUT", body=b"new")
        until(lambda: origin.count("/x") == 2, 5, "the write")
    until(lambda: not is_hit(gw.get("/x")), 5, "its client to be missed")


def test_a_write_that_never_left_takes_nothing(gw, origin):
    fresh(origin, "/x")
    gw.get("/x")
    origin.stop()
    assert gw.get("/x", method="PUT").status == 502
    assert is_hit(gw.get("/x"))


def test_a_write_takes_every_copy_of_its_target(gateway, origin):
    """By whatever host, by another route to the same origin, from every worker."""
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url, "preserve_host": True}}, "workers": 2,
                  "routes": [{"path": "/read/", "origin": "app"}, {"path": "/write/", "origin": "app", "cache": "off"}]})
    fresh(origin, "/x")
    hosts = [f"h{n}.test" for n in range(8)]
    for host in hosts:
        gw.get("/read/x", host=host)
        assert is_hit(gw.get("/read/x", host=host))
    gw.get("/write/x", method="POST")
    assert not any(is_hit(gw.get("/read/x", host=host)) for host in hosts)


def test_a_query_is_part_of_what_is_written(gw, origin):
    origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    for target in ("/x", "/x?a=1", "/x?a=2"):
        gw.get(target)
    gw.get("/x?a=1", method="PUT")
    assert not is_hit(gw.get("/x?a=1"))
    assert not is_hit(gw.get("/x")), "the end of an upload is a POST to /x?uploadId=1"
    assert is_hit(gw.get("/x?a=2"))


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize("reference, goes", [("/api/y", True), ("y", True), ("./z/../y#part", True), ("/base/y", True),
                                             ("http://gw.test/api/y", True), ("//gw.test:80/api/y", True),
                                             ("http://evil.test/api/y", False), ("/y", False), ("/other/y", False),
                                             ("mailto:y", False), ("%", False)])
def test_a_write_takes_what_its_reply_names_of_the_same_host(gateway, origin, another_origin, name, reference, goes):
    other = another_origin()
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url + "/base"}, "other": {"type": "http", "url": other.url}},
                  "routes": [{"path": "/api/", "origin": "app"}, {"path": "/other/", "origin": "other"}]})
    origin.otherwise(lambda ask: ask.reply(b"body", fields=FRESH if ask.method == "GET" else {name: reference}))
    fresh(other, "/y")
    for path in ("/api/y", "/other/y"):
        gw.get(path, host="gw.test")
    gw.get("/api/x", method="POST", host="gw.test")
    assert is_hit(gw.get("/api/y", host="gw.test")) is not goes
    assert is_hit(gw.get("/other/y", host="gw.test")), "which another origin has given"


def test_an_origin_may_name_itself_by_its_own_address(gw, origin):
    origin.otherwise(lambda ask: ask.reply(b"body", fields=FRESH if ask.method == "GET" else {"Location": origin.url + "/y"}))
    gw.get("/y")
    gw.get("/x", method="POST")
    assert not is_hit(gw.get("/y"))


def test_a_move_takes_its_destination(gw, origin):
    origin.otherwise(lambda ask: ask.reply(b"body", fields=FRESH))
    for path in ("/x", "/y"):
        gw.get(path)
    assert gw.get("/x", {"Destination": "/y"}, method="MOVE").status == 200
    assert not is_hit(gw.get("/x")) and not is_hit(gw.get("/y"))


def test_a_fetch_that_a_write_overtakes_serves_its_readers_and_is_not_stored(gw, origin):
    gate, body = threading.Event(), [b"old"]

    def answer(ask):
        if ask.method == "GET":
            said = body[0]
            ask.head(200, FRESH | {"Content-Length": "3"})
            if said == b"old":
                gate.wait(patience(20))
            return ask.send(said)
        body[0] = b"new"
        ask.reply(b"", 204)

    origin.on("/x", answer)
    with gw.client() as early:
        early.ask("/x")
        until(lambda: origin.count("/x"), 5, "the fetch")
        assert gw.get("/x", method="PUT").status == 204
        later = gw.get("/x")  # while the old one is still under way
        assert later.body == b"new" and "collapsed" not in cache_status(later)
        gate.set()
        assert early.read().body == b"old"
    for _ in range(3):
        assert gw.get("/x").body == b"new"
    assert origin.count("/x") == 3


# ---- off


def test_cache_off_is_off(gateway, origin):
    gw = gateway(configs.app(origin, cache="off"))
    fresh(origin, "/x")
    for _ in range(3):
        assert not is_hit(gw.get("/x"))
    assert origin.count("/x") == 3


def test_a_size_of_zero_turns_the_cache_off(gateway, origin):
    gw = gateway(configs.app(origin) | {"cache": {"memory": {"size": 0}}})
    fresh(origin, "/x")
    for _ in range(3):
        assert gw.get("/x").body == b"body"
    assert origin.count("/x") == 3


# ---- the key


def test_the_query_is_part_of_the_key(gw, origin):
    origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    for target in ("/x", "/x?a=1", "/x?a=2", "/x?a=1&b=2", "/x?b=2&a=1", "/y"):
        assert gw.get(target).text == target
        reply = gw.get(target)
        assert reply.text == target and is_hit(reply)
    assert len(origin.requests) == 6


def test_spellings_of_one_path_are_one_object(gw, origin):
    fresh(origin, "/abc")
    gw.get("/abc")
    assert is_hit(gw.get("/%61bc")) and is_hit(gw.get("/ab%63"))
    assert origin.count("/abc") == 1


def test_paths_that_only_look_alike_are_different_objects(gw, origin):
    origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    bodies = {gw.get(target).text for target in ("/a%3fb", "/a?b", "/a%2525b", "/a%25b", "/A", "/a", "/a%20", "/a+")}
    assert len(bodies) == 8


def test_origins_of_the_same_path_are_different_objects(gateway, origin, another_origin):
    other = another_origin()
    fresh(origin, "/x", b"one")
    fresh(other, "/x", b"two")
    gw = gateway({"origins": {"one": {"type": "http", "url": origin.url}, "two": {"type": "http", "url": other.url}},
                  "routes": [{"path": "/one/", "origin": "one"}, {"path": "/two/", "origin": "two"}]})
    for _ in range(2):
        assert (gw.get("/one/x").body, gw.get("/two/x").body) == (b"one", b"two")


def test_a_preserved_host_is_part_of_the_key(gateway, origin):
    gw = gateway({
        "origins": {"app": {"type": "http", "url": origin.url, "preserve_host": True}},
        "routes": [{"path": "/", "origin": "app"}]
    })
    origin.on("/x", lambda ask: ask.reply(ask.get("Host").encode(), fields=FRESH))
    for _ in range(2):
        assert gw.get("/x", host="a.test").body == b"a.test"
        assert gw.get("/x", host="b.test").body == b"b.test"


def test_unkeyed_fields_cannot_poison(gw, origin):
    """What a client sends beside the key and the origin might echo is not given to the next client."""
    origin.on("/x", lambda ask: ask.reply(ask.get("X-Forwarded-Host", "").encode(), fields=FRESH))
    gw.get("/x", {"X-Forwarded-Host": "evil.test"}, host="good.test")
    assert b"evil" not in gw.get("/x", host="good.test").body


def test_credentials_that_go_on_bypass_the_cache(gw, origin):
    fresh(origin, "/x")
    for fields in ({"Authorization": "Basic YTpi"}, {"Cookie": "session=1"}):
        for _ in range(2):
            reply = gw.get("/x", fields)
            assert not is_hit(reply) and cache_status(reply).get("stored") is not True
    assert origin.count("/x") == 4
    gw.get("/x")
    assert is_hit(gw.get("/x"))
    assert not is_hit(gw.get("/x", {"Cookie": "session=1"}))


def test_a_client_may_ask_past_the_cache(gw, origin):
    fresh(origin, "/x")
    gw.get("/x")
    for fields in ({"Cache-Control": "no-cache"}, {"Cache-Control": "max-age=0"}, {"Pragma": "no-cache"}):
        assert not is_hit(gw.get("/x", fields))
    assert gw.get("/absent", {"Cache-Control": "only-if-cached"}).status == 504


# ---- served from what is stored


def test_head_range_and_conditions_are_answered_from_the_cache(gw, origin):
    body = bytes(range(200))
    fresh(origin, "/x", body)
    gw.get("/x")
    with gw.client() as client:
        head = client.get("/x", method="HEAD")
        assert is_hit(head) and head["Content-Length"] == "200"
        part = client.get("/x", {"Range": "bytes=10-19"})
        assert part.status == 206 and part.body == body[10:20] and is_hit(part)
        assert client.get("/x", {"Range": "bytes=0-1,5-6"})["Content-Type"].startswith("multipart/byteranges")
        assert client.get("/x", {"Range": "bytes=500-"}).status == 416
        assert client.get("/x", {"If-None-Match": '"tag"'}).status == 304
        assert client.get("/x", {"If-None-Match": 'W/"tag"'}).status == 304
        assert client.get("/x", {"If-Modified-Since": "Sat, 01 Nov 2025 10:00:00 GMT"}).status == 304
        assert client.get("/x", {"If-Match": '"other"'}).status == 412
        assert client.get("/x", {"Range": "bytes=0-1", "If-Range": '"tag"'}).status == 206
        assert client.get("/x", {"Range": "bytes=0-1", "If-Range": '"other"'}).status == 200
        assert client.get("/x").body == body
    assert origin.count("/x") == 1


def test_a_range_that_misses_is_answered_and_poisons_nothing(gw, origin):
    body = bytes(range(200))

    def ranged(ask):
        if "Range" in ask:
            ask.reply(body[10:20], 206, FRESH | {"Content-Range": "bytes 10-19/200"})
        else:
            ask.reply(body, fields=FRESH)

    origin.on("/x", ranged)
    reply = gw.get("/x", {"Range": "bytes=10-19"})
    assert (reply.status, reply.body) == (206, body[10:20])
    assert gw.get("/x").body == body
    assert gw.get("/x", {"Range": "bytes=10-19"}).body == body[10:20]


def test_a_condition_that_misses_is_answered_and_poisons_nothing(gw, origin):

    def conditional(ask):
        if ask.get("If-None-Match") == '"tag"':
            ask.reply(b"", 304, FRESH)
        else:
            ask.reply(b"body", fields=FRESH)

    origin.on("/x", conditional)
    assert gw.get("/x", {"If-None-Match": '"tag"'}).status == 304
    assert (gw.get("/x").status, gw.get("/x").body) == (200, b"body")
    assert gw.get("/x", {"If-None-Match": '"tag"'}).status == 304


def test_a_head_that_misses_poisons_nothing(gw, origin):
    fresh(origin, "/x", b"body")
    assert gw.get("/x", method="HEAD")["Content-Length"] == "4"
    assert gw.get("/x").body == b"body"
    assert gw.get("/x", method="HEAD")["Content-Length"] == "4"


def test_a_chunked_reply_is_stored_whole(gw, origin):
    origin.on("/x", says(200, FRESH | CHUNKED, *[b"%03d" % n for n in range(100)]))
    whole = b"".join(b"%03d" % n for n in range(100))
    assert gw.get("/x").body == whole
    reply = gw.get("/x")
    assert is_hit(reply) and reply.body == whole and reply["Content-Length"] == "300"
    assert gw.get("/x", {"Range": "bytes=3-5"}).body == b"001"


@pytest.mark.parametrize("how", ["length", "chunked", "reset"])
def test_a_truncated_reply_is_never_stored(gw, origin, how):
    def broken(ask):
        if how == "chunked":
            ask.head(200, FRESH | CHUNKED)
            ask.chunk(b"half")
            ask.close()
        ask.head(200, FRESH | {"Content-Length": "1000"})
        ask.send(b"half")
        ask.reset() if how == "reset" else ask.close()

    origin.on("/x", broken)
    for _ in range(3):
        assert breaks_off(gw, "/x")
    fresh(origin, "/x", b"whole")
    assert gw.get("/x").body == b"whole" and is_hit(gw.get("/x"))


def test_a_body_until_close_is_served_and_never_taken_for_whole(gw, origin):
    """Without a length or chunks nobody knows whether it was cut (RFC 9112 §8): it is not stored."""
    origin.on("/x", says(200, FRESH | {"Connection": "close"}, b"maybe all", Ask.close))
    for _ in range(2):
        assert gw.get("/x").body == b"maybe all"


def test_hop_by_hop_fields_are_not_stored(gw, origin):
    fresh(origin, "/x", Connection="X-Hop", X_Hop="1", Keep_Alive="timeout=9", X_Kept="2")
    for _ in range(2):
        reply = gw.get("/x")
        assert reply["X-Kept"] == "2" and "X-Hop" not in reply and "Keep-Alive" not in reply


def test_each_hit_has_a_request_id_of_its_own(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields=FRESH | {"X-Request-Id": "of-the-origin"}))
    ids = {gw.get("/x")["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


# ---- one fetch however many ask


@pytest.mark.parametrize("workers", [1, 2])
def test_two_hundred_askers_are_one_request(gateway, origin, workers):
    gw = gateway(configs.app(origin) | {"workers": workers})
    gate, body = threading.Event(), os.urandom(300_000)
    origin.on("/x", says(200, FRESH | {"Content-Length": str(len(body))}, body[:1000], gate, body[1000:]))

    def open_the_gate():
        until(lambda: origin.count("/x") == 1, 10, "the one request")
        holds(lambda: origin.count("/x") == 1, 0.3)
        gate.set()

    results = crowd(gw, 200, "/x", open_the_gate)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert all(r.status == 200 and r.body == body for r in results)
    assert origin.count("/x") == 1
    assert sum(1 for r in results if "collapsed" in cache_status(r) or is_hit(r)) >= 199


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_followers_stream_while_the_fill_goes_on(gw, origin, framing):
    gate = threading.Event()

    def slow(ask):
        if framing == "length":
            ask.head(200, FRESH | {"Content-Length": "10"})
            ask.send(b"first")
            gate.wait(patience(20))
            ask.send(b"last.")
        else:
            ask.head(200, FRESH | CHUNKED)
            ask.chunk(b"first")
            gate.wait(patience(20))
            ask.chunk(b"last.")
            ask.last_chunk()

    origin.on("/x", slow)
    clients = [gw.client() for _ in range(8)]
    bodies = []
    for client in clients:  # one after the other: each later one joins a fill that has begun
        client.ask("/x")
        pieces = client.pieces(client.read_head())
        assert next(pieces) == b"first"
        bodies.append(pieces)
    assert origin.count("/x") == 1
    gate.set()
    assert [b"".join(pieces) for pieces in bodies] == [b"last."] * 8
    for client in clients:
        client.close()
    assert is_hit(gw.get("/x"))


def test_a_fill_that_fails_cuts_all_its_readers_and_the_next_asks_anew(gw, origin):
    gate = threading.Event()
    origin.on("/x", says(200, FRESH | {"Content-Length": "10"}, b"first", gate, Ask.close))

    def open_the_gate():
        until(lambda: origin.count("/x") == 1, 10, "the request")
        holds(lambda: True, 0.2)
        gate.set()

    results = crowd(gw, 20, "/x", open_the_gate)
    assert all(isinstance(r, Truncated) for r in results)
    fresh(origin, "/x", b"whole")
    assert gw.get("/x").body == b"whole"


def test_askers_of_what_is_not_stored_get_each_an_answer(gw, origin):
    """A reply that turns out private is not shared: everybody gets one of their own."""
    counter = iter(range(1000))
    gate = threading.Event()

    def private(ask):
        gate.wait(patience(20))
        ask.reply(b"%d" % next(counter), fields={"Cache-Control": "private"})

    origin.on("/x", private)
    results = crowd(gw, 20, "/x", lambda: (until(lambda: origin.count("/x") >= 1, 10, "a request"), gate.set()))
    assert all(getattr(r, "status", None) == 200 for r in results), results
    assert len({r.body for r in results}) == 20


def test_askers_of_a_failing_origin_all_get_an_error(gw, origin):
    gate = threading.Event()
    origin.on("/x", lambda ask: (gate.wait(patience(20)), ask.close()))
    results = crowd(gw, 20, "/x", lambda: (until(lambda: origin.count("/x") >= 1, 10, "a request"), gate.set()))
    assert all(getattr(r, "status", None) == 502 for r in results), results


def test_a_slow_reader_holds_up_nobody(gw, origin):
    body = os.urandom(8 << 20)
    fresh(origin, "/x", body)
    slow = Client(gw.address, receive_buffer=4096)
    slow.ask("/x")
    assert slow.read_head().status == 200
    begun = time.monotonic()
    assert gw.get("/x").body == body and gw.get("/x").body == body
    assert time.monotonic() - begun < patience(5)
    assert origin.count("/x") == 1
    slow.close()


def test_the_first_asker_may_leave_and_the_fill_goes_on_for_the_others(gw, origin):
    """Again and again, as the last reader may be done before the feeder is, on another worker."""
    for number in range(40):
        path, gate = f"/{number}", threading.Event()
        origin.on(path, says(200, FRESH | {"Content-Length": "10"}, b"first", gate, b"last."))
        first, second = gw.client(), gw.client()
        for client in (first, second):
            client.ask(path)
            client.read_head()
        first.close()
        gate.set()
        assert second.exactly(10) == b"firstlast."
        until(lambda: is_hit(gw.get(path)), 5, "a hit")
        assert origin.count(path) == 1
        second.close()


def test_a_fill_stops_when_its_last_reader_has_gone(gw, origin):
    origin.on("/x", says(200, FRESH | {"Content-Length": "1000000"}, b"first", Ask.stall))
    clients = [gw.client() for _ in range(3)]
    for client in clients:
        client.ask("/x")
        client.read_head()
    assert origin.count("/x") == 1
    for client in clients[:2]:
        client.close()
    assert holds(lambda: not origin.connections[0].gone.is_set(), 0.3), "the fill was stopped under its last reader"
    clients[2].close()
    until(lambda: origin.connections[0].gone.is_set(), 10, "the origin's transfer to stop")
    fresh(origin, "/x", b"whole")
    assert gw.get("/x").body == b"whole"


# ---- bounds


def test_objects_beyond_max_object_pass_through(gateway, origin):
    gw = gateway(configs.app(origin) | {"cache": {"memory": {"size": "16MiB", "max_object": "1MiB"}}})
    fresh(origin, "/large", b"x" * (2 << 20))
    fresh(origin, "/fits", b"x" * (1 << 19))
    for _ in range(2):
        reply = gw.get("/large")
        assert len(reply.body) == 2 << 20 and not is_hit(reply)
    gw.get("/fits")
    assert is_hit(gw.get("/fits"))
    assert origin.count("/large") == 2


def test_a_chunked_reply_that_outgrows_max_object_passes_through_whole(gateway, origin):
    gw = gateway(configs.app(origin) | {"cache": {"memory": {"size": "16MiB", "max_object": "1MiB"}}})
    block = os.urandom(1 << 16)
    origin.on("/x", says(200, FRESH | CHUNKED, *[block for _ in range(64)]))
    for result in crowd(gw, 5, "/x"):
        assert result.body == block * 64
    assert gw.get("/x").body == block * 64 and not is_hit(gw.get("/x"))


def test_eviction_keeps_the_cache_within_its_size(gateway, origin):
    gw = gateway(configs.app(origin) | {"cache": {"memory": {"size": "32MiB", "max_object": "4MiB"}}})
    block = os.urandom(1 << 20)
    origin.otherwise(lambda ask: ask.reply(block, fields=FRESH))
    gw.get("/warm")
    before = gw.rss()
    with gw.client() as client:
        for number in range(150):
            assert client.get(f"/{number}").body == block
    if not instrumented():
        assert gw.rss() - before < 64 << 20
    hits = sum(is_hit(gw.get(f"/{number}")) for number in range(149, 129, -1))
    assert 0 < hits


def test_what_is_asked_for_often_survives_a_scan(gateway, origin):
    gw = gateway(configs.app(origin) | {"cache": {"memory": {"size": "16MiB", "max_object": "1MiB"}}})
    block = os.urandom(100_000)
    origin.otherwise(lambda ask: ask.reply(block, fields=FRESH))
    with gw.client() as client:
        for _ in range(5):
            for number in range(20):
                client.get(f"/hot/{number}")
        for number in range(600):
            client.get(f"/scan/{number}")
        assert sum(is_hit(client.get(f"/hot/{number}")) for number in range(20)) >= 15


def test_many_small_objects_are_all_kept_and_right(gw, origin):
    origin.otherwise(lambda ask: ask.reply(ask.target.encode() * 10, fields=FRESH))
    with gw.client() as client:
        for _ in range(2):
            for number in range(500):
                assert client.get(f"/{number}").text == f"/{number}" * 10
    assert len(origin.requests) == 500


def test_both_workers_see_one_cache(gateway, origin):
    gw = gateway(configs.app(origin) | {"workers": 2})
    fresh(origin, "/x")
    gw.get("/x")
    assert all(is_hit(gw.get("/x")) for _ in range(40))
    assert origin.count("/x") == 1


def test_a_folder_and_its_conditions_are_cached_too(gateway, folder):
    (folder / "x").write_text("object")
    gw = gateway(configs.site(folder, cache={"ttl": "1h"}))
    first = gw.get("/x")
    second = gw.get("/x")
    assert is_hit(second) and second["ETag"] == first["ETag"] and second["Last-Modified"] == first["Last-Modified"]
    assert gw.get("/x", {"If-None-Match": first["ETag"]}).status == 304


def test_a_write_that_waits_for_its_place_takes_nothing(gateway, origin):
    """It waits for a place at the origin, and its client goes."""
    gate = threading.Event()
    fresh(origin, "/x")
    origin.on("/slow", lambda ask: (gate.wait(20), ask.reply(b"slow")))
    config = configs.app(origin, cache={"ttl": "1h"})
    config["origins"]["app"]["concurrency"] = {"max": 1, "queue": 10, "wait": "20s"}
    gw = gateway(config)
    gw.get("/x")
    with gw.client(timeout=30) as slow:
        slow.ask("/slow")
        until(lambda: origin.count("/slow"), 5, "the place to be taken")
        with gw.client() as leaves:
            leaves.ask("/x", "POST", {"Content-Length": "0"})
            until(lambda: gw.total("sekisho_concurrency_queued"), 5, "the write to wait")
        until(lambda: not gw.total("sekisho_concurrency_queued"), 5, "the write to be given up")
        assert is_hit(gw.get("/x"))
        gate.set()
        slow.read()
    assert [ask.method for ask in origin.seen("/x")] == ["GET"]
