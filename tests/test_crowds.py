"""When many come at once: places by address, who rests goes first, descriptors, and what is left for the operator."""
import json
import os
import resource
import socket
import struct
import subprocess
import threading

import pytest

from lib.deadline import holds, patience, until
from lib.origin import says
from lib.wire import Client, fetch

CROWD, GUEST = "127.0.0.9", "127.0.0.1"
UNFINISHED = b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n"


def site(folder, **limits) -> dict:
    (folder / "x").write_text("object")
    return {"origins": {"site": {"type": "dir", "path": str(folder)}}, "limits": limits, "timeouts": {"header": "60s"},
            "routes": [{"path": "/", "origin": "site"}]}


def refused(gw, reason: str) -> float:
    return gw.total("sekisho_connections_refused_total", reason=reason)


def evicted(gw) -> float:
    return gw.total("sekisho_connections_evicted_total")


class Crowd:
    """Connections that have begun a request and do not end it: nobody of them rests."""

    def __init__(self, gw, count: int, source: str | None = None, say: bytes = UNFINISHED):
        self.clients = []
        for _ in range(count):
            self.clients.append(Client(gw.address, source=source))
            self.clients[-1].send(say)

    def __enter__(self):
        return self.clients

    def __exit__(self, *_):
        for client in self.clients:
            client.close()


def told(client) -> dict:
    """What a connection that got no place was told."""
    reply = client.read()
    assert reply.status == 503 and reply["Retry-After"] == "1" and client.closed()
    return json.loads(reply.body)


# ---- by address


def test_one_address_does_not_take_all_places(gateway, folder):
    """A quarter of them, by default."""
    gw = gateway(site(folder, connections=80))
    with Crowd(gw, 30, CROWD) as crowd:
        until(lambda: refused(gw, "address") == 10, 10, "ten of them to be refused")
        assert gw.total("sekisho_connections_active") == 20
        over = [client for client in crowd if not client.silent(0.05)]
        assert len(over) == 10
        for _ in range(30):
            assert gw.get("/x").status == 200, "others are served"
        with Client(gw.address, source=CROWD) as one_more:
            assert "this address" in told(one_more)["detail"]
    until(lambda: gw.total("sekisho_connections_active") == 0, 10, "the crowd to be gone")
    with Client(gw.address, source=CROWD) as back:
        assert back.get("/x").status == 200


def test_how_many_an_address_has_is_a_setting_and_a_reload_changes_it(gateway, folder):
    gw = gateway(site(folder, connections=80, connections_per_address=3))
    with Crowd(gw, 3, CROWD):
        until(lambda: gw.total("sekisho_connections_active") == 3, 5, "three")
        with Client(gw.address, source=CROWD) as late:
            told(late)
        config = gw.config
        config["limits"]["connections_per_address"] = 5
        assert gw.reload(config).ok
        with Client(gw.address, source=CROWD) as late:
            assert late.get("/x").status == 200


def test_a_trusted_proxy_may_have_them_all(gateway, folder):
    gw = gateway(site(folder, connections=80, connections_per_address=3) | {"trusted_proxies": [CROWD]})
    with Crowd(gw, 20, CROWD):
        with Client(gw.address, source=CROWD) as one_more:
            assert one_more.get("/x").status == 200


def proxied(source: str) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 40000, 443)
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(addresses)) + addresses


def test_who_comes_through_a_proxy_is_counted_by_his_own_address(gateway, folder):
    gw = gateway(site(folder, connections=80, connections_per_address=2) | {
        "listen": {"address": "127.0.0.1:0", "proxy_protocol": True}, "trusted_proxies": ["127.0.0.0/8"]})
    with Crowd(gw, 2, say=proxied("203.0.113.5")) as crowd, Crowd(gw, 2, say=proxied("203.0.113.6")) as others:
        assert [client.get("/x").status for client in crowd + others] == [200] * 4
        with gw.client() as late:
            late.send(proxied("203.0.113.5"))
            assert late.get("/x").status == 503 and late.closed()
        assert [client.get("/x").status for client in crowd] == [200] * 2
        until(lambda: refused(gw, "address") == 1, 5, "it to be counted")


def test_who_leaves_makes_room_for_his_address(gateway, folder):
    gw = gateway(site(folder, connections=80, connections_per_address=4))
    for _ in range(5):
        with Crowd(gw, 4, CROWD):
            until(lambda: gw.total("sekisho_connections_active") == 4, 5, "all four")
        until(lambda: gw.total("sekisho_connections_active") == 0, 5, "none")
    assert refused(gw, "address") == 0


