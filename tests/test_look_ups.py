"""Names that nobody answers for hold up no others, nor the end of the process, and are asked for ever less."""
import signal
import threading
import time

import pytest

from lib.deadline import SLOW, until
from lib.dns import Dns
from lib.gateway import Gateway

SICK = [f"sick{number}.test" for number in range(8)]


@pytest.fixture
def dns():
    server = Dns()
    yield server
    server.stop()


def towards(dns, port: int, sick=(), **more) -> dict:
    """An origin that is needed and moves all the time, and others whose DNS server says nothing, for six seconds a look-up."""
    dns.say("good.test", "127.0.0.1", ttl=1)
    dns.mute(*sick)
    origins = {name: {"type": "http", "url": f"http://{name}:{port}", "optional": True} for name in sick}
    return {"workers": 1, "resolver": {"servers": [dns.address]},
            "origins": {"good": {"type": "http", "url": f"http://good.test:{port}"}} | origins,
            "routes": [{"path": "/good", "origin": "good", "cache": "off"}]
            + [{"path": f"/{name}", "origin": name, "cache": "off"} for name in sick]} | more


def asked_all(dns, names=SICK) -> bool:
    return all(dns.count(name) for name in names)


def asked_any(dns) -> bool:
    return any(dns.count(name) for name in SICK)


# ---- others


def test_names_that_nobody_answers_for_hold_up_no_other(gateway, dns, origin):
    origin.otherwise(lambda ask: ask.reply(b"here"))
    gw = gateway(towards(dns, origin.port, SICK), wait="listening")
    until(lambda: asked_all(dns), 5, "all names to be asked for at a time")
    asked = dns.count("good.test")
    with gw.client() as client:
        began = time.monotonic()
        while dns.count("good.test") < asked + 4:
            reply = client.get("/good")
            assert reply.status == 200, reply
            assert time.monotonic() - began < 15 * SLOW, "it is looked up again when its ttl has passed"
    assert gw.ready().status == 200


def test_a_name_is_asked_for_once_at_a_time(gateway, dns, origin):
    """By two workers and /ready: a question and one more when there was no answer, of one look-up and not of three."""
    gw = gateway(towards(dns, origin.port, SICK[:1], workers=2,
                         resolver={"servers": [dns.address], "timeout": "5s", "tries": 1}), wait="listening")
    until(lambda: asked_all(dns, SICK[:1]), 5, "the name to be asked for")
    threads = [threading.Thread(target=gw.get, args=(f"/{SICK[0]}",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dns.count(SICK[0]) == 1


def test_a_name_that_keeps_failing_is_asked_for_ever_less(gateway, dns, origin):
    gw = gateway(towards(dns, origin.port, ["none.test"]) | {"resolver": {"servers": [dns.address], "tries": 1}},
                 wait="listening")
    dns.muted.clear()  # there is no such name
    until(lambda: dns.count("none.test"), 5, "the first question")
    began = time.monotonic()
    with gw.client() as client:
        while time.monotonic() - began < 6:
            assert client.get("/none.test").status in (502, 504)
    assert dns.count("none.test") <= 8, "at 0, 1, 3 and 7 s, by the worker and by /ready"
    dns.say("none.test", "127.0.0.1")
    origin.otherwise(lambda ask: ask.reply(b"here"))
    until(lambda: gw.get("/none.test").status == 200, 20, "the name to be found")


@pytest.fixture
def system_dns():
    """The system's, which is asked at port 53."""
    try:
        server = Dns("127.0.53.1", 53)
    except PermissionError:
        pytest.skip("port 53 is not for us")
    yield server
    server.stop()


def test_where_dns_fails_the_system_is_not_asked(gateway, system_dns, origin):
    """It would ask the same server, more often, and take what is older or comes from elsewhere."""
    system_dns.failure = 2
    config = towards(system_dns, origin.port, resolver={"timeout": "1s", "tries": 1})
    gateway(config, wait="listening", name_server="127.0.53.1")
    until(lambda: system_dns.count("good.test"), 5, "the first question")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 3.5, 5, "three look-ups, by /ready alone")
    assert system_dns.count("good.test") <= 4, "one question each"


# ---- the end


@pytest.mark.parametrize("signals", [1, 3])
def test_the_end_waits_for_no_look_up(tmp_path, dns, origin, signals):
    """Nobody is served: what is under way is for /ready alone."""
    gw = Gateway(tmp_path / "gateway", towards(dns, origin.port, SICK, shutdown={"timeout": "1s"})).start("listening")
    until(lambda: asked_any(dns), 5, "look-ups under way")
    began = time.monotonic()
    for _ in range(signals):
        gw.signal(signal.SIGTERM)
    assert gw.wait(30) in ((0,) if signals == 1 else (0, 1)), "the others say that it has taken long enough"
    assert time.monotonic() - began < 4 * SLOW
    assert gw.logged("stopped") and not gw.logged("a worker did not stop")


def test_the_end_waits_for_no_look_up_of_a_request(tmp_path, dns, origin):
    """Cut after shutdown.timeout, like any other request that is not finished."""
    config = towards(dns, origin.port, SICK, shutdown={"timeout": "1s"})
    for name in SICK:
        config["origins"][name]["timeouts"] = {"connect": "60s"}
    gw = Gateway(tmp_path / "gateway", config).start("listening")
    clients = [gw.client() for _ in SICK]
    for client, name in zip(clients, SICK):
        client.ask(f"/{name}")
    until(lambda: asked_any(dns), 5, "look-ups under way")
    began = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait(30) in (0, 1)
    assert time.monotonic() - began < 5 * SLOW
    assert gw.logged("stopped") and not gw.logged("a worker did not stop")
    for client in clients:
        client.close()


def test_the_end_waits_for_no_look_up_of_an_issuer(tmp_path, dns, origin):
    config = towards(dns, origin.port, shutdown={"timeout": "1s"})
    dns.mute("issuer.test")
    config["identities"] = {"them": {"type": "jwt", "issuer": "https://issuer.test", "audience": "any", "optional": True,
                                     "algorithms": ["ES256"], "jwks": {"url": "https://issuer.test/keys"}}}
    config["routes"][0]["identity"] = "them"
    gw = Gateway(tmp_path / "gateway", config).start("listening")
    until(lambda: dns.count("issuer.test"), 5, "the look-up to be under way")
    began = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait(30) == 0
    assert time.monotonic() - began < 4 * SLOW
