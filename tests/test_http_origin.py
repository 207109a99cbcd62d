"""The reverse proxy: what reaches an origin, what comes back, and what happens when it misbehaves."""
import hashlib
import json
import os
import threading

import pytest

from lib.deadline import until
from lib.gateway import instrumented
from lib.origin import CHUNKED, Ask, says
from lib.peers import free_port
from lib.wire import Truncated


def proxy(origin, route=None, **more):
    origins = {
        "app": {"type": "http", "url": origin if isinstance(origin, str) else origin.url} | more.pop("options", {})
    }
    return {"origins": origins, "routes": [{"path": "/", "origin": "app", "cache": "off"} | (route or {})]} | more


@pytest.fixture
def gw(gateway, origin):
    return gateway(proxy(origin, options={"timeouts": {"connect": "1s", "first_byte": "1s", "idle": "1s"}}))


def problem(reply, status):
    assert reply.status == status, reply
    assert reply["Content-Type"] == "application/problem+json"
    body = json.loads(reply.body)
    assert body["status"] == status and body["request_id"] == reply["X-Request-Id"]
    return body


# ---- the way there


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_goes_through(gw, origin, method):
    body = b"payload" if method in ("POST", "PUT", "PATCH") else None
    reply = gw.get("/thing?x=1", method=method, body=body)
    assert reply.status == 200
    assert (origin.last.method, origin.last.target, origin.last.body) == (method, "/thing?x=1", body or b"")


def test_bodies_arrive_by_length_and_by_chunks(gw, origin):
    with gw.client() as client:
        client.get("/sized", method="PUT", body=b"x" * 100_000)
        assert origin.last.body == b"x" * 100_000
        assert origin.last.get("Content-Length") == "100000"
        client.send("POST /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        assert client.read().status == 200
        assert origin.last.body == b"hello world"
        assert origin.last.get("Transfer-Encoding") == "chunked" and "Content-Length" not in origin.last
        client.get("/none", method="POST", body=b"")
        assert origin.last.body == b""


def test_the_prefix_is_taken_off_and_the_query_kept(gateway, origin):
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url + "/base"}},
                  "routes": [{"path": "/api/", "origin": "app", "cache": "off"},
                             {"path": "/api/deep/", "origin": "app", "cache": "off"}]})
    with gw.client() as client:
        for asked, sent in {"/api/a/b": "/base/a/b", "/api/a?q=1&q=2": "/base/a?q=1&q=2", "/api/": "/base/",
                            "/api/deep/x": "/base/x", "/api/deepest": "/base/deepest", "/api/x?": "/base/x?"}.items():
            assert client.get(asked).status == 200
            assert origin.last.target in (sent, sent.rstrip("?")), asked
        assert client.get("/apis").status == 404
        assert client.get("/").status == 404


def test_segments_reach_an_origin_as_they_were_understood(gw, origin):
    with gw.client() as client:
        for asked, sent in {
                "/a%20b": "/a%20b", "/%61%62c": "/abc", "/a%25b": "/a%25b", "/%C3%BC": "/%C3%BC", "/a+b": "/a+b",
                "/a%3fb": "/a%3Fb", "/a%23b": "/a%23b", "/a%3Bb=c": "/a%3Bb=c", "/~x": "/~x", "/%7ex": "/~x"
        }.items():
            assert client.get(asked).status == 200, asked
            assert origin.last.target == sent, asked


def test_host_is_the_origins_unless_preserved(gateway, origin):
    gw = gateway(proxy(origin))
    gw.get("/", host="client.test")
    assert origin.last.get("Host") == f"127.0.0.1:{origin.port}"
    gw = gateway(proxy(origin, options={"preserve_host": True}))
    gw.get("/", host="client.test:81")
    assert origin.last.get("Host") == "client.test:81"


