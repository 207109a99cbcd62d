"""The operational log's output stands still (a stopped `| tee`, a log driver that blocks): lines are lost and counted,
and nothing else happens. Not to requests, not to signals, not to the end."""
import fcntl
import os
import signal
import socket
import subprocess
import time

import pytest

from lib.deadline import patience, until
from lib.gateway import BESIDES, BINARY
from lib.peers import free_port
from lib.wire import fetch


@pytest.fixture
def full_pipe():
    """A pipe that nobody reads, with no room left: (reader, writer)."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)  # as a shell makes it
    yield reader, writer
    os.close(reader)
    os.close(writer)


class Stuck:
    """A gateway whose stderr is that pipe; its ports are chosen beforehand, as its log tells nobody."""

    def __init__(self, gateway, config, stderr, workers=1):
        self.main, self.proxied, self.admin = (("127.0.0.1", free_port()) for _ in range(3))
        main, proxied, admin = (f"{host}:{port}" for host, port in (self.main, self.proxied, self.admin))
        config = config | {"listen": [main, {"address": proxied, "proxy_protocol": True}], "trusted_proxies": ["127.0.0.1"],
                           "admin": {"listen": admin}, "workers": workers, "shutdown": {"delay": "0s", "timeout": "1s"}}
        self.made = gateway(config, start=False)
        self.process = subprocess.Popen([str(BINARY), "serve", "-c", str(self.made.file)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=stderr, cwd=self.made.directory,
                                        env=os.environ | BESIDES)

    def answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return fetch(self.main, "/").status == 502 and fetch(self.admin, "/health").status == 200
        except OSError:
            return False

    def total(self, metric: str) -> float:
        text = fetch(self.admin, "/metrics").text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(metric))

    def end(self, *signals) -> int:
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(patience(8))


@pytest.fixture
def stuck(gateway):
    made = []

    def make(*arguments, **more):
        made.append(Stuck(gateway, *arguments, **more))
        until(made[-1].answers, 15, "the gateway to answer although nobody reads its log")
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def nowhere() -> dict:
    return {"origins": {"gone": {"type": "http", "url": f"http://127.0.0.1:{free_port()}"}},
            "routes": [{"path": "/", "origin": "gone"}]}


def test_it_stops_no_request_and_no_signal(stuck, full_pipe):
    gw = stuck(nowhere(), full_pipe[1])
    gw.process.send_signal(signal.SIGHUP)  # whose outcome is logged by the thread that takes signals
    until(lambda: gw.total('sekisho_reloads_total{result="success"}') == 1, 10, "the reload")
    assert gw.answers()
    began = time.monotonic()
    assert gw.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < patience(4)


def test_a_client_cannot_stop_a_worker_by_what_it_logs(stuck, full_pipe):
    """The only worker complains of connections without a PROXY header, and goes on."""
    gw = stuck(nowhere(), full_pipe[1])
    for _ in range(10):
        with socket.create_connection(gw.proxied, 5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                assert client.recv(100) == b""
            except ConnectionResetError:
                pass
    assert gw.answers()
    assert gw.total("sekisho_log_lines_total") == 0 and gw.total("sekisho_log_dropped_total") == 0  # they wait
    assert gw.end(signal.SIGTERM) == 0


def test_a_reader_that_comes_back_gets_what_was_kept(stuck, full_pipe):
    reader, writer = full_pipe
    gw = stuck(nowhere(), writer)
    os.set_blocking(reader, False)
    text = b""

    def read() -> bytes:
        nonlocal text
        try:
            text += os.read(reader, 65536)
        except BlockingIOError:
            pass
        return text

    until(lambda: b'"message":"sekisho started"' in read() and b'"listener":"admin"' in text, 10, "the lines")
    gw.process.send_signal(signal.SIGTERM)
    until(lambda: b'"message":"stopped"' in read(), 5, "the last line")
    assert gw.end(signal.SIGTERM) == 0


def test_a_complaint_at_the_start_is_not_waited_for(full_pipe, tmp_path):
    process = subprocess.Popen([str(BINARY), "serve", "-c", str(tmp_path / "none.yaml")], stderr=full_pipe[1],
                               env=os.environ | BESIDES)
    assert process.wait(patience(5)) == 2


def test_closed_streams_are_no_place_for_a_socket(gateway):
    """Else the logs would be written to whoever has connected."""
    made = Stuck(gateway, nowhere(), subprocess.DEVNULL)
    made.process.kill()
    made.process.wait()
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", str(BINARY), "serve", "-c", str(made.made.file)]
    made.process = subprocess.Popen(command, cwd=made.made.directory, env=os.environ | BESIDES)
    try:
        until(made.answers, 15, "the gateway to answer")
        assert [os.readlink(f"/proc/{made.process.pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3
        assert made.end(signal.SIGTERM) == 0
    finally:
        made.process.kill()
        made.process.wait()
