"""The bad wire of tests and of the sabotage suite: what it is asked to do it does, and no more."""
import subprocess
import time

import pytest

from lib.deadline import holds, until
from lib.origin import Ask, says
from lib.wire import Client, Truncated, fetch
from lib.wire_proxy import PROGRAM, WireProxy

BODY = bytes(range(256)) * 64
SMALL = b"k" * 1024


def at_once(body: bytes):
    """Head and body in one piece, as servers send small replies: odds are counted in reads."""
    return lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def served(origin):
    origin.on("/", at_once(BODY))
    origin.on("/small", at_once(SMALL))
    return origin


def took(act) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_without_faults_it_is_a_wire(served):
    with WireProxy(served.port) as wire:
        with Client(wire.address) as client:
            for _ in range(50):
                assert client.get().body == BODY
        big = b"up" * 500_000
        assert fetch(wire.address, "/echo", method="POST", body=big).status == 200
        assert served.last.body == big
        told = wire.stop()
    assert told["connections"] == 2 and told["touched"] == 0
    assert told["down"] > 50 * len(BODY) and told["up"] > len(big)


def test_many_connections_at_once(served):
    with WireProxy(served.port, "latency:5ms") as wire:
        clients = [Client(wire.address) for _ in range(100)]
        for client in clients:
            client.ask()
        assert all(client.read().body == BODY for client in clients)
        for client in clients:
            client.close()


def test_an_end_is_passed_on_both_ways(served):
    served.on("/last", lambda ask: (ask.reply(b"bye"), ask.close()))
    with WireProxy(served.port) as wire:
        with Client(wire.address) as client:
            assert client.get("/last").body == b"bye"
            assert client.closed()
        served.on("/stalls", lambda ask: ask.stall())
        with Client(wire.address) as client:
            client.ask("/stalls")
            until(lambda: served.count("/stalls"), 5, "the request to arrive")
        until(lambda: served.seen("/stalls")[0].connection.gone.is_set(), 5, "the origin to see the client leave")


def test_a_refusing_target_is_a_reset(served):
    with WireProxy(served.port) as wire:
        served.stop()
        with pytest.raises((Truncated, ConnectionResetError)):
            fetch(wire.address)


def test_latency_delays_replies_by_what_it_says(served):
    with WireProxy(served.port, "latency:60ms") as wire, Client(wire.address) as client:
        for _ in range(3):
            assert 0.06 <= took(client.get) < 0.2
    with WireProxy(served.port, "upstream:latency:60ms", "latency:60ms") as wire, Client(wire.address) as client:
        assert took(client.get) >= 0.12


def test_latency_does_not_hold_up_what_follows(served):
    """It is a longer wire, not a slower one: ten pipelined requests come back within one latency."""
    with WireProxy(served.port, "latency:100ms") as wire, Client(wire.address) as client:
        began = time.monotonic()
        for _ in range(10):
            client.ask()
        for _ in range(10):
            assert client.read().body == BODY
        assert 0.1 <= time.monotonic() - began < 0.5


def test_bandwidth_is_kept(served):
    with WireProxy(served.port, "bandwidth:64KiB") as wire, Client(wire.address) as client:
        assert 0.2 <= took(client.get) < 0.8  # 16 KiB and the head


def test_slices_change_nothing_but_the_pace(served):
    with WireProxy(served.port, "slicer:1000:1ms") as wire, Client(wire.address) as client:
        for _ in range(3):
            began = time.monotonic()
            assert client.get().body == BODY
            assert time.monotonic() - began >= 0.01
        assert wire.stop()["touched"] >= 3


def test_corruption_touches_one_reply_in_n_and_one_bit_of_it(served):
    with WireProxy(served.port, "corrupt:1/20") as wire, Client(wire.address) as client:
        bad = 0
        for _ in range(200):
            reply = client.get("/small")
            assert reply.status == 200 and len(reply.body) == 1024
            bad += reply.body != SMALL
        assert wire.stop()["touched"] == bad
        assert 1 <= bad <= 30


def test_the_same_seed_has_the_same_faults(served):
    def run(seed):
        with WireProxy(served.port, "corrupt:1/8", seed=seed) as wire, Client(wire.address) as client:
            return [client.get("/small").body == SMALL for _ in range(40)]

    assert run(7) == run(7) != run(8)


