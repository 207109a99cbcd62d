"""What a name means may change, and one of its addresses may be dead: connections follow, and nobody waits for long."""
import threading
import time

import pytest

from lib.deadline import SLOW, holds, until
from lib.dns import AAAA, Dns
from lib.gateway import complaint
from lib.origin import Origin, says
from lib.peers import free_port
from lib.sockets import BlackHole, connecting_to

TTL = 1


@pytest.fixture
def dns():
    server = Dns()
    yield server
    server.stop()


@pytest.fixture
def place():
    """place("127.0.0.2") is an origin there that says where it is; all of a test have the same port."""
    port, made = free_port(), []

    def make(host: str) -> Origin:
        made.append(Origin(port=port, host=host))
        made[-1].otherwise(lambda ask: ask.reply(host.encode()))
        return made[-1]

    make.port = port
    yield make
    for one in made:
        one.stop()


def towards(dns, port: int, name: str = "origin.test", pool=None, **more):
    """One worker, so that there is one look-up, beside that of /ready."""
    origin = {"type": "http", "url": f"http://{name}:{port}", "pool": pool or {}}
    return {"workers": 1, "resolver": {"servers": [dns.address], "timeout": "100ms", "tries": 1},
            "origins": {"app": origin | more}, "routes": [{"path": "/", "origin": "app", "cache": "off"}]}


def where(client) -> str:
    reply = client.get("/")
    assert reply.status == 200, reply
    return reply.text


def follows(client, to: str) -> float:
    """Asks all the time until the answers come from there, all of them; how long that took."""
    began = time.monotonic()
    until(lambda: where(client) == to, TTL + 5, f"an answer of {to}")
    took = time.monotonic() - began
    assert all(where(client) == to for _ in range(20))
    return took


def took(client) -> float:
    began = time.monotonic()
    where(client)
    return time.monotonic() - began


# ---- a name that moves


def leaving(gateway, dns, place):
    """The origin that the name is about to leave, and a gateway before it."""
    old, _ = place("127.0.0.1"), place("127.0.0.2")
    dns.say("origin.test", "127.0.0.1", ttl=TTL)
    return old, gateway(towards(dns, place.port))


def test_steady_traffic_follows_a_name_that_moves(gateway, dns, place):
    old, gw = leaving(gateway, dns, place)
    with gw.client() as client:
        assert where(client) == "127.0.0.1"
        dns.say("origin.test", "127.0.0.2", ttl=TTL)
        assert follows(client, "127.0.0.2") <= (TTL + 1) * SLOW
    until(lambda: all(one.gone.is_set() for one in old.connections), 5, "the old connections to be closed")


def test_a_reload_does_not_keep_them_either(gateway, dns, place):
    old, gw = leaving(gateway, dns, place)
    with gw.client() as client:
        assert where(client) == "127.0.0.1"
        dns.say("origin.test", "127.0.0.2", ttl=TTL)
        assert gw.reload().ok
        assert follows(client, "127.0.0.2") <= (TTL + 1) * SLOW
        assert gw.reload().ok
        assert where(client) == "127.0.0.2"
    until(lambda: all(one.gone.is_set() for one in old.connections), 5, "the old connections to be closed")


def test_a_reply_under_way_is_finished_where_it_began(gateway, dns, place):
    old, _ = place("127.0.0.1"), place("127.0.0.2")
    gate = threading.Event()
    old.on("/slow", says(200, {"Content-Length": "2"}, b"a", gate, b"b"))
    dns.say("origin.test", "127.0.0.1", ttl=TTL)
    gw = gateway(towards(dns, place.port))
    with gw.client() as slow, gw.client() as client:
        slow.ask("/slow")
        until(lambda: old.count("/slow") == 1, 5, "the request to be there")
        dns.say("origin.test", "127.0.0.2", ttl=TTL)
        follows(client, "127.0.0.2")
        gate.set()
        reply = slow.read()
        assert (reply.status, reply.body) == (200, b"ab")
        until(lambda: all(one.gone.is_set() for one in old.connections), 5, "its connection not to be kept")
        assert where(slow) == "127.0.0.2"


