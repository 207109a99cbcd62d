"""What goes wrong around the load must neither hang the harness nor pass unnoticed, and messages show no secret."""
import socket
import threading
import time

import pytest

from lib.origin import Origin
from lib.prove import INVALID, USAGE, campaign, prove

SECRET = "a-secret-that-nobody-may-see"


@pytest.fixture
def flood():
    """Answers whatever comes with interim replies, without a pause and for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    ending = threading.Event()

    def serve(one):
        with one:
            try:
                one.recv(65536)
                while not ending.is_set():
                    one.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 4000)
            except OSError:
                pass

    def accept():
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ending.set()
    listener.close()


@pytest.fixture
def origin():
    made = Origin()
    yield made
    made.stop()


def test_endless_interim_replies_do_not_hold_a_scrape(tmp_path, flood, origin):
    run = prove(tmp_path, campaign({"url": origin.url, "metrics": f"{flood}/metrics"}, seconds=0.5,
                                   guardrails=["success == 100%", "delta(x_total) > 0"]))
    assert run.code == INVALID, run
    assert "no sample of x_total" in run.out, run


def test_endless_interim_replies_do_not_hold_a_call(tmp_path, flood, origin):
    run = prove(tmp_path, campaign(origin.url, setup=[{"call": f"{flood}/ready", "timeout": "300ms"}]))
    assert run.code == USAGE, run
    assert "setup[0]" in run.err and "in time" in run.err, run


def test_a_fault_that_another_one_kept_from_being_set_is_told(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, seconds=1, faults=[
        {"name": "long", "at": "200ms", "command": ["sleep", "3"]},
        {"name": "kept", "at": "500ms", "for": "200ms", "command": ["true"], "undo": {"command": ["true"]}}]))
    assert run.code == INVALID, run
    assert any("'kept' was not set" in happening for happening in run.happenings), run


def test_messages_show_no_query(tmp_path, origin):
    origin.on("/hidden", lambda ask: ask.reply(b"", 503))
    run = prove(tmp_path, campaign(origin.url, setup=[{"call": f"{origin.url}/hidden?key={SECRET}"}]))
    assert run.code == USAGE, run
    assert "/hidden was answered 503" in run.err and SECRET not in run.out + run.err, run


def test_ab_with_too_few_runs_to_tell_a_large_change_is_no_pass(tmp_path, origin):
    def slow(ask):
        time.sleep(0.03)
        ask.reply(b"")

    origin.on("/slow", slow)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/${SIDE}"}], rate=30, seconds=0.5),
                "--a", "SIDE=fast", "--b", "SIDE=slow", "--runs", "2", command="ab")
    assert run.code == INVALID and "Not decided: p50 response" in run.out and "over at least 9 runs" in run.out, run
