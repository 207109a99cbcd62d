"""What a campaign starts, breaks and ends: processes, readiness, faults on the timeline, interruption.

Nothing that a run started may outlive it, however it ends.
"""
import os
import re
import signal
import time
from pathlib import Path

import pytest

from lib.deadline import until
from lib.origin import Origin
from lib.peers import find, free_port
from lib.prove import FAIL, INVALID, PASS, REPORTS, USAGE, Running, alive, campaign, load, marked, none_left, prove
from lib.sockets import unread_at

# Answers every request with its process id, and notes signals and starts in a file beside it.
SERVER = """
import os, signal, socket, sys, threading, time
port, notes = int(sys.argv[1]), sys.argv[2]
options = sys.argv[3:]
def note(text):
    with open(notes, "a") as file: file.write(f"{os.getpid()} {text}\\n")
note("start " + os.environ.get("GREETING", "") + " " + os.getcwd())
for name in ("HUP", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), lambda number, _: note(signal.Signals(number).name))
if "deaf" in options: signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: signal.signal(signal.SIGTERM, lambda *_: (note("SIGTERM"), os._exit(3 if "sour" in options else 0)))
if "never" in options: time.sleep(1000)
if "stdin" in options: note("stdin " + sys.stdin.read())
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port)); listener.listen(128)
print("listening", flush=True)
def serve(one):
    with one:
        while True:
            head = b""
            while b"\\r\\n\\r\\n" not in head:
                data = one.recv(65536)
                if not data: return
                head += data
            if b"GET /die" in head: os._exit(7)
            if b"GET /status" in head: one.sendall(b"HTTP/1.1 204 No Content\\r\\n\\r\\n"); continue
            body = str(os.getpid()).encode()
            one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
while True:
    one, _ = listener.accept()
    threading.Thread(target=serve, args=(one,), daemon=True).start()
"""


