"""What goes on after the head: WebSockets, event streams, and how long they may."""
import base64
import hashlib
import os
import ssl
import threading
import time

import pytest

from lib.deadline import until
from lib.issuer import Issuer
from lib.origin import CHUNKED, Ask, says
from lib.tokens import AUDIENCE, ISSUER, SECRET, Signer, bearer, hs256
from lib.wire import Truncated

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of the key: RFC 6455 section 1.3
ASKS = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
SWITCHES = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": ACCEPT}
EVENTS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"} | CHUNKED


def proxy(origin, route=None, **more):
    return {"origins": {"app": {"type": "http", "url": origin.url} | more.pop("options", {})},
            "routes": [{"path": "/", "origin": "app"} | (route or {})]} | more


def echo(fields=SWITCHES):
    def handler(ask):
        ask.head(101, fields)
        while True:
            if not ask.connection.buffer:
                ask.connection.more()
            data, ask.connection.buffer = ask.connection.buffer, b""
            ask.send(data)

    return handler


@pytest.fixture
def gw(gateway, origin):
    return gateway(proxy(origin))


# ---- who may open a tunnel


HALVES = {
    "no version": ({"Sec-WebSocket-Version": None}, 426),
    "an older version": ({"Sec-WebSocket-Version": "8"}, 426),
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "a key that is none": ({"Sec-WebSocket-Key": "x"}, 400),
    "a key of 17 bytes": ({"Sec-WebSocket-Key": base64.b64encode(bytes(17)).decode()}, 400),
    "a key in base64url": ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j_Q=="}, 400),
    "a body": ({"Content-Length": "2"}, 400),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_handshake_opens_no_tunnel(gw, origin, name):
    changes, status = HALVES[name]
    origin.on("/ws", echo())
    fields = {key: value for key, value in (ASKS | changes).items() if value is not None}
    reply = gw.get("/ws", fields)
    assert reply.status == status
    assert not origin.count("/ws")
    if status == 426:
        assert reply["Sec-WebSocket-Version"] == "13" and reply["Upgrade"] == "websocket"
        assert "upgrade" in ", ".join(reply.all("Connection")).lower()
    reason = {426: "upgrade_required", 400: "bad_request"}[status]
    assert gw.access_for(lambda line: line["path"] == "/ws")["reason"] == reason


@pytest.mark.parametrize("field", ["Sec-WebSocket-Key", "Sec-WebSocket-Version"])
def test_a_handshake_field_stands_once(gw, origin, field):
    origin.on("/ws", echo())
    assert gw.get("/ws", [*ASKS.items(), (field, ASKS[field])]).status == 400
    assert not origin.count("/ws")


LIES = {
    "nothing but the status": {},
    "another key's answer": SWITCHES | {"Sec-WebSocket-Accept": base64.b64encode(bytes(20)).decode()},
    "no answer to the key": {"Connection": "Upgrade", "Upgrade": "websocket"},
    "another protocol": SWITCHES | {"Upgrade": "h2c"},
    "no Upgrade": {name: value for name, value in SWITCHES.items() if name != "Upgrade"},
    "no Connection": {name: value for name, value in SWITCHES.items() if name != "Connection"},
    "a subprotocol not offered": SWITCHES | {"Sec-WebSocket-Protocol": "admin"},
    "an extension not offered": SWITCHES | {"Sec-WebSocket-Extensions": "permessage-deflate, x-raw"},
}


@pytest.mark.parametrize("name", LIES)
def test_a_bare_101_opens_no_tunnel(gw, origin, name):
    """Whoever can steer an origin's status gets no raw way to it past route, identity and audit."""
    origin.on("/ws", lambda ask: (ask.head(101, LIES[name]), ask.stall()))
    with gw.client() as client:
        client.ask("/ws", fields=ASKS | {"Sec-WebSocket-Protocol": "chat",
                                         "Sec-WebSocket-Extensions": "permessage-deflate"})
        client.send(b"GET /private HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 502
        assert client.read().status == 200, "what follows is a request like any other"
    assert [ask.path for ask in origin.requests] == ["/ws", "/private"]
    assert len(origin.connections) == 2, "the connection was used again"
    until(lambda: origin.connections[0].gone.is_set(), 5, "the origin's connection to be closed")


UNASKED = {
    "POST": ("POST", ASKS),
    "no Connection": ("GET", {name: value for name, value in ASKS.items() if name != "Connection"}),
    "h2c": ("GET", ASKS | {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQ"}),
    "nothing of the kind": ("GET", {}),
}


@pytest.mark.parametrize("name", UNASKED)
def test_a_101_that_nobody_asked_for_is_502(gw, origin, name):
    method, fields = UNASKED[name]
    origin.on("/ws", lambda ask: (ask.head(101, SWITCHES), ask.stall()))
    assert gw.get("/ws", fields, method).status == 502
    for field in ("Upgrade", "Connection", "HTTP2-Settings"):
        assert field not in origin.last


def test_an_upgrade_of_http_1_0_is_a_plain_request(gw, origin):
    with gw.client() as client:
        client.send("GET /ws HTTP/1.0\r\nHost: x\r\n" + "".join(f"{n}: {v}\r\n" for n, v in ASKS.items()) + "\r\n")
        assert client.read().status == 200
    assert "Upgrade" not in origin.last


def test_what_was_offered_may_be_chosen(gw, origin):
    key = base64.b64encode(os.urandom(16)).decode()
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    origin.on("/ws", echo(SWITCHES | {"Sec-WebSocket-Accept": accept, "Sec-WebSocket-Protocol": "chat",
                                      "Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover"}))
    with gw.client() as client:
        client.ask("/ws", fields=ASKS | {"Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": "soap, chat",
                                         "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
        head = client.read_head()
        assert (head.status, head["Sec-WebSocket-Protocol"]) == (101, "chat")
        client.send(b"hello")
        assert client.exactly(5) == b"hello"


# ---- how long


def test_a_tunnel_has_an_idle_limit_of_its_own(gateway, origin):
    gw = gateway(proxy(origin, options={"timeouts": {"idle": "300ms", "first_byte": "300ms"}},
                       timeouts={"idle": "300ms", "body": "300ms", "write": "300ms", "tunnel": "2s"}))
    origin.on("/ws", echo())
    with gw.client() as client:
        client.ask("/ws", fields=ASKS)
        assert client.read_head().status == 101
        assert client.silent(1), "a tunnel was closed by another limit"
        client.send(b"one")
        assert client.exactly(3) == b"one"
        begun = time.monotonic()
        assert client.closed(10)
        assert time.monotonic() - begun > 1.5


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_event_arrives_while_the_origin_holds_its_reply_open(gw, origin, method):
    more = threading.Event()
    origin.on("/events", says(200, EVENTS, b"data: 1\n\n", more, b"data: 2\n\n"))
    with gw.client() as client:
        client.ask("/events", method, {"Accept": "text/event-stream"}, b"" if method == "POST" else None)
        chunks = client.chunks()
        assert client.read_head().status == 200
        assert next(chunks) == b"data: 1\n\n"
        more.set()
        assert b"".join(chunks) == b"data: 2\n\n"


def test_grpc_web_streams_frame_by_frame(gw, origin):
    """Messages, and the trailers as a last frame of the body (0x80)."""
    more = threading.Event()
    frames = [b"\0\0\0\0\x03one", b"\0\0\0\0\x03two", b"\x80\0\0\0\x0fgrpc-status:0\r\n"]
    web = {"Content-Type": "application/grpc-web+proto"}
    origin.on("/pkg.Service/Watch", says(200, web | CHUNKED, frames[0], more, *frames[1:]))
    with gw.client() as client:
        client.ask("/pkg.Service/Watch", "POST", web | {"X-Grpc-Web": "1"}, b"\0\0\0\0\0")
        head, chunks = client.read_head(), client.chunks()
        assert head["Content-Type"] == "application/grpc-web+proto"
        assert next(chunks) == frames[0]
        more.set()
        assert b"".join(chunks) == b"".join(frames[1:])
    assert origin.last.body == b"\0\0\0\0\0"


def test_a_deadline_ends_a_request_that_waits(gateway, origin):
    gw = gateway(proxy(origin, {"deadline": "500ms"}))
    origin.on("/slow", Ask.stall)
    begun = time.monotonic()
    reply = gw.get("/slow")
    assert (reply.status, reply["Connection"]) == (504, "close")
    assert 0.4 < time.monotonic() - begun < 5
    assert gw.access_for(lambda line: line["path"] == "/slow")["reason"] == "deadline"
    until(lambda: origin.connections[0].gone.is_set(), 5, "the origin's connection to be closed")
    assert gw.get("/fast").status == 200


def test_a_deadline_cuts_a_reply_that_drips(gateway, origin):
    gw = gateway(proxy(origin, {"deadline": "700ms"}))

    def drip(ask):
        ask.head(200, {"Content-Length": "1000"})
        while True:
            ask.send(b"x")
            if ask.connection.gone.wait(0.05):
                return

    origin.on("/drip", drip)
    with pytest.raises(Truncated):
        gw.get("/drip")
    assert gw.access_for(lambda line: line["path"] == "/drip")["reason"] == "deadline"


def test_a_deadline_ends_an_upload_that_waits_for_its_client(gateway, origin):
    gw = gateway(proxy(origin, {"deadline": "500ms"}))
    with gw.client() as client:
        client.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0123456789")
        assert client.read().status == 504
        assert client.closed()


@pytest.mark.parametrize("path", ["/ws", "/events"])
def test_a_deadline_ends_at_the_head_of_a_stream(gateway, origin, path):
    gw = gateway(proxy(origin, {"deadline": "300ms"}))
    origin.on("/ws", echo())
    origin.on("/events", says(200, EVENTS, b"data: 1\n\n", Ask.stall))
    with gw.client() as client:
        client.ask(path, fields=ASKS if path == "/ws" else {})
        assert client.read_head().status in (101, 200)
        if path == "/events":
            assert next(client.chunks()) == b"data: 1\n\n"
        assert client.silent(1)


# ---- whose right it is


def staff(**changes):
    return {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "leeway": "0s",
            "keys": [{"inline": SECRET}]} | changes


def guarded(origin, identity=None, **route):
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "identities": {"staff": identity or staff()},
            "routes": [{"path": "/", "origin": "app", "identity": "staff"} | route]}


def opened(client, path, token):
    """A tunnel or an endless reply that has begun."""
    client.ask(path, fields=(ASKS if path == "/ws" else {}) | bearer(token))
    head = client.read_head()
    assert head.status in (101, 200)
    if path == "/ws":
        client.send(b"ping")
        assert client.exactly(4) == b"ping"
    else:
        assert next(client.chunks()) == b"data: 1\n\n"
    return client


STREAMS = {"/ws": echo(), "/events": says(200, EVENTS, b"data: 1\n\n", Ask.stall),
           "/endless": says(200, {"Content-Type": "text/plain"} | CHUNKED, b"data: 1\n\n", Ask.stall)}


@pytest.fixture
def streams(origin):
    for path, handler in STREAMS.items():
        origin.on(path, handler)
    return origin


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_with_its_token(gateway, streams, path):
    gw = gateway(guarded(streams))
    now = int(time.time())
    with gw.client() as client, gw.client() as longer:
        opened(client, path, hs256(exp=now + 2))
        opened(longer, path, hs256(exp=now + 600))
        assert client.closed(10)
        assert time.time() >= now + 2, "before its time"
        assert longer.silent(0.1)
    line = gw.access_for(lambda line: line["path"] == path and line.get("reason") == "credential_expired")
    assert line["status"] == (101 if path == "/ws" else 200)
    assert gw.total("sekisho_denials_total", reason="credential_expired") == 1


@pytest.mark.parametrize("why", ["token", "reload", "closed"])
def test_an_upload_without_an_end_ends_with_the_right_to_it(gateway, origin, why):
    origin.otherwise(lambda ask: ask.reply(b"ok"))
    config = guarded(origin)
    gw = gateway(config | {"routes": [{"path": "/", "origin": "app"}]} if why == "closed" else config)
    now = int(time.time())
    with gw.client() as client:
        client.ask("/up", "POST", CHUNKED | bearer(hs256(exp=now + (2 if why == "token" else 600))))
        if why != "token":
            until(lambda: origin.connections, 5, "the upload to begin")
            then = config if why == "closed" else config | {"routes": [config["routes"][0] | {"methods": ["GET"]}]}
            assert gw.reload(then).ok

        def ended():
            try:
                client.send(b"1\r\nx\r\n")
                client.socket.settimeout(0.2)
                return client.socket.recv(100) is not None
            except TimeoutError:
                return False
            except OSError:
                return True

        until(ended, 12, "the upload to be ended")
    line = gw.access_for(lambda line: line["path"] == "/up")
    assert (line["status"], line["reason"]) == ((401, "credential_expired") if why == "token" else (403, "right_withdrawn"))


def test_a_body_of_known_length_is_finished(gateway, streams):
    gw = gateway(guarded(streams))
    gate = threading.Event()
    streams.on("/file", says(200, {"Content-Length": "6"}, b"one", gate, b"two"))
    now = int(time.time())
    with gw.client() as client:
        client.ask("/file", fields=bearer(hs256(exp=now + 2)))
        head = client.read_head()
        until(lambda: time.time() > now + 2.3, 5)
        gate.set()
        assert b"".join(client.pieces(head)) == b"onetwo"


CHANGES = {
    "the identity has another key": lambda c: c | {"identities": {"staff": staff(keys=[{"inline": SECRET[::-1]}])}},
    "the route asks for more": lambda c: c | {
        "routes": [c["routes"][0] | {"require": [{"claim": "sub", "equals": "eve"}]}]},
    "the route is another identity's": lambda c: c | {
        "identities": c["identities"] | {"others": staff(issuer="https://other.test")},
        "routes": [c["routes"][0] | {"identity": "others"}]},
    "the route is gone": lambda c: c | {"routes": [c["routes"][0] | {"path": "/elsewhere/"}]},
    "the token comes from elsewhere": lambda c: c | {"identities": {"staff": staff(**{"from": [{"cookie": "session"}]})}},
    "another method is let in": lambda c: c | {"routes": [c["routes"][0] | {"methods": ["POST"]}]},
    "another origin answers": lambda c: c | {"origins": {"app": {"type": "http", "url": "http://127.0.0.1:1"}}},
}


@pytest.mark.parametrize("path", ["/ws", "/events"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_reload_that_takes_the_right_away_ends_a_stream(gateway, streams, name, path):
    config = guarded(streams)
    gw = gateway(config)
    with gw.client() as client:
        opened(client, path, hs256())
        assert gw.reload(CHANGES[name](config)).ok
        assert client.closed(5)
    assert gw.access_for(lambda line: line["path"] == path)["reason"] == "right_withdrawn"


@pytest.mark.parametrize("path", ["/ws", "/events"])
def test_a_stream_ends_when_the_issuer_withdraws_its_key(gateway, streams, path):
    """Without a reload: the keys are fetched again, and the right is looked at again."""
    old, new = Signer("ES256", "old"), Signer("ES256", "new")
    issuer = Issuer()
    try:
        issuer.publish(old, new)
        gw = gateway(guarded(streams, {
            "type": "jwt", "issuer": issuer.url, "audience": AUDIENCE, "algorithms": ["ES256"],
            "jwks": {"url": issuer.keys_url, "min_ttl": "1s", "ttl": "1s", "cooldown": "1s"}}))
        with gw.client() as client, gw.client() as other:
            opened(client, path, old.token(iss=issuer.url))
            opened(other, path, new.token(iss=issuer.url))
            issuer.publish(new)
            assert client.closed(15)
            assert other.silent(0.1)
        assert gw.access_for(lambda line: line["path"] == path)["reason"] == "right_withdrawn"
    finally:
        issuer.stop()


def test_a_tunnel_ends_when_the_page_that_opened_it_may_no_longer(gateway, streams):
    def config(*allowed):
        return guarded(streams, staff(**{"from": [{"cookie": "session", "allowed_origins": list(allowed)}]}))

    gw = gateway(config("https://old.test", "https://new.test"))
    with gw.client() as old, gw.client() as new:
        for client, page in ((old, "https://old.test"), (new, "https://new.test")):
            client.ask("/ws", fields=ASKS | {"Origin": page, "Cookie": f"session={hs256()}"})
            assert client.read_head().status == 101
        assert gw.reload(config("https://new.test")).ok
        assert old.closed(5)
        new.send(b"ping")
        assert new.exactly(4) == b"ping"
    assert gw.access_for(lambda line: line["path"] == "/ws")["reason"] == "right_withdrawn"


def test_an_open_stream_ends_when_its_route_is_closed(gateway, streams):
    config = guarded(streams)
    gw = gateway(config | {"routes": [{"path": "/", "origin": "app"}]})
    with gw.client() as client:
        opened(client, "/ws", "none")
        assert gw.reload(config).ok
        assert client.closed(5)


@pytest.mark.parametrize("path", ["/ws", "/events"])
def test_a_reload_that_leaves_the_right_leaves_the_stream(gateway, streams, path):
    config = guarded(streams, require=[{"claim": "sub", "equals": "ann"}])
    gw = gateway(config)
    with gw.client() as client:
        opened(client, path, hs256())
        assert gw.reload(config | {"timeouts": {"idle": "7s"}}).ok
        assert gw.reload(guarded(streams) | {"routes": [{"path": "/", "origin": "app"}]}).ok, "nobody is asked any more"
        assert client.silent(0.3)
        if path == "/ws":
            client.send(b"still")
            assert client.exactly(5) == b"still"


# ---- TLS


@pytest.fixture
def strict_origin(tls_origin):
    """To which an end without close_notify is an error, not an end."""
    tls_origin.tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return tls_origin


def tls_proxy(origin, certificate, **options):
    url, tls = f"https://127.0.0.1:{origin.port}", {"ca_file": str(certificate.ca)}
    return proxy(origin, options={"url": url, "tls": tls} | options)


def strict(ask):
    ask.connection.socket.suppress_ragged_eofs = False
    return ask.connection.socket


def test_a_half_closed_tunnel_over_tls_loses_nothing(gateway, strict_origin, certificate):
    """close_notify tells the origin that the client is done; its answer still comes, and close_notify ends it, too."""
    ends = []

    def last_words(ask):
        ask.head(101, SWITCHES)
        got, end = ask.connection.buffer, strict(ask)
        while data := end.recv(1 << 16):
            got += data
        ends.append(got)
        ask.send(b"got " + got)
        ask.close()

    strict_origin.on("/ws", last_words)
    gw = gateway(tls_proxy(strict_origin, certificate))
    with gw.client() as client:
        client.ask("/ws", fields=ASKS)
        assert client.read_head().status == 101
        client.send(b"the end")
        client.half_close()
        assert client.exactly(11) == b"got the end"
        assert client.closed()
    assert ends == [b"the end"] and not strict_origin.errors


def test_a_kept_tls_connection_is_closed_with_close_notify(gateway, strict_origin, certificate):
    seen = []

    def watch(ask):
        ask.reply(b"ok")
        try:
            seen.append(strict(ask).recv(1))
        except ssl.SSLError as error:
            seen.append(error)

    strict_origin.on("/", watch)
    gw = gateway(tls_proxy(strict_origin, certificate, pool={"idle_timeout": "200ms"}))
    assert gw.get("/").status == 200
    until(lambda: seen, 5, "the end of the connection")
    assert seen == [b""]
