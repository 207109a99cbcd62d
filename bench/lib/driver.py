"""What a bench does whatever it measures: reads its options, measures, measures again what missed a bar, prints
the tables, keeps the raw figures and answers with an exit code."""

import argparse
import datetime
import os
import signal
import sys
from dataclasses import dataclass
from typing import Callable

from . import report
from .lab import Lab, peers_folder
from .process import BenchError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATHS = {"json", "build", "sekisho", "envoy"}  # options that say nothing to a reader of the raw figures


@dataclass
class Measurement:
    servers: list  # that it can measure, in the order of its table
    run: Callable  # (lab, servers) -> result
    tables: Callable  # (result, servers) -> list of rows
    bars: Callable  # (result) -> Bars


def no_table(*_):
    return []


def no_bars(*_):
    return []


def argument_parser(text, names):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(names=names)
    parser.add_argument("--only", type=lambda s: s.split(","), default=names, help="of " + ",".join(names))
    parser.add_argument("--peers", type=lambda s: s.split(","), default=None,
                        help="whom to measure: names as in the tables, or the part before their dash")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no second run")
    parser.add_argument("--json", help="where the raw figures go (build/bench/<time>.json)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--sekisho", help="another binary than the build's")
    parser.add_argument("--server-core", type=int)
    parser.add_argument("--load-core", type=int)
    parser.add_argument("--timeout", type=int, default=3600, help="seconds after which the bench gives up")
    return parser


def parse(parser, defaults):
    """`defaults`: by option, what it is in full and with --quick."""
    options = parser.parse_args()
    for unknown in set(options.only) - set(options.names):
        parser.error(f"--only: no measurement '{unknown}' (there are {', '.join(options.names)})")
    del options.names
    for name, (full, quick) in defaults.items():
        if getattr(options, name, None) is None:
            setattr(options, name, quick if options.quick else full)
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


def measure_all(lab, options, measurements, results):
    """Fills `results`; the bars."""
    bars = []
    for name, measurement in measurements.items():
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
    return bars


def run(options, measurements, programs=None):
    """The exit code: 0 all bars hold, 1 a confirmed miss, 2 it could not run. `programs`: path by name. Of a run that
    got into trouble on its way the raw figures are kept, with the trouble, and no bar is judged."""
    def give_up(number, _):
        raise BenchError("stopped" if number != signal.SIGALRM else f"not done after {options.timeout} s")

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, give_up)
    signal.alarm(options.timeout)

    started = datetime.datetime.now(datetime.timezone.utc)
    commit = report.commit(ROOT)  # now: others may commit while it runs
    about = report.machine()
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}; server on core {options.server_core}, "
          f"load on core {options.load_core}", flush=True)
    programs = {"sekisho": options.sekisho or os.path.join(options.build, "sekisho"), **(programs or {})}
    lab = Lab(options.build, programs, options.server_core, options.load_core, verbose=True)
    results, bars, trouble = {}, [], None
    try:
        bars = measure_all(lab, options, measurements, results)
    except (BenchError, KeyboardInterrupt) as error:
        trouble = str(error) or "interrupted"
        print(f"bench: {trouble}", file=sys.stderr)
        if not results:
            return 2
    finally:
        lab.close()

    path = options.json or os.path.join(ROOT, "build", "bench", started.strftime("%Y%m%dT%H%M%SZ") + ".json")
    report.write_json(path, {
        "started": started.isoformat(timespec="seconds"), "trouble": trouble, "commit": commit, "machine": about,
        "peers": report.peer_versions(peers_folder()),
        "options": {k: v for k, v in vars(options).items() if k not in PATHS}, "results": results,
        "bars": [{"name": b.name, "value": b.value, "limit": b.limit, "ok": b.ok} for b in bars]})
    print(f"raw figures: {path}\n")
    if trouble:
        return 2
    for bar in bars:
        print(report.bar_line(bar))
    return 1 if any(not bar.ok for bar in bars) else 0
