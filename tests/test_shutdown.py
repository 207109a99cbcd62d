"""SIGTERM: red first, then no new work, then the end, with every request in flight answered."""
import json
import signal
import socket
import threading
import time

import pytest

from lib.deadline import patience, until
from lib.origin import Ask, says
from lib.wire import Truncated, fetch


@pytest.fixture
def gate():
    return threading.Event()


def app(origin, **shutdown):
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "shutdown": shutdown or {"delay": "0s"},
            "routes": [{"path": "/", "origin": "app", "cache": "off"}]}


def slow(origin, gate, path="/slow"):
    origin.on(path, says(200, {"Content-Length": "10"}, b"first", gate, b"last."))


def refuses(address) -> bool:
    try:
        with socket.create_connection(address, 1):
            return False
    except OSError:
        return True


def test_an_idle_gateway_ends_at_once_and_cleanly(gateway, origin):
    gw = gateway(app(origin))
    idle = gw.client()
    idle.get("/")
    begun = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert time.monotonic() - begun < patience(3)
    assert idle.closed()
    gw.check_clean()


def test_sigint_ends_it_as_well(gateway, origin):
    gw = gateway(app(origin))
    gw.signal(signal.SIGINT)
    assert gw.wait() == 0


def test_a_request_in_flight_finishes(gateway, origin, gate):
    slow(origin, gate)
    gw = gateway(app(origin))
    with gw.client() as client:
        client.ask("/slow")
        head = client.read_head()
        gw.signal(signal.SIGTERM)
        until(lambda: gw.logged("listening") and refuses(gw.address), 10, "the listener to close")
        assert gw.running
        gate.set()
        assert b"".join(client.pieces(head)) == b"firstlast."
        assert client.closed()
    assert gw.wait() == 0
    assert [record["path"] for record in gw.access()] == ["/slow"]


def test_during_the_delay_readiness_is_red_and_new_connections_are_served(gateway, origin):
    gw = gateway(app(origin, delay="1500ms"))
    kept = gw.client()
    assert kept.get("/").get("Connection", "").lower() != "close"
    address, admin = gw.address, gw.admin
    gw.signal(signal.SIGTERM)
    reply = until(lambda: (r := fetch(admin, "/ready")).status == 503 and r, 5, "readiness to turn red")
    assert json.loads(reply.body)["draining"] is True
    assert fetch(admin, "/health").status == 200
    new = fetch(address, "/new")
    assert new.status == 200 and new["Connection"].lower() == "close"
    old = kept.get("/old")
    assert old.status == 200 and old["Connection"].lower() == "close"
    assert kept.closed()
    assert gw.wait() == 0


def test_the_accept_queue_is_emptied(gateway, origin, gate):
    """Whoever was connected when the listener closed is answered."""
    gw = gateway(app(origin, delay="300ms"))
    failures, answered = [], []

    def work():
        while True:
            try:
                client = gw.client()
            except (ConnectionRefusedError, ConnectionResetError):  # the kernel's word that nobody listens
                return
            try:
                with client:
                    answered.append(client.get("/").status)
            except Exception as failure:
                failures.append(failure)
                return

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 100, 10, "some load")
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    for thread in threads:
        thread.join()
    assert not failures, (len(failures), failures[:3])
    assert set(answered) == {200}


def test_many_in_flight_all_finish(gateway, origin, gate):
    slow(origin, gate)
    gw = gateway(app(origin))
    clients = [gw.client(timeout=30) for _ in range(100)]
    heads = []
    for client in clients:
        client.ask("/slow")
    for client in clients:
        heads.append(client.read_head())
    gw.signal(signal.SIGTERM)
    until(lambda: refuses(gw.address), 10, "the listener to close")
    gate.set()
    for client, head in zip(clients, heads):
        assert b"".join(client.pieces(head)) == b"firstlast."
        client.close()
    assert gw.wait() == 0
    assert len(gw.access()) == 100, "records were lost at the end"


def test_the_timeout_cuts_what_does_not_finish(gateway, origin, gate):
    slow(origin, gate)
    gw = gateway(app(origin, timeout="500ms"))
    with gw.client() as client:
        client.ask("/slow")
        head = client.read_head()
        begun = time.monotonic()
        gw.signal(signal.SIGTERM)
        with pytest.raises(Truncated):
            client.drain(head)
        gw.wait()
        assert 0.4 < time.monotonic() - begun < patience(5)
    gate.set()
    record = gw.access()[-1]
    assert (record["path"], record["status"], record["reason"]) == ("/slow", 200, "shutting_down")
    gw.check_cut_short()


def test_what_is_cut_before_its_reply_did_not_leave(gateway, origin):
    """Nor did its client: that the process ended is the reason that is logged."""
    origin.on("/never", lambda ask: ask.stall())
    gw = gateway(app(origin, timeout="300ms"))
    with gw.client() as client:
        client.ask("/never")
        until(lambda: origin.count("/never"), 5, "the request to be at the origin")
        gw.signal(signal.SIGTERM)
        gw.wait()
    record = gw.access()[-1]
    assert (record["path"], record["status"], record["reason"]) == ("/never", 503, "shutting_down")
    gw.check_cut_short()


def test_a_second_signal_ends_it_at_once(gateway, origin, gate):
    slow(origin, gate)
    gw = gateway(app(origin, delay="30s"))
    with gw.client() as client:
        client.ask("/slow")
        client.read_head()
        admin = gw.admin
        gw.signal(signal.SIGTERM)
        until(lambda: fetch(admin, "/ready").status == 503, 5, "readiness to turn red")
        begun = time.monotonic()
        gw.signal(signal.SIGTERM)
        gw.wait()
        assert time.monotonic() - begun < patience(3)
    gate.set()
    gw.check_cut_short()


def test_a_tunnel_does_not_hold_it_up_for_ever(gateway, origin):
    origin.on(
        "/ws",
        says(101, {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        }, Ask.stall))
    gw = gateway(app(origin, timeout="500ms"))
    with gw.client() as client:
        client.ask("/ws",
                   fields={
                       "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="
                   })
        assert client.read_head().status == 101
        gw.signal(signal.SIGTERM)
        gw.wait()
    gw.check_cut_short()


def test_a_port_in_use_is_one_clear_line(gateway, origin):
    gw = gateway(app(origin))
    other = gateway(app(origin) | {"listen": f"127.0.0.1:{gw.admin[1]}", "admin": {"listen": "127.0.0.1:0"}},
                    start=False)
    other.start(wait="")
    assert other.wait() != 0
    assert str(gw.admin[1]) in other.stderr()
    other.process = None
