"""The HTTP/1.1 front: connections, framing, limits and deadlines (RFC 9110, RFC 9112)."""
import json
import socket
import threading
import time

import pytest
import yaml

from lib import configs
from lib.deadline import patience, until
from lib.gateway import complaint, instrumented, run
from lib.origin import CHUNKED, says
from lib.wire import Client, Truncated, exchange, fetch

SMUGGLED = b"GET /o/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def origin(module_origin):
    return module_origin


@pytest.fixture(scope="module")
def gw(module_gateway, origin, tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    for number in range(20):
        (site / f"{number}.txt").write_text(f"object {number}")
    return module_gateway({
        "origins": {"site": {"type": "dir", "path": str(site)}, "app": {"type": "http", "url": origin.url}},
        "limits": {"head": "4KiB", "target": "1KiB", "fields": 50, "body": "100KiB"},
        "routes": [{"path": "/", "origin": "site"}, {"path": "/o/", "origin": "app", "cache": "off"}]})


def problem(reply):
    assert reply["Content-Type"] == "application/problem+json"
    body = json.loads(reply.body)
    assert body["status"] == reply.status
    assert body["type"].startswith("urn:sekisho:problem:") and body["title"]
    assert body["request_id"] == reply["X-Request-Id"]
    return body


# ---- connections


def test_a_connection_serves_many_requests(gw):
    with gw.client() as client:
        for number in range(20):
            reply = client.get(f"/{number}.txt")
            assert (reply.status, reply.text) == (200, f"object {number}")
            assert reply.get("Connection", "").lower() != "close"


def test_errors_of_a_well_formed_request_keep_the_connection(gw):
    with gw.client() as client:
        assert client.get("/absent").status == 404
        assert client.get("/1.txt", {"Range": "bytes=99-"}).status == 416
        assert client.get("/1.txt").status == 200


def test_pipelined_requests_are_answered_in_order(gw):
    count = 300
    with gw.client() as client:
        client.send("".join(f"GET /{n % 20}.txt HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(count)))
        for number in range(count):
            assert client.read().text == f"object {number % 20}"


def test_pipelined_requests_wait_for_a_slow_one_before_them(gw, origin):
    gate = threading.Event()
    origin.on("/slow", lambda ask: (gate.wait(patience(10)), ask.reply(b"slow")))
    with gw.client() as client:
        client.send("GET /o/slow HTTP/1.1\r\nHost: x\r\n\r\nGET /3.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: origin.count("/slow"), 5, "the slow request")
        assert client.silent()
        gate.set()
        assert [client.read().text, client.read().text] == ["slow", "object 3"]


def test_a_pipelined_body_is_not_taken_for_a_request(gw, origin):
    body = b"GET /o/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    with gw.client() as client:
        client.send(b"POST /o/first HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body +
                    b"GET /5.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200
        assert client.read().text == "object 5"
    assert origin.seen("/first")[-1].body == body
    assert not origin.count("/smuggled")


def test_a_head_that_comes_byte_by_byte_is_read(gw):
    with gw.client() as client:
        for byte in b"GET /7.txt HTTP/1.1\r\nHost: x\r\nX-Long: abc\r\n\r\n":
            client.send(bytes([byte]))
        assert client.read().text == "object 7"


def test_connection_close_is_honoured(gw):
    for value in ("close", "Close", "foo, close", "keep-alive, close"):
        with gw.client() as client:
            reply = client.get("/1.txt", {"Connection": value})
            assert reply["Connection"].lower() == "close" and reply.text == "object 1"
            assert client.closed()


def test_requests_after_connection_close_are_not_answered(gw):
    with gw.client() as client:
        client.send(
            "GET /1.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /2.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().text == "object 1"
        assert client.closed()


def test_http_1_0_closes_unless_asked_to_stay(gw):
    with gw.client() as client:
        client.send("GET /1.txt HTTP/1.0\r\nHost: x\r\n\r\n")
        assert client.read().text == "object 1"
        assert client.closed()


def test_http_1_0_never_gets_chunks(gw, origin):
    origin.on("/chunked", says(200, CHUNKED, b"one", b"two"))
    with gw.client() as client:
        client.send("GET /o/chunked HTTP/1.0\r\nHost: x\r\n\r\n")
        reply = client.read()
        assert "Transfer-Encoding" not in reply and reply.text == "onetwo"
        assert client.closed()


def test_head_has_the_fields_of_get_and_no_body(gw):
    with gw.client() as client:
        head, get = client.get("/1.txt", method="HEAD"), client.get("/1.txt")
        assert head.status == 200 and head.body == b"" and get.body == b"object 1"
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified"):
            assert head[name] == get[name]
        assert client.get("/absent", method="HEAD").status == 404
        assert client.get("/1.txt").status == 200, "the error's body was written after HEAD"


def test_absolute_form_names_the_host(gw, origin):
    origin.on("/absolute", lambda ask: ask.reply(b"ok"))
    with gw.client() as client:
        client.send("GET http://named.test/1.txt HTTP/1.1\r\nHost: named.test\r\n\r\n")
        assert client.read().text == "object 1"


def test_replies_carry_date_and_request_id(gw):
    with gw.client() as client:
        first, second = client.get("/1.txt"), client.get("/1.txt")
    assert first["Date"].endswith(" GMT")
    assert first["X-Request-Id"] and first["X-Request-Id"] != second["X-Request-Id"]


def test_idle_half_of_the_clients_does_not_hold_up_the_other(gw):
    idle = [gw.client() for _ in range(200)]
    try:
        begun = time.monotonic()
        assert gw.get("/1.txt").status == 200
        assert time.monotonic() - begun < patience(2)
    finally:
        for client in idle:
            client.close()


@pytest.mark.slow
def test_idle_connections_are_small(gateway, folder):
    (folder / "x").write_text("object")
    gw = gateway(configs.site(folder))
    gw.get("/x")
    before, clients = gw.rss(), []
    try:
        for _ in range(2000):
            clients.append(gw.client())
            assert clients[-1].get("/x").status == 200
        if not instrumented():
            assert (gw.rss() - before) / len(clients) < 16 << 10
        assert clients[0].get("/x").text == "object"
    finally:
        for client in clients:
            client.close()
    until(lambda: gw.total("sekisho_connections_active") == 0, 10, "the connections to end")


def test_connections_beyond_the_limit_are_told_503(gateway, folder):
    (folder / "x").write_text("object")
    gw = gateway({"origins": {"site": {"type": "dir", "path": str(folder)}}, "limits": {"connections": 8},
                  "routes": [{"path": "/", "origin": "site"}]})
    clients = [gw.client() for _ in range(8)]
    for client in clients:
        assert client.get("/x").status == 200
    with gw.client() as late:
        late.ask("/x")
        reply = late.read()
        assert reply.status == 503 and late.closed()
    assert all(client.get("/x").status == 200 for client in clients), "those who were there are not disturbed"
    for client in clients:
        client.close()
    until(lambda: gw.total("sekisho_connections_active") == 0, 10, "the connections to end")
    assert gw.get("/x").status == 200
    assert gw.total("sekisho_connections_refused_total", reason="limit") == 1


def test_it_listens_on_several_addresses(gateway, folder):
    (folder / "x").write_text("object")
    gw = gateway({
        "listen": ["127.0.0.1:0", "[::1]:0", {"address": "127.0.0.2:0"}],
        "origins": {"site": {"type": "dir", "path": str(folder)}}, "routes": [{"path": "/", "origin": "site"}]
    })
    addresses = [record["address"] for record in gw.logged("listening") if record["listener"] == "main"]
    assert len(addresses) == 3
    for address in addresses:
        host, _, port = address.rpartition(":")
        with Client((host.strip("[]"), int(port))) as client:
            assert client.get("/x").text == "object"


def one_free_port() -> int:
    """Of IPv4 and of IPv6 alike."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("listen, workers", [(["0.0.0.0:{}", "[::]:{}"], 2), (["[::]:{}", "0.0.0.0:{}"], 1),
                                             (["[::]:{}", "127.0.0.1:{}"], 2), (["[::]:{}"], 2)])
def test_both_families_have_the_same_port(gateway, folder, listen, workers):
    """Side by side, and [::] alone takes both."""
    (folder / "x").write_text("object")
    port = one_free_port()
    gw = gateway({"listen": [one.format(port) for one in listen], "workers": workers,
                  "origins": {"site": {"type": "dir", "path": str(folder)}}, "routes": [{"path": "/", "origin": "site"}]})
    for host in ("127.0.0.1", "::1"):
        with Client((host, port)) as client:
            assert client.get("/x").text == "object"
    lines = until(lambda: len(lines := gw.access()) == 2 and lines, 5, "two lines")
    assert {line["client"] for line in lines} == {"127.0.0.1", "::1"}


@pytest.mark.parametrize("listen, admin", [("0.0.0.0:{}", "[::]:{}"), ("127.0.0.1:{}", "[::]:{}"),
                                           ("[::ffff:127.0.0.1]:{}", "[::]:{}")])
def test_the_operators_listener_may_have_the_other_family_of_a_port(gateway, folder, listen, admin):
    (folder / "x").write_text("object")
    port = one_free_port()
    gw = gateway({"listen": listen.format(port), "admin": {"listen": admin.format(port)},
                  "origins": {"site": {"type": "dir", "path": str(folder)}}, "routes": [{"path": "/", "origin": "site"}]})
    assert fetch(("127.0.0.1", port), "/x").text == "object"
    assert fetch(("::1", port), "/health").status == 200


def test_an_address_given_twice_is_told_however_it_is_written(tmp_path):
    complaint(tmp_path, {"listen": ["[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"],
                         "origins": {"site": {"type": "dir", "path": "."}}, "routes": [{"path": "/", "origin": "site"}]},
              "is given twice")


# ---- Expect


def test_expect_100_continue_is_answered_before_the_body(gw, origin):
    with gw.client() as client:
        client.ask("/o/expect", "POST", {"Expect": "100-continue", "Content-Length": "5"})
        assert client.read_head().status == 100
        client.send(b"hello")
        assert client.read().status == 200
    assert origin.seen("/expect")[-1].body == b"hello"


def test_expect_gets_the_refusal_instead_of_100(gw):
    with gw.client() as client:
        client.ask("/1.txt", "POST", {"Expect": "100-continue", "Content-Length": "5"})
        assert client.read_head().status == 405
    with gw.client() as client:
        client.ask("/o/x", "POST", {"Expect": "100-continue", "Content-Length": str(1 << 30)})
        assert client.read_head().status == 413


def test_an_expectation_nobody_knows_fails(gw):
    assert gw.get("/o/x", {"Expect": "tea"}, method="POST", body=b"x").status == 417


# ---- limits


def test_a_long_target_is_414(gw):
    reply, closed = exchange(gw.address, b"GET /" + b"a" * 1500 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.status == 414 and closed
    problem(reply)


def test_a_target_without_end_is_cut_off(gw):
    reply, closed = exchange(gw.address, b"GET /" + b"a" * 100_000)
    assert reply.status in (414, 431) and closed


def test_a_large_head_is_431(gw):
    reply, closed = exchange(gw.address, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5000 + b"\r\n\r\n")
    assert reply.status == 431 and closed
    problem(reply)


def test_a_head_without_end_is_cut_off(gw):
    reply, closed = exchange(gw.address, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000)
    assert reply.status == 431 and closed


def test_too_many_fields_are_431(gw):
    fields = b"".join(b"X-%d: 1\r\n" % n for n in range(60))
    reply, closed = exchange(gw.address, b"GET /1.txt HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
    assert reply.status == 431 and closed
    fields = b"".join(b"X-%d: 1\r\n" % n for n in range(45))
    assert exchange(gw.address,
                    b"GET /1.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n")[0].status == 200


def test_a_long_body_is_413_whether_announced_or_not(gw, origin):
    reply, _ = exchange(gw.address, b"POST /o/long HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
    assert reply.status == 413
    problem(reply)
    with gw.client() as client:
        client.send("POST /o/long HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                client.send(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        except OSError:
            pass  # the gateway may close as soon as it has said so
        assert client.read().status == 413
    assert gw.get("/o/fits", method="POST", body=b"x" * 100_000).status == 200


@pytest.mark.parametrize("size", ["16KiB", "32KiB", "64KiB", "256KiB"])
def test_a_head_as_large_as_configured_is_served(gateway, origin, tmp_path, size):
    """Whatever `check` lets through as a limit is kept."""
    config = {"origins": {"app": {"type": "http", "url": origin.url}}, "limits": {"head": size, "target": "16KiB"},
              "routes": [{"path": "/", "origin": "app", "cache": "off"}]}
    file = tmp_path / "check.yaml"
    file.write_text(yaml.safe_dump(config))
    if run("check", "-c", file).returncode != 0:
        pytest.skip(f"limits.head may not be {size}")
    gw = gateway(config)
    room = int(size[:-3]) * 1024 - 300
    origin.on("/large",
              lambda ask: ask.reply(b"%d" % sum(len(value) for name, value in ask.fields if name.startswith("X-"))))
    with gw.client() as client:
        target = "/large?" + "q" * min(room // 2, 15_000)
        values = {f"X-{n}": "v" * 2000 for n in range((room - len(target)) // 2100)}
        for _ in range(2):
            assert client.get(target, values).status == 200
    assert origin.last.target == target and all(origin.last.get(name) == value for name, value in values.items())
    assert exchange(gw.address,
                    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * int(size[:-3]) * 1024 + b"\r\n\r\n")[0].status == 431


# ---- methods and versions


@pytest.mark.parametrize("line, status", [
    ("CONNECT x:443 HTTP/1.1", 501), ("connect /1.txt HTTP/1.1", 501), ("A" * 33 + " /1.txt HTTP/1.1", 501),
    ("GET /1.txt HTTP/2.0", 505), ("GET /1.txt HTTP/0.9", 505), ("GET /1.txt HTTP/3.7", 505)])
def test_unknown_methods_and_versions(gw, line, status):
    reply, closed = exchange(gw.address, f"{line}\r\nHost: x\r\n\r\n".encode())
    assert reply.status == status and closed
    problem(reply)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "get"])
def test_a_folder_allows_only_reading(gw, method):
    with gw.client() as client:
        reply = client.get("/1.txt", method=method, body=b"x" if method in ("POST", "PUT", "PATCH") else None)
        assert reply.status == 405
        assert {"GET", "HEAD"} <= set(reply["Allow"].replace(" ", "").split(","))
        assert method not in reply["Allow"]
        problem(reply)
        assert client.get("/1.txt").text == "object 1", "the refused body was taken for a request"


# ---- framing: whatever two readers could understand differently is refused, and the connection with it

LINES = {
    "no host": b"GET /1.txt HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two different hosts": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "host with a space": b"GET /1.txt HTTP/1.1\r\nHost: x y\r\n\r\n",
    "host with a slash": b"GET /1.txt HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "host with user info": b"GET /1.txt HTTP/1.1\r\nHost: a@x\r\n\r\n",
    "host with a list": b"GET /1.txt HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "two spaces after the method": b"GET  /1.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "two spaces after the target": b"GET /1.txt  HTTP/1.1\r\nHost: x\r\n\r\n",
    "space after the version": b"GET /1.txt HTTP/1.1 \r\nHost: x\r\n\r\n",
    "space before the method": b" GET /1.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab in the request line": b"GET\t/1.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /1.txt\r\nHost: x\r\n\r\n",
    "small http": b"GET /1.txt http/1.1\r\nHost: x\r\n\r\n",
    "version of two digits": b"GET /1.txt HTTP/1.10\r\nHost: x\r\n\r\n",
    "version without a minor": b"GET /1.txt HTTP/1\r\nHost: x\r\n\r\n",
    "colon in the method": b"G:T /1.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "no leading slash": b"GET 1.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes of UTF-8 in the target": "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "NUL in the target": b"GET /1\0.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment in the target": b"GET /1.txt#a HTTP/1.1\r\nHost: x\r\n\r\n",
    "space before the colon": b"GET /1.txt HTTP/1.1\r\nHost : x\r\n\r\n",
    "space in a field name": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    "empty field name": b"GET /1.txt HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n",
    "field without colon": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nField\r\n\r\n",
    "obsolete folding": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folding by tab": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n",
    "space before the first field": b"GET /1.txt HTTP/1.1\r\n Host: x\r\n\r\n",
    "LF as the line's end": b"GET /1.txt HTTP/1.1\nHost: x\n\n",
    "LF as one field's end": b"GET /1.txt HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "LF as the head's end": b"GET /1.txt HTTP/1.1\r\nHost: x\r\n\n",
    "CR in a value": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "CR CR LF": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n",
    "NUL in a value": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "control in a value": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\x01c\r\n\r\n",
    "DEL in a value": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n",
    "control in a field name": b"GET /1.txt HTTP/1.1\r\nHost: x\r\nA\x01: b\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", LINES)
def test_malformed_head_is_refused(gw, name):
    reply, closed = exchange(gw.address, LINES[name])
    if name == "an HTTP/2 preface":
        assert reply.status in (400, 501, 505) and closed
    else:
        assert reply.status == 400 and closed
    problem(reply)


def post(*fields: bytes, version: bytes = b"1.1") -> bytes:
    return (b"POST /o/trick HTTP/" + version + b"\r\nHost: x\r\n" + b"".join(field + b"\r\n" for field in fields) +
            b"\r\n")


CHUNKED_FIELD = b"Transfer-Encoding: chunked"
ZERO = b"0\r\n\r\n"

FRAMINGS = {
    "length beside chunked": post(b"Content-Length: 4", CHUNKED_FIELD) + ZERO,
    "chunked beside length": post(CHUNKED_FIELD, b"Content-Length: 4") + ZERO,
    "two lengths": post(b"Content-Length: 4", b"Content-Length: 5") + b"four",
    "the same length twice": post(b"Content-Length: 4", b"Content-Length: 4") + b"four",
    "a list of lengths": post(b"Content-Length: 4, 4") + b"four",
    "length with a plus": post(b"Content-Length: +4") + b"four",
    "length with a minus": post(b"Content-Length: -4") + b"four",
    "length in hex": post(b"Content-Length: 0x4") + b"four",
    "length with a letter": post(b"Content-Length: 4a") + b"four",
    "length with a dot": post(b"Content-Length: 4.0") + b"four",
    "length with a space inside": post(b"Content-Length: 4 4") + b"four",
    "empty length": post(b"Content-Length: ") + b"four",
    "length beyond 64 bits": post(b"Content-Length: 18446744073709551620") + b"four",
    "gzip": post(b"Transfer-Encoding: gzip") + ZERO,
    "identity": post(b"Transfer-Encoding: identity") + ZERO,
    "xchunked": post(b"Transfer-Encoding: xchunked") + ZERO,
    "chunked quoted": post(b'Transfer-Encoding: "chunked"') + ZERO,
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity") + ZERO,
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked") + ZERO,
    "chunked in two fields": post(CHUNKED_FIELD, CHUNKED_FIELD) + ZERO,
    "chunked and gzip in two fields": post(CHUNKED_FIELD, b"Transfer-Encoding: gzip") + ZERO,
    "chunked with a parameter": post(b"Transfer-Encoding: chunked;a=b") + ZERO,
    "chunked after a vertical tab": post(b"Transfer-Encoding: \x0bchunked") + ZERO,
    "empty coding": post(b"Transfer-Encoding: ") + ZERO,
    "a comma before chunked": post(b"Transfer-Encoding: ,chunked") + ZERO,
    "chunked on 1.0": post(CHUNKED_FIELD, version=b"1.0") + ZERO,
    "space before the colon of chunked": post(b"Transfer-Encoding : chunked") + ZERO,
    "folded chunked": post(b"Transfer-Encoding:\r\n chunked") + ZERO,
    "hidden by LF": post(b"X: y\nTransfer-Encoding: chunked") + ZERO,
    "hidden by CR": post(b"X: y\rTransfer-Encoding: chunked") + ZERO,
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_ambiguous_framing_is_refused_and_smuggles_nothing(gw, origin, name):
    before = len(origin.requests)
    reply, closed = exchange(gw.address, FRAMINGS[name] + SMUGGLED)
    assert reply.status in ((400, 501) if name in ("gzip", "identity", "xchunked") else (400,))
    assert closed
    problem(reply)
    assert len(origin.requests) == before, "an ambiguous request reached the origin"


CHUNKS = {
    "size in 0x": b"0x4\r\nfour\r\n" + ZERO,
    "negative size": b"-4\r\nfour\r\n" + ZERO,
    "size with a plus": b"+4\r\nfour\r\n" + ZERO,
    "space before the size": b" 4\r\nfour\r\n" + ZERO,
    "empty size": b"\r\nfour\r\n" + ZERO,
    "size not hexadecimal": b"g\r\nfour\r\n" + ZERO,
    "size beyond 64 bits": b"10000000000000004\r\nfour\r\n" + ZERO,
    "size that is nearly 64 bits": b"ffffffffffffffff\r\nfour\r\n" + ZERO,
    "size with underscores": b"0_4\r\nfour\r\n" + ZERO,
    "LF after the size": b"4\nfour\r\n" + ZERO,
    "LF after the data": b"4\r\nfour\n" + ZERO,
    "CR after the size": b"4\rfour\r\n" + ZERO,
    "data longer than its size": b"3\r\nfour\r\n" + ZERO,
    "no CRLF after the data": b"4\r\nfour0\r\n\r\n",
    "LF in an extension": b"4;a=b\n\r\nfour\r\n" + ZERO,
    "LF in a quoted extension": b'4;a="b\nc"\r\nfour\r\n' + ZERO,
    "NUL in an extension": b"4;a=\0\r\nfour\r\n" + ZERO,
    "extension without end": b"4;" + b"a" * 100_000,
    "trailer with a space before the colon": b"4\r\nfour\r\n0\r\nA : b\r\n\r\n",
    "trailer with LF": b"4\r\nfour\r\n0\r\nA: b\n\r\n",
    "LF as the end": b"4\r\nfour\r\n0\r\n\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_malformed_chunks_are_refused_and_smuggle_nothing(gw, origin, name):
    origin.on("/trick", lambda ask: ask.reply(b"taken"))
    with gw.client() as client:
        client.send(post(CHUNKED_FIELD))
        client.send(CHUNKS[name] + SMUGGLED)
        reply = client.read()
        assert reply.status in (400, 413, 431), name
        assert client.closed()
    assert not any(ask.body for ask in origin.seen("/trick")), "a broken body reached the origin as whole"
    assert not origin.count("/smuggled")


def test_valid_chunks_reach_the_origin_whole(gw, origin):
    origin.on("/good", lambda ask: ask.reply(b"taken"))
    with gw.client() as client:
        client.send(
            post(CHUNKED_FIELD).replace(b"/trick", b"/good") +
            b'4;a=b;c="d e"\r\nfour\r\n00a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\nX-Trailer: dropped\r\n\r\n')
        assert client.read().text == "taken"
        assert client.get("/1.txt").text == "object 1"
    assert origin.seen("/good")[-1].body == b"four0123456789abcdefghij"
    assert b"X-Trailer" not in origin.received()


# ---- targets: what could name two things names none

@pytest.mark.parametrize("target", [
    "/../etc/passwd", "/a/../1.txt", "/./1.txt", "/a/..", "/%2e%2e/1.txt", "/.%2e/1.txt", "/%2E%2E%2f1.txt",
    "/%2e/1.txt", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/..\\1.txt", "/a%00b", "/a%0ab", "/a%1fb", "/a%7fb", "/%",
    "/%4", "/%zz", "/%u002e", "/a/%2e%2e/%2e%2e/etc/passwd"
])
def test_targets_that_could_name_two_things_are_refused(gw, target):
    with gw.client() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
        reply = client.read()
        assert reply.status == 400
        problem(reply)


# ---- deadlines


@pytest.fixture(scope="module")
def hasty(module_gateway, origin, tmp_path_factory):
    site = tmp_path_factory.mktemp("hasty")
    (site / "1.txt").write_text("object 1")
    (site / "large").write_bytes(b"x" * (32 << 20))
    return module_gateway({
        "origins": {"site": {"type": "dir", "path": str(site)}, "app": {"type": "http", "url": origin.url}},
        "timeouts": {"header": "300ms", "idle": "500ms", "body": "300ms", "write": "500ms"},
        "routes": [{"path": "/", "origin": "site"}, {"path": "/o/", "origin": "app", "cache": "off"}]})


def test_a_head_that_does_not_end_in_time_is_408(hasty):
    with hasty.client() as client:
        client.send("GET /1.txt HTTP/1.1\r\nHost: x\r\n")
        reply = client.read()
        assert reply.status == 408 and reply["Connection"].lower() == "close"
        problem(reply)
        assert client.closed()


def test_a_dripped_head_does_not_move_its_deadline(hasty):
    begun = time.monotonic()
    with hasty.client() as client:
        client.send("GET /1.txt HTTP/1.1\r\nHost: x\r\nX: ")
        try:
            while time.monotonic() - begun < patience(5):
                client.send("a")
                client.socket.settimeout(0.05)
                try:
                    if not client.more():
                        break
                except TimeoutError:
                    continue
                break
        except OSError:
            pass
    assert time.monotonic() - begun < patience(3)


def test_an_idle_connection_is_closed_without_a_word(hasty):
    with hasty.client() as client:
        assert client.get("/1.txt").status == 200
        assert client.closed(5)
    with hasty.client() as client:
        assert client.closed(5)


def test_a_body_that_stalls_is_408(hasty, origin):
    origin.on("/stalled", lambda ask: ask.reply(b"taken"))
    with hasty.client() as client:
        client.ask("/o/stalled", "POST", {"Content-Length": "10"})
        client.send("half.")
        assert client.read().status == 408
        assert client.closed()


def test_a_body_that_keeps_coming_slowly_is_taken(hasty, origin):
    origin.on("/dripped", lambda ask: ask.reply(ask.body))
    with hasty.client() as client:
        client.ask("/o/dripped", "POST", {"Content-Length": "8"})
        for byte in b"drippin":
            client.send(bytes([byte]))
            assert client.silent(0.12)
        client.send(b"g")
        assert client.read().text == "dripping"


def test_a_client_that_takes_nothing_is_cut(hasty):
    with Client(hasty.address, receive_buffer=4096) as client:
        client.ask("/large")
        until(lambda: hasty.access() and any(r["path"] == "/large" and r["status"] == 200 for r in hasty.access()), 10,
              "the transfer to end in the access log")
        with pytest.raises((Truncated, OSError)):
            client.read()


def test_the_gateway_survived_all_of_the_above(gw):
    assert gw.running and gw.get("/1.txt").text == "object 1"
