"""The audit log: one line for each decision that matters, none lost or torn, and never a secret."""
import datetime
import json
import os
import signal
import socket
import stat
import threading
import time

import pytest

from lib import audit
from lib.deadline import holds, patience, until
from lib.tokens import SECRET, bearer, hs256
from lib.wire import Client, exchange, fetch

TOKENS = {"bearer": "from-the-header", "query": "from-the-query", "cookie": "from-the-cookie"}


def config(origin, folder, rules, **more):
    """`rules`: of the audit log."""
    return {
        "origins": {"app": {"type": "http", "url": origin.url}, "site": {"type": "dir", "path": str(folder)}},
        "identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}],
                                 "from": ["bearer", {"query": "token"}, {"cookie": "session"}]}},
        "rates": {"slow": {"requests": "1/h"}},
        "limits": {"failures": "off"},
        "routes": [{"path": "/", "origin": "app"}, {"path": "/site/", "origin": "site", "cache": {"ttl": "1h"}},
                   {"path": "/private/", "origin": "site", "identity": "staff"},
                   {"path": "/admins/", "origin": "site", "identity": "staff",
                    "require": {"claim": "role", "equals": "admin"}},
                   {"path": "/slow/", "origin": "site", "rates": ["slow"]}],
        "audit": rules,
    } | more


@pytest.fixture
def started(gateway, origin, folder, tmp_path):
    """started(requests="all") has its audit log in `gw.audit`."""
    (folder / "x").write_text("object")
    origin.otherwise(lambda ask: ask.reply(b"origin"))

    def start(output=None, more=None, **rules):
        path = tmp_path / "audit.log"
        gw = gateway(config(origin, folder, {"output": str(output or path)} | rules, **(more or {})))
        gw.audit = path
        return gw

    return start


def found(gw, fits, seconds=10) -> dict:
    match = fits if callable(fits) else lambda record: record.get("path") == fits
    return until(lambda: next((record for record in audit.records(gw.audit) if match(record)), None), seconds,
                 f"an audit record for {fits}")


def events(gw) -> list:
    return [record["event"] for record in audit.records(gw.audit)]


def counted(gw, name, **labels) -> float:
    return gw.total(f"sekisho_audit_{name}", **labels)


# ---- what stands in it