def test_hop_by_hop_fields_of_a_request_end_here(gw, origin):
    gw.get(
        "/", {
            "Connection": "X-Named, keep-alive", "X-Named": "1", "X-Kept": "2", "Keep-Alive": "timeout=5",
            "TE": "trailers", "Trailer": "X", "Proxy-Authorization": "Basic x", "Proxy-Connection": "keep-alive",
            "Upgrade": "h2c"
        })
    for name in ("X-Named", "Keep-Alive", "TE", "Trailer", "Proxy-Authorization", "Proxy-Connection", "Upgrade"):
        assert name not in origin.last, name
    assert origin.last.get("X-Kept") == "2"
    assert "x-named" not in origin.last.get("Connection", "").lower()


def test_a_client_cannot_nominate_away_what_the_gateway_adds(gw, origin):
    gw.get("/", {"Connection": "close, X-Forwarded-For, X-Request-Id, Host, X-Forwarded-Proto, Content-Length"},
           method="POST",
           body=b"body")
    for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "Host"):
        assert name in origin.last, name
    assert origin.last.body == b"body"


def test_hop_by_hop_fields_of_a_reply_end_here(gw, origin):
    origin.on(
        "/", lambda ask: ask.reply(b"x",
                                   fields={
                                       "Connection": "X-Internal", "X-Internal": "1", "Keep-Alive": "timeout=9",
                                       "Proxy-Authenticate": "Basic", "X-Kept": "2", "Upgrade": "h2c"
                                   }))
    reply = gw.get("/")
    for name in ("X-Internal", "Keep-Alive", "Proxy-Authenticate", "Upgrade"):
        assert name not in reply, name
    assert reply["X-Kept"] == "2"


def test_several_fields_of_one_name_stay_several(gw, origin):
    origin.on(
        "/", lambda ask: ask.reply(b"",
                                   fields=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-List", "a"),
                                           ("X-List", "b")]))
    reply = gw.get("/", [("X-Many", "1"), ("X-Many", "2")])
    assert reply.all("Set-Cookie") == ["a=1", "b=2"] and reply.all("X-List") == ["a", "b"]
    assert origin.last.all("X-Many") == ["1", "2"]


# ---- whom to believe


def test_forwarding_fields_of_a_stranger_are_replaced(gw, origin):
    gw.get("/", {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test",
        "Forwarded": "for=6.6.6.6", "X-Request-Id": "chosen-by-a-stranger"
    }, host="asked.test")
    ask = origin.last
    assert ask.get("X-Forwarded-For") == "127.0.0.1"
    assert ask.get("X-Forwarded-Proto") == "http"
    assert ask.get("X-Forwarded-Host") == "asked.test"
    assert ask.get("X-Request-Id") != "chosen-by-a-stranger"
    assert "6.6.6.6" not in ask.get("Forwarded", "")