# ---- who rests


def test_who_has_rested_longest_goes_first(gateway, folder):
    gw = gateway(site(folder, connections=6) | {"workers": 1})
    clients = [gw.client() for _ in range(6)]
    try:
        for client in clients:
            assert client.get("/x").status == 200
        assert clients[0].get("/x").status == 200  # so that the second one has rested longest
        with gw.client() as late:
            assert "open connections" in (late.ask("/x"), told(late))[1]["detail"], "nobody has rested for long"
        with until(lambda: (c := gw.client()).get("/x").status == 200 and c, 10, "a place") as late:
            assert evicted(gw) == 1
            assert clients[1].closed()
            assert [client.get("/x").status for client in clients[:1] + clients[2:]] == [200] * 5
            assert late.get("/x").status == 200
    finally:
        for client in clients:
            client.close()


def test_who_rests_at_another_worker_goes_as_well(gateway, folder):
    gw = gateway(site(folder, connections=2) | {"workers": 4})
    for _ in range(4):
        clients = [gw.client() for _ in range(2)]
        for client in clients:
            assert client.get("/x").status == 200
        with until(lambda: (c := gw.client()).get("/x").status == 200 and c, 10, "a place"):
            assert sum(client.closed(0.1) for client in clients) == 1
        for client in clients:
            client.close()
        until(lambda: gw.total("sekisho_connections_active") == 0, 5, "none")


def test_who_is_busy_does_not_go(gateway, folder):
    gw = gateway(site(folder, connections=8))
    with Crowd(gw, 8) as crowd:
        until(lambda: gw.total("sekisho_connections_active") == 8, 5, "all of them")

        def still_full() -> bool:
            with gw.client() as late:
                return bool(told(late))

        assert holds(still_full, 1.5)
        assert evicted(gw) == 0
        for client in crowd:
            client.send(b"\r\n")
            assert client.read().status == 200


def test_a_full_address_gives_up_its_own_and_nobody_elses(gateway, folder):
    gw = gateway(site(folder, connections=80, connections_per_address=2) | {"workers": 1})
    guest = gw.client()
    assert guest.get("/x").status == 200
    crowd = [Client(gw.address, source=CROWD) for _ in range(2)]
    for client in crowd:
        assert client.get("/x").status == 200
    with until(lambda: (c := Client(gw.address, source=CROWD)).get("/x").status == 200 and c, 10, "a place"):
        assert crowd[0].closed()
        assert guest.get("/x").status == 200
    guest.close()
    for client in crowd:
        client.close()


# ---- descriptors


def cramped(gateway, config, descriptors: int):
    """A gateway that the system allows so many descriptors."""
    gw = gateway(config, start=False)
    gw.arguments = ["prlimit", f"--nofile={descriptors}", *gw.arguments]
    return gw.start()


def answers(gw) -> None:
    """The operator's door is open, whatever happens at the other."""
    assert fetch(gw.admin, "/health", timeout=3).status == 200
    assert fetch(gw.admin, "/ready", timeout=3).status in (200, 503)
    assert fetch(gw.admin, "/metrics", timeout=3).status == 200


def test_downloads_that_nobody_reads_let_nobody_hang(gateway, origin):
    """Each takes a client, an origin's connection and a pipe: first there are no pipes, then it is 503."""
    body = bytes(8 << 20)
    origin.otherwise(says(200, {"Content-Length": str(len(body)), "Cache-Control": "no-store"}, body))
    gw = cramped(gateway, {"origins": {"app": {"type": "http", "url": origin.url}}, "workers": 1,
                           "limits": {"connections_per_address": 1000},
                           "routes": [{"path": "/", "origin": "app"}]}, 256)
    clients, statuses = [], []
    try:
        for number in range(100):
            clients.append(Client(gw.address, receive_buffer=4096))
            clients[-1].ask(f"/{number}")
            statuses.append(clients[-1].read_head().status)
        assert set(statuses) == {200, 503} and statuses.count(200) > 40, statuses
        answers(gw)
        assert gw.total("sekisho_descriptors_refused_total", **{"for": "pipe"}) > 0
        assert gw.total("sekisho_descriptors_used") <= 200
        assert gw.logged("descriptors are scarce: idle connections to origins are closed")
    finally:
        for client in clients:
            client.close()
    until(lambda: gw.total("sekisho_connections_active") == 0, 10, "the clients to be gone")
    with gw.client() as client:
        assert client.get("/again").body == body


