"""The stall test: 1,000 requests a second for 10 s over 8 connections, and in the middle the target stands still for
1 s. One request in ten was due in that second, so whoever counts from when a request was due sees it: p95 half a
second, p99 nine tenths. Each generator that takes goals is given one, p99 under 100 ms, and its exit code shown."""

import contextlib
import signal
import time

from . import efficiency, generators
from .generators import PERCENTILES, Load
from .process import BenchError
from .target import Target

RATE, SECONDS, CONNECTIONS, GOAL = 1000, 10, 8, 0.1
BEFORE, STALL = 4.5, 1.0
# By row: the generator, its connections, whether it keeps a pace, whether it takes a goal. k6's manual advises spare
# users for an arrival rate; each brings a connection of its own.
ROWS = {
    "sekisho": ("sekisho", CONNECTIONS, True, True),
    "wrk": ("wrk", CONNECTIONS, False, False),
    "hey": ("hey", CONNECTIONS, True, False),
    "k6-8-users": ("k6-rate", CONNECTIONS, True, True),
    "k6-1000-users": ("k6-rate", 1000, True, True),
    "artillery": ("artillery", CONNECTIONS, True, True),
}
SERVERS = list(ROWS)
TRUTH = {"p50": 0.0, "p95": 0.5, "p99": 0.9, "max": 1.0}


def freeze(process):
    process.signal(signal.SIGSTOP)
    try:
        time.sleep(STALL)
    finally:
        process.signal(signal.SIGCONT)


def ask(lab, target, row):
    """{requests, failed, unsent, latency, service?, exit}"""
    name, connections, paced, goal = ROWS[row]
    load = Load(SECONDS, connections, RATE if paced else None, GOAL if goal else None)
    with contextlib.ExitStack() as stack:
        before = target.count()
        process, folder = generators.launch(lab, stack, name, target.url, load)
        efficiency.wait_for_load(target, process, before)
        time.sleep(BEFORE)
        if process.popen.poll() is not None:
            raise BenchError(f"{name} ended before the stall")
        freeze(target.process)
        code = process.wait(5 * SECONDS + 30)
        return {**generators.read(name, folder), "exit": code, "goal": goal, "paced": paced}


def run(lab, names):
    """{row: what it says}"""
    result = {}
    with contextlib.ExitStack() as stack:
        target = Target(lab, stack)
        for row in names:
            result[row] = ask(lab, target, row)
            lab.say(f"  stall: {row} says p99 {milliseconds(result[row]['latency']['p99'])} ms, "
                    f"exit code {result[row]['exit']}")
    return result


def milliseconds(seconds):
    return f"{seconds * 1000:,.0f}" if seconds >= 0.1 else f"{seconds * 1000:.2f}"


def table(result, names):
    rows = [["1 s of 10 frozen; ms", *PERCENTILES, "requests", "not sent", "exit code, goal p99 < 100 ms"],
            ["(what callers on schedule meet)", *(f"{v * 1000:,.0f}" for v in TRUTH.values()),
             f"{RATE * SECONDS:,}", "0", "not 0"]]
    for name in names:
        one = result[name]
        for kind, label in (("latency", ""), ("service", ", service time")):
            if kind in one:
                rows.append([name + label + ("" if one["paced"] else " (no pace)"),
                             *(milliseconds(one[kind][p]) for p in PERCENTILES), f"{one['requests']:,}",
                             "–" if one["unsent"] is None else f"{one['unsent']:,}",
                             str(one["exit"]) + ("" if one["goal"] else " (takes no goal)")])
    return rows
