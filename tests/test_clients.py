"""Whose word about the client's address is believed: PROXY protocol v2, Forwarded (RFC 7239), X-Forwarded-For."""
import socket
import struct
import time

import pytest

from lib.configs import app
from lib.deadline import patience, until
from lib.gateway import instrumented
from lib.peers import Peer, find
from lib.tokens import AUDIENCE, ISSUER, SECRET, hs256
from lib.wire import Client, cache_status, fetch, is_hit

PROXY = "127.0.0.1"  # trusted in every test
STRANGER = "127.0.0.2"
HEAD = b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class From(Client):
    """A client that connects from an address of the test's choice."""

    def __init__(self, address, source: str, timeout: float = 10):
        self.socket = socket.create_connection(address, patience(timeout), (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""


# ---- headers of the PROXY protocol, as its specification has them


def header(command: int, family: int, block: bytes = b"") -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(block)) + block


def proxied(source: str, *tlvs: bytes, port: int = 40000) -> bytes:
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    there = "2001:db8::1" if ":" in source else "192.0.2.1"
    addresses = socket.inet_pton(kind, source) + socket.inet_pton(kind, there) + struct.pack(">HH", port, 443)
    return header(0x21, 0x21 if ":" in source else 0x11, addresses + b"".join(tlvs))


def tlv(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + struct.pack(">H", len(value)) + value


def crc32c(data: bytes) -> int:
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def checked(source: str, error: int = 0) -> bytes:
    bare = proxied(source, tlv(0x02, b"shop.test"), tlv(0x03, bytes(4)))
    return bare[:-4] + struct.pack(">I", crc32c(bare) ^ error)


def at_proxy_listener(origin, **more) -> dict:
    return app(origin) | {"listen": {"address": "127.0.0.1:0", "proxy_protocol": True},
                          "trusted_proxies": [PROXY, "10.0.0.0/8"]} | more


@pytest.fixture(scope="module")
def gw(module_gateway, module_origin):
    gateway = module_gateway(at_proxy_listener(module_origin))
    gateway.origin = module_origin
    return gateway


def client_of(gw, reply) -> str:
    return gw.access_for(lambda record: record["request_id"] == reply["X-Request-Id"])["client"]


def refusals(gw, reason: str) -> float:
    return gw.total("sekisho_connections_refused_total", reason=reason)


# ---- PROXY protocol


@pytest.mark.parametrize("source, shown", [("203.0.113.9", "203.0.113.9"), ("2001:db8::9", "2001:db8::9"),
                                           ("::ffff:203.0.113.9", "203.0.113.9")])
def test_the_address_that_a_proxy_tells_is_the_peer(gw, source, shown):
    with gw.client() as client:
        client.send(proxied(source) + HEAD + b"\r\n")
        replies = [client.read()]
        replies += [client.get("/x") for _ in range(3)]  # it holds for the whole connection
    assert {client_of(gw, reply) for reply in replies} == {shown}
    assert {ask.get("X-Forwarded-For") for ask in gw.origin.requests[-4:]} == {shown}


def test_a_header_may_come_in_single_bytes_and_alone(gw):
    data = checked("203.0.113.10") + HEAD + b"\r\n"
    with gw.client() as client:
        for i in range(len(data)):
            client.send(data[i:i + 1])
        assert client_of(gw, client.read()) == "203.0.113.10"
    for cut in (1, 12, 13, 16, 27, len(proxied("203.0.113.11"))):
        data = proxied("203.0.113.11") + HEAD + b"\r\n"
        with gw.client() as client:
            client.send(data[:cut])
            assert not client.closed(0.05)
            client.send(data[cut:])
            assert client_of(gw, client.read()) == "203.0.113.11"


def test_tlvs_are_passed_over_and_a_checksum_is_verified(gw):
    for data in (proxied("203.0.113.12", tlv(0x04, b""), tlv(0xea, b"x" * 3000)), checked("203.0.113.12")):
        with gw.client() as client:
            client.send(data + HEAD + b"\r\n")
            assert client_of(gw, client.read()) == "203.0.113.12"


def test_local_is_the_proxy_itself(gw):
    with gw.client() as client:
        client.send(header(0x20, 0) + HEAD + b"X-Forwarded-For: 203.0.113.13\r\n\r\n")
        assert client_of(gw, client.read()) == "203.0.113.13"
    with gw.client() as client:
        client.send(header(0x20, 0x11, b"whatever") + HEAD + b"\r\n")
        assert client_of(gw, client.read()) == PROXY


@pytest.mark.parametrize("data", [header(0x21, 0), header(0x21, 0x31, b"/tmp/a".ljust(216, b"\0"))],
                         ids=["unspec", "unix"])
def test_of_a_client_without_a_name_nothing_is_believed(gw, data):
    with gw.client() as client:
        client.send(data + HEAD + b"X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n")
        assert client_of(gw, client.read()) == PROXY
    assert gw.origin.last.get("X-Forwarded-For") == PROXY


def test_the_told_address_decides_about_the_fields(gw):
    with gw.client() as client:
        client.send(proxied("203.0.113.14") + HEAD + b"X-Forwarded-For: 6.6.6.6\r\nForwarded: for=7.7.7.7\r\n\r\n")
        assert client_of(gw, client.read()) == "203.0.113.14"
    assert gw.origin.last.get("X-Forwarded-For") == "203.0.113.14"
    with gw.client() as client:  # a trusted proxy behind another
        client.send(proxied("10.1.2.3") + HEAD + b"X-Forwarded-For: 203.0.113.15\r\n\r\n")
        assert client_of(gw, client.read()) == "203.0.113.15"
    assert gw.origin.last.get("X-Forwarded-For") == "203.0.113.15, 10.1.2.3"


def test_a_stranger_is_closed_at_once_whatever_it_says(gw):
    before, asked = refusals(gw, "untrusted_proxy"), len(gw.origin.requests)
    for data in (b"", proxied("203.0.113.16") + HEAD + b"\r\n", HEAD + b"\r\n"):
        with From(gw.address, STRANGER) as client:
            try:
                client.send(data)
            except OSError:
                pass
            assert client.closed(5)
            assert client.buffer == b""
    assert refusals(gw, "untrusted_proxy") == before + 3
    assert len(gw.origin.requests) == asked
    assert gw.logged("connection refused: not from a trusted proxy")[0]["peer"] == STRANGER


BAD = {
    "version 1": b"PROXY TCP4 203.0.113.17 192.0.2.1 1 443\r\n",
    "a request": HEAD + b"\r\n",
    "tls": b"\x16\x03\x01\x02\x00",
    "wrong checksum": checked("203.0.113.17", error=1),
    "udp": header(0x21, 0x12, bytes(12)),
    "unknown command": header(0x22, 0x11, bytes(12)),
    "short": header(0x21, 0x21, bytes(12)),
    "too long": SIGNATURE + b"\x21\x11\xff\xff",
    "cut TLV": proxied("203.0.113.17", b"\x01\x00"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_header_is_closed_without_a_word(gw, name):
    before, asked = refusals(gw, "proxy_header"), len(gw.origin.requests)
    with gw.client() as client:
        client.send(BAD[name] + HEAD + b"\r\n")
        assert client.closed(5)
        assert client.buffer == b""
    assert refusals(gw, "proxy_header") == before + 1
    assert len(gw.origin.requests) == asked


def test_version_1_is_told_apart_in_the_log(gateway, origin):
    gw = gateway(at_proxy_listener(origin))
    with gw.client() as client:
        client.send(BAD["version 1"])
        assert client.closed(5)
    assert "version 1" in until(lambda: gw.logged("connection refused: no good PROXY header"))[0]["reason"]


def test_a_client_that_leaves_before_or_within_its_header(gw):
    before = refusals(gw, "proxy_header")
    with gw.client():
        pass  # a balancer's probe: no fault
    with gw.client() as client:
        client.send(proxied("203.0.113.18")[:20])
    until(lambda: refusals(gw, "proxy_header") == before + 1, 5, "the header that ended early to be counted")


def test_a_slow_header_has_a_deadline(gateway, origin):
    gw = gateway(at_proxy_listener(origin, timeouts={"header": "300ms"}))
    began = time.monotonic()
    with gw.client() as silent, gw.client() as slow, gw.client() as drips:
        slow.send(proxied("203.0.113.19")[:-1])
        for byte in SIGNATURE[:8]:
            drips.send(bytes([byte]))
        for client in (silent, slow, drips):
            assert client.closed(5)
            assert client.buffer == b""
    assert time.monotonic() - began < patience(3)
    assert refusals(gw, "proxy_header") == 2
    with gw.client() as client:  # and a good one followed by nothing
        client.send(proxied("203.0.113.19"))
        assert client.closed(5)


def test_other_listeners_take_a_header_for_a_malformed_request(gateway, origin):
    gw = gateway(app(origin) | {"trusted_proxies": [PROXY]})
    for data in (proxied("6.6.6.6"), BAD["version 1"]):
        with gw.client() as client:
            client.send(data + HEAD + b"\r\n")
            assert client.read().status in (400, 501)  # PROXY might be a method
            assert client.closed()
    assert origin.requests == []


def test_a_plain_listener_and_one_with_headers_live_side_by_side(gateway, origin):
    gw = gateway(app(origin) | {"listen": ["127.0.0.1:0", {"address": "127.0.0.3:0", "proxy_protocol": True}],
                                "trusted_proxies": [PROXY]})
    with_headers = next(record["address"] for record in gw.logged("listening") if "127.0.0.3" in record["address"])
    address = ("127.0.0.3", int(with_headers.rpartition(":")[2]))
    assert client_of(gw, gw.get("/x")) == PROXY
    with From(address, PROXY) as client:
        client.send(proxied("203.0.113.20") + HEAD + b"\r\n")
        assert client_of(gw, client.read()) == "203.0.113.20"
    with From(address, PROXY) as client:
        client.send(HEAD + b"\r\n")
        assert client.closed(5)


def test_idle_connections_of_a_proxy_are_small(gateway, origin):
    if instrumented():
        pytest.skip("a sanitizer's memory is not the gateway's")
    gw = gateway(at_proxy_listener(origin, timeouts={"header": "60s"}))
    with gw.client() as client:
        client.send(proxied("203.0.113.21") + HEAD + b"\r\n")
        client.read()
    before = gw.rss()
    silent = [gw.client() for _ in range(2500)]
    told = [gw.client() for _ in range(2500)]
    for client in told:
        client.send(proxied("2001:db8::21"))
    try:
        until(lambda: gw.total("sekisho_connections_active") >= 5000, 20, "5,000 connections")
        for client in told[-20:]:  # by then the headers of all have been read
            client.send(HEAD + b"\r\n")
            assert client_of(gw, client.read()) == "2001:db8::21"
        assert (gw.rss() - before) / 5000 < 4096
    finally:
        for client in silent + told:
            client.close()


def test_a_shutdown_does_not_wait_for_proxies_that_say_nothing(gateway, origin):
    gw = gateway(at_proxy_listener(origin))
    with gw.client(), gw.client() as told:
        told.send(proxied("203.0.113.22"))
        until(lambda: gw.total("sekisho_connections_active") == 2, 5, "both connections")
        began = time.monotonic()
        gw.stop()
        assert time.monotonic() - began < patience(8)


# ---- Forwarded and X-Forwarded-For


@pytest.fixture(scope="module")
def behind(module_gateway, module_origin):
    """Behind trusted proxies that write fields."""
    gateway = module_gateway(app(module_origin) | {"trusted_proxies": [PROXY, "10.0.0.0/8", "fd00::/8"]})
    gateway.origin = module_origin
    return gateway


@pytest.mark.parametrize("value, client", [
    ("for=203.0.113.9", "203.0.113.9"),
    ('for="203.0.113.9:4711"', "203.0.113.9"),
    ('For="[2001:db8::9]:4711";proto=https', "2001:db8::9"),
    ('for="[::ffff:203.0.113.9]"', "203.0.113.9"),
    ("for=6.6.6.6, for=203.0.113.9, for=10.1.2.3", "203.0.113.9"),
    ('for=6.6.6.6, for=203.0.113.9, for="[fd00::1]", for=10.1.2.3', "203.0.113.9"),
    ('for="_x, for=9.9.9.9";host=a, for=203.0.113.9', None),  # a node that is none
    ('ext="a, for=6.6.6.6", for=203.0.113.9', "203.0.113.9"),
    ("for=10.3.3.3, for=10.2.2.2", "10.3.3.3"),  # all are ours: the farthest
    ("for=6.6.6.6, for=unknown", PROXY),  # whom our proxy does not know nobody does
    ("for=6.6.6.6, for=_hidden, for=10.2.2.2", "10.2.2.2"),
    ("proto=https", PROXY),
    ("", PROXY),
    ("for=203.0.113.9;for=6.6.6.6", None),
    ('for="evil, for=203.0.113.9', None),
    ("for=2001:db8::9", None),
    ("garbage", None),
])
def test_forwarded_of_a_trusted_proxy(behind, value, client):
    reply = behind.get("/x", {"Forwarded": value})
    assert reply.status == (200 if client else 400)
    assert client_of(behind, reply) == (client or PROXY)


def test_forwarded_fields_of_several_lines_are_one_list(behind):
    reply = behind.get("/x", [("Forwarded", "for=6.6.6.6"), ("Forwarded", "for=203.0.113.9"),
                              ("Forwarded", "for=10.1.1.1")])
    assert client_of(behind, reply) == "203.0.113.9"
    reply = behind.get("/x", [("X-Forwarded-For", "6.6.6.6, 203.0.113.9"), ("X-Forwarded-For", "10.1.1.1")])
    assert client_of(behind, reply) == "203.0.113.9"


@pytest.mark.parametrize("value, client", [
    ("203.0.113.9:4711", "203.0.113.9"),
    ("[2001:db8::9]:4711", "2001:db8::9"),
    ("2001:db8::9", "2001:db8::9"),
    ("::ffff:203.0.113.9", "203.0.113.9"),
    ("6.6.6.6, unknown", PROXY),
    ("6.6.6.6, ::ffff:10.1.1.1", "6.6.6.6"),
])
def test_hops_of_x_forwarded_for_as_proxies_write_them(behind, value, client):
    assert client_of(behind, behind.get("/x", {"X-Forwarded-For": value})) == client


@pytest.mark.parametrize("fields, status", [
    ({"Forwarded": "for=203.0.113.9", "X-Forwarded-For": "203.0.113.9"}, 200),
    ({"Forwarded": 'for="[::ffff:203.0.113.9]:80"', "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.1.1.1"}, 200),
    # A proxy that writes the one passes on the other as a stranger wrote it, whichever that is.
    ({"Forwarded": "for=6.6.6.6", "X-Forwarded-For": "203.0.113.9"}, 400),
    ({"Forwarded": "for=203.0.113.9", "X-Forwarded-For": "6.6.6.6"}, 400),
    ({"Forwarded": "for=203.0.113.9", "X-Forwarded-For": "garbage"}, 400),
    ({"Forwarded": "for=203.0.113.9;proto=https", "X-Forwarded-Proto": "http"}, 400),
    ({"Forwarded": "for=203.0.113.9;host=evil.test", "X-Forwarded-Host": "shop.test"}, 400),
    ({"Forwarded": "for=203.0.113.9;proto=HTTPS;host=shop.test", "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "shop.test"}, 200),
])
def test_fields_that_contradict_each_other_are_refused(behind, fields, status):
    reply = behind.get("/x", fields)
    assert reply.status == status
    assert client_of(behind, reply) == ("203.0.113.9" if status == 200 else PROXY)


def test_the_connection_of_a_refused_request_serves_on(behind):
    with behind.client() as client:
        assert client.get("/x", {"Forwarded": "garbage"}).status == 400
        assert client.get("/x", {"Forwarded": "for=203.0.113.9"}).status == 200


def test_to_the_origin_goes_one_story(behind):
    behind.get("/x", {"Forwarded": 'for=6.6.6.6;host=old, for="[2001:db8::9]";proto=https;host=shop.test, for=10.1.1.1'})
    ask = behind.origin.last
    assert "Forwarded" not in ask
    assert ask.get("X-Forwarded-For") == "2001:db8::9, 127.0.0.1"
    assert ask.get("X-Forwarded-Proto") == "https" and ask.get("X-Forwarded-Host") == "shop.test"
    behind.get("/x", {"Forwarded": "for=203.0.113.9", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    assert behind.origin.last.get("X-Forwarded-For") == "6.6.6.6, 203.0.113.9, 127.0.0.1"
    assert "Forwarded" not in behind.origin.last


def test_nothing_of_a_stranger_is_believed_or_passed_on(behind):
    fields = {"Forwarded": "for=10.1.1.1;proto=https;host=evil.test", "X-Forwarded-For": "6.6.6.6, garbage",
              "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test", "X-Request-Id": "evil"}
    with From(behind.address, STRANGER) as client:
        for value in (fields["Forwarded"], 'for="open'):  # what is not believed cannot be wrong either
            reply = client.get("/x", fields | {"Forwarded": value})
            assert reply.status == 200 and reply["X-Request-Id"] != "evil"
            assert client_of(behind, reply) == STRANGER
            ask = behind.origin.last
            assert "Forwarded" not in ask and ask.get("X-Forwarded-For") == STRANGER
            assert ask.get("X-Forwarded-Proto") == "http" and ask.get("X-Forwarded-Host") == "gateway.test"


def test_what_the_origin_is_told_of_the_host_divides_the_cache(behind):
    behind.origin.on("/host", lambda ask: ask.reply(ask.get("X-Forwarded-Host").encode(),
                                                    fields={"Cache-Control": "max-age=60"}))
    for _ in range(2):
        for host in ("a.test", "b.test"):
            assert behind.get("/host", {"Forwarded": f"for=203.0.113.9;host={host}"}).text == host
    assert is_hit(behind.get("/host", {"Forwarded": "for=203.0.113.99;host=a.test"}))


# ---- what it is for


def test_limits_by_address_go_by_the_client_that_is_believed(gateway, origin):
    gw = gateway(app(origin, rates="each") | {"rates": {"each": {"requests": "1/m", "burst": 2, "per": "address"}},
                                              "trusted_proxies": [PROXY]})

    def statuses(*fields):
        return [gw.get("/x", each).status for each in fields]

    # The same address however it is written, and whatever a stranger put before it.
    assert statuses({"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": 'for="203.0.113.9:80"'},
                    {"X-Forwarded-For": "::ffff:203.0.113.9"}, {"X-Forwarded-For": "1.1.1.1, 203.0.113.9"},
                    {"X-Forwarded-For": "203.0.113.10"}) == [200, 200, 429, 429, 200]
    with From(gw.address, STRANGER) as client:
        assert [client.get("/x", {"X-Forwarded-For": f"203.0.113.{n}"}).status for n in (50, 51, 52)] == [200, 200, 429]


def test_limits_by_address_go_by_the_address_of_the_header(gateway, origin):
    gw = gateway(at_proxy_listener(origin, rates={"each": {"requests": "1/m", "burst": 1, "per": "address"}},
                                   limits={"rates": "each"}))
    statuses = []
    for source in ("203.0.113.9", "::ffff:203.0.113.9", "203.0.113.10"):
        with gw.client() as client:
            client.send(proxied(source) + HEAD + b"\r\n")
            statuses.append(client.read().status)
    assert statuses == [200, 429, 200]


# ---- a cookie that is the credential


def with_cookie(origin, **route) -> dict:
    return app(origin, identity="staff", **route) | {
        "identities": {"staff": {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"],
                                 "keys": [{"inline": SECRET}], "from": ["bearer", {"cookie": "session"}]}}}


@pytest.mark.parametrize("cookies, passed", [
    ("session={}", None),
    ("a=1; session={}; b=2", "a=1; b=2"),
    ("session={};a=1", "a=1"),
    ("sessions=1; a=session={}; session=\"{}\"", "sessions=1; a=session={}"),
    (" a=1 ;; session={};", "a=1"),
])
def test_a_cookie_that_is_the_credential_stays_here(gateway, origin, cookies, passed):
    gw = gateway(with_cookie(origin))
    token = hs256()
    assert gw.get("/x", {"Cookie": cookies.replace("{}", token)}).status == 200
    assert origin.last.get("Cookie") == (passed and passed.replace("{}", token))


def test_a_cookie_beside_others_in_several_fields_stays_here_too(gateway, origin):
    gw = gateway(with_cookie(origin))
    assert gw.get("/x", [("Cookie", f"session={hs256()}"), ("Cookie", "a=1")]).status == 200
    assert origin.last.all("Cookie") == ["a=1"]


def test_a_cookie_goes_on_where_the_operator_says_so(gateway, origin):
    gw = gateway(with_cookie(origin, forward_authorization=True))
    cookie = f"session={hs256()}; a=1"
    for _ in range(2):
        reply = gw.get("/x", {"Cookie": cookie})
        assert "hit" not in cache_status(reply)
    assert origin.count("/x") == 2 and origin.last.get("Cookie") == cookie


def test_a_request_whose_only_cookie_was_consumed_is_served_from_the_cache(gateway, origin):
    gw = gateway(with_cookie(origin))
    origin.on("/x", lambda ask: ask.reply(b"for all", fields={"Cache-Control": "public, max-age=60"}))
    assert gw.get("/x", {"Cookie": f"session={hs256()}"}).status == 200
    assert is_hit(gw.get("/x", {"Cookie": f"session={hs256(sub='bob')}"}))
    # Another cookie may change the answer: past the cache, both ways.
    assert not is_hit(gw.get("/x", {"Cookie": f"session={hs256()}; theme=dark"}))
    assert gw.get("/x", {"Cookie": "theme=dark"}).status == 401
    assert origin.count("/x") == 2


# ---- a real peer


class HAProxy(Peer):
    """HAProxy in front of the gateway, on every loopback family that it is asked for."""

    def __init__(self, directory, gateway, mode: str = "tcp", options: str = "", bind: str = "127.0.0.1"):
        super().__init__(directory, [])
        host = f"[{bind}]" if ":" in bind else bind
        (directory / "haproxy.cfg").write_text(f"""
            global
              maxconn 200
            defaults
              mode {mode}
              timeout connect 5s
              timeout client 30s
              timeout server 30s
            frontend front
              bind {host}:{self.port}
              default_backend back
            backend back
              server gateway {gateway.address[0]}:{gateway.address[1]} send-proxy-v2 {options}
""")
        self.address = (bind, self.port)
        self.arguments = [find("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]

    def accepts(self) -> bool:
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            socket.create_connection(self.address, 1).close()
            return True
        except OSError:
            return False


@pytest.fixture
def haproxy(tmp_path):
    made = []

    def make(gateway, **more) -> HAProxy:
        made.append(HAProxy(tmp_path / f"haproxy{len(made)}", gateway, **more).start())
        until(made[-1].accepts, 10, "haproxy to listen")
        return made[-1]

    yield make
    for peer in made:
        peer.stop()


@pytest.mark.parametrize("options", ["", "proxy-v2-options crc32c,unique-id,authority,ssl"])
@pytest.mark.parametrize("mode", ["tcp", "http"])
def test_haproxy_tells_the_client(gw, haproxy, mode, options):
    peer = haproxy(gw, mode=mode, options=options)
    for source in ("127.0.0.8", "127.0.0.9"):
        with From(peer.address, source) as client:
            reply = client.get("/x", {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6"})
            assert reply.status == 200 and client_of(gw, reply) == source
            assert gw.origin.last.get("X-Forwarded-For") == source


def test_haproxy_tells_a_client_of_ipv6(gw, haproxy):
    peer = haproxy(gw, bind="::1")
    reply = fetch(peer.address, "/x")
    assert reply.status == 200 and client_of(gw, reply) == "::1"


def test_haproxys_own_checks_come_through(gw, haproxy):
    before = refusals(gw, "proxy_header")
    asked = len(gw.origin.requests)
    peer = haproxy(gw, mode="http", options="check inter 100ms check-send-proxy")
    accepted = gw.total("sekisho_connections_accepted_total")
    until(lambda: gw.total("sekisho_connections_accepted_total") > accepted + 3, 10, "some checks")
    assert fetch(peer.address, "/x").status == 200
    assert refusals(gw, "proxy_header") == before
    assert len(gw.origin.requests) == asked + 1
