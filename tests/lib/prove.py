"""Campaigns: written as dicts, run by the real binary, and read back from what it reports.

    run = prove(tmp_path, campaign(origin.url, rate=100, seconds=1))
    assert run.code == 0, run
    assert run.count("ok") == origin.count("/")

The reports are read here by other means than those that wrote them: histograms are decoded by their published
format, so that a figure is not checked against itself.
"""
import base64
import json
import os
import re
import signal
import struct
import subprocess
import time
import xml.etree.ElementTree as ElementTree
import zlib
from functools import cached_property
from pathlib import Path

import yaml

from .deadline import patience, until
from .gateway import BINARY, SANITIZER

PASS, FAIL, USAGE, INVALID = 0, 1, 2, 3
REPORTS = ("report.html", "report.md", "junit.xml", "summary.json", "benchmark.json", "latency.hgrm", "latency.hlog",
           "result.json")
OUTCOMES = ("ok", "denied", "limited", "failed", "timed_out", "skipped")


# ---- campaigns


def campaign(url=None, steps=None, rate=None, users=None, seconds: float = 1.0, **more) -> dict:
    """One scenario `s` against one target `t` for one phase `p`; other keys as in a file. None takes a key out."""
    load = {"users": users} if users is not None else {"rate": 100 if rate is None else rate}
    base = {
        "targets": {"t": url},
        "scenarios": {"s": {"steps": steps or [{"get": "/"}]}},
        "phases": [{"name": "p", "duration": ms(seconds), **load}],
        "grace": "2s",
        "guardrails": ["success == 100%"],
        # two cores are shared with whatever else runs
        "validity": {"send_lag": "500ms", "rate": "90%", "tail_samples": 1, "recovered": "1s"},
    }
    result = base | more
    if "validity" in more:
        result["validity"] = base["validity"] | (more["validity"] or {})
    return {key: value for key, value in result.items() if value is not None}


def ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def load(name: str, seconds: float, **more) -> dict:
    return {"name": name, "duration": ms(seconds), **more}


# ---- running


class Run:
    """A run that has ended: what it printed, its exit code and its reports."""

    def __init__(self, code: int, out: str, err: str, folder: Path):
        self.code, self.out, self.err, self.folder = code, out, err, folder

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}{self.err}"

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    @property
    def reports(self) -> set:
        return {name for name in REPORTS if self.has(name)}

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    @cached_property
    def result(self) -> dict:
        return json.loads(self.text("result.json"))

    @cached_property
    def summary(self) -> dict:
        return json.loads(self.text("summary.json"))

    @cached_property
    def junit(self):
        return ElementTree.parse(self.folder / "junit.xml").getroot()

    @property
    def verdict(self) -> str:
        return self.result["verdict"]

    # ---- figures of result.json

    def cells(self, scenario=None, step=None, phase=None, warm_up=False):
        """The statistics of each segment, scenario and step that is meant."""
        scenarios = [s["name"] for s in self.result["scenarios"]]
        for segment, stats in zip(self.result["timeline"], self.result["segments"]):
            name = self.result["phases"][segment["phase"]]["name"]
            if (phase is None and segment["warm_up"] and not warm_up) or (phase is not None and name != phase):
                continue
            for number, steps in enumerate(stats["steps"]):
                if scenario is not None and scenarios[number] != scenario:
                    continue
                for position, cell in enumerate(steps):
                    if cell and (step is None or step == position):  # null: no request came to it
                        yield cell

    def count(self, outcome: str, **where) -> int:
        return sum(cell["outcomes"][outcome]["count"] for cell in self.cells(**where))

    def counts(self, **where) -> dict:
        """Of each outcome that occurred."""
        all_of = {outcome: self.count(outcome, **where) for outcome in OUTCOMES}
        return {outcome: number for outcome, number in all_of.items() if number}

    def reasons(self, **where) -> dict:
        result = {}
        for cell in self.cells(**where):
            for reason, number in cell["reasons"].items():
                if number and reason != "none":
                    result[reason] = result.get(reason, 0) + number
        return result

    def statuses(self, **where) -> dict:
        result = {}
        for cell in self.cells(**where):
            for status, number in cell["statuses"].items():
                result[int(status)] = result.get(int(status), 0) + number
        return result

    def sent(self, **where) -> int:
        counts = self.counts(**where)
        return sum(counts.values()) - counts.get("skipped", 0)

    def bytes(self, **where) -> int:
        return sum(cell["outcomes"][outcome]["bytes"] for cell in self.cells(**where) for outcome in OUTCOMES)

    def latency(self, kind: str, outcome=None, **where) -> "Histogram":
        """kind: response, service or first_byte."""
        merged = Histogram()
        for cell in self.cells(**where):
            for name in OUTCOMES:
                stored = cell["outcomes"][name][kind]
                if stored and (outcome is None or name == outcome):
                    merged.add(Histogram.decode(stored["hdr"]))
        return merged

    def checks(self, kind=None) -> list:
        return [check for check in self.result["checks"] if kind is None or check["kind"] == kind]

    def check(self, name: str) -> dict:
        found = [check for check in self.checks() if name in (check["name"], check["check"])]
        assert len(found) == 1, f"{len(found)} checks '{name}' in {[c['name'] for c in self.checks()]}"
        return found[0]

    def spoiled_by(self) -> list:
        """The names of the conditions of validity that did not hold."""
        return [check["name"] for check in self.checks() if check["state"] != "held" and
                (check["kind"] != "guardrail" or check["state"] == "unknown")]

    @property
    def happenings(self) -> list:
        return [happening["text"] for happening in self.result["happenings"]]