class World:
    """A campaign with one process `server` of the above kind."""

    def __init__(self, folder):
        self.folder = folder
        self.script = folder / "server.py"
        self.script.write_text(SERVER)
        self.notes = folder / "notes"

    def process(self, *options, **more) -> dict:
        return {"command": ["/usr/bin/python3", "-S", "-E", str(self.script), "${PORT_A}", str(self.notes), *options],
                "ready": "http://127.0.0.1:${PORT_A}/", "stop": "2s"} | more

    def campaign(self, *options, seconds=0.4, process=None, **more) -> dict:
        base = {"processes": {"server": self.process(*options) | (process or {})}, "seconds": seconds, "rate": 100,
                "scenarios": {"s": {"connections": 8, "steps": [{"get": "/a", "timeout": "1s"}]}}}
        return campaign({"url": "http://127.0.0.1:${PORT_A}", "process": "server"}, **(base | more))

    def noted(self, what="") -> list:
        """(process id, note) of those that begin so."""
        lines = [line.split(" ", 1) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []
        return [(int(pid), note) for pid, note in lines if note.startswith(what)]

    def starts(self) -> list:
        return [pid for pid, _ in self.noted("start")]

    def gone(self) -> None:
        none_left(str(self.script))


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.gone()


# ---- processes


def test_a_process_is_started_awaited_and_ended(world):
    run = prove(world.folder, world.campaign())
    assert run.code == PASS, run
    assert len(world.starts()) == 1 and world.noted("SIGTERM")
    assert not alive(world.starts()[0])


def test_a_process_gets_its_environment_folder_and_input(world):
    (world.folder / "sub").mkdir()
    run = prove(world.folder, world.campaign("stdin", process={
        "env": {"GREETING": "hello"}, "folder": "sub", "stdin": "line one\nline two"}))
    assert run.code == PASS, run
    assert world.noted(f"start hello {world.folder}/sub")
    assert world.noted("stdin line one")


def test_processes_see_the_ports(world):
    run = prove(world.folder, world.campaign(prepare=[{"command": ["sh", "-c", f"echo $PORT_A > {world.folder}/port"]}]))
    assert run.code == PASS, run
    assert 0 < int((world.folder / "port").read_text()) < 65536


def test_a_process_that_does_not_hear_sigterm_is_killed(world):
    run = prove(world.folder, world.campaign("deaf", process={"stop": "200ms"}, seconds=0.3))
    assert run.code == FAIL, run  # it never ended in order
    assert not alive(world.starts()[0])


def test_a_process_that_is_never_ready_is_one_line_and_exit_2(world):
    content = world.campaign("never", process={"ready": {"url": "http://127.0.0.1:${PORT_A}/", "timeout": "500ms"}})
    run = prove(world.folder, content)
    assert run.code == USAGE, run
    check_one_line(run, "campaign.yaml:", "server", "not ready")
    assert not run.reports


def test_a_process_that_ends_before_it_is_ready_is_told_with_its_last_line(world):
    run = prove(world.folder, world.campaign(process={"command": ["sh", "-c", "echo the port is taken >&2; exit 4"]}))
    assert run.code == USAGE, run
    check_one_line(run, "campaign.yaml:", "server", "exit code 4", "the port is taken")
    assert not run.reports


def test_a_program_that_there_is_not(world):
    run = prove(world.folder, world.campaign(process={"command": ["/nowhere/program"]}))
    assert run.code == USAGE, run
    check_one_line(run, "campaign.yaml:", "server", "/nowhere/program", "No such file")
    assert not run.reports


def check_one_line(run, *words):
    lines = [line for line in run.err.splitlines() if line.strip()]
    assert len(lines) == 1, run
    for word in words:
        assert word in lines[0], (word, lines[0])


def test_a_process_that_does_not_end_in_order_breaks_a_guardrail(world):
    run = prove(world.folder, world.campaign("sour", guardrails=["requests > 10"]))
    assert run.code == FAIL, run
    assert run.check("every process stays up")["state"] == "broken"
    assert any("did not end in order: exit code 3" in text for text in run.happenings), run.happenings


def test_a_process_that_dies_breaks_a_guardrail_and_is_told(world):
    run = prove(world.folder, world.campaign(
        guardrails=["requests > 10"], seconds=1.5, faults=[{"name": "poke", "at": "500ms", "command": [
            "sh", "-c", "kill -9 $(cut -d' ' -f1 " + str(world.notes) + " | head -1)"]}]))
    assert run.code == FAIL, run
    assert run.result["deaths"] == ["server"]
    assert run.check("every process stays up")["state"] == "broken"
    assert any("ended by itself" in text and "illed" in text for text in run.happenings), run.happenings
    assert run.reasons().get("refused", 0) > 20


def test_readiness_by_status_and_by_tcp(world):
    run = prove(world.folder, world.campaign(process={"ready": {"url": "http://127.0.0.1:${PORT_A}/status", "status": 204}},
                                             seconds=0.3))
    assert run.code == PASS, run
    run = prove(world.folder, world.campaign(process={"ready": {"tcp": "127.0.0.1:${PORT_A}"}}, seconds=0.3))
    assert run.code == PASS, run


def test_setup_and_teardown_call_and_command(world, origin):
    said = world.folder / "said"
    run = prove(world.folder, world.campaign(
        seconds=0.3, tokens={"t": {"key": {"value": "x" * 40}}},
        setup=[{"call": {"url": f"{origin.url}/seed/{{{{index}}}}", "method": "PUT", "body": "b{{index}}", "repeat": 3,
                         "headers": {"Authorization": "Bearer {{t}}"}}},
               {"command": ["sh", "-c", f"echo setup >> {said}"]}],
        teardown={"command": ["sh", "-c", f"echo teardown >> {said}"]}))
    assert run.code == PASS, run
    assert [(ask.method, ask.path, ask.body) for ask in origin.requests] == [
        ("PUT", f"/seed/{n}", f"b{n}".encode()) for n in range(3)]
    assert origin.last.get("Authorization").startswith("Bearer ey")
    assert said.read_text().split() == ["setup", "teardown"]


@pytest.mark.parametrize("setup, words", [
    ({"command": ["sh", "-c", "echo it broke >&2; exit 3"]}, ["setup[0]", "exit code 3", "it broke"]),
    ({"command": ["sleep", "60"], "timeout": "300ms"}, ["setup[0]", "sleep", "not done in time"]),
    ({"call": "http://127.0.0.1:${PORT_NOBODY}/"}, ["setup[0]", "http://127.0.0.1:"]),
    ({"call": {"url": "http://127.0.0.1:${PORT_A}/status", "status": 200}}, ["setup[0]", "answered 204"]),
], ids=["command-fails", "command-hangs", "call-refused", "call-other-status"])
def test_a_setup_that_fails_is_one_line_and_exit_2_and_stops_what_was_started(world, setup, words):
    run = prove(world.folder, world.campaign(setup=[setup]))
    assert run.code == USAGE, run
    check_one_line(run, "campaign.yaml:", *words)
    assert not run.reports
    assert not alive(world.starts()[0])


def test_a_teardown_that_fails_makes_the_run_invalid(world):
    run = prove(world.folder, world.campaign(seconds=0.3, teardown={"command": ["false"]}))
    assert run.code == INVALID, run
    assert "nothing unforeseen happened" in run.spoiled_by()
    assert run.counts() == {"ok": 30}


# ---- faults


def test_a_pause_is_felt_and_recovered_from(world):
    run = prove(world.folder, world.campaign(
        seconds=3, faults=[{"name": "frozen", "at": "800ms", "for": "500ms", "pause": "server"}],
        guardrails=["success == 100%", "recovery(frozen) < 1s", "max > 400ms", "max < 1500ms",
                    {"check": "max > 400ms", "window": "frozen"}, {"check": "p90 < 300ms", "window": "before frozen"}]))
    assert run.code == PASS, run
    assert run.happenings[0].startswith("fault 'frozen'") and any("over" in text for text in run.happenings)
    slow = sum(number for value, number in run.latency("response").counts.items() if value > 0.1e9)
    assert 25 <= slow <= 75, slow  # 40 of the 50 that came meanwhile waited more than 100 ms
    assert len(world.starts()) == 1


def test_a_kill_is_undone_by_a_new_start(world):
    run = prove(world.folder, world.campaign(
        seconds=3, faults=[{"name": "dead", "at": "800ms", "for": "700ms", "kill": "server"}],
        guardrails=["failed > 5%", "recovery(dead) < 1500ms", {"check": "success == 100%", "window": "before dead"},
                    {"check": "failed > 60%", "window": "dead"}]))
    assert run.code == PASS, run
    assert len(world.starts()) == 2 and not world.noted("SIGTERM")[1:]
    assert not run.result["deaths"]
    assert run.reasons()["refused"] >= 40


def test_terminate_and_restart(world):
    run = prove(world.folder, world.campaign(
        seconds=2, guardrails=["ok > 50%"], faults=[
            {"name": "down", "at": "300ms", "for": "200ms", "terminate": "server"}, {"name": "again", "at": "1500ms", "restart": "server"}]))
    assert run.code == PASS, run
    assert len(world.starts()) == 3 and len(world.noted("SIGTERM")) == 3
    assert not run.result["deaths"]


def test_signals_reach_the_process(world):
    run = prove(world.folder, world.campaign(seconds=1, faults=[
        {"name": "hup", "at": "300ms", "signal": "HUP", "process": "server"},
        {"name": "usr", "at": "500ms", "signal": "USR1", "process": "server", "for": "200ms",
         "undo": {"signal": "USR2", "process": "server"}}]))
    assert run.code == PASS, run
    assert [note for _, note in world.noted("SIG")] == ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM"]


def test_calls_and_commands_are_faults_and_are_undone_in_time(world, origin):
    begun = []
    origin.on("/on", lambda ask: begun.append(time.monotonic()) or ask.reply(b""))
    origin.on("/off", lambda ask: begun.append(time.monotonic()) or ask.reply(b""))
    run = prove(world.folder, world.campaign(seconds=1.2, faults=[
        {"name": "switch", "at": "300ms", "for": "500ms", "call": {"url": f"{origin.url}/on", "method": "POST"},
         "undo": {"call": {"url": f"{origin.url}/off", "method": "POST"}}},
        {"name": "file", "at": "200ms", "for": "300ms", "command": ["touch", str(world.folder / "set")],
         "undo": {"command": ["mv", str(world.folder / "set"), str(world.folder / "unset")]}}]))
    assert run.code == PASS, run
    assert origin.count("/on") == 1 == origin.count("/off")
    assert 0.4 < begun[1] - begun[0] < 1.0
    assert (world.folder / "unset").exists() and not (world.folder / "set").exists()


@pytest.mark.parametrize("fault", [
    {"command": ["false"]}, {"command": ["/nowhere/program"]}, {"call": "http://127.0.0.1:${PORT_NOBODY}/"},
    {"call": {"url": "http://127.0.0.1:${PORT_A}/", "status": 404}}, {"command": ["sleep", "9"], "timeout": "100ms"},
], ids=["command", "no-program", "refused", "status", "timeout"])
def test_a_fault_that_cannot_be_set_makes_the_run_invalid(world, fault):
    run = prove(world.folder, world.campaign(seconds=0.5, faults=[{"name": "f", "at": "200ms", **fault}]))
    assert run.code == INVALID, run
    assert "nothing unforeseen happened" in run.spoiled_by()
    assert any("could not be set" in text for text in run.happenings)
    assert run.counts() == {"ok": 50}


def test_a_fault_on_a_process_that_does_not_run_makes_the_run_invalid(world):
    run = prove(world.folder, world.campaign(seconds=1.2, guardrails=["ok > 10%"], faults=[
        {"name": "down", "at": "300ms", "terminate": "server"}, {"name": "frozen", "at": "600ms", "for": "300ms", "pause": "server"}]))
    assert run.code == INVALID, run
    assert any("'frozen' could not be set" in text for text in run.happenings), run.happenings


def test_a_fault_that_overlaps_another_leaves_one_process(world):
    run = prove(world.folder, world.campaign(seconds=1.6, guardrails=["ok > 10%"], faults=[
        {"name": "down", "at": "300ms", "for": "1s", "terminate": "server"}, {"name": "again", "at": "700ms", "restart": "server"}]))
    assert run.code == PASS, run
    assert len(world.starts()) == 2


def test_a_fault_that_cannot_be_undone_makes_the_run_invalid(world):
    run = prove(world.folder, world.campaign(seconds=0.5, faults=[
        {"name": "f", "at": "200ms", "for": "200ms", "command": ["true"], "undo": {"command": ["false"]}}]))
    assert run.code == INVALID, run
    assert any("could not be undone" in text for text in run.happenings)


def test_a_fault_at_the_end_is_undone_all_the_same(world):
    run = prove(world.folder, world.campaign(seconds=0.8, guardrails=["ok > 10%"], grace="300ms", faults=[
        {"name": "f", "at": "600ms", "for": "200ms", "pause": "server"}]))
    assert run.code in (PASS, INVALID), run
    assert world.noted("SIGTERM")


def test_recovery_that_never_comes_breaks_its_guardrail(world):
    run = prove(world.folder, world.campaign(
        seconds=3, guardrails=["recovery(hurt) < 1s"], faults=[
            {"name": "hurt", "at": "300ms", "for": "200ms", "terminate": "server"},
            {"name": "dead", "at": "600ms", "terminate": "server"}]))
    assert run.code == FAIL, run
    assert run.check("recovery(hurt) < 1s")["measured"].startswith(">")


def test_a_master_with_workers_is_paused_and_killed_whole(tmp_path):
    """nginx serves from workers of their own: a fault that met the master alone would be none."""
    (tmp_path / "nginx.conf").write_text("""
        daemon off; pid %s/nginx.pid; error_log stderr; events {} worker_processes 1;
        http { access_log off; client_body_temp_path %s/a; proxy_temp_path %s/b; fastcgi_temp_path %s/c; uwsgi_temp_path %s/d;
               scgi_temp_path %s/e; server { listen 127.0.0.1:@PORT@; return 200 "ok"; } }""" % ((tmp_path,) * 6))
    run = prove(tmp_path, campaign(
        {"url": "http://127.0.0.1:${PORT_A}", "process": "nginx"}, rate=100, seconds=3.5,
        processes={"nginx": {"command": ["sh", "-c", f"sed -i s/@PORT@/${{PORT_A}}/ {tmp_path}/nginx.conf; exec {find('nginx')} -c {tmp_path}/nginx.conf"],
                             "ready": "http://127.0.0.1:${PORT_A}/"}},
        faults=[{"name": "frozen", "at": "500ms", "for": "500ms", "pause": "nginx"},
                {"name": "dead", "at": "1500ms", "for": "500ms", "kill": "nginx"}],
        guardrails=[{"check": "max > 400ms", "window": "frozen"}, {"check": "failed > 60%", "window": "dead"},
                    "recovery(dead) < 1s"]))
    none_left(f"{tmp_path}/nginx.conf")
    assert run.code == PASS, run


# ---- the end, in order and out of it


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupted_under_load_it_ends_in_order_with_what_was_measured(world, number):
    running = Running(world.folder, world.campaign(seconds=60, faults=[{"name": "f", "at": "300ms", "for": "50s", "pause": "server"}],
                                                   scenarios={"s": {"steps": [{"get": "/"}]}},
                                                   teardown={"command": ["touch", str(world.folder / "torn")]}))
    try:
        server = until(lambda: world.starts(), 10, "the server to start")[0]
        until(lambda: unread_at(port_of(server)) > 0 and state_of(server) == "T", 10, "requests to be stuck in the fault")
        asked = time.monotonic()
        running.signal(number)
        run = running.wait(10)
    finally:
        running.stop()
    assert time.monotonic() - asked < 5
    assert run.code == INVALID, run
    assert run.reports == set(REPORTS)
    assert run.result["interrupted"] and run.verdict == "INVALID"
    assert "the run went to its end" in run.spoiled_by()
    assert run.counts()["ok"] >= 10 and run.counts()["timed_out"] >= 1
    assert (world.folder / "torn").exists()  # part of an orderly end
    assert "interrupted" in run.text("report.md") and "INVALID" in run.text("report.html")
    assert not alive(world.starts()[0])


@pytest.mark.parametrize("where", ["prepare", "process", "setup", "call", "fault", "teardown"])
def test_interrupted_anywhere_it_ends_soon(world, origin, where):
    slow = {"command": ["sleep", "30"]}
    origin.on("/slow", lambda ask: ask.stall())
    more = {"prepare": {"prepare": slow}, "setup": {"setup": slow}, "teardown": {"seconds": 0.2, "teardown": slow},
            "call": {"setup": {"call": f"{origin.url}/slow"}},
            "fault": {"seconds": 20, "faults": [slow | {"name": "f", "at": "100ms"}]},
            "process": {"process": {"ready": {"tcp": "127.0.0.1:1", "timeout": "30s"}}}}[where]
    running = Running(world.folder, world.campaign(**more))
    try:
        if where == "prepare":
            until(lambda: children(running.pid), 10, "the command to start")
        elif where == "process":
            until(lambda: world.starts(), 10, "the server to start")
        elif where == "call":
            until(lambda: origin.count("/slow"), 10, "the call")
        else:
            until(lambda: any(name == "sleep" for name in children(running.pid)), 10, "the command to start")
        asked = time.monotonic()
        running.signal(signal.SIGINT)
        run = running.wait(45)
    finally:
        running.stop()
    assert time.monotonic() - asked < 5, run
    assert run.code == INVALID, run
    assert run.verdict == "INVALID" and (run.result["interrupted"] or where == "teardown")
    assert any("interrupted" in text for text in run.happenings) or where not in ("fault", "teardown")


def port_of(server: int) -> int:
    return int(Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")[4])


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def children(pid: int) -> list:
    """The names of the processes that this one has started."""
    names = []
    for entry in os.listdir("/proc"):
        try:
            name, _, rest = open(f"/proc/{entry}/stat").read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if entry.isdigit() and int(rest.split()[1]) == pid and rest.split()[0] != "Z":
            names.append(name)
    return names


def test_what_was_started_does_not_outlive_a_killed_harness(world):
    running = Running(world.folder, world.campaign(seconds=60, faults=[{"name": "f", "at": "300ms", "restart": "server"}]))
    try:
        until(lambda: len(world.starts()) == 2, 10, "the server's second start")
        running.signal(signal.SIGKILL)
        running.process.wait()
    finally:
        running.stop()
    world.gone()
    assert not [name for name in REPORTS if (running.folder / name).exists()]


def test_what_a_process_started_itself_does_not_outlive_the_run(world):
    script = world.process()["command"]
    run = prove(world.folder, world.campaign(seconds=0.3, process={
        "command": ["sh", "-c", " ".join(f"'{word}'" for word in script) + "; true"], "stop": "500ms"}))
    assert run.code in (PASS, INVALID), run
    world.gone()
