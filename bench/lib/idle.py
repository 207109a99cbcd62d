"""What an idle keep-alive connection holds: RSS before and after 10,000 of them, each having had one reply."""

import contextlib

from . import cached, load
from .stats import Bar

SERVERS = ["sekisho", "nginx"]
CONNECTIONS = 10_000


def run(lab, names, connections=CONNECTIONS):
    """{server: bytes per connection}"""
    result = {}
    for name in names:
        with contextlib.ExitStack() as stack:
            server = cached.start(lab, stack, "sekisho-open" if name == "sekisho" else name, {})
            cached.fill(server)
            load.wrk(lab, server.port, server.headers, 1)  # what grows once is not the connections'
            before = server.process.rss()
            with contextlib.ExitStack() as held:
                load.hold(lab, held, server.port, connections, 60)
                result[name] = (server.process.rss() - before) / connections
            lab.say(f"  idle: {name} {result[name] / 1024:.2f} KiB")
    return result


def table(result, names):
    return [["10,000 idle connections", "KiB of RSS each"]] + [
        [name, f"{result[name] / 1024:.2f}"] for name in names]


def bars(result):
    if "sekisho" in result:
        yield Bar("idle-connection-kib", result["sekisho"] / 1024, 16, ["sekisho"])
