"""Cached 1 KB: CPU per request of each server on its own core, rounds interleaved, all in one run.

Every server has an origin of its own; a cache that asked it again during the rounds fails the run. The floor
answers with the very bytes of Sekisho's reply to the very bytes of the load's request.
"""

import contextlib
import os
import time

from . import load, peers, tokens
from .lab import origin_count
from .process import BenchError
from .stats import Bar, middle, paired

SERVERS = ["floor", "sekisho-open", "sekisho-hs256", "sekisho-es256", "nginx", "haproxy", "varnish", "envoy",
           "envoy-remembering"]

# What the floor sends where no Sekisho is measured beside it.
STAND_IN = (b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\nCache-Control: public, max-age=86400\r\n"
            b"Content-Type: application/octet-stream\r\nETag: \"5ek15h0\"\r\n"
            b"Last-Modified: Fri, 20 Nov 2026 00:00:00 GMT\r\nAge: 17\r\nCache-Status: sekisho; hit\r\n"
            b"Content-Length: 1024\r\n\r\n" + b"k" * 1024)


def start(lab, stack, name, keys):
    def origin():
        ports.append(lab.origin(stack))
        return ports[-1]

    ports = []
    if name.startswith("sekisho-"):
        server = peers.sekisho(lab, stack, name, origin(), key=keys.get(name.removeprefix("sekisho-")))
    elif name.startswith("envoy"):
        server = peers.envoy_cache(lab, stack, origin(), keys["es256"], remember=name == "envoy-remembering")
    else:
        server = {"nginx": peers.nginx_cache, "haproxy": peers.haproxy_cache,
                  "varnish": peers.varnish_cache}[name](lab, stack, origin())
    server.origin = ports[0]
    return server


def start_floor(lab, stack, keys, servers):
    model = servers.get("sekisho-hs256")
    headers = model.headers if model else ["Authorization: Bearer " + keys["hs256"].token()]
    request = load.request_bytes(lab, headers)
    reply = load.reply_bytes(model.port, request) if model else STAND_IN
    return peers.floor(lab, stack, request, reply, headers)


def fill(server):
    """Asks until the cache answers for itself."""
    request = f"GET {peers.PATH} HTTP/1.1\r\nHost: {load.HOST}\r\n" + "".join(h + "\r\n" for h in server.headers)
    for _ in range(20):
        before = origin_count(server.origin)
        load.reply_bytes(server.port, (request + "\r\n").encode())
        if origin_count(server.origin) == before:
            return
        time.sleep(0.05)
    raise BenchError(f"{server.name} does not cache: every request reaches its origin")


def run(lab, names, rounds, seconds):
    """{rounds: [{server: {us, rps, p99, rss}}], idle: {server: CPU share}}"""
    with contextlib.ExitStack() as stack:
        folder = lab.folder("keys")
        keys = {"hs256": tokens.HS256(folder), "es256": tokens.ES256(folder)}
        servers = {name: start(lab, stack, name, keys) for name in names if name != "floor"}
        for server in servers.values():
            fill(server)
        if "floor" in names:
            servers["floor"] = start_floor(lab, stack, keys, servers)
        warm(lab, servers)
        idle = measure_idle(servers)
        return {"rounds": interleave(lab, servers, names, rounds, seconds, "cached"), "idle": idle}


def warm(lab, servers):
    """Code paths, connection tables, remembered tokens."""
    for server in servers.values():
        load.wrk(lab, server.port, server.headers, 1)


def interleave(lab, servers, names, rounds, seconds, what):
    """[{server: figures of one round}]"""
    counts = {name: origin_count(s.origin) for name, s in servers.items() if s.origin}
    result = []
    order = list(names)
    for index in range(rounds):
        result.append({name: one_round(lab, servers[name], seconds) for name in order})
        lab.say(f"  {what}, round {index + 1} of {rounds}: " + "  ".join(
            f"{name} {result[-1][name]['us']:.1f}" for name in names))
        order = order[1:] + order[:1]  # nobody always follows the same neighbour

    for name, count in counts.items():
        if origin_count(servers[name].origin) != count:
            raise BenchError(f"{name} went to its origin during the rounds: not a cache measurement")
    return result


def one_round(lab, server, seconds):
    before = server.process.cpu()
    done = load.wrk(lab, server.port, server.headers, seconds)
    cpu = server.process.cpu_since(before)
    if server.access_log:
        wait_for_log(server)
        os.truncate(server.access_log, 0)
    return {"requests": done["requests"], "us": cpu / done["requests"] * 1e6, "rps": done["requests"] / done["seconds"],
            "p50": done["p50"] * 1e6, "p99": done["p99"] * 1e6, "rss": server.process.rss()}


def wait_for_log(server):
    """A line is written 100 ms after its request, on a busy machine later."""
    deadline = time.monotonic() + 2
    while os.path.getsize(server.access_log) == 0:
        if time.monotonic() > deadline:
            raise BenchError(f"{server.name} wrote no access log")
        time.sleep(0.05)


def measure_idle(servers):
    """CPU that each takes while nobody asks, as a share of a core: it is charged to nobody, but must be small."""
    before = {name: s.process.cpu() for name, s in servers.items()}
    time.sleep(1)
    return {name: servers[name].process.cpu_since(before[name]) for name in servers}


def table(result, names):
    rounds = result["rounds"]
    rows = [["cached 1 KB", "CPU µs/request", "× floor", "RPS", "p99 µs", "RSS MB", "idle CPU"]]
    for name in names:
        ratio = paired(rounds, name, "floor", "us")
        rows.append([name, f"{middle(rounds, name, 'us'):.2f}", f"{ratio:.2f}" if ratio else "",
                     f"{middle(rounds, name, 'rps'):,.0f}", f"{middle(rounds, name, 'p99'):,.0f}",
                     f"{middle(rounds, name, 'rss') / 1e6:.1f}", f"{result['idle'][name]:.1%}"])
    return rows


# What a bar compares, and its limit. A valid token means both kinds: the worse one counts.
BARS = {"floor": 1.35, "haproxy": 0.9, "nginx": 0.75, "varnish": 0.4, "envoy": 0.2}


def bars(result):
    ours = ["sekisho-hs256", "sekisho-es256"]
    for reference, limit in BARS.items():
        ratios = [paired(result["rounds"], name, reference, "us") for name in ours]
        ratios = [r for r in ratios if r is not None]
        if ratios:
            yield Bar(f"cached-jwt/{reference}", max(ratios), limit, ours + [reference])
