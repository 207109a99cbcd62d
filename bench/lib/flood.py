"""Valid callers beside a flood of forged tokens from another address, at 20 % of the forged tokens that the gateway
could look at if it had nothing against them: what the flood leaves of the gateway's core to the valid callers.

Both senders share a core, so what the valid callers lose of their throughput is not only the gateway's doing. The
gateway's CPU tells it apart: what the valid callers' requests cost without the flood is taken off, the rest is the
flood's. At the flood's rate that is a share of the core, and a full core serves so much less.
"""

import contextlib
import json
import os
import time
from statistics import median

from . import cached, load, peers
from .callers import KEYS, serve
from .process import BenchError, Process
from .stats import Bar, middle

SERVERS = ["sekisho-es256", "sekisho-rs256", "sekisho-hs256"]
SHARE = 0.2
SECONDS = 1  # of a phase
AHEAD = 0.4  # that the flood begins before
FRESH = 100  # one valid request of so many has a token that was never seen before
FLOODER = "127.0.0.2"
PHASES = ["quiet", "flood", "no-token", "undefended"]


def write_heads(folder, name, credentials):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        for token in credentials:
            authorization = f"Authorization: Bearer {token}\r\n" if token else ""
            f.write(f"GET {peers.PATH} HTTP/1.1\r\nHost: {load.HOST}\r\n{authorization}\r\n")
    return path


class Flood:
    """The gateways and senders of one algorithm."""

    def __init__(self, lab, stack, key):
        self.lab, self.key = lab, key
        self.folder = lab.folder("flood")
        # Neither sheds load: on a busy machine that would be measured in place of what is to be measured.
        self.defended = serve(lab, stack, "sekisho-defended", key, {"limits": {"lag": "0s"}})
        self.undefended = serve(lab, stack, "sekisho-undefended", key, {"limits": {"lag": "0s", "failures": "off"}})
        self.heads = {"forged": write_heads(self.folder, "forged", [key.forged()]),
                      "no-token": write_heads(self.folder, "no-token", [None]),
                      "known": write_heads(self.folder, "known", [key.token()])}

    def sender(self, server, source, connections, rate, seconds, *heads):
        log = os.path.join(self.folder, f"sender-{source}.log")
        argv = [self.lab.program("bench_sender"), str(server.port), source, str(connections), f"{rate:.0f}",
                str(seconds), *heads]
        return Process(argv, core=self.lab.load_core, log=log)

    def finish(self, process, expected):
        if process.wait(60) != 0:
            raise BenchError(f"bench_sender: {process.last_words()}")
        with open(process.log) as f:
            said = json.load(f)
        others = set(said["statuses"]) - expected
        if others or not said["statuses"]:
            raise BenchError(f"bench_sender was answered {said['statuses']}, but for {sorted(expected)}")
        said["answered"] = sum(said["statuses"].values())
        return said

    def capacity(self):
        """Forged tokens that one core verifies and refuses in a second, when nothing but that defends it."""
        before = self.undefended.process.cpu()
        with self.sender(self.undefended, FLOODER, load.CONNECTIONS, 0, SECONDS, self.heads["forged"]) as flood:
            done = self.finish(flood, {"401"})
        return done["answered"] / self.undefended.process.cpu_since(before)

    def valid(self, server, fresh):
        """Callers at full speed: one round."""
        started, before = time.monotonic(), server.process.cpu()
        with self.sender(server, "127.0.0.1", load.CONNECTIONS, 0, SECONDS, self.heads["known"], fresh,
                         str(FRESH)) as process:
            done = self.finish(process, {"200"})
        cpu = server.process.cpu_since(before)
        return {"requests": done["answered"], "fresh": done["others"], "rps": done["answered"] / done["seconds"],
                "cpu": cpu, "window": time.monotonic() - started, "us": cpu / done["answered"] * 1e6}

    def phase(self, name, rate):
        server = self.undefended if name == "undefended" else self.defended
        fresh = write_heads(self.folder, "fresh", self.key.tokens(2000 * SECONDS))
        if name == "quiet":
            return self.valid(server, fresh)
        heads = self.heads["no-token" if name == "no-token" else "forged"]
        with self.sender(server, FLOODER, load.CONNECTIONS, rate, 60, heads) as process:
            time.sleep(AHEAD)  # by then the address is exhausted
            result = self.valid(server, fresh)
            process.popen.stdin.close()  # which ends it
            done = self.finish(process, {"401", "429"})
        result |= {"flood": done["answered"] / done["seconds"], "statuses": done["statuses"],
                   "connects": done["connects"]}
        return result


def charge(rounds, rate):
    """What each flood took: of the gateway's CPU for one of its requests, and so of its core at this rate."""
    for figures in rounds:
        for name in PHASES[1:]:
            one = figures[name]
            extra = one["cpu"] - one["requests"] * figures["quiet"]["us"] / 1e6
            one["flood_us"] = extra / (one["flood"] * one["window"]) * 1e6
            one["left"] = 1 - rate * one["flood_us"] / 1e6
            one["seen"] = one["rps"] / figures["quiet"]["rps"]


def run(lab, names, rounds):
    """{server: {capacity, rate, rounds: [{phase: figures}]}}"""
    result = {}
    for name in names:
        with contextlib.ExitStack() as stack:
            flood = Flood(lab, stack, KEYS[name](lab.folder("keys")))
            cached.warm(lab, {"defended": flood.defended, "undefended": flood.undefended})
            capacity = flood.capacity()
            rate = SHARE * capacity
            figures = []
            for index in range(rounds):
                figures.append({phase: flood.phase(phase, rate) for phase in PHASES})
                lab.say(f"  forged-flood, {name}, round {index + 1} of {rounds}: " + "  ".join(
                    f"{phase} {figures[-1][phase]['us']:.1f}" for phase in PHASES))
            charge(figures, rate)
            result[name] = {"capacity": capacity, "rate": rate, "rounds": figures}
    return result


def table(result, names):
    rows = [["valid callers beside a flood", "flood/s", "its CPU µs/request", "left to others",
             "their RPS", "× no flood"]]
    for name in names:
        one = result[name]
        label = name.removeprefix("sekisho-")
        rows.append([f"{label}, no flood", "", "", "", f"{middle(one['rounds'], 'quiet', 'rps'):,.0f}", ""])
        for phase, text in (("flood", "forged"), ("no-token", "without a token"),
                            ("undefended", "forged, failures: off")):
            rows.append([f"{label}, {text}", f"{middle(one['rounds'], phase, 'flood'):,.0f}",
                         *(f"{middle(one['rounds'], phase, figure):.2f}" for figure in ("flood_us", "left")),
                         f"{middle(one['rounds'], phase, 'rps'):,.0f}", f"{middle(one['rounds'], phase, 'seen'):.2f}"])
    return rows


def bars(result):
    """Of the algorithms whose forgeries cost more to look at than a connection: with HS256 that is 1 µs, and a flood of
    any other requests costs as much."""
    for name in ("sekisho-es256", "sekisho-rs256"):
        if name in result:
            left = median(r["flood"]["left"] for r in result[name]["rounds"])
            yield Bar(f"forged-flood/{name.removeprefix('sekisho-')}-left", left, 0.9, [name], at_least=True)
