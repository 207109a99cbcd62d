"""Shared limits over a Redis that is well but far away: nobody waits for it for long, and as much is admitted."""
import threading
import time

import pytest

from lib.deadline import patience, until
from lib.wire_proxy import WireProxy

# One way, so that round trips are 2 to 200 ms; and workers.
DELAYS = [("1ms", 1), ("5ms", 4), ("15ms", 1), ("40ms", 4), ("100ms", 1), ("100ms", 4)]


def site(origin, redis_port: int, limit: dict, workers: int) -> dict:
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "workers": workers,
            "rates": {"ours": {"shared": True} | limit}, "limits": {"failures": "off", "rates": ["ours"]},
            "redis": {"url": f"redis://127.0.0.1:{redis_port}", "timeout": "2s"},
            "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}}]}


def paced(gw, clients: int, each: float, seconds: float):
    """Requests on a schedule, whatever their replies: [(status, seconds)]."""
    got, lock = [], threading.Lock()
    begin = time.monotonic() + 0.1

    def ask(number):
        mine = []
        with gw.client() as client:
            for turn in range(int(seconds * each)):
                due = begin + (turn + number / clients) / each
                time.sleep(max(0, due - time.monotonic()))
                sent = time.monotonic()
                mine.append((client.get("/x").status, time.monotonic() - sent))
        with lock:
            got.extend(mine)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


@pytest.fixture
def far(gateway, origin, redis):
    """A gateway whose Redis is so far away, once it has reached it."""
    wires = []

    def start(one_way, limit, workers):
        wires.append(WireProxy(redis.port, f"latency:{one_way}"))
        gw = gateway(site(origin, wires[-1].port, limit, workers))
        until(lambda: gw.total("sekisho_redis_up") == 1, 10, "Redis to be connected")
        return gw

    yield start
    for wire in wires:
        wire.stop()


@pytest.mark.parametrize("one_way, workers", DELAYS)
def test_nobody_waits_long_who_is_nowhere_near_the_limit(far, one_way, workers):
    gw = far(one_way, {"requests": "3000/s", "burst": 3000}, workers)
    got = paced(gw, 20, 15, 2)
    assert {status for status, _ in got} == {200}
    times = sorted(took for _, took in got)
    assert times[len(times) * 99 // 100] <= patience(0.06), [round(t, 3) for t in times[-20:]]


@pytest.mark.parametrize("one_way, workers", DELAYS)
def test_as_much_is_admitted_as_over_a_fast_one(far, one_way, workers):
    gw = far(one_way, {"requests": "100/s", "burst": 100}, workers)
    began = time.monotonic()
    got = paced(gw, 20, 15, 3)
    expected = 100 + 100 * (time.monotonic() - began - 0.1)
    granted = sum(status == 200 for status, _ in got)
    assert {status for status, _ in got} == {200, 429}
    assert abs(granted - expected) <= 0.05 * expected, (granted, expected)
    times = sorted(took for _, took in got)
    assert times[len(times) * 99 // 100] <= patience(0.06), [round(t, 3) for t in times[-20:]]
