"""Requests per CPU second of the generator, over 64 keep-alive connections with a tiny body. Both counts come from
outside: the requests from the target, the CPU time from the kernel; the generator's start and end lie outside the
window. Who keeps a pace is measured at the highest rate that it holds without being the bottleneck itself."""

import contextlib
import math
import time

from . import generators
from .generators import Load
from .process import BenchError
from .stats import Bar, middle, paired
from .target import Target

SERVERS = ["sekisho", "wrk", "hey", "k6-users", "k6-rate", "artillery"]
PACED = {"sekisho": 40_000, "k6-rate": 8_000}  # and the rate that the calibration begins with
CONNECTIONS = 64
AIM = 100_000
SETTLE = 1.0  # seconds between the first request and the window, for what happens once
REACHED = 0.99  # of the offered rate
BUSY = 0.90  # of its core: a generator beyond that is the bottleneck
CALIBRATED = (0.78, 0.87)  # the share of its core that a calibrated rate takes, with room for what disturbs


def window(lab, target, name, seconds, rate=None):
    """One round; {per_cpu_second, rate, busy, peak, p99, exit, void}. `void`: why it says nothing of the generator."""
    load = Load(math.ceil(SETTLE + seconds + 1), CONNECTIONS, rate)
    with contextlib.ExitStack() as stack:
        before = target.count()
        process, folder = generators.launch(lab, stack, name, target.url, load)
        wait_for_load(target, process, before)
        time.sleep(SETTLE)
        first = (target.count(), process.cpu(), time.monotonic())
        time.sleep(seconds)
        requests, cpu, wall = (target.count() - first[0], process.cpu_since(first[1]), time.monotonic() - first[2])
        peak = process.peak_rss()
        code = process.wait(5 * load.seconds + 30)
        said = generators.read(name, folder)
    if said["failed"] or code not in (0, 3):
        raise BenchError(f"{name}: {said['failed']} requests failed, exit code {code}")
    one = {"per_cpu_second": requests / cpu, "rate": requests / wall, "busy": cpu / wall, "peak": peak,
           "p99": said["latency"]["p99"], "exit": code, "void": ""}
    if rate and one["rate"] < REACHED * rate:
        one["void"] = f"only {one['rate']:,.0f} of {rate:,} requests a second"
    elif rate and one["busy"] > BUSY:
        one["void"] = f"{one['busy']:.0%} of the core at {rate:,} a second"
    elif code:
        one["void"] = "it says itself that the run is invalid"
    return one


def wait_for_load(target, process, before, seconds=60):
    """Until requests arrive; some generators take seconds to begin."""
    deadline = time.monotonic() + seconds
    while target.count() - before < 10:
        if process.popen.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"{process.name} sends nothing")
        time.sleep(0.02)


def calibrate(lab, target, name, rates):
    """The rate at which it is measured, found once for each run of the bench."""
    if name in rates:
        return rates[name]
    rate, held, lost = PACED[name], 0, math.inf
    for _ in range(8):
        one = window(lab, target, name, 1.5, rate)
        if one["void"]:  # something else may have had the core for a moment
            one = window(lab, target, name, 1.5, rate)
        lab.say(f"  {name} at {rate:,} a second: {one['rate']:,.0f}, {one['busy']:.0%} busy")
        if one["void"] or one["busy"] > CALIBRATED[1]:
            lost = min(lost, rate)
        else:
            held = max(held, rate)
            if one["busy"] > CALIBRATED[0]:
                break
        wanted = rate * min(2.0, sum(CALIBRATED) / 2 / one["busy"])
        if lost < math.inf:
            wanted = min(wanted, (held + lost) / 2)
        rate = int(max(wanted, held * 1.02, 100)) // 100 * 100
        if lost <= held * 1.04:
            break
    if not held:
        raise BenchError(f"{name} holds no rate on this machine")
    rates[name] = held
    return held


def run(lab, names, rates, rounds, seconds):
    """{rates, rounds: [{generator: figures}], void: […]}"""
    with contextlib.ExitStack() as stack:
        target = Target(lab, stack)
        pace = {name: calibrate(lab, target, name, rates) for name in names if name in PACED}
        result, void, order = [], [], list(names)
        for index in range(rounds):
            figures = {}
            for name in 2 * order:  # who had a void round gets a second go at the round's end
                if name not in figures:
                    one = window(lab, target, name, seconds, pace.get(name))
                    if one["void"]:
                        void.append({"round": index + 1, "generator": name, **one})
                        lab.say(f"  {name}: void, {one['void']}")
                    else:
                        figures[name] = one
            result.append(figures)
            lab.say(f"  efficiency, round {index + 1} of {rounds}: " + "  ".join(
                f"{name} {one['per_cpu_second'] / 1000:.1f}k" for name, one in figures.items()))
            order = order[1:] + order[:1]
        for name in names:
            if 2 * sum(name in one for one in result) <= rounds:
                raise BenchError(f"{name}: most of its rounds are void")
        return {"rates": pace, "rounds": result, "void": void}


def table(result, names):
    rounds = result["rounds"]
    rows = [["64 connections, tiny body", "requests per CPU second", "× wrk", "rate", "busy", "its p99 ms",
             "peak RSS MB"]]
    for name in names:
        to_wrk = paired(rounds, name, "wrk", "per_cpu_second")
        rows.append([
            name + (", paced" if name in result["rates"] else ", as fast as it can"),
            f"{middle(rounds, name, 'per_cpu_second'):,.0f}", "–" if to_wrk is None else f"{to_wrk:.2f}",
            f"{middle(rounds, name, 'rate'):,.0f}", f"{middle(rounds, name, 'busy'):.0%}",
            f"{middle(rounds, name, 'p99') * 1000:.2f}", f"{middle(rounds, name, 'peak') / 1e6:.0f}"])
    return rows + [["(to aim for)", f"{AIM:,}", "", "", "", "", ""]]


def bars(result):
    rounds = result["rounds"]
    to_wrk = paired(rounds, "sekisho", "wrk", "per_cpu_second")
    if to_wrk is not None:
        yield Bar("sekisho/wrk", to_wrk, 0.7, ["sekisho", "wrk"], at_least=True)
    modes = {mode: paired(rounds, "sekisho", mode, "per_cpu_second") for mode in ("k6-users", "k6-rate")}
    modes = {mode: ratio for mode, ratio in modes.items() if ratio is not None}
    if modes:  # the better of the two leaves the smaller ratio
        yield Bar("sekisho/k6", min(modes.values()), 4, ["sekisho", *modes], at_least=True)