def test_another_order_of_the_same_addresses_changes_nothing(gateway, dns, place):
    first, second = place("127.0.0.1"), place("127.0.0.2")
    dns.say("origin.test", "127.0.0.1", "127.0.0.2", ttl=TTL)
    gw = gateway(towards(dns, place.port))
    with gw.client() as client:
        at = where(client)
        for turn in range(2):
            asked = dns.count("origin.test")
            dns.say("origin.test", *(["127.0.0.2", "127.0.0.1"] if turn == 0 else ["127.0.0.1", "127.0.0.2"]), ttl=TTL)
            until(lambda: where(client) and dns.count("origin.test") >= asked + 2, TTL + 5, "two more look-ups")
        assert where(client) == at
    assert len(first.connections) + len(second.connections) == 1


# ---- how often a name is looked up


def test_the_ttl_says_when_and_resolve_every_is_its_bound(gateway, dns, place):
    place("127.0.0.1")
    names = {"short.test": TTL, "long.test": 60, "bounded.test": 60, "alias.test": 60}
    for name, ttl in names.items():
        dns.say(name, "127.0.0.1", ttl=ttl)
    dns.alias("alias.test", "long.test", ttl=TTL)
    config = towards(dns, place.port)
    config["origins"] = {name: {"type": "http", "url": f"http://{name}:{place.port}"} for name in names}
    config["origins"]["bounded.test"]["pool"] = {"resolve_every": "1s"}
    config["routes"] = [{"path": f"/{name}/", "origin": name, "cache": "off"} for name in names]
    gw = gateway(config)
    with gw.client() as client:
        def asked_again() -> bool:
            for name in names:
                assert client.get(f"/{name}/").status == 200
            return all(dns.count(name) >= 5 for name in ("short.test", "bounded.test", "alias.test"))

        until(asked_again, 10, "names with a short life to be asked for again and again")
    assert dns.count("long.test") <= 2, "once by the worker, once by /ready, or once for both"
    assert dns.count("short.test") < 20, "not at the rate of requests"


def test_the_last_good_answer_serves_on(gateway, dns, place):
    place("127.0.0.1")
    dns.say("origin.test", "127.0.0.1", ttl=TTL)
    gw = gateway(towards(dns, place.port, pool={"idle": 0, "resolve_every": "1s"}))
    with gw.client() as client:
        assert where(client) == "127.0.0.1"
        for how in ("NXDOMAIN", "SERVFAIL", "silence"):
            dns.forget("origin.test")
            dns.failure = 2 if how == "SERVFAIL" else None
            dns.silent = how == "silence"
            asked = dns.count("origin.test")
            until(lambda: took(client) < 0.5 * SLOW and dns.count("origin.test") >= asked + 3, 10, f"three times {how}")
        dns.silent = False
        place("127.0.0.2")
        dns.say("origin.test", "127.0.0.2", ttl=TTL)
        follows(client, "127.0.0.2")


def test_a_name_that_is_not_there_is_not_asked_for_at_the_rate_of_requests(gateway, dns, place):
    gw = gateway(towards(dns, place.port), wait="listening")
    began = time.monotonic()
    with gw.client() as client:
        for _ in range(100):
            assert client.get("/").status in (502, 504)
    assert dns.count("origin.test") <= 2 * (time.monotonic() - began + 2), "once a second, by a worker and by /ready"
    place("127.0.0.1")
    dns.say("origin.test", "127.0.0.1")
    until(lambda: gw.get("/").status == 200, 20, "the name to be found")


def test_hosts_come_before_dns(gateway, dns, place):
    place("127.0.0.1")
    gw = gateway(towards(dns, place.port, name="localhost"))
    assert gw.get("/").text == "127.0.0.1"
    assert dns.count("localhost") == 0
    assert holds(lambda: gw.get("/").status == 200, 0.2)


