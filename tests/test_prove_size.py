"""A large campaign costs little: 1,000 steps and 50 windows, run, judged and reported within 300 MB and 5 s.

Memory is the most that the process had, as the kernel says while it lives: what wait4() says may be what this one had when
it forked. Time is the CPU's that it took, beyond what the load took, since the
machine may be shared.
"""
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from lib.deadline import patience
from lib.gateway import BINARY
from lib.origin import Origin
from lib.prove import campaign

MEGABYTES, SECONDS = 300, 5
SCENARIOS, STEPS, WINDOWS = 20, 50, 50


def peak_of(pid: int) -> float:
    """MB; 0 while it is not yet itself, and when it has ended."""
    try:
        if Path(f"/proc/{pid}/exe").resolve() != BINARY:
            return 0
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) / 1000 if found else 0


def measured(folder, *words):
    """The exit code, the peak of resident memory in MB and the CPU seconds of a command."""
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        process = subprocess.Popen([str(BINARY), "prove", *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    deadline = time.monotonic() + patience(60)
    pid, status, usage, peak = 0, 0, None, 0
    while not pid:
        peak = max(peak, peak_of(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not pid:
            assert time.monotonic() < deadline or process.kill(), "it did not end"
            time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "stdout").read_text() + (folder / "stderr").read_text()
    return process.returncode, peak, usage.ru_utime + usage.ru_stime, said


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    origin = Origin()
    origin.forgiving = True
    try:
        windows = {f"w{i}": {"from": f"{100 + 55 * i}ms", "to": f"{150 + 55 * i}ms"} for i in range(WINDOWS)}
        content = campaign(
            targets={"t": origin.url}, seconds=3, rate=4, windows=windows, interval="100ms",
            scenarios={f"s{s}": {"steps": [{"get": "/", "name": f"step {s} {i}"} for i in range(STEPS)]}
                       for s in range(SCENARIOS)},
            guardrails=["failed == 0%"] + [{"check": "p99 < 300s", "window": name} for name in windows])
        (folder / "large.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        yield folder, measured(folder, "run", folder / "large.yaml", "--out", folder / "out", "--quiet")
    finally:
        origin.stop()


def test_a_run_of_a_thousand_steps_and_fifty_windows_is_small(large):
    folder, (code, megabytes, cpu, said) = large
    assert code in (0, 3), said  # few requests lie in some windows
    assert (folder / "out" / "report.html").exists() and said.count("w49") == 1
    assert 0 < megabytes < MEGABYTES and cpu < SECONDS, (megabytes, cpu)


@pytest.mark.parametrize("command", ["report", "dossier"])
def test_its_reports_are_made_again_within_the_same(large, tmp_path, command):
    folder, _ = large
    what = folder / "out" / "result.json" if command == "report" else folder / "out"
    code, megabytes, cpu, said = measured(tmp_path, command, what, "--out", tmp_path / "out")
    assert code in (0, 3), said
    assert 0 < megabytes < MEGABYTES and cpu < SECONDS, (megabytes, cpu)
