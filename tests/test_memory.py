"""Memory that clients cause to be held: all of it counted, bounded, and given back (docs/security.md)."""
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from lib.configs import app
from lib.deadline import SLOW, until
from lib.gateway import complaint
from lib.origin import CHUNKED

MIB = 1 << 20
FRESH = {"Cache-Control": "max-age=600"}
SMALL = {"memory": {"size": "16MiB", "max_object": "8MiB"}, "fill_budget": "16MiB"}

bounded = pytest.mark.skipif(SLOW > 1, reason="a sanitizer's own memory is not ours")


def resident(gw) -> int:
    return int(Path(f"/proc/{gw.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held(gw, **labels) -> float:
    return gw.metrics().total("sekisho_memory_held_bytes", **labels)


class Trickle:
    """Readers with the smallest receive window there is, that take a few bytes now and then."""

    def __init__(self, gw):
        self.gw, self.sockets, self.stopped = gw, [], threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def ask(self, target: str) -> None:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(self.gw.address)
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert s.recv(8) == b"HTTP/1.1"
        s.setblocking(False)
        self.sockets.append(s)

    def read(self) -> None:
        while not self.stopped.wait(0.1):
            for s in list(self.sockets):
                try:
                    s.recv(64)
                except OSError:
                    pass

    def leave(self) -> None:
        self.stopped.set()
        self.thread.join()
        for s in self.sockets:
            s.close()


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def trickle():
    made = []

    def make(gw) -> Trickle:
        made.append(Trickle(gw))
        return made[-1]

    yield make
    for each in made:
        each.leave()


@bounded
def test_slow_readers_hold_no_more_than_the_bound_and_leave_nothing_behind(gateway, origin, trickle):
    """A reader kept its object after the cache had let it go: 60 of them held 240 MB, and no gauge knew."""
    body = bytes(4 * MIB)
    for i in range(60):
        origin.on(f"/{i}", lambda ask: ask.reply(body, fields=FRESH))
    gw = gateway(app(origin) | {"cache": SMALL})
    before = resident(gw)
    limit = gw.metrics().total("sekisho_memory_limit_bytes")
    assert limit == 32 * MIB
    slow, most = trickle(gw), 0
    for i in range(60):
        slow.ask(f"/{i}")
        most = max(most, resident(gw))
        assert held(gw) <= limit + 4 * MIB
    assert most <= limit + 64 * MIB, f"{most >> 20} MiB"
    slow.leave()
    until(lambda: held(gw, by="replies") == 0, 10, "replies to let go")
    until(lambda: resident(gw) <= before + 24 * MIB, 10, "memory to go back to the system")


def test_the_slowest_readers_make_room_and_the_log_says_why(gateway, origin, trickle):
    body = bytes(4 * MIB)
    for i in range(40):
        origin.on(f"/{i}", lambda ask: ask.reply(body, fields=FRESH))
    gw = gateway(app(origin) | {"cache": SMALL})
    slow = trickle(gw)
    for i in range(12):
        slow.ask(f"/{i}")
    with gw.client(timeout=30) as quick:
        asked = iter(range(12, 40))

        def cut():
            target = next(asked, None)
            if target is not None:
                assert quick.get(f"/{target}").body == body, "who reads is served, whoever does not"
            time.sleep(0.3)  # at their pace: nobody is cut in the first five seconds
            return gw.metrics().total("sekisho_slow_readers_cut_total")

        until(cut, 20, "a slow reader to be cut")
    record = gw.access_for(lambda line: line.get("reason") == "slow_reader", 10)
    assert record["status"] == 200 and record["bytes"] < len(body)
    assert gw.metrics().total("sekisho_denials_total", reason="slow_reader") > 0


def test_what_is_held_is_told_by_who_holds_it(gateway, origin, gate):
    body = bytes(MIB)

    def half(ask):
        ask.head(200, FRESH | {"Content-Length": str(len(body))})
        ask.send(body[:1000])
        gate.wait(20)
        ask.send(body[1000:])

    origin.on("/x", half)
    gw = gateway(app(origin) | {"cache": SMALL})
    assert held(gw) == 0
    with gw.client(timeout=30) as client:
        client.ask("/x")
        until(lambda: held(gw, by="fetches") >= MIB, 5, "the fetch to be counted")
        gate.set()
        assert client.read().body == body
    until(lambda: held(gw, by="fetches") == 0, 5, "the fetch to be over")
    assert MIB <= held(gw, by="cache") < 2 * MIB
    assert held(gw, by="replies") == held(gw, by="buffers") == 0


def push(client, chunked: bool) -> None:
    """Sends until nobody has taken any of it for a while."""
    piece = b"x" * 65536
    client.socket.settimeout(0.1)
    try:
        while True:
            client.socket.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
    except TimeoutError:
        pass


@pytest.mark.parametrize("chunked", [False, True], ids=["of known length", "chunked"])
def test_an_upload_that_its_origin_does_not_take_is_counted(gateway, origin, gate, chunked):
    origin.on("/up", lambda ask: (gate.wait(20), ask.close()), lazy=True)
    gw = gateway(app(origin))
    with gw.client(timeout=30) as client:
        client.ask("/up", "POST", {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(64 * MIB)})
        assert held(gw, by="buffers") == 0, "nothing has come yet"
        push(client, chunked)
        until(lambda: held(gw, by="buffers") >= (96 if chunked else 64) << 10, 5, "the upload to be counted")
        assert held(gw) < 128 << 10
    gate.set()
    until(lambda: held(gw) == 0, 10, "the upload to be over")


def test_uploads_hold_less_where_memory_is_short(gateway, origin, gate):
    origin.on("/up", lambda ask: (gate.wait(20), ask.close()), lazy=True)
    gw = gateway(app(origin) | {"cache": {"memory": {"size": "0"}}, "memory": "1MiB"})
    clients = [gw.client(timeout=30) for _ in range(24)]
    try:
        for client in clients:
            client.ask("/up", "POST", {"Content-Length": str(64 * MIB)})
            push(client, False)
        assert MIB // 2 < held(gw, by="buffers") <= MIB + 24 * (9 << 10), "1.5 MiB, had each taken 65 KiB"
    finally:
        for client in clients:
            client.close()
    gate.set()
    until(lambda: held(gw) == 0, 10, "the uploads to be over")


def test_a_tunnel_holds_something_only_while_its_other_end_does_not_take_it(gateway, origin, gate):
    def mute(ask):
        ask.head(101, {"Connection": "Upgrade", "Upgrade": "websocket",
                       "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="})
        ask.send(b"hello")
        gate.wait(20)
        while ask.connection.buffer or ask.connection.more():
            ask.connection.buffer = b""

    origin.on("/ws", mute)
    gw = gateway(app(origin))
    with gw.client(timeout=30) as client:
        client.ask("/ws", fields={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                                  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert client.read_head().status == 101
        assert client.exactly(5) == b"hello"
        until(lambda: held(gw) == 0, 5, "the tunnel to hold nothing while it is silent")
        push(client, False)
        until(lambda: held(gw, by="buffers") == 16 << 10, 5, "what it copies to be counted")
        gate.set()
        until(lambda: held(gw) == 0, 10, "it to hold nothing again")


def test_an_object_of_unknown_length_is_served_whole_where_no_memory_is_left(gateway, origin, trickle):
    body = bytes(range(256)) * (16 << 10)  # 4 MiB

    def chunked(ask):
        ask.head(200, FRESH | CHUNKED)
        for at in range(0, len(body), 100_000):
            ask.chunk(body[at:at + 100_000])
        ask.last_chunk()

    origin.on("/chunked", chunked)
    origin.on("/plain", lambda ask: ask.reply(body, fields=FRESH))
    for i in range(12):
        origin.on(f"/{i}", lambda ask: ask.reply(bytes(4 * MIB), fields=FRESH))
    gw = gateway(app(origin) | {"cache": SMALL})
    slow = trickle(gw)
    for i in range(12):
        slow.ask(f"/{i}")
    assert gw.get("/chunked").body == body
    plain = gw.get("/plain")
    assert plain.body == body and 'detail="no memory"' in plain["Cache-Status"]


def test_a_bound_that_leaves_no_room_beside_the_cache_is_refused(tmp_path, origin):
    config = app(origin) | {"cache": SMALL, "memory": "20MiB"}
    complaint(tmp_path, config, "memory.max: 20MiB leaves no room beside")