def test_a_denial_tells_who_what_and_why(started):
    gw = started()
    reply = gw.get("/admins/x?width=3&token=" + hs256(sub="ann", azp="app", act={"sub": "assistant"}))
    assert reply.status == 403
    record = found(gw, lambda record: record["event"] == "request")
    when = datetime.datetime.fromisoformat(record.pop("time").replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60
    assert 0 < record.pop("duration_ms") < 5000
    assert record.pop("bytes_sent") > 100 and record.pop("bytes_received") > 100
    assert record.pop("detail")
    assert record == {
        "event": "request", "request_id": reply["X-Request-Id"], "client": "127.0.0.1",
        "principal": {"issuer": "https://id.test", "subject": "ann", "agent": "assistant"},
        "method": "GET", "path": "/admins/x?width=3", "route": "/admins/", "decision": "deny",
        "reason": "claims_rejected", "status": 403
    }


@pytest.mark.parametrize("target, fields, status, reason", [
    ("/private/a", {}, 401, "no_credential"),
    ("/private/b", bearer(hs256(exp=1)), 401, "expired"),
    ("/private/c", bearer(hs256(secret="another secret of the tests, of 48 bytes or more")), 401, "bad_signature"),
    ("/private/d", bearer("nonsense"), 401, "malformed"),
    ("/admins/e", bearer(hs256()), 403, "claims_rejected"),
    ("/a%2fb", {}, 400, "bad_request"),
    ("/site/../../x", {}, 400, "bad_request"),
])  # yapf: disable
def test_every_denial_has_its_word(started, target, fields, status, reason):
    gw = started()
    reply = gw.get(target, fields)
    assert reply.status == status
    record = found(gw, lambda record: record.get("request_id") == reply["X-Request-Id"])
    assert (record["decision"], record["reason"], record["status"]) == ("deny", reason, status)


def test_an_exhausted_rate_limit_is_told_by_its_name(started):
    gw = started()
    assert gw.get("/slow/x").status == 200 and gw.get("/slow/x").status == 429
    record = found(gw, "/slow/x")
    assert (record["decision"], record["reason"], record["limit"]) == ("deny", "too_many_requests", "slow")
    assert events(gw).count("request") == 1


def test_without_more_only_denials_are_written(started):
    gw = started()
    assert gw.get("/site/x").status == 200 and gw.get("/site/absent").status == 404
    assert gw.get("/private/x", bearer(hs256())).status == 200
    assert gw.get("/private/x").status == 401
    found(gw, "/private/x")
    gw.stop()
    assert [record.get("status") for record in audit.records(gw.audit) if record["event"] == "request"] == [401]


def test_all_requests_are_written_if_asked_for(started, origin):
    gw = started(requests="all")
    origin.on("/die", lambda ask: ask.close())
    origin.on("/stall", lambda ask: ask.stall(60))
    with gw.client() as client:
        for target in ("/site/x", "/site/x", "/die"):
            client.get(target)
    served = until(lambda: (r := [r for r in audit.records(gw.audit) if r.get("path") == "/site/x"]) and len(r) == 2
                   and r, 10, "two records")
    assert [(r["decision"], r["status"], r["cache"]) for r in served] == [("allow", 200, "miss"), ("allow", 200, "hit")]
    assert "reason" not in served[0] and served[0]["bytes_sent"] > 6
    broken = found(gw, "/die")
    assert broken["decision"] == "error" and broken["reason"].startswith("origin_") and broken["status"] == 502

    malformed, _ = exchange(gw.address, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
    record = found(gw, lambda record: record.get("request_id") == malformed["X-Request-Id"])
    assert (record["decision"], record["status"]) == ("deny", 400) and record["client"] == "127.0.0.1"

    client = gw.client()
    client.ask("/stall")
    until(lambda: origin.count("/stall"), 5, "the request at the origin")
    client.close()
    record = found(gw, "/stall")
    assert (record["decision"], record["reason"], record["status"]) == ("error", "client_gone", 499)


def test_start_reload_and_stop_are_written_by_whom(started):
    gw = started()
    assert gw.reload().ok
    assert not gw.reload("listen: nonsense\n").ok
    gw.stop()
    happened = [record for record in audit.records(gw.audit)]
    assert [(r["event"], r["decision"], r.get("by")) for r in happened] == [
        ("start", "allow", None), ("reload", "allow", "SIGHUP"), ("reload", "error", "SIGHUP"),
        ("stop", "allow", "SIGTERM")
    ]  # yapf: disable
    assert happened[2]["reason"] == "invalid_configuration" and "listen" in happened[2]["detail"]


def test_a_request_just_before_the_end_is_in_it(started):
    gw = started()
    gw.get("/private/last")
    gw.stop()
    assert [r.get("path") for r in audit.records(gw.audit)][-2:] == ["/private/last", None]


def test_admin_actions_and_refused_attempts_are_written(started):
    gw = started()
    body = {"method": "POST", "body": b'{"level":"warn"}'}
    right = bearer(gw.admin_token()) | {"Content-Type": "application/json"}
    assert fetch(gw.admin, "/log/level", fields=right, **body).status == 200
    assert fetch(gw.admin, "/log/level", fields=right, method="POST", body=b"{}").status == 400
    assert fetch(gw.admin, "/log/level?token=" + gw.admin_token(), **body).status == 401
    assert fetch(gw.admin, "/log/level", fields=bearer("x" * 43), **body).status == 401
    assert fetch(gw.admin, "/metrics").status == 200
    done = until(lambda: (r := [r for r in audit.records(gw.audit) if r["event"] == "admin"]) and len(r) == 4 and r,
                 10, "four records")
    for record in done:
        del record["time"], record["duration_ms"]
        record.pop("detail", None)
    asked = {"event": "admin", "client": "127.0.0.1", "method": "POST", "path": "/log/level"}
    by = {"credential": "bootstrap_token", "action": "set_log_level"}
    assert done == [asked | by | {"arguments": {"level": "warn"}, "decision": "allow", "status": 200},
                    asked | by | {"decision": "error", "reason": "bad_request", "status": 400},
                    asked | {"decision": "deny", "reason": "no_credential", "status": 401},
                    asked | {"decision": "deny", "reason": "wrong_token", "status": 401}]


def test_a_flood_of_refused_attempts_does_not_flood_the_log(started):
    gw = started()
    statuses = [fetch(gw.admin, "/log/level", fields=bearer("x" * 43)).status for _ in range(60)]
    assert statuses.count(429) > 20
    found(gw, lambda record: record.get("reason") == "too_many_failures")
    assert events(gw).count("admin") <= statuses.count(401) + 3


def test_no_token_is_written_anywhere(started, tmp_path):
    gw = started(requests="all", more={"log": {"level": "debug"}})
    valid, stale = hs256(sub="ann"), hs256(sub="ann", exp=1)
    for token, extra in ((valid, ""), (stale, "x")):
        for target, fields in (("/private/x", bearer(token + extra)), (f"/private/x?token={token}{extra}", {}),
                               (f"/private/x?a=1&token={token}{extra}&b=2", {}),
                               ("/private/x", {"Cookie": f"session={token}{extra}"}),
                               (f"/admins/x?token={token}{extra}", {})):
            gw.get(target, fields)
    fetch(gw.admin, "/log/level", fields=bearer(gw.admin_token()))
    fetch(gw.admin, "/log/level?x=" + gw.admin_token(), fields=bearer("wrong-" + gw.admin_token()))
    pages = fetch(gw.admin, "/metrics").text
    secrets = [valid.split(".")[1], valid.split(".")[2], stale.split(".")[1], gw.admin_token()[:20], SECRET]
    gw.stop()
    told = pages + gw.stderr() + gw.out.read_text() + gw.audit.read_text()
    assert len(audit.records(gw.audit)) >= 12
    assert not [secret for secret in secrets if secret in told]


# ---- files


def test_the_file_is_for_its_owner_and_group(started):
    before = os.umask(0)
    try:
        gw = started()
    finally:
        os.umask(before)
    assert stat.S_IMODE(gw.audit.stat().st_mode) == 0o640


def test_a_file_that_cannot_be_opened_is_one_clear_line(gateway, origin, folder):
    gw = gateway(config(origin, folder, {"output": str(folder / "absent/audit.log")}), start=False)
    gw.start(wait="")
    assert gw.wait() != 0
    assert "absent/audit.log" in gw.stderr()
    gw.process = None


class Load:
    """Threads that ask for /private/x without a token until told to stop; every request has a record."""

    def __init__(self, gw, threads=4):
        self.gw, self.ids, self.stopped = gw, [], threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        with self.gw.client() as client:
            while not self.stopped.is_set():
                self.ids.append(client.get("/private/x")["X-Request-Id"])

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return self.ids


def assert_each_once(load, written) -> None:
    ids = [record["request_id"] for record in written if record["event"] == "request"]
    assert sorted(ids) == sorted(load.ids)


def test_rotation_by_size_under_load_loses_and_tears_nothing(started):
    gw = started(rotate={"size": "64KiB", "keep": 1000})
    load = Load(gw)
    try:
        until(lambda: len(audit.files(gw.audit)) > 10, 60, "ten rotations")
    finally:
        load.stop()
    gw.stop()
    files = audit.files(gw.audit)
    assert all(file.stat().st_size <= 64 << 10 for file in files)
    assert_each_once(load, [record for file in files for record in audit.lines(file.read_text())])
    assert all(file.read_text().endswith("\n") for file in files)


def test_rotation_keeps_so_many_files(started):
    gw = started(rotate={"size": "2KiB", "keep": 3})
    for _ in range(100):
        gw.get("/private/x")
    gw.stop()
    assert [file.name for file in audit.files(gw.audit)] == ["audit.log.3", "audit.log.2", "audit.log.1", "audit.log"]
    times = [record["time"] for record in audit.records(gw.audit)]
    assert len(times) < 100 and times[0] <= times[-1]


def test_rotation_by_time(started):
    gw = started(rotate={"every": "1s", "keep": 100})
    until(lambda: gw.get("/private/x") and len(audit.files(gw.audit)) >= 3, 20, "two rotations by time")
    gw.stop()
    for file in audit.files(gw.audit):
        seconds = {record["time"][:19] for record in audit.lines(file.read_text())}
        assert len(seconds) <= 2, "a line may be written a moment after its second has ended"


def test_a_file_that_was_moved_away_is_opened_again(started):
    gw = started()
    load = Load(gw, threads=2)
    try:
        for number in range(1, 6):
            had = len(load.ids)
            until(lambda: len(load.ids) > had + 20, 20, "some requests")
            os.rename(gw.audit, f"{gw.audit}.{number}")  # as logrotate does
            gw.signal(signal.SIGHUP)
            until(gw.audit.exists, 10, "the new file")
    finally:
        load.stop()
    gw.stop()
    assert_each_once(load, audit.records(gw.audit))


# ---- an output that does not take them


def test_a_full_disk_costs_lines_and_no_requests(started):
    gw = started(output="/dev/full", buffer="64KiB")
    until(lambda: gw.get("/private/x").status == 401 and counted(gw, "dropped_total", reason="queue") > 0, 60,
          "lines to be dropped")
    assert counted(gw, "lines_total") == 0 and counted(gw, "output_errors_total") > 0
    assert counted(gw, "blocked_seconds_total") == 0


def stands_still(load) -> None:
    """Waits until the load is under way and nothing more of it is answered."""
    def still():
        before = len(load.ids)
        return before > 100 and holds(lambda: len(load.ids) == before, 0.5)

    until(still, 60, "the load to stand still")


def test_a_full_disk_stops_requests_where_nothing_may_be_lost(started, tmp_path):
    link = tmp_path / "audit.log"
    link.symlink_to("/dev/full")
    gw = started(buffer="64KiB", when_full="block", more={"workers": 1})
    load = Load(gw)
    try:
        stands_still(load)
        assert fetch(gw.admin, "/health").status == 200 and gw.metrics()
        link.unlink()
        gw.signal(signal.SIGHUP)
        had = len(load.ids)
        until(lambda: len(load.ids) > had + 50, 20, "requests to go on")
    finally:
        load.stop()
    assert counted(gw, "blocked_seconds_total") > 0
    assert counted(gw, "dropped_total") == 0
    gw.stop()
    assert_each_once(load, audit.records(gw.audit))


def test_a_gateway_that_is_blocked_can_be_ended(started):
    gw = started(output="/dev/full", buffer="64KiB", when_full="block",
                 more={"workers": 1, "shutdown": {"timeout": "300ms"}})
    with gw.client(timeout=2) as client:
        with pytest.raises(TimeoutError):
            while True:
                client.get("/private/x")
    gw.signal(signal.SIGTERM)
    assert gw.wait(20) == 1
    gw.check_cut_short()


def test_a_stall_is_told_while_it_lasts(started, tmp_path):
    link = tmp_path / "audit.log"
    link.symlink_to("/dev/full")
    gw = started(buffer="64KiB", when_full="block", more={"workers": 1})
    load = Load(gw)
    try:
        reply = until(lambda: (r := gw.ready()).status == 503 and r, 60, "/ready to say no")
        told = next(each for each in json.loads(reply.body)["dependencies"] if each["kind"] == "audit")
        assert told["ready"] is False and "full" in told["reason"]
        assert counted(gw, "waiting_workers") == 1
        before = counted(gw, "blocked_seconds_total")
        until(lambda: counted(gw, "blocked_seconds_total") > before, 5, "the metric to move")
        message = "audit log is full; requests wait until its output takes lines"
        until(lambda: gw.logged(message), 5, "a line in the operational log")
        link.unlink()
        gw.signal(signal.SIGHUP)
        until(lambda: gw.ready().status == 200, 20, "/ready to say yes")
        assert counted(gw, "waiting_workers") == 0 and len(gw.logged(message)) == 1
    finally:
        load.stop()


@pytest.mark.parametrize("before", [(), (signal.SIGHUP,)])
def test_a_stall_does_not_hold_up_the_end(started, before):
    """Nor does a reload that waits for the worker that stands still."""
    gw = started(output="/dev/full", buffer="64KiB", when_full="block",
                 more={"workers": 1, "shutdown": {"timeout": "300ms"}})
    with gw.client(timeout=2) as client:
        with pytest.raises(TimeoutError):
            while True:
                client.get("/private/x")
    for number in before:
        gw.signal(number)
    began = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait(20) == 1
    assert time.monotonic() - began < patience(2.5)
    gw.check_cut_short()


@pytest.mark.slow
def test_a_gateway_that_is_blocked_takes_signals_also_after_a_reload(started):
    gw = started(output="/dev/full", buffer="64KiB", when_full="block",
                 more={"workers": 1, "shutdown": {"timeout": "300ms"}})
    with gw.client(timeout=2) as client:
        with pytest.raises(TimeoutError):
            while True:
                client.get("/private/x")
    assert not gw.reload(seconds=30).ok
    assert gw.logged("configuration not reloaded; the old one stays")[-1]["reason"] == "a worker does not answer"
    gw.signal(signal.SIGTERM)
    assert gw.wait(20) == 1
    gw.check_cut_short()


@pytest.mark.parametrize("when_full", ["drop", "block"])
def test_a_pipe_that_nobody_reads(started, tmp_path, when_full):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    gw = started(output=path, buffer="64KiB", when_full=when_full, more={"workers": 1})
    load = Load(gw)
    got = bytearray()
    try:
        if when_full == "drop":
            until(lambda: counted(gw, "dropped_total", reason="queue") > 0, 60, "lines to be dropped")
            had = len(load.ids)
            until(lambda: len(load.ids) > had + 100, 20, "requests to go on")
        else:
            stands_still(load)
        os.set_blocking(reader, True)
        pump = threading.Thread(target=lambda: [got.extend(piece) for piece in iter(lambda: os.read(reader, 65536), b"")])
        pump.start()
        had = len(load.ids)
        until(lambda: len(load.ids) > had + 100, 20, "requests to go on")
    finally:
        load.stop()
    dropped = counted(gw, "dropped_total")
    gw.stop()
    pump.join()
    os.close(reader)
    written = audit.lines(got.decode())
    ids = [record["request_id"] for record in written if record["event"] == "request"]
    assert len(set(ids)) == len(ids)
    assert (dropped == 0) == (when_full == "block")
    assert len(load.ids) == len(ids) + dropped


# ---- syslog and streams


def syslog(path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    listening.bind(str(path))
    listening.settimeout(10)
    return listening


def message(listening) -> dict:
    text = listening.recv(1 << 16).decode()
    head, _, body = text.partition(" - {")
    priority, when, host, name, pid, kind = head.split(" ")
    assert priority == "<109>1" and name == "sekisho" and kind == "audit" and pid.isdigit() and host
    record = audit.lines("{" + body + "\n")[0]
    assert record["time"] == when
    return record


def test_syslog_gets_one_message_a_line(started, tmp_path):
    with syslog(tmp_path / "log.socket") as listening:
        gw = started(output="syslog", syslog={"address": str(tmp_path / "log.socket")})
        assert message(listening)["event"] == "start"
        reply = gw.get("/private/x")
        assert message(listening)["request_id"] == reply["X-Request-Id"]
        gw.stop()
        assert message(listening)["event"] == "stop"


def test_syslog_that_comes_late_misses_nothing(started, tmp_path):
    path = tmp_path / "log.socket"
    gw = started(output="syslog", syslog={"address": str(path)})
    gw.get("/private/x")
    until(lambda: counted(gw, "output_errors_total") > 1, 10, "tries to be counted")
    with syslog(path) as listening:
        assert [message(listening)["event"] for _ in range(2)] == ["start", "request"]
    path.unlink()
    gw.get("/private/y")
    with syslog(path) as listening:
        assert message(listening)["path"] == "/private/y"
        gw.stop()


def test_syslog_by_udp(started):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        started(output="syslog", syslog={"address": f"127.0.0.1:{listening.getsockname()[1]}"})
        assert message(listening)["event"] == "start"


def test_it_can_share_a_stream_with_the_access_log(started):
    gw = started(output="stdout", requests="all")
    load = Load(gw)
    until(lambda: len(load.ids) > 500, 30, "some load")
    load.stop()
    gw.stop()
    written = audit.lines(gw.out.read_text())
    assert_each_once(load, [record for record in written if record.get("event")])
    assert len([record for record in written if "event" not in record]) == len(load.ids)
