"""Verdicts where a figure is a bound: shares of few requests, recoveries, what the harness itself may have added.

Rows as in test_prove_verdicts.py; the loads of these say more about validity, faults and the machine.
"""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from lib.gateway import BINARY
from lib.judged import CLOSED, DENIED, GET, OPEN, TARGETS, judge, name_of
from lib.origin import Origin
from lib.prove import FAIL, INVALID, PASS, campaign, marked, prove

FEW = {"rate": 50, "seconds": 0.4}
HUNDRED = {"rate": 250, "seconds": 0.4}
TEN = {"validity": {"tail_samples": 10}}
FIVE = {"rate": 25, "seconds": 0.2} | TEN
CONFIDENT = HUNDRED | {"validity": {"shares": "confident"}}

# ---- shares (requests that could have shown them)

SHARES = [
    ("well", GET, FEW, ["success >= 99.9%"], INVALID, "20 requests cannot show >= 99.9 %: 2,995 are needed"),
    ("well", GET, HUNDRED, ["success >= 99.999%"], INVALID, "299,572 are needed"),
    ("well", GET, FEW, ["failed <= 0.1%"], INVALID, "2,995 are needed"),
    ("well", GET, FEW, ["0.1% >= failed"], INVALID, "2,995 are needed"),
    ("well", GET, FEW, ["100% - success <= 0.1%"], INVALID, "2,995 are needed"),
    ("well", GET, HUNDRED, ["ok > 99%"], INVALID, "299 are needed"),
    ("well", GET, HUNDRED, ["success > 95%", "failed < 5%", "wrong <= 5%"], PASS, ""),
    ("well", GET, FIVE, ["success == 100%"], INVALID, "5 requests cannot show == 100 %: 10 are needed"),
    ("well", GET, FIVE, ["failed <= 0%"], INVALID, "10 are needed"),
    ("well", GET, FEW | TEN, ["success == 100%", "failed == 0%", "success >= 100%"], PASS, ""),
    ("500", GET, FIVE, ["success == 100%"], FAIL, "it was 0 %"),
    ("half 500", GET, FEW, ["success >= 99.9%"], FAIL, "it was 50 %"),
    ("half 500", GET, FEW, ["failed <= 0.1%"], FAIL, "it was 50 %"),
    ("a tenth 500", GET, HUNDRED, ["failed <= 10%", "success >= 90%"], PASS, ""),
    ("a tenth 500", GET, HUNDRED, ["failed < 10%"], FAIL, "it was 10 %"),
    ("403", DENIED, FEW, ["denied >= 99%"], INVALID, "299 are needed"),
    ("429", GET, FEW, ["limited > 90%"], INVALID, "29 are needed"),
    ("429", GET, HUNDRED, ["limited > 90%"], PASS, ""),
    ("well", GET, CONFIDENT, ["success >= 97%"], PASS, ""),
    ("a tenth 500", GET, CONFIDENT, ["failed <= 10%"], INVALID, "at 95 % confidence"),
    ("half 500", GET, CONFIDENT, ["failed <= 10%"], FAIL, "it was 50 %"),
]


@pytest.mark.parametrize("row", SHARES, ids=name_of)
def test_a_share_needs_requests(tmp_path, row):
    judge(tmp_path, row)


# ---- recovery: at 100 requests a second, the n-th request comes after n hundredths of a second


def from_to(first: int, last: int, other):
    def reply(ask):
        number = ask.connection.origin.count("/")
        return other(ask) if first <= number < last else ask.reply(b"ok")
    return reply


def slowly(ask):
    time.sleep(0.3)
    ask.reply(b"ok")


def wrongly(ask):
    ask.reply(b"no", 500)


AFTER = TARGETS | {
    "slow for a second after the fault": from_to(70, 170, slowly),
    "wrong for a moment after a second": from_to(170, 200, wrongly),
    "wrong during the fault": from_to(50, 65, wrongly),
}


def faulty(seconds: float, recovered: str) -> dict:
    return OPEN | {"seconds": seconds, "validity": {"recovered": recovered},
                   "faults": [{"name": "f", "at": "500ms", "for": "200ms", "command": ["true"], "undo": {"command": ["true"]}}]}


RECOVERIES = [
    ("slow for a second after the fault", GET, faulty(2.4, "500ms"), ["p50 < 150ms", "recovery < 500ms"], FAIL,
     "the last that held again was p50 < 150ms"),
    ("slow for a second after the fault", GET, faulty(2.4, "500ms"), ["p50 < 150ms", "recovery < 1100ms"], PASS, ""),
    ("wrong for a moment after a second", GET, faulty(3.7, "1500ms"), ["recovery(f) < 700ms"], FAIL, "must be < 700ms"),
    ("wrong for a moment after a second", GET, faulty(1.5, "500ms"), ["recovery(f) < 700ms"], PASS, ""),
    ("wrong during the fault", GET, faulty(1.9, "1s"), ["p50 < 150ms", "recovery(f) < 1s"], PASS, ""),
    ("well", GET, faulty(1, "3s"), ["recovery(f) < 1s"], INVALID, "less than 3 s after fault 'f'"),
    ("500", GET, faulty(2.8, "1s"), ["recovery(f) < 1s"], FAIL, "there was no recovery"),
]


@pytest.mark.parametrize("row", RECOVERIES, ids=name_of)
def test_a_recovery_is_whole_and_stays(tmp_path, row):
    judge(tmp_path, row, AFTER)


