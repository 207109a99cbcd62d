#!/usr/bin/env python3
"""Measures Sekisho beside its peers on this machine, and says whether it is as fast as it must be.

    bench/run.py                                              everything: about ten minutes
    bench/run.py --quick --only cached --peers floor,sekisho-hs256     half a minute, while changing code

See bench/README.md. Exit code: 0 all bars hold, 1 a miss that a second run confirms, 2 the bench could not run.
"""

import argparse
import datetime
import os
import signal
import sys
from dataclasses import dataclass
from typing import Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import alloc, cached, idle, micro, relay, report  # noqa: E402
from lib.lab import Lab  # noqa: E402
from lib.process import BenchError  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass
class Measurement:
    servers: list  # that it can measure, in the order of its table
    run: Callable  # (lab, servers) -> result
    tables: Callable  # (result, servers) -> list of rows
    bars: Callable  # (result) -> Bars


def measurements(options):
    none = lambda *_: []  # noqa: E731
    return {
        "cached": Measurement(
            cached.SERVERS, lambda lab, servers: cached.run(lab, servers, options.rounds, options.seconds),
            cached.table, cached.bars),
        "relay": Measurement(
            relay.SERVERS, lambda lab, servers: relay.run(lab, servers, options.relay_rounds),
            relay.table, relay.bars),
        "crowd": Measurement(["sekisho"], lambda lab, _: relay.run_crowd(lab), none, relay.crowd_bars),
        "idle": Measurement(idle.SERVERS, idle.run, idle.table, idle.bars),
        "micro": Measurement(
            ["sekisho"], lambda lab, _: micro.run(lab, options.micro_rounds, options.micro_seconds),
            lambda result, _: micro.table(result), micro.bars),
        "alloc": Measurement(["sekisho"], lambda lab, _: alloc.run(lab), lambda result, _: alloc.table(result), none),
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["cached", "relay", "crowd", "idle", "micro", "alloc"]
    parser.add_argument("--only", type=lambda s: s.split(","), default=names, help="of " + ",".join(names))
    parser.add_argument("--peers", type=lambda s: s.split(","), default=None,
                        help="servers to measure: names as in the tables, or the part before their dash")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no second run")
    parser.add_argument("--rounds", type=int, help="of the cache measurement (15)")
    parser.add_argument("--seconds", type=int, help="of each of them (2)")
    parser.add_argument("--relay-rounds", type=int, help="(5)")
    parser.add_argument("--micro-rounds", type=int, help="(5)")
    parser.add_argument("--json", help="where the raw figures go (build/bench/<time>.json)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--sekisho", help="another binary than the build's")
    parser.add_argument("--envoy", default=os.path.join(
        os.environ.get("SEKISHO_PEERS", os.path.expanduser("~/.cache/sekisho/peers")), "envoy"))
    parser.add_argument("--server-core", type=int)
    parser.add_argument("--load-core", type=int)
    parser.add_argument("--timeout", type=int, default=3600, help="seconds after which the bench gives up")
    options = parser.parse_args()
    for unknown in set(options.only) - set(names):
        parser.error(f"--only: no measurement '{unknown}' (there are {', '.join(names)})")
    defaults = {"rounds": (15, 5), "seconds": (2, 1), "relay_rounds": (5, 2), "micro_rounds": (5, 3)}
    for name, (full, quick) in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    options.micro_seconds = 0.05 if options.quick else 0.2
    cores = sorted(os.sched_getaffinity(0))
    if options.server_core is None:
        options.server_core = cores[0]
    if options.load_core is None:
        options.load_core = cores[-1]
    if options.server_core == options.load_core:
        parser.error("the bench needs two cores: one for the server, one for the load")
    return options


def chosen(servers, peers):
    if peers is None:
        return servers
    return [s for s in servers if s in peers or s.split("-")[0] in peers]


def measure_all(lab, options):
    results, bars = {}, []
    for name, measurement in measurements(options).items():
        servers = chosen(measurement.servers, options.peers) if name in options.only else []
        if not servers:
            continue
        lab.say(f"{name}: {', '.join(servers)}")
        results[name] = measurement.run(lab, servers)
        rows = measurement.tables(results[name], servers)
        if rows:
            print()
            report.print_table(rows)
        mine = list(measurement.bars(results[name]))
        missed = [bar for bar in mine if not bar.ok]
        if missed and not options.quick:
            lab.say(f"{name}: once more, for {', '.join(bar.name for bar in missed)}")
            needed = [s for s in measurement.servers if any(s in bar.servers for bar in missed)]
            results[name + "-again"] = measurement.run(lab, needed)
            again = {bar.name: bar for bar in measurement.bars(results[name + "-again"])}
            mine = [bar if bar.ok else again[bar.name] for bar in mine]
        bars += mine
    return results, bars


def main():
    options = parse_arguments()

    def give_up(number, _):
        raise BenchError("stopped" if number != signal.SIGALRM else f"not done after {options.timeout} s")

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, give_up)
    signal.alarm(options.timeout)

    started = datetime.datetime.now(datetime.timezone.utc)
    about = report.machine()
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}; server on core {options.server_core}, "
          f"load on core {options.load_core}", flush=True)
    lab = Lab(options.build, options.sekisho or os.path.join(options.build, "sekisho"), options.envoy,
              options.server_core, options.load_core, verbose=True)
    try:
        results, bars = measure_all(lab, options)
    except (BenchError, KeyboardInterrupt) as error:
        print(f"bench: {error or 'interrupted'}", file=sys.stderr)
        return 2
    finally:
        lab.close()

    path = options.json or os.path.join(ROOT, "build", "bench", started.strftime("%Y%m%dT%H%M%SZ") + ".json")
    report.write_json(path, {
        "started": started.isoformat(timespec="seconds"), "commit": report.commit(ROOT), "machine": about,
        "options": vars(options), "results": results,
        "bars": [{"name": b.name, "value": b.value, "limit": b.limit, "ok": b.ok} for b in bars]})
    print(f"raw figures: {path}\n")
    for bar in bars:
        print(report.bar_line(bar))
    return 1 if any(not bar.ok for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