def test_what_the_servers_may_be(tmp_path):
    for wrong in ("dns.example", "192.0.2.1:0", "192.0.2.1:x", "[::1", "10.0.0.0/8"):
        complaint(tmp_path, {"resolver": {"servers": ["192.0.2.1", wrong]}, "apps": {"status": {"type": "status"}},
                             "routes": [{"path": "/", "app": "status"}]}, "resolver.servers[1]")


# ---- addresses that do not answer


@pytest.mark.parametrize("dead", ["127.0.0.3", "::1"])
def test_a_black_hole_costs_a_quarter_of_a_second_once(gateway, dns, place, dead):
    place("127.0.0.1")
    hole = BlackHole(dead, place.port)
    try:
        dns.say("origin.test", dead, "127.0.0.1")
        gw = gateway(towards(dns, place.port, pool={"idle": 0}, timeouts={"connect": "5s"}))
        with gw.client() as client:
            first, others = took(client), [took(client) for _ in range(10)]
        assert 0.2 <= first <= 0.4 * SLOW, first
        assert sorted(others)[5] <= 0.05 * SLOW and max(others) < 0.2 * SLOW, others
        if ":" not in dead:
            until(lambda: connecting_to(place.port) == 1, 5, "the attempts to be given up, but for the hole's own")
    finally:
        hole.stop()


def test_both_families_are_asked_for_and_take_turns(gateway, dns, place):
    """Of three addresses of one family that are dead the second waits for one of the other family."""
    place("127.0.0.1")
    hole = BlackHole("::1", place.port)
    try:
        dns.say("origin.test", "::1", "2001:db8::1", "2001:db8::2", "127.0.0.1")
        gw = gateway(towards(dns, place.port, pool={"idle": 0}))
        with gw.client() as client:
            assert took(client) <= 0.4 * SLOW
        assert dns.count("origin.test", AAAA) >= 1
    finally:
        hole.stop()


def test_an_address_that_refuses_costs_nothing(gateway, dns, place):
    place("127.0.0.1")
    dns.say("origin.test", "127.0.0.4", "::1", "127.0.0.1")
    gw = gateway(towards(dns, place.port, pool={"idle": 0}))
    with gw.client() as client:
        assert max(took(client) for _ in range(10)) <= 0.1 * SLOW


def test_what_is_told_when_nobody_answers(gateway, dns, place):
    hole = BlackHole("127.0.0.3", place.port)
    try:
        for name, addresses in {"none.test": ["127.0.0.4", "127.0.0.5"], "hole.test": ["127.0.0.3"],
                                "both.test": ["127.0.0.3", "127.0.0.4"]}.items():
            dns.say(name, *addresses)
        config = towards(dns, place.port)
        config["origins"] = {name: {"type": "http", "url": f"http://{name}.test:{place.port}",
                                    "timeouts": {"connect": "500ms"}} for name in ("none", "hole", "both")}
        config["routes"] = [{"path": f"/{name}/", "origin": name, "cache": "off"} for name in ("none", "hole", "both")]
        gw = gateway(config, wait="listening")
        assert gw.get("/none/").status == 502
        for name in ("hole", "both"):
            began = time.monotonic()
            assert gw.get(f"/{name}/").status == 504
            assert 0.4 <= time.monotonic() - began <= 1 * SLOW
    finally:
        hole.stop()


# ---- others that go by names


def test_redis_is_found_by_name(gateway, dns, place, redis):
    place("127.0.0.1")
    dns.say("origin.test", "127.0.0.1")
    dns.say("redis.test", "127.0.0.9", "127.0.0.1")
    config = towards(dns, place.port) | {"redis": f"redis://redis.test:{redis.port}"}
    gw = gateway(config)
    until(lambda: gw.logged("redis is connected"), 10, "Redis to be found")