def test_bursts_of_strangers_leave_the_operator_his_descriptors(gateway, folder):
    """Who waits for a place holds a descriptor, too: with many workers more than were kept back for the operator."""
    gw = cramped(gateway, site(folder, connections_per_address=1000) | {"workers": 8}, 512)
    with Crowd(gw, 200):
        for _ in range(12):
            burst = []
            for _ in range(600):
                burst.append(socket.socket())
                burst[-1].setblocking(False)
                burst[-1].connect_ex(gw.address)
            for _ in range(3):
                answers(gw)
            for one in burst:
                one.close()
    assert not gw.logged("connection refused: the system has no descriptor left")


def test_a_handful_of_descriptors_is_no_start(gateway, folder):
    gw = gateway(site(folder) | {"workers": 4}, start=False)
    done = subprocess.run(["prlimit", "--nofile=32", *gw.arguments], capture_output=True, text=True, timeout=patience(20))
    assert done.returncode == 2 and "ulimit -n" in done.stderr, done


def test_idle_connections_to_origins_take_no_clients_place(gateway, another_origin):
    count = 20
    gates = [threading.Barrier(count, timeout=20) for _ in range(8)]
    origins = [another_origin() for _ in gates]
    for origin, gate in zip(origins, gates):
        origin.on("/once", lambda ask, gate=gate: (gate.wait(), ask.reply(b"x")))
        origin.otherwise(lambda ask: ask.reply(b"y"))
    gw = cramped(gateway, {"origins": {f"o{n}": {"type": "http", "url": origin.url, "pool": {"idle": 100}}
                                       for n, origin in enumerate(origins)}, "workers": 1,
                           "limits": {"connections_per_address": 1000},
                           "routes": [{"path": f"/{n}/", "origin": f"o{n}", "cache": "off"} for n in range(8)]}, 256)
    for n in range(8):
        with Crowd(gw, count, say=f"GET /{n}/once HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as clients:
            assert [client.read().status for client in clients] == [200] * count
    until(lambda: gw.total("sekisho_connections_active") == 0, 10, "no client")
    clients = [gw.client() for _ in range(128)]
    try:
        for number, client in enumerate(clients):
            assert client.get(f"/{number % 8}/x").status == 200
        answers(gw)
    finally:
        for client in clients:
            client.close()


def test_when_the_system_has_no_descriptor_left_clients_are_told(gateway, folder):
    gw = gateway(site(folder) | {"workers": 1}, arguments=["--allow-core-dumps"])
    assert gw.get("/x").status == 200
    before = resource.prlimit(gw.pid, resource.RLIMIT_NOFILE)

    def without_gaps() -> int:
        """How many it has, when none has a number beyond that."""
        numbers = [int(name) for name in os.listdir(f"/proc/{gw.pid}/fd")]
        return len(numbers) if len(numbers) == max(numbers) + 1 else 0

    with Crowd(gw, 3) as crowd:
        until(lambda: gw.total("sekisho_connections_active") == 3, 5, "three")
        while not holds(without_gaps, 0.2):  # a file that was being served may still be open
            with Crowd(gw, 1) as more:
                crowd.append(more.pop())
            until(lambda: gw.total("sekisho_connections_active") == len(crowd), 5, "one more")
        resource.prlimit(gw.pid, resource.RLIMIT_NOFILE, (without_gaps(), before[1]))
        for _ in range(20):
            with gw.client(timeout=3) as late:
                late.ask("/x")
                assert "descriptor" in told(late)["detail"]
        resource.prlimit(gw.pid, resource.RLIMIT_NOFILE, before)
        until(lambda: refused(gw, "descriptors") == 20, 5, "all to be counted")
        assert gw.get("/x").status == 200
        assert 1 <= len(gw.logged("connection refused: the system has no descriptor left")) <= 5


@pytest.mark.parametrize("key, value", [("connections_per_address", "-1"), ("connections_per_adress", 3)])
def test_limits_that_mean_nothing_are_refused(gateway, folder, key, value):
    gw = gateway(site(folder, **{key: value}), start=False).start(wait="")
    assert gw.wait() == 2 and key in gw.stderr()
    gw.process = None