def test_forwarding_fields_of_a_trusted_proxy_are_believed(gateway, origin):
    gw = gateway(proxy(origin, trusted_proxies=["127.0.0.0/8"]))
    reply = gw.get("/",
                   {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Request-Id": "from-the-edge-1"})
    ask = origin.last
    assert ask.get("X-Forwarded-For") == "203.0.113.9, 127.0.0.1"
    assert ask.get("X-Forwarded-Proto") == "https"
    assert ask.get("X-Request-Id") == reply["X-Request-Id"] == "from-the-edge-1"
    assert gw.access_for(lambda record: record["request_id"] == "from-the-edge-1")["client"] == "203.0.113.9"


def test_of_a_chain_the_last_untrusted_address_counts(gateway, origin):
    gw = gateway(proxy(origin, trusted_proxies=["127.0.0.1", "10.0.0.0/8"]))
    reply = gw.get("/", {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.1.2.3"})
    assert gw.access_for(lambda r: r["request_id"] == reply["X-Request-Id"])["client"] == "203.0.113.9"


@pytest.mark.parametrize("value", ["not an address", "203.0.113.9;drop", "1.2.3.4.5", "", "203.0.113.9\t,,"])
def test_nonsense_of_a_trusted_proxy_harms_nothing(gateway, origin, value):
    gw = gateway(proxy(origin, trusted_proxies=["127.0.0.1/32"]))
    assert gw.get("/", {"X-Forwarded-For": value}).status == 200


@pytest.mark.parametrize("value", ["a" * 500, "with space", 'quote"', "{json}"])
def test_a_hostile_request_id_is_not_echoed_even_to_a_trusted_proxy(gateway, origin, value):
    gw = gateway(proxy(origin, trusted_proxies=["127.0.0.1"]))
    assert gw.get("/", {"X-Request-Id": value})["X-Request-Id"] != value


def test_every_request_has_an_id_of_its_own(gw, origin):
    ids = {gw.get("/")["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20
    assert {ask.get("X-Request-Id") for ask in origin.requests} == ids


# ---- the way back


def test_statuses_and_bodies_come_back_as_they_are(gw, origin):
    with gw.client() as client:
        for status in (200, 201, 204, 301, 304, 400, 401, 403, 404, 418, 500, 503):
            origin.on("/", lambda ask: ask.reply(b"said", status, {"X-Status": str(status)}))
            reply = client.get("/")
            assert reply.status == status and reply["X-Status"] == str(status)
            assert reply.body == (b"" if status in (204, 304) else b"said")


def test_chunked_replies_come_through_whole(gw, origin):
    origin.on("/", says(200, CHUNKED, *[b"%d," % n for n in range(100)]))
    with gw.client() as client:
        for _ in range(3):
            assert client.get("/").body == b"".join(b"%d," % n for n in range(100))
    assert len(origin.connections) == 1, "the origin's connection was not reused after a chunked reply"


def test_a_reply_until_close_comes_through_whole(gw, origin):
    origin.on("/", says(200, {"Connection": "close"}, b"until ", b"close", Ask.close))
    with gw.client() as client:
        assert client.get("/").body == b"until close"


def test_interim_replies_of_the_origin_do_not_confuse(gw, origin):
    origin.on("/", lambda ask: (ask.head(103, {"Link": "</x>; rel=preload"}), ask.reply(b"final")))
    with gw.client() as client:
        for _ in range(2):
            reply = client.get("/")
            assert reply.text == "final" and [one["Link"] for one in reply.interim] == ["</x>; rel=preload"]


def test_head_replies_may_announce_a_length(gw, origin):
    origin.on("/", lambda ask: ask.reply(b"x" * 1000))
    with gw.client() as client:
        reply = client.get("/", method="HEAD")
        assert reply["Content-Length"] == "1000" and reply.body == b""
        assert client.get("/").body == b"x" * 1000


def test_the_first_byte_arrives_before_the_last_is_sent(gw, origin):
    gate = threading.Event()
    origin.on("/sized", says(200, {"Content-Length": "10"}, b"first", gate, b"last."))
    origin.on("/chunked", says(200, CHUNKED, b"first", gate, b"last."))
    for path in ("/sized", "/chunked"):
        gate.clear()
        with gw.client() as client:
            client.ask(path)
            pieces = client.pieces(client.read_head())
            got = next(pieces)
            assert got == b"first"
            gate.set()
            assert b"".join(pieces) == b"last."


def test_the_body_streams_to_the_origin_as_it_comes(gw, origin):
    seen = []

    def handler(ask):
        for piece in ask.pieces():
            seen.append(piece)
        ask.reply(b"done")

    origin.on("/up", handler, lazy=True)
    with gw.client() as client:
        client.ask("/up", "POST", {"Content-Length": "10"})
        client.send(b"first")
        until(lambda: b"".join(seen) == b"first", 5, "the first half at the origin")
        client.send(b"last.")
        assert client.read().text == "done"


@pytest.mark.slow
def test_a_large_upload_streams_in_constant_memory(gateway, origin):
    gw = gateway(proxy(origin))
    size, got = 100 << 20, hashlib.md5()

    def handler(ask):
        for piece in ask.pieces():
            got.update(piece)
        ask.reply(got.hexdigest().encode())

    origin.on("/up", handler, lazy=True)
    gw.get("/warm")
    before = gw.rss()
    sent = hashlib.md5()
    with gw.client(timeout=60) as client:
        client.ask("/up", "PUT", {"Content-Length": str(size)})
        for number in range(size >> 20):
            piece = bytes([number]) * (1 << 20)
            sent.update(piece)
            client.send(piece)
        assert client.read().text == sent.hexdigest()
    if not instrumented():
        assert gw.peak_rss() - before < 24 << 20


@pytest.mark.slow
def test_a_large_download_streams_in_constant_memory(gateway, origin):
    gw = gateway(proxy(origin))
    size, block = 300 << 20, os.urandom(1 << 20)
    origin.on("/down", says(200, {"Content-Length": str(size)}, *[block for _ in range(size >> 20)]))
    gw.get("/warm")
    before = gw.rss()
    with gw.client(timeout=60) as client:
        client.ask("/down")
        count = 0
        for piece in client.pieces(client.read_head()):
            count += len(piece)
        assert count == size
    if not instrumented():
        assert gw.peak_rss() - before < 24 << 20


def test_nginx_serves_through_the_gateway(gateway, nginx):
    (nginx.directory / "html/large").write_bytes(os.urandom(3 << 20))
    gw = gateway(proxy(nginx.url))
    with gw.client() as client:
        assert client.get("/large").body == (nginx.directory / "html/large").read_bytes()
        assert client.get("/none").status == 204
        assert client.get("/echo?a=b", {"X-Probe": "probe"}).text == "GET /echo?a=b probe"
        assert client.get("/large", {"Range": "bytes=5-9"}).status == 206
        assert client.get("/upload/x.bin", method="PUT", body=b"y" * 300_000).status == 201
    assert (nginx.directory / "uploads/x.bin").read_bytes() == b"y" * 300_000


# ---- pools


def test_connections_to_the_origin_are_kept(gateway, origin):
    gw = gateway(proxy(origin, workers=1))
    with gw.client() as client:
        for _ in range(20):
            client.get("/")
    assert len(origin.connections) == 1


def test_an_origin_that_says_close_is_not_asked_again_there(gateway, origin):
    gw = gateway(proxy(origin, workers=1))
    origin.on("/", lambda ask: ask.reply(b"x", fields={"Connection": "close"}))
    with gw.client() as client:
        for _ in range(3):
            assert client.get("/").body == b"x"
    assert len(origin.connections) == 3


def test_a_dead_pooled_connection_is_retried_for_what_may_be_repeated(gateway, origin):
    gw = gateway(proxy(origin, workers=1))
    origin.on("/then-die", lambda ask: (ask.reply(b"x"),))
    with gw.client() as client:
        for _ in range(5):
            assert client.get("/").status == 200
            origin.drop_connections()
            assert client.get("/again").status == 200
    assert all(ask.method == "GET" for ask in origin.requests)


def second_request_dies(origin):
    """The origin takes a connection's second request and closes without a byte."""
    def handler(ask):
        served = getattr(ask.connection, "served", 0)
        ask.connection.served = served + 1
        if served:
            ask.close()
        ask.reply(b"fresh")
    origin.otherwise(handler)


def test_a_pooled_connection_that_dies_under_a_get_is_retried_once(gateway, origin):
    gw = gateway(proxy(origin, workers=1))
    second_request_dies(origin)
    with gw.client() as client:
        assert client.get("/first").status == 200
        assert client.get("/second").text == "fresh"
    assert origin.count("/second") == 2


def test_a_post_is_never_sent_twice(gateway, origin):
    gw = gateway(proxy(origin, workers=1))
    second_request_dies(origin)
    with gw.client() as client:
        assert client.get("/first").status == 200
        problem(client.get("/second", method="POST", body=b"pay"), 502)
    assert origin.count("/second") == 1


def test_a_fresh_connection_that_dies_is_not_retried_for_ever(gw, origin):
    origin.on("/", lambda ask: ask.close())
    problem(gw.get("/"), 502)
    assert origin.count("/") <= 2


# ---- misbehaviour


def test_an_origin_that_refuses_is_502(gateway):
    gw = gateway(proxy(f"http://127.0.0.1:{free_port()}"), wait="listening")
    problem(gw.get("/"), 502)


def test_an_origin_that_does_not_exist_is_reported(gateway):
    gw = gateway(proxy("http://no-such-host.invalid"), wait="listening")
    assert gw.get("/", timeout=30).status in (502, 504)


def test_an_origin_that_says_nothing_is_504(gw, origin):
    origin.on("/", lambda ask: ask.stall())
    problem(gw.get("/"), 504)


def test_an_origin_that_stalls_inside_the_head_is_504(gw, origin):
    origin.on("/", lambda ask: (ask.send(b"HTTP/1.1 200 OK\r\nContent-"), ask.stall()))
    problem(gw.get("/"), 504)


def test_an_origin_that_stalls_inside_the_body_cuts_the_client(gw, origin):
    origin.on("/", says(200, {"Content-Length": "100"}, b"half", Ask.stall))
    with pytest.raises(Truncated):
        gw.get("/")


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_body_cut_short_is_never_a_clean_end(gw, origin, coding):
    if coding == "length":
        origin.on("/", says(200, {"Content-Length": "100"}, b"half", Ask.close))
    else:
        origin.on("/", says(200, CHUNKED, b"half", Ask.close))
    with pytest.raises(Truncated):
        gw.get("/")
    assert gw.get("/fine").status == 200


def test_a_reset_in_the_body_is_never_a_clean_end(gw, origin):
    origin.on("/", says(200, {"Content-Length": "1000000"}, b"x" * 1000, Ask.reset))
    with pytest.raises(Truncated):
        gw.get("/")


GARBAGE = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(100),
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nfour",
    "length beside chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, x\r\n\r\n",
    "a space in a name": b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "a space in a name in front of a space": b"HTTP/1.1 200 OK\r\nA b : c\r\nContent-Length: 0\r\n\r\n",
    "an upgrade unasked": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_502(gw, origin, name):
    origin.on("/", lambda ask: (ask.send(GARBAGE[name]), ask.close()))
    problem(gw.get("/"), 502)
    assert gw.get("/fine").status == 200


def test_white_space_before_a_colon_is_taken_away(gw, origin):
    """RFC 9112 section 5.1: of a reply; of a request it is 400, test_http1.py."""
    origin.on("/", lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\nX-A \t: b\r\n\r\nok"))
    with gw.client() as client:
        for _ in range(2):
            reply = client.get("/")
            assert (reply.status, reply.text, reply["X-A"]) == (200, "ok", "b")
    assert b"Content-Length :" not in reply.raw_head and len(origin.connections) == 1


def test_white_space_before_the_colon_of_a_trailer_is_let_pass(gw, origin):
    origin.on("/", lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T \t: 1\r\n\r\n"))
    with gw.client() as client:
        assert [client.get("/").text for _ in range(2)] == ["ok", "ok"]


def test_bad_chunks_in_a_reply_cut_the_client(gw, origin):
    origin.on("/", says(200, CHUNKED, b"four", lambda ask: ask.send(b"zz\r\nmore\r\n"), Ask.stall))
    with pytest.raises(Truncated):
        gw.get("/")


def test_bytes_after_a_reply_are_not_the_next_reply(gateway, origin):
    """Response splitting: what an origin sends unasked is never given to the next client."""
    gw = gateway(proxy(origin, workers=1))
    origin.on(
        "/", lambda ask: ask.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"))
    with gw.client() as client:
        assert client.get("/").text == "ok"
        assert client.get("/next").text == "/next"


def test_an_early_reply_to_an_upload_reaches_the_client(gw, origin):
    origin.on("/up", lambda ask: (ask.reply(b"too much", 413, {"Connection": "close"}), ask.close()), lazy=True)
    with gw.client() as client:
        client.ask("/up", "POST", {"Content-Length": str(50 << 20)})
        try:
            for _ in range(50):
                client.send(b"x" * (1 << 20))
        except OSError:
            pass
        assert client.read().status in (413, 502)


def test_a_client_that_leaves_stops_the_origins_transfer(gw, origin):
    sent = []

    def endless(ask):
        ask.head(200, {"Content-Length": str(1 << 40)})
        while True:
            ask.send(b"x" * 65536)
            sent.append(65536)

    origin.on("/", endless)
    client = gw.client()
    client.ask("/")
    client.read_head()
    client.close()
    until(lambda: origin.connections and all(c.gone.is_set() for c in origin.connections), 10,
          "the origin's connection to end")
    assert sum(sent) < 200 << 20


def test_a_client_that_leaves_while_the_origin_thinks_stops_it(gateway, origin):
    gw = gateway(proxy(origin))
    origin.on("/", lambda ask: ask.stall(60))
    client = gw.client()
    client.ask("/")
    until(lambda: origin.count("/"), 5, "the request at the origin")
    client.close()
    until(lambda: origin.connections[0].gone.is_set(), 10, "the origin's connection to end")


def test_a_client_that_leaves_inside_its_upload_stops_it(gw, origin):
    origin.on("/", lambda ask: ask.reply(b"x"))
    client = gw.client()
    client.ask("/", "POST", {"Content-Length": "1000"})
    client.send(b"half")
    until(lambda: origin.connections, 5, "a connection to the origin")
    client.close()
    until(lambda: all(c.gone.is_set() for c in origin.connections), 10, "the origin's connection to end")
    assert not any(ask.body for ask in origin.seen("/"))


def test_many_clients_at_once_get_each_their_own(gw, origin):
    wrong = []

    def work(name):
        with gw.client() as client:
            for number in range(20):
                target = f"/{name}/{number}"
                if client.get(target).text != target:
                    wrong.append(target)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_failure_gave_its_descriptors_back(gw, origin):
    origin.on("/close", lambda ask: ask.close())
    origin.on("/cut", says(200, {"Content-Length": "9"}, b"half", Ask.close))

    def each():
        for target in ("/close", "/cut", "/fine"):
            try:
                gw.get(target)
            except Truncated:
                pass

    each()
    settled = gw.descriptors()
    for _ in range(40):
        each()
    until(lambda: gw.descriptors() <= settled + 6, 10, "descriptors to be given back")


# ---- upgrades

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def echo_socket(ask):
    assert ask.get("Upgrade", "").lower() == "websocket" and "upgrade" in ask.get("Connection", "").lower()
    ask.head(101,
             {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="})
    while True:
        if not ask.connection.buffer:
            ask.connection.more()
        data, ask.connection.buffer = ask.connection.buffer, b""
        ask.send(data)
        if data.endswith(b"bye"):
            ask.close()


def test_a_websocket_is_tunnelled_both_ways(gw, origin):
    origin.on("/ws", echo_socket)
    with gw.client() as client:
        client.ask("/ws", fields=UPGRADE)
        head = client.read_head()
        assert head.status == 101 and head["Upgrade"].lower() == "websocket"
        assert "upgrade" in head["Connection"].lower()
        assert head["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        for message in (b"\x81\x05hello", bytes(range(256)) * 100):
            client.send(message)
            assert client.exactly(len(message)) == message
        client.send(b"bye")
        assert client.exactly(3) == b"bye"
        assert client.closed()


def test_a_websocket_outlives_the_reply_deadlines_while_it_talks(gw, origin):
    """first_byte and idle of the origin are 1 s here; a tunnel is quiet as long as its ends like."""
    origin.on("/ws", echo_socket)
    with gw.client() as client:
        client.ask("/ws", fields=UPGRADE)
        assert client.read_head().status == 101
        client.send(b"one")
        assert client.exactly(3) == b"one"
        assert client.silent(1.6), "the tunnel was closed while it was quiet"
        client.send(b"two")
        assert client.exactly(3) == b"two"


def test_bytes_sent_along_with_the_upgrade_are_kept(gw, origin):
    origin.on("/ws", echo_socket)
    with gw.client() as client:
        lines = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        client.send(f"GET /ws HTTP/1.1\r\nHost: x\r\n{lines}\r\nearly")
        assert client.read_head().status == 101
        assert client.exactly(5) == b"early"


def test_the_end_of_either_side_ends_the_tunnel(gw, origin):
    origin.on("/ws", echo_socket)
    client = gw.client()
    client.ask("/ws", fields=UPGRADE)
    assert client.read_head().status == 101
    client.close()
    until(lambda: all(c.gone.is_set() for c in origin.connections), 10, "the origin's side to end")


def test_a_refused_upgrade_is_a_plain_reply(gw, origin):
    origin.on("/ws", lambda ask: ask.reply(b"no", 403))
    with gw.client() as client:
        reply = client.get("/ws", UPGRADE)
        assert (reply.status, reply.text) == (403, "no")
        assert client.get("/after").text == "/after"


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "foo, bar"])
def test_other_upgrades_are_stripped(gw, origin, upgrade):
    reply = gw.get(
        "/x",
        {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": upgrade, "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"})
    assert reply.status == 200
    for name in ("Upgrade", "HTTP2-Settings"):
        assert name not in origin.last
    assert "upgrade" not in origin.last.get("Connection", "").lower()


def test_an_upgrade_hides_no_second_request(gw, origin):
    """A client that smuggles behind a refused upgrade talks to the gateway's parser, not to the origin."""
    origin.on("/ws", lambda ask: ask.reply(b"no", 200))
    with gw.client() as client:
        lines = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        client.send(f"GET /ws HTTP/1.1\r\nHost: x\r\n{lines}\r\nGET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200
        assert client.read().status == 400
    assert not origin.count("/a%2fb")


# ---- TLS to the origin


def tls_proxy(origin, **tls):
    return proxy(f"https://127.0.0.1:{origin.port}", options={"tls": tls} if tls else {})


def test_a_tls_origin_is_spoken_to_when_its_certificate_verifies(gateway, tls_origin, certificate):
    gw = gateway(tls_proxy(tls_origin, ca_file=str(certificate.ca)))
    with gw.client() as client:
        for size in (1, 100_000, 5 << 20):
            tls_origin.on("/sized", lambda ask: ask.reply(b"x" * size))
            assert client.get("/sized").body == b"x" * size
        assert client.get("/up", method="POST", body=b"y" * 1_000_000).status == 200
    assert tls_origin.last.body == b"y" * 1_000_000


def test_a_tls_origin_of_an_unknown_authority_is_502(gateway, tls_origin):
    gw = gateway(tls_proxy(tls_origin), wait="listening")
    problem(gw.get("/"), 502)
    assert not tls_origin.requests


def test_a_tls_origin_under_another_name_is_502(gateway, tls_origin, certificate):
    gw = gateway(tls_proxy(tls_origin, ca_file=str(certificate.ca), server_name="other.test"), wait="listening")
    problem(gw.get("/"), 502)
    assert not tls_origin.requests
    gw = gateway(tls_proxy(tls_origin, ca_file=str(certificate.ca), server_name="localhost"))
    assert gw.get("/").status == 200


def test_verification_can_be_turned_off_in_so_many_words(gateway, tls_origin):
    assert gateway(tls_proxy(tls_origin, verify=False)).get("/").status == 200


def test_a_plain_origin_spoken_to_in_tls_is_502(gateway, origin, certificate):
    origin.forgiving = True  # the hello is no request
    gw = gateway(proxy(f"https://127.0.0.1:{origin.port}", options={"timeouts": {"connect": "1s",
                                                                                 "first_byte": "1s"}}),
                 wait="listening")
    assert gw.get("/").status in (502, 504)


def test_a_tls_body_cut_short_is_never_a_clean_end(gateway, tls_origin, certificate):
    gw = gateway(tls_proxy(tls_origin, ca_file=str(certificate.ca)))
    tls_origin.on("/cut", says(200, {"Content-Length": "100"}, b"half", Ask.close))
    with pytest.raises(Truncated):
        gw.get("/cut")
