#!/usr/bin/env python3
"""Does `sekisho prove` tell the truth on a machine that others keep busy? No part of CI: some minutes for each load.

    bench/prove_truth.py --loads 0,4,9 --runs 10 --raw build/truth.jsonl

A target of this script's own answers each request after a time that it chooses by number, and logs when it had read the
request and when it had written the reply. Beside it so many processes want a CPU as --loads says. Campaigns that are good,
slow or wrong by its log are run against it, and each verdict is set beside the log:

    false PASS    the log breaks a guardrail that the run says was held
    false FAIL    the log holds every guardrail, and the run accuses the target
    INVALID       nothing was said; of a good target it is counted apart

The figures of the log begin when the target's thread has read a request, so that what is the machine's is not in them.
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERDICTS = {0: "PASS", 1: "FAIL", 2: "no run", 3: "INVALID"}
RATE, SECONDS = 100, 5

# name: (seconds that the n-th reply takes, whether it is wrong, the guardrails with what the log says of each)
CASES = {
    "good": (lambda n: 0.005, lambda n: False,
             {"p99 < 250ms": lambda log: log.percentile(99) < 0.25, "p50 < 100ms": lambda log: log.percentile(50) < 0.1,
              "success == 100%": lambda log: log.wrong == 0}),
    "slow": (lambda n: 0.4, lambda n: False,
             {"p50 < 100ms": lambda log: log.percentile(50) < 0.1, "success == 100%": lambda log: log.wrong == 0}),
    "slow tail": (lambda n: 0.8 if n % 20 == 0 else 0.005, lambda n: False,
                  {"p99 < 250ms": lambda log: log.percentile(99) < 0.25, "success == 100%": lambda log: log.wrong == 0}),
    "near": (lambda n: 0.03, lambda n: False,  # a limit that lag alone may break
             {"p99 < 45ms": lambda log: log.percentile(99) < 0.045, "success == 100%": lambda log: log.wrong == 0}),
    "wrong": (lambda n: 0.005, lambda n: n % 10 == 0,
              {"p50 < 100ms": lambda log: log.percentile(50) < 0.1, "failed <= 1%": lambda log: log.wrong / log.count <= 0.01}),
}


class Log:
    def __init__(self, entries):
        self.times = sorted(took for took, _ in entries)
        self.count = len(entries)
        self.wrong = sum(1 for _, wrong in entries if wrong)

    def percentile(self, percent):
        return self.times[min(self.count - 1, int(self.count * percent / 100))] if self.times else 0.0


class Target:
    """HTTP/1.1 with a thread for each connection; what it keeps of a request is a time and whether it was wrong."""

    def __init__(self, takes, is_wrong):
        self.takes, self.is_wrong = takes, is_wrong
        self.entries, self.number, self.lock = [], 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        with one:
            kept = b""
            while True:
                while b"\r\n\r\n" not in kept:
                    try:
                        more = one.recv(65536)
                    except OSError:
                        return
                    if not more:
                        return
                    kept += more
                began = time.monotonic()
                kept = kept.partition(b"\r\n\r\n")[2]
                with self.lock:
                    self.number += 1
                    number = self.number
                wrong = self.is_wrong(number)
                time.sleep(self.takes(number))
                try:
                    one.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" if wrong else
                                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except OSError:
                    return
                with self.lock:
                    self.entries.append((time.monotonic() - began, wrong))

    def stop(self):
        self.listener.close()


def judged(run, truth):
    """'' where the verdict is right."""
    if run == "PASS" and not all(truth.values()):
        return "false PASS"
    if run == "FAIL" and all(truth.values()):
        return "false FAIL"
    return "INVALID" if run == "INVALID" else "no run" if run == "no run" else ""


def once(binary, name, folder):
    takes, is_wrong, guardrails = CASES[name]
    target = Target(takes, is_wrong)
    campaign = {"targets": {"t": target.url}, "scenarios": {"s": {"steps": [{"get": "/"}]}},
                "phases": [{"name": "p", "duration": f"{SECONDS}s", "rate": RATE}], "guardrails": list(guardrails),
                "validity": {"tail_samples": 5}}
    (folder / "campaign.yaml").write_text(json.dumps(campaign))
    done = subprocess.run([binary, "prove", "run", folder / "campaign.yaml", "--out", folder / "out"], capture_output=True,
                          text=True, check=False)
    target.stop()
    with target.lock:
        log = Log(target.entries)
    truth = {check: bool(holds(log)) for check, holds in guardrails.items()}
    verdict = VERDICTS.get(done.returncode, str(done.returncode))
    result = json.loads((folder / "out/result.json").read_text()) if (folder / "out/result.json").exists() else {"checks": []}
    return {"case": name, "verdict": verdict, "truth": truth, "wrong": judged(verdict, truth),
            "log": {"p50": log.percentile(50), "p99": log.percentile(99), "count": log.count, "wrong": log.wrong},
            "loadavg": os.getloadavg()[0],
            "waited": [s.get("waited") for s in result.get("segments", [])],
            "checks": [{k: c[k] for k in ("kind", "name", "state", "measured", "why")} for c in result["checks"]
                       if c["kind"] == "guardrail" or c["state"] != "held"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/sekisho")
    parser.add_argument("--loads", default="0,4,9", help="processes that want a CPU beside the run (0,4,9)")
    parser.add_argument("--runs", type=int, default=10, help="of each case at each load (10)")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--raw", type=Path, help="a line of JSON for each run goes here")
    options = parser.parse_args()
    counts = {}
    for load in map(int, options.loads.split(",")):
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(load)]
        try:
            for name in options.cases.split(","):
                for _ in range(options.runs):
                    with tempfile.TemporaryDirectory() as folder:
                        one = once(options.binary, name, Path(folder)) | {"load": load}
                    if options.raw:
                        with options.raw.open("a") as raw:
                            raw.write(json.dumps(one) + "\n")
                    row = counts.setdefault((load, name), {})
                    row[one["wrong"] or one["verdict"]] = row.get(one["wrong"] or one["verdict"], 0) + 1
                print(f"load {load}  {name:<10} " + ", ".join(f"{number} {what}" for what, number in
                                                              sorted(counts[load, name].items())), flush=True)
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
    return 1 if any("false" in what for row in counts.values() for what in row) else 0


if __name__ == "__main__":
    sys.exit(main())
