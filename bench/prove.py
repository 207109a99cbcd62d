#!/usr/bin/env python3
"""Measures `sekisho prove` beside other load generators on this machine, and says whether it is as good as it must be.

    bench/prove.py                                       everything: about fifteen minutes
    bench/prove.py --quick --only efficiency --peers sekisho,wrk       half a minute, while changing code

See bench/README.md. Exit code: 0 all bars hold, 1 a miss that a second run confirms, 2 the bench could not run.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import driver, efficiency, growth, stall, timers  # noqa: E402
from lib.driver import Measurement, no_bars  # noqa: E402
from lib.lab import peers_folder  # noqa: E402


def measurements(options):
    rates = {"sekisho": options.rate} if options.rate else {}  # filled by the first that calibrates
    return {
        "timers": Measurement(
            timers.SERVERS, lambda lab, _: timers.run(lab), lambda result, _: timers.table(result), timers.bars),
        "efficiency": Measurement(
            efficiency.SERVERS,
            lambda lab, servers: efficiency.run(lab, servers, rates, options.rounds, options.seconds),
            efficiency.table, efficiency.bars),
        "stall": Measurement(stall.SERVERS, stall.run, stall.table, no_bars),
        "memory": Measurement(
            growth.SERVERS, lambda lab, _: growth.run(lab, rates, options.warm_up, options.memory_seconds),
            lambda result, _: growth.table(result), growth.bars),
    }


def parse_arguments():
    parser = driver.argument_parser(__doc__, ["timers", "efficiency", "stall", "memory"])
    parser.add_argument("--rounds", type=int, help="of the efficiency measurement (9)")
    parser.add_argument("--seconds", type=int, help="of each of them (3)")
    parser.add_argument("--rate", type=int, help="requests a second of sekisho's, instead of a calibration")
    parser.add_argument("--warm-up", type=int, help="seconds before memory is looked at (30)")
    parser.add_argument("--memory-seconds", type=int, help="seconds that it is then looked at (300)")
    return driver.parse(parser, {"rounds": (9, 3), "seconds": (3, 1), "warm_up": (30, 5), "memory_seconds": (300, 20)})


def programs():
    peers = peers_folder()
    return {"k6": os.path.join(peers, "k6"), "hey": os.path.join(peers, "hey"),
            "artillery": os.path.join(peers, "artillery", "node_modules", "artillery", "bin", "run")}


if __name__ == "__main__":
    chosen = parse_arguments()
    sys.exit(driver.run(chosen, measurements(chosen), programs()))
