"""The micro-benchmarks against one yardstick: u, what llhttp takes for the bench's 400-byte head.

Every binary runs once a round, and u is measured right before each of them: their ratio is of the same moment.
"""

import json
import os
import subprocess
from statistics import median

from .process import BenchError
from .stats import Bar

BINARIES = ["http_bench", "gateway_bench", "cache_bench", "identity_bench", "limit_bench", "origin_bench"]
YARDSTICK = ("http_bench", "BM_HeadLlhttp")
TOKENS = ["HS256", "RS256", "ES256", "EdDSA"]

# What benchmarks say beside their time, as a row of its own: the median of paired differences, which no pause between
# two benchmarks can spoil (src/identity/signature_bench.cc).
COUNTERS = ["over_raw_ns"]

# name of the bar: (binary, benchmark, what is taken off first, limit in u)
BARS = {
    "micro/head-parse": ("http_bench", "BM_Head", None, 0.3),
    "micro/routing-50": ("gateway_bench", "BM_Route/50", None, 0.15),
    "micro/routing-10000": ("gateway_bench", "BM_Route/10000", None, 0.4),
    "micro/cache-get": ("cache_bench", "BM_GetOneHotObject/real_time/threads:1", None, 0.25),
    **{f"micro/{name.lower()}-minus-raw": ("identity_bench", f"cold/{name}.over_raw_ns", None, 1.0)
       for name in TOKENS},
    **{f"micro/{name.lower()}-remembered": ("identity_bench", f"remembered/{name}", None, 0.3) for name in TOKENS},
    "micro/limit-address": ("limit_bench", "check_address", None, 0.3),
    "micro/limit-principal": ("limit_bench", "check_principal", None, 0.3),
    "micro/sigv4-minus-hashes": ("origin_bench", "sigv4_sign", "sigv4_raw_hashes", 3.0),
}


def run(lab, rounds, seconds):
    """{rounds: [{binary: {benchmark: ns, …, "u": ns}}]}"""
    result = []
    for index in range(rounds):
        result.append({})
        for binary in BINARIES:
            yardstick = measure(lab, YARDSTICK[0], seconds, f"^{YARDSTICK[1]}$")[YARDSTICK[1]]
            result[-1][binary] = {**measure(lab, binary, seconds), "u": yardstick}
        lab.say(f"  micro, round {index + 1} of {rounds}: u = {result[-1][BINARIES[0]]['u']:.0f} ns")
    return {"rounds": result}


def measure(lab, binary, seconds, pattern="."):
    """{benchmark: CPU ns, benchmark.counter: ns}"""
    path = os.path.join(lab.build, binary)
    if not os.path.exists(path):
        raise BenchError(f"{binary} is missing: `make build` brings it")
    argv = ["taskset", "-c", str(lab.server_core), path, "--benchmark_format=json",
            f"--benchmark_min_time={seconds}", f"--benchmark_filter={pattern}"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise BenchError(f"{binary}: {error}") from None
    times = {}
    for one in report["benchmarks"]:
        if one.get("error_occurred"):
            raise BenchError(f"{binary}: {one['name']}: {one['error_message']}")
        times[one["name"]] = one["cpu_time"] * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[one["time_unit"]]
        times |= {f"{one['name']}.{counter}": one[counter] for counter in COUNTERS if counter in one}
    return times


def table(result):
    rows = [["micro-benchmark", "ns", "u"]]
    for binary in BINARIES:
        runs = [r[binary] for r in result["rounds"]]
        for name in runs[0]:
            label = f"{binary.removesuffix('_bench')}: " + (YARDSTICK[1] if name == "u" else name.removeprefix("BM_"))
            if name == "u" and binary != YARDSTICK[0] or name == YARDSTICK[1]:
                continue
            rows.append([label, f"{median(r[name] for r in runs):,.0f}",
                         f"{median(r[name] / r['u'] for r in runs):.3f}"])
    return rows


def bars(result):
    for name, (binary, benchmark, without, limit) in BARS.items():
        ratios = []
        for times in (r[binary] for r in result["rounds"]):
            missing = {benchmark, without} - {None, *times}
            if missing:
                raise BenchError(f"{binary} has no benchmark {', '.join(missing)}")
            ratios.append((times[benchmark] - (times[without] if without else 0)) / times["u"])
        yield Bar(name, median(ratios), limit, ["sekisho"])