def test_reset_cuts_in_the_middle_of_a_reply(served):
    with WireProxy(served.port, "reset:1/1") as wire:
        with pytest.raises(Truncated), Client(wire.address) as client:
            client.get()
        with Client(wire.address) as client:
            client.ask()
            with pytest.raises(ConnectionResetError):
                while client.socket.recv(1 << 20):
                    pass


def test_truncation_is_an_orderly_end_in_the_middle(served):
    with WireProxy(served.port, "truncate:1/1") as wire, Client(wire.address) as client:
        client.ask()
        got = b""
        while piece := client.socket.recv(1 << 20):  # no reset
            got += piece
        assert 0 < len(got) < len(BODY)


def test_limit_data_ends_after_so_many_bytes(served):
    with WireProxy(served.port, "limit_data:5000") as wire, Client(wire.address) as client:
        client.ask()
        got = b""
        while piece := client.socket.recv(1 << 20):
            got += piece
        assert len(got) == 5000


def test_slow_close_delays_the_end_and_nothing_else(served):
    served.on("/last", lambda ask: (ask.reply(b"bye"), ask.close()))
    with WireProxy(served.port, "slow_close:300ms") as wire, Client(wire.address) as client:
        assert took(lambda: client.get("/last")) < 0.25
        assert took(client.closed) >= 0.2


@pytest.mark.parametrize("fault", ["blackhole", "timeout:0s"])
def test_a_black_hole_takes_everything_and_gives_nothing(served, fault):
    with WireProxy(served.port, fault) as wire, Client(wire.address) as client:
        client.ask()
        until(lambda: served.count("/"), 5, "the request to arrive")
        assert client.silent(0.3)


def test_timeout_closes_after_its_time_and_reset_peer_resets(served):
    with WireProxy(served.port, "timeout:100ms") as wire, Client(wire.address) as client:
        assert took(client.closed) >= 0.09
    with WireProxy(served.port, "reset_peer:100ms") as wire, Client(wire.address) as client:
        assert client.get().body == BODY
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)


def test_toxicity_is_a_share_of_connections(served):
    with WireProxy(served.port, "reset:1/1@0.3") as wire:
        whole = 0
        for _ in range(60):
            try:
                whole += fetch(wire.address).body == BODY
            except Truncated:
                pass
        assert 25 <= whole <= 58


def test_a_freeze_stops_everything_for_its_time(served):
    with WireProxy(served.port, "freeze:0s:500ms") as wire:
        assert took(lambda: fetch(wire.address)) >= 0.3
        assert took(lambda: fetch(wire.address)) < 0.3


def test_a_freeze_can_be_ended_by_sigterm(served):
    with WireProxy(served.port, "freeze:0s:1000s") as wire:
        assert took(wire.stop) < 5


def test_backpressure_reaches_the_origin(origin):
    """Who does not read makes the origin wait, and not the wire keep it all."""
    size = 64 << 20
    sent = []

    def big(ask):
        ask.head(200, {"Content-Length": str(size)})
        for _ in range(size >> 20):
            ask.send(b"x" * (1 << 20))
            sent.append(1 << 20)

    origin.on("/big", big)
    with WireProxy(origin.port) as wire, Client(wire.address, receive_buffer=64 << 10) as client:
        client.ask("/big")
        head = client.read_head()
        until(lambda: sent, 5, "the origin to begin")
        assert holds(lambda: sum(sent) < size, 0.3)
        assert client.drain(head) == size


@pytest.mark.parametrize("arguments, said", [
    (["--fault", "gremlins"], "unknown fault: 'gremlins'"),
    (["--fault", "latency"], "wrong number of arguments"),
    (["--fault", "latency:soon"], "not a time: 'soon'"),
    (["--fault", "reset:2/3"], "odds are 1/N: '2/3'"),
    (["--fault", "latency:1ms@2"], "toxicity is 0 to 1"),
    (["--to", "10.0.0.1:80"], "takes 127.0.0.1:PORT"),
    (["--what", "x"], "unknown option"),
])
def test_a_wrong_command_is_one_line_and_exit_code_2(arguments, said):
    command = [str(PROGRAM), "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", *arguments]
    done = subprocess.run(command, text=True, capture_output=True, timeout=10)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and said in done.stderr, done


def test_says_and_ask_close_pass_through(served):
    served.on("/cut", says(200, {"Content-Length": "10"}, b"half.", Ask.close))
    with WireProxy(served.port) as wire, pytest.raises(Truncated) as cut:
        fetch(wire.address, "/cut")
    assert cut.value.got == b"half."
