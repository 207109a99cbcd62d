"""Bodies on their way in, and clients that take their time both ways."""
import threading
import time

import pytest

from lib.deadline import until
from lib.origin import CHUNKED, Ask, says
from lib.wire import Truncated


def proxy(origin, **more):
    return {"origins": {"app": {"type": "http", "url": origin.url}},
            "routes": [{"path": "/", "origin": "app", "cache": "off"}]} | more


@pytest.fixture
def gw(gateway, origin):
    return gateway(proxy(origin))


SIZED = "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0123456789"
IN_CHUNKS = "POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"


# ---- a reply that comes while the upload pauses (RFC 9112 section 9.5)


@pytest.mark.parametrize("begun", [SIZED, IN_CHUNKS], ids=["sized", "chunked"])
@pytest.mark.parametrize("status", [401, 413])
def test_a_refusal_while_an_upload_pauses_arrives_at_once(gw, origin, begun, status):
    origin.on("/up", lambda ask: (next(ask.pieces()), ask.reply(b"no", status), ask.stall()), lazy=True)
    with gw.client() as client:
        begun_at = time.monotonic()
        client.send(begun)
        reply = client.read()
        assert (reply.status, reply.text) == (status, "no")
        assert time.monotonic() - begun_at < 5
    until(lambda: origin.connections[0].gone.is_set(), 5, "the origin's connection to be closed")


def test_a_refusal_that_comes_before_any_byte_of_the_body_arrives_at_once(gw, origin):
    origin.on("/up", lambda ask: (ask.reply(b"no", 401), ask.stall()), lazy=True)
    with gw.client() as client:
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        assert client.read().status == 401


def test_after_an_early_refusal_the_connection_goes_on(gw, origin):
    origin.on("/up", lambda ask: (next(ask.pieces()), ask.reply(b"no", 401), ask.stall()), lazy=True)
    with gw.client() as client:
        client.send(SIZED)
        assert client.read().status == 401
        client.send(b"x" * 90 + b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().text == "/after"


def test_a_stream_that_begins_while_an_upload_pauses_arrives(gw, origin):
    more = threading.Event()

    def answers(ask):
        next(ask.pieces())
        says(200, CHUNKED, b"first", more, b"second")(ask)

    origin.on("/up", answers, lazy=True)
    with gw.client() as client:
        client.send(SIZED)
        chunks = client.chunks()
        assert client.read_head().status == 200
        assert next(chunks) == b"first"
        more.set()
        assert b"".join(chunks) == b"second"


@pytest.mark.parametrize("how", [Ask.close, Ask.reset])
def test_an_origin_that_leaves_while_an_upload_pauses_is_502_at_once(gw, origin, how):
    origin.on("/up", lambda ask: (next(ask.pieces()), how(ask)), lazy=True)
    with gw.client() as client:
        begun_at = time.monotonic()
        client.send(SIZED)
        assert client.read().status == 502
        assert time.monotonic() - begun_at < 5


def test_interim_replies_while_an_upload_pauses_end_nothing(gw, origin):
    told = threading.Event()

    def hints(ask):
        pieces = ask.pieces()
        body = next(pieces)
        ask.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        told.set()
        ask.reply(body + b"".join(pieces))

    origin.on("/up", hints, lazy=True)
    with gw.client() as client:
        client.send(SIZED)
        assert told.wait(5)
        client.send(b"y" * 90)
        assert client.read().body == b"0123456789" + b"y" * 90


def test_who_waits_for_100_continue_is_told_the_refusal(gw, origin):
    origin.on("/up", lambda ask: (ask.reply(b"no", 401), ask.stall()), lazy=True)
    with gw.client() as client:
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        assert client.read().status == 401


def test_many_pauses_lose_nothing(gw, origin):
    body = bytes(range(256)) * 40
    with gw.client() as client:
        client.send(f"PUT /paused HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n")
        for at in range(0, len(body), 512):
            client.send(body[at:at + 512])
            time.sleep(0.002)
        assert client.read().status == 200
    assert origin.last.body == body


# ---- the least rate


def test_an_upload_that_drips_is_408(gateway, origin):
    """One byte each 50 ms keeps every deadline between two reads, and an origin's connection."""
    gw = gateway(proxy(origin, limits={"least_rate": "240", "least_rate_span": "1s"}))
    with gw.client() as client:
        client.send("PUT /drip HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        begun = time.monotonic()
        client.socket.settimeout(0.05)
        while not client.buffer and time.monotonic() - begun < 15:
            client.send(b"x")
            try:
                client.more()
            except TimeoutError:
                pass
        client.socket.settimeout(10)
        assert client.read().status == 408
        assert 0.9 < time.monotonic() - begun < 10
    until(lambda: origin.connections[0].gone.is_set(), 5, "the origin's connection to be closed")
    line = gw.access_for(lambda line: line["path"] == "/drip")
    assert (line["status"], line["reason"]) == (408, "request_timeout")


def test_the_rest_of_a_body_that_nobody_wants_may_not_drip_either(gateway, origin):
    gw = gateway(proxy(origin, limits={"least_rate": "240", "least_rate_span": "1s"}))
    origin.on("/up", lambda ask: (ask.reply(b"no", 401), ask.stall()), lazy=True)
    with gw.client() as client:
        client.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
        assert client.read().status == 401
        begun = time.monotonic()
        try:
            while time.monotonic() - begun < 15:
                client.send(b"x")
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() - begun < 12


@pytest.mark.parametrize("rate", ["0", "5"])
def test_an_upload_that_is_fast_enough_is_left_alone(gateway, origin, rate):
    gw = gateway(proxy(origin, limits={"least_rate": rate, "least_rate_span": "1s"}))
    with gw.client() as client:
        client.send("PUT /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n")
        for _ in range(50):
            client.send(b"x")
            time.sleep(0.05)
        assert client.read().status == 200
    assert origin.last.body == b"x" * 50


@pytest.mark.parametrize("framing", ["relayed", "copied"])
def test_a_client_that_takes_too_little_is_cut(gateway, origin, framing):
    """It takes something before every deadline, but far less than it should."""
    size = 40 << 20
    fields = {"Content-Length": str(size)} if framing == "relayed" else CHUNKED
    origin.on("/big", says(200, fields, *[b"x" * (1 << 20)] * 40))
    gw = gateway(proxy(origin, limits={"least_rate": "900MiB", "least_rate_span": "1s"}))
    origin.forgiving = True
    with gw.client(receive_buffer=16 << 10) as client:
        client.ask("/big")
        head = client.read_head()
        begun = time.monotonic()
        with pytest.raises(Truncated):
            for _ in client.pieces(head):
                time.sleep(0.01)
        assert time.monotonic() - begun < 15
    line = gw.access_for(lambda line: line["path"] == "/big")
    assert line["reason"] == "client_gone"
