"""Relaying a large body: CPU seconds per GiB and peak RSS, with the origin and the client on the other core."""

import contextlib

from . import load, peers
from .process import BenchError
from .stats import Bar, middle, paired

SERVERS = ["sekisho", "nginx-buffered", "nginx-unbuffered", "nginx-tuned", "haproxy", "envoy"]
GIB = 1 << 30
SIZE = 2 * GIB
STARTS = {
    "sekisho": lambda lab, stack, origin: peers.sekisho(lab, stack, "sekisho-relay", origin, cache=False),
    "nginx-buffered": peers.nginx_buffered,
    "nginx-unbuffered": peers.nginx_unbuffered,
    "nginx-tuned": peers.nginx_tuned,
    "haproxy": peers.haproxy_relay,
    "envoy": peers.envoy_relay,
}


def transfer(lab, server, count, size, seconds, verify=False):
    """{cpu_per_gib, gib_per_s, peak}"""
    process = server.process
    process.reset_peak()
    before = process.cpu()
    done = load.sink(lab, server.port, size, count, seconds, verify)
    cpu = process.cpu_since(before)
    if done["failed"]:
        raise BenchError(f"{server.name}: {done['failed']} of {count} transfers did not come whole")
    return {"cpu": cpu / (done["bytes"] / GIB), "rate": done["bytes"] / GIB / done["seconds"],
            "peak": process.peak_rss()}


def run(lab, names, rounds):
    """{rounds: [{server: {cpu, rate, peak}}], twenty: {peak…}}"""
    with contextlib.ExitStack() as stack:
        origin = lab.origin(stack)
        servers = {name: STARTS[name](lab, stack, origin) for name in names}
        for server in servers.values():
            transfer(lab, server, 1, 64 << 20, 30, verify=True)
        result, order = [], list(names)
        for index in range(rounds):
            result.append({name: transfer(lab, servers[name], 1, SIZE, 120) for name in order})
            lab.say(f"  relay, round {index + 1} of {rounds}: " + "  ".join(
                f"{name} {result[-1][name]['cpu']:.3f}" for name in names))
            order = order[1:] + order[:1]
        twenty = {}
        if "sekisho" in servers:
            twenty["sekisho"] = transfer(lab, servers["sekisho"], 20, SIZE, 300)
        return {"rounds": result, "twenty": twenty}


def run_crowd(lab, count=300, size=16 << 20):
    """`count` transfers at once through a server that runs as nobody (few pipes, no capabilities), checked byte
    for byte; how many came whole, and what it took."""
    with contextlib.ExitStack() as stack:
        origin = lab.origin(stack)
        server = peers.sekisho(lab, stack, "sekisho-crowd", origin, cache=False, unprivileged=True)
        before = server.process.cpu()
        done = load.sink(lab, server.port, size, count, 300, verify=True)
        return {"count": count, "whole": done["whole"] if not done["failed"] else count - done["failed"],
                "cpu": server.process.cpu_since(before) / (count * size / GIB), "peak": server.process.peak_rss()}


def table(result, names):
    rounds = result["rounds"]
    rows = [["relay 2 GiB", "CPU s/GiB", "GiB/s", "peak RSS MB"]]
    for name in names:
        rows.append([name, f"{middle(rounds, name, 'cpu'):.3f}", f"{middle(rounds, name, 'rate'):.2f}",
                     f"{max(r[name]['peak'] for r in rounds) / 1e6:.1f}"])
    for name, one in result["twenty"].items():
        rows.append([f"{name}, 20 at once", f"{one['cpu']:.3f}", f"{one['rate']:.2f}", f"{one['peak'] / 1e6:.1f}"])
    return rows


def bars(result):
    rounds = result["rounds"]
    if "sekisho" not in rounds[0]:
        return
    # The bar is against nginx's two modes as it ships; the tuned row is for the reader.
    modes = {mode: paired(rounds, "sekisho", mode, "cpu") for mode in ("nginx-buffered", "nginx-unbuffered")}
    modes = {mode: ratio for mode, ratio in modes.items() if ratio is not None}
    if modes:  # the better of the two leaves the larger ratio
        yield Bar("relay/nginx", max(modes.values()), 0.5, ["sekisho", *modes])
    yield Bar("relay-rss-mb", max(r["sekisho"]["peak"] for r in rounds) / 1e6, 64, ["sekisho"])
    yield Bar("relay-20-rss-mb", result["twenty"]["sekisho"]["peak"] / 1e6, 64, ["sekisho"])


def crowd_bars(result):
    yield Bar("relay-300-not-whole", result["count"] - result["whole"], 0, ["sekisho"])
