"""What it costs to ask who is calling, and how often: cached hits with another kind of token or with rate limits over
the same without. CPU per request of interleaved rounds, as in cached.py."""

import contextlib
import os
import re
import urllib.request

from . import cached, peers, tokens
from .process import BenchError, Process, free_port
from .stats import Bar, middle, paired

PLENTY = "1000000/s"  # more than one core can answer: no limit here is ever exhausted
LIMITS = {"by-address": ["address"], "by-principal": ["principal"], "by-route": ["route"]}


def serve(lab, stack, name, key, more=None):
    """A gateway with its object in the cache."""
    origin = lab.origin(stack)
    server = peers.sekisho(lab, stack, name, origin, key=key, more=more)
    server.origin = origin
    cached.fill(server)
    return server


def with_limits(limits, shared=False, **more):
    rates = {name: {"requests": PLENTY, "per": per, "shared": shared} for name, per in limits.items()}
    return {"rates": rates, "limits": {"rates": list(rates), **more}}


def compare(lab, stack, servers, names, rounds, seconds, what):
    cached.warm(lab, servers)
    return {"rounds": cached.interleave(lab, servers, names, rounds, seconds, what)}


def rows_over(title, result, names, reference):
    rows = [[title, "CPU µs/request", f"× {reference.removeprefix('sekisho-')}", "RPS", "p50 µs", "p99 µs"]]
    for name in names:
        ratio = paired(result["rounds"], name, reference, "us")
        rows.append([name, f"{middle(result['rounds'], name, 'us'):.2f}", f"{ratio:.3f}" if ratio else "",
                     *(f"{middle(result['rounds'], name, figure):,.0f}" for figure in ("rps", "p50", "p99"))])
    return rows


def bar_over(name, result, server, reference, limit):
    ratio = paired(result["rounds"], server, reference, "us")
    if ratio is not None:
        yield Bar(name, ratio, limit, [server, reference])


# ---- es256-hit: a remembered token costs the same, whatever it was signed with

KEYS = {"sekisho-hs256": tokens.HS256, "sekisho-es256": tokens.ES256, "sekisho-rs256": tokens.RS256}


def run_algorithms(lab, names, rounds, seconds):
    with contextlib.ExitStack() as stack:
        servers = {name: serve(lab, stack, name, KEYS[name](lab.folder("keys"))) for name in names}
        return compare(lab, stack, servers, names, rounds, seconds, "es256-hit")


def algorithm_table(result, names):
    return rows_over("remembered token", result, names, "sekisho-hs256")


def algorithm_bars(result):
    return bar_over("es256-hit/hs256-hit", result, "sekisho-es256", "sekisho-hs256", 1.05)


# ---- limits-hit: three local limits, with and without the fields that tell of them

LIMITED = {"sekisho-unlimited": None, "sekisho-limits": with_limits(LIMITS),
           "sekisho-limits-untold": with_limits(LIMITS, headers="off")}


def run_limits(lab, names, rounds, seconds):
    with contextlib.ExitStack() as stack:
        key = tokens.HS256(lab.folder("keys"))
        servers = {name: serve(lab, stack, name, key, LIMITED[name]) for name in names}
        return compare(lab, stack, servers, names, rounds, seconds, "limits-hit")


def limit_table(result, names):
    return rows_over("three rate limits", result, names, "sekisho-unlimited")


def limit_bars(result):
    return bar_over("limits-hit", result, "sekisho-limits", "sekisho-unlimited", 1.10)


# ---- shared-limit: one limit of a principal, counted in Redis

SHARED = ["sekisho-unlimited", "sekisho-local", "sekisho-shared"]
COUNTED = {"waits": "sekisho_rate_limit_waits_total", "leases": "sekisho_rate_limit_leases_total",
           "fallbacks": "sekisho_rate_limit_fallback_total"}


def start_redis(lab, stack):
    """Beside the load: what Redis itself takes is not the gateway's."""
    folder, port = lab.folder("redis"), free_port()
    redis = stack.enter_context(Process(
        [lab.program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
         "--dir", folder], core=lab.load_core, log=os.path.join(folder, "output.log")))
    redis.wait_for_port(port)
    return port


def shared_counts(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.admin}/metrics", timeout=10) as reply:
        page = reply.read().decode()
    found = {key: re.search(rf"^{name} (\d+)$", page, re.MULTILINE) for key, name in COUNTED.items()}
    if not all(found.values()):
        raise BenchError(f"{server.name} does not tell of its shared limits")
    return {key: int(match[1]) for key, match in found.items()}


def run_shared(lab, names, rounds, seconds):
    limit = {"by-principal": ["principal"]}
    with contextlib.ExitStack() as stack:
        redis = {"redis": {"url": f"redis://127.0.0.1:{start_redis(lab, stack)}"}}
        more = {"sekisho-unlimited": None, "sekisho-local": with_limits(limit),
                "sekisho-shared": {**redis, **with_limits(limit, shared=True)}}
        key = tokens.HS256(lab.folder("keys"))
        servers = {name: serve(lab, stack, name, key, more[name]) for name in names}
        cached.warm(lab, servers)
        shared = servers.get("sekisho-shared")
        before = shared_counts(shared) if shared else {}
        result = {"rounds": cached.interleave(lab, servers, names, rounds, seconds, "shared-limit")}
        if shared:
            after = shared_counts(shared)
            result["shared"] = {key: after[key] - before[key] for key in before}
            result["shared"]["requests"] = sum(r["sekisho-shared"]["requests"] for r in result["rounds"])
            if result["shared"]["leases"] == 0:
                raise BenchError("Redis was never asked: not a shared limit")
        return result


def shared_table(result, names):
    rows = rows_over("a limit shared through Redis", result, names, "sekisho-unlimited")
    if "shared" in result:
        counts = result["shared"]
        rows.append([f"{counts['requests']:,} requests: {counts['leases']:,} draws from Redis, waited for by "
                     f"{counts['waits']:,}, given up by {counts['fallbacks']:,}", *[""] * 5])
    return rows


def shared_bars(result):
    if "shared" in result:
        counts = result["shared"]
        waited = counts["waits"] + counts["fallbacks"]
        yield Bar("shared-limit-waits-percent", 100 * waited / counts["requests"], 0.1, SHARED)
