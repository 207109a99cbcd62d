#!/usr/bin/env python3
"""Measures Sekisho beside its peers on this machine, and says whether it is as fast as it must be.

    bench/run.py                                              everything: some fifteen minutes
    bench/run.py --quick --only cached --peers floor,sekisho-hs256     half a minute, while changing code

See bench/README.md. Exit code: 0 all bars hold, 1 a miss that a second run confirms, 2 the bench could not run.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import alloc, cached, callers, driver, flood, idle, micro, relay  # noqa: E402
from lib.driver import Measurement, no_bars, no_table  # noqa: E402
from lib.lab import peers_folder  # noqa: E402


def measurements(options):
    return {
        "cached": Measurement(
            cached.SERVERS, lambda lab, servers: cached.run(lab, servers, options.rounds, options.seconds),
            cached.table, cached.bars),
        "es256-hit": Measurement(
            list(callers.KEYS),
            lambda lab, servers: callers.run_algorithms(lab, servers, options.caller_rounds, options.seconds),
            callers.algorithm_table, callers.algorithm_bars),
        "limits-hit": Measurement(
            list(callers.LIMITED),
            lambda lab, servers: callers.run_limits(lab, servers, options.caller_rounds, options.seconds),
            callers.limit_table, callers.limit_bars),
        "shared-limit": Measurement(
            callers.SHARED,
            lambda lab, servers: callers.run_shared(lab, servers, options.caller_rounds, options.seconds),
            callers.shared_table, callers.shared_bars),
        "forged-flood": Measurement(
            flood.SERVERS,
            lambda lab, servers: flood.run(lab, servers, options.flood_rounds),
            flood.table, flood.bars),
        "relay": Measurement(
            relay.SERVERS, lambda lab, servers: relay.run(lab, servers, options.relay_rounds),
            relay.table, relay.bars),
        "crowd": Measurement(["sekisho"], lambda lab, _: relay.run_crowd(lab), no_table, relay.crowd_bars),
        "idle": Measurement(idle.SERVERS, idle.run, idle.table, idle.bars),
        "micro": Measurement(
            ["sekisho"], lambda lab, _: micro.run(lab, options.micro_rounds, options.micro_seconds),
            lambda result, _: micro.table(result), micro.bars),
        "alloc": Measurement(
            ["sekisho"], lambda lab, _: alloc.run(lab), lambda result, _: alloc.table(result), no_bars),
    }


def parse_arguments():
    parser = driver.argument_parser(__doc__, ["cached", "es256-hit", "limits-hit", "shared-limit", "forged-flood",
                                              "relay", "crowd", "idle", "micro", "alloc"])
    parser.add_argument("--rounds", type=int, help="of the cache measurement (15)")
    parser.add_argument("--seconds", type=int, help="of each of them (2)")
    parser.add_argument("--caller-rounds", type=int, help="of es256-hit, limits-hit and shared-limit (7)")
    parser.add_argument("--flood-rounds", type=int, help="(3)")
    parser.add_argument("--relay-rounds", type=int, help="(5)")
    parser.add_argument("--micro-rounds", type=int, help="(5)")
    parser.add_argument("--envoy", default=os.path.join(peers_folder(), "envoy"))
    return driver.parse(parser, {"rounds": (15, 5), "seconds": (2, 1), "caller_rounds": (7, 2),
                                 "flood_rounds": (3, 1), "relay_rounds": (5, 2),
                                 "micro_rounds": (5, 3), "micro_seconds": (0.2, 0.05)})


if __name__ == "__main__":
    chosen = parse_arguments()
    sys.exit(driver.run(chosen, measurements(chosen), {"envoy": chosen.envoy}))