# ---- what the harness may have added: it is stopped for a fifth of a second

STOPPED = {"faults": [{"name": "f", "at": "300ms", "command": ["sh", "-c", "kill -STOP $PPID; sleep 0.2; kill -CONT $PPID"]}]}
STRICT = {"validity": {"send_lag": "1ms"}}
BUSY = {"seconds": 0.4, "validity": {"busy": "0.1%"}}

HARNESS = [
    ("well", GET, OPEN | STOPPED | STRICT, ["max < 30s", "success == 100%", "failed == 0%", "rate > 90/s", "status(5xx) == 0"],
     PASS, ""),
    ("well", GET, OPEN | STOPPED | STRICT, ["max < 100ms", "success == 100%"], INVALID, "the harness may have added"),
    ("well", GET, OPEN | STOPPED, ["max < 100ms"], INVALID, "the harness may have added"),
    ("half 500", GET, OPEN | STOPPED | STRICT, ["failed == 0%"], FAIL, "it was 50 %"),
    ("half 500", GET, OPEN | STOPPED | STRICT, ["p90 < 50ms"], FAIL, "did not end as expected"),
    ("takes 200 ms", GET, OPEN | STOPPED | {"seconds": 2}, ["p50 < 20ms"], FAIL, "must be < 20ms"),
    ("refuses", GET, CLOSED, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("refuses", GET, CLOSED | BUSY, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("refuses", GET, CLOSED | BUSY, ["success == 100%"], FAIL, "it was 0 %"),
    ("refuses", GET, CLOSED | BUSY, ["rate >= 10/s"], FAIL, "it was 0/s"),
    ("well", GET, CLOSED | BUSY, ["rate >= 1000000/s"], INVALID, "the generator was the limit"),
    ("well", GET, CLOSED | BUSY, ["p50 < 1us"], INVALID, "the generator was the limit"),
    ("well", GET, CLOSED | BUSY, ["p50 < 10s"], INVALID, "was the limit"),
    ("well", GET, HUNDRED | BUSY, ["p99 < 10s", "success == 100%"], PASS, ""),
]


@pytest.mark.parametrize("row", HARNESS, ids=name_of)
def test_what_the_harness_may_have_added_accuses_nobody(tmp_path, row):
    judge(tmp_path, row)


# ---- a machine that is busy with other things


@contextlib.contextmanager
def neighbours(count: int, nice: int):
    """So many processes that want the first CPU for themselves, and the words that put a command, which is nicer than they are, beside them."""
    cpu = str(min(os.sched_getaffinity(0)))
    burn = ["taskset", "-c", cpu, sys.executable, "-c", "while True: pass"]
    made = [subprocess.Popen(burn) for _ in range(count)]
    try:
        yield ["taskset", "-c", cpu, "nice", "-n", str(nice)]
    finally:
        for one in made:
            one.kill()
            one.wait()


def test_a_busy_machine_is_told_from_a_busy_generator(tmp_path):
    origin = Origin()
    origin.on("/", lambda ask: ask.reply(b"ok"))
    try:
        with neighbours(4, 8) as beside:
            run = prove(tmp_path, campaign(origin.url, rate=200, seconds=2, guardrails=["p99 < 30s", "success == 100%"]), prefix=beside)
    finally:
        origin.stop()
    assert run.code == PASS, run
    waited = [segment["waited"][0] for segment in run.result["segments"]]
    assert waited[0] > 1, waited
    assert "it waited for a CPU for" in run.text("report.html") and "waited for a CPU for" in run.out, run


def test_a_selftest_beside_busy_neighbours_says_nothing_of_the_harness():
    with neighbours(4, 0) as beside:
        done = subprocess.run([*beside, str(BINARY), "prove", "selftest"], capture_output=True, text=True, timeout=120)
    assert done.returncode in (PASS, INVALID), done.stdout
    assert "FAILED" not in done.stdout
    assert (done.returncode == INVALID) == ("this machine was busy with other things" in done.stdout), done.stdout


# ---- processes that the campaign did not start itself

LEAK = """
import http.server, sys
kept = []
class Leak(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        kept.append(b"x" * 1_000_000)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Leak).serve_forever()
"""


@pytest.mark.parametrize("command", [
    "{python} {leak} $PORT_A & wait",
    "((setsid {python} {leak} $PORT_A & sleep 1.2) &) ; sleep 60",  # its parent ends before it has leaked the most
])
def test_a_leak_of_a_child_is_the_targets(tmp_path, command):
    (tmp_path / "leak.py").write_text(LEAK)
    run = prove(tmp_path, campaign(
        {"url": "http://127.0.0.1:${PORT_A}", "process": "shell"}, rate=50, seconds=1.6, interval="200ms",
        processes={"shell": {"command": ["sh", "-c", command.format(python=sys.executable, leak=tmp_path / "leak.py")],
                             "ready": {"tcp": "127.0.0.1:${PORT_A}"}}},
        guardrails=["rss < 60MB", "success == 100%"], requires=["max(process_count) >= 2", "max(process_threads) > 1"]))
    for pid in marked(str(tmp_path / "leak.py")):  # one that has left its group is not the harness's to end
        os.kill(pid, signal.SIGKILL)
    assert run.code == FAIL, run
    assert "must be < 60MB" in run.out and re.search(r"; [2-9] processes", run.text("report.html")), run