class Running:
    """A run under way, in a process group of its own."""

    def __init__(self, folder: Path, content, arguments=(), settings=None, out=None, stdout=None, env=None,
                 command="run", prefix=()):
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "campaign.yaml"
        if content is not None:
            self.file.write_text(content if isinstance(content, str) else
                                 yaml.safe_dump(content, sort_keys=False, width=1000))
        self.folder = Path(out) if out else folder / "out"
        sets = [word for name, value in (settings or {}).items() for word in ("--set", f"{name}={value}")]
        where = ["--out", str(self.folder)] if command in ("run", "ab") else []
        self.out, self.err = folder / "stdout", folder / "stderr"
        with open(self.out, "wb") as stdout_file, open(self.err, "wb") as stderr_file:
            self.process = subprocess.Popen(
                [*prefix, str(BINARY), "prove", command, str(self.file), *where, *sets, *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=stdout or stdout_file, stderr=stderr_file,
                env=os.environ | (env or {}), start_new_session=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 30) -> Run:
        try:
            code = self.process.wait(patience(seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the run did not end:\n{self.out.read_text()}{self.err.read_text()}") from None
        run = Run(code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"), self.folder)
        assert not SANITIZER.search(run.err), run.err
        return run

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def prove(folder: Path, content, *arguments, seconds: float = 30, **more) -> Run:
    return Running(folder, content, arguments, **more).wait(seconds)


# ---- processes


def alive(pid: int) -> bool:
    """Whether it runs: a zombie that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def marked(mark: str) -> list:
    """The ids of the running processes with `mark` in their command lines, other than runs of the harness."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"prove" not in words and any(mark.encode() in word for word in words) and alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def none_left(mark: str, seconds: float = 5) -> None:
    try:
        until(lambda: not marked(mark), seconds, "the end of what the run started")
    except AssertionError:
        left = marked(mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"left behind: {left}") from None


# ---- histograms, by the format that HdrHistogram publishes


class Histogram:
    def __init__(self):
        self.counts = {}  # lowest value of a cell: how many

    @staticmethod
    def decode(text: str) -> "Histogram":
        packed = base64.b64decode(text, validate=True)
        cookie, size = struct.unpack(">II", packed[:8])
        assert cookie == 0x1C849314 and size == len(packed) - 8, (hex(cookie), size, len(packed))
        plain = zlib.decompress(packed[8:])
        cookie, length, offset, digits, lowest, _, ratio = struct.unpack(">IIIIQQd", plain[:40])
        assert cookie == 0x1C849313 and length == len(plain) - 40 and offset == 0 and ratio == 1.0
        half = 1 << ((2 * 10**digits - 1).bit_length() - 1)
        unit = lowest.bit_length() - 1
        result, cell, at = Histogram(), 0, 40
        while at < len(plain):
            bits = shift = 0
            while True:
                byte = plain[at]
                at += 1
                if shift == 56:
                    bits |= byte << shift
                    break
                bits |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            number = (bits >> 1) ^ -(bits & 1)
            if number < 0:
                cell -= number
                continue
            bucket, sub = (cell >> (half.bit_length() - 1)) - 1, (cell & (half - 1)) + half
            if bucket < 0:
                bucket, sub = 0, sub - half
            if number:
                result.counts[sub << (bucket + unit)] = number
            cell += 1
        return result

    def add(self, other: "Histogram") -> None:
        for value, number in other.counts.items():
            self.counts[value] = self.counts.get(value, 0) + number

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def percentile(self, percent: float) -> float:
        """In seconds."""
        wanted, seen = max(1, percent / 100 * self.total - 1e-9), 0
        for value in sorted(self.counts):
            seen += self.counts[value]
            if seen >= wanted:
                return value / 1e9
        raise AssertionError("an empty histogram")

    @property
    def max(self) -> float:
        return max(self.counts) / 1e9

    @property
    def min(self) -> float:
        return min(self.counts) / 1e9


def hlog(text: str) -> list:
    """(tag, from, seconds, max in ms, Histogram) of each line of a histogram log."""
    lines = []
    for line in text.splitlines():
        if line.startswith("#") or line.startswith('"'):
            continue
        match = re.fullmatch(r"Tag=(\w+),([\d.]+),([\d.]+),([\d.]+),(\S+)", line)
        assert match, f"not a line of a histogram log: {line[:100]}"
        lines.append((match[1], float(match[2]), float(match[3]), float(match[4]), Histogram.decode(match[5])))
    return lines


# ---- what a target saw


class Seen:
    """A handler for Origin that notes when each request came, and how many were there at a time."""

    def __init__(self, reply=None):
        self.reply = reply or (lambda ask: ask.reply(b"ok"))
        self.at, self.asks = [], []
        self.now = self.most = 0

    def __call__(self, ask) -> None:
        with ask.connection.origin.lock:
            self.at.append(time.monotonic())
            self.asks.append(ask)
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.reply(ask)
        finally:
            with ask.connection.origin.lock:
                self.now -= 1

    def __len__(self) -> int:
        return len(self.at)

    def gaps(self) -> list:
        times = sorted(self.at)
        return [b - a for a, b in zip(times, times[1:])]
