"""`read_ahead`: bodies of requests that are read before the origin is asked (docs/configuration.md, route)."""
import pytest

from lib.configs import app
from lib.deadline import holds, until
from lib.gateway import complaint
from lib.origin import CHUNKED


def echo(ask) -> None:
    ask.reply(ask.body)


@pytest.fixture
def gw(gateway, origin):
    """No more than one request at a time with the origin, and none waits for that place."""
    origin.otherwise(echo)
    config = app(origin, read_ahead="64KiB") | {"workers": 1, "limits": {"body": "1MiB"}, "timeouts": {"body": "10s"}}
    config["origins"]["app"]["concurrency"] = {"max": 1, "queue": 0}
    return gateway(config)


def slowly(gw, origin, fields, first: bytes, rest: bytes) -> bytes:
    """An upload that stands still in its middle while another request gets the only place at the origin."""
    with gw.client(timeout=20) as client:
        client.ask("/slow", "POST", fields)
        client.send(first)
        until(lambda: gw.metrics().total("sekisho_memory_held_bytes", by="bodies"), 5, "the body to be read")
        assert holds(lambda: origin.count("/slow") == 0, 0.2)
        assert gw.get("/other", method="POST", body=b"quick").body == b"quick"
        client.send(rest)
        return client.read().body


def test_a_slow_upload_holds_no_connection_and_no_place_at_the_origin(gw, origin):
    assert slowly(gw, origin, {"Content-Length": "10"}, b"12345", b"67890") == b"1234567890"
    assert origin.seen("/slow")[0].body == b"1234567890"
    until(lambda: gw.metrics().total("sekisho_memory_held_bytes", by="bodies") == 0, 5, "the body to be let go")
    until(lambda: gw.metrics().total("sekisho_phase_duration_seconds_count", phase="body") == 2, 5, "both to be counted")


def test_so_does_a_chunked_one(gw, origin):
    assert slowly(gw, origin, CHUNKED, b"5\r\n12345\r\n", b"5\r\n67890\r\n0\r\n\r\n") == b"1234567890"
    assert origin.seen("/slow")[0].body == b"1234567890"


def test_without_it_the_origin_hears_of_an_upload_at_once(gateway, origin):
    origin.otherwise(echo, lazy=True)
    gw = gateway(app(origin))
    with gw.client() as client:
        client.ask("/x", "POST", {"Content-Length": "10"})
        client.send(b"1")
        until(lambda: origin.count("/x") == 1, 5, "the origin to be asked")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_comes_through_as_it_was_whatever_its_size(gw, origin, size, chunked):
    body = bytes(i % 251 for i in range(size))
    with gw.client(timeout=20) as client:
        if chunked:
            client.ask("/x", "POST", CHUNKED)
            for at in range(0, size, 10_000):
                piece = body[at:at + 10_000]
                client.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            client.send(b"0\r\n\r\n")
        else:
            client.ask("/x", "POST", body=body)
        assert client.read().body == body
        assert client.get("/y", method="POST", body=b"next").body == b"next", "on the same connection"


def test_a_longer_body_goes_on_to_the_origin_before_its_end(gateway, origin):
    begun = []

    def count(ask):
        got = b""
        for piece in ask.pieces():
            got += piece
            begun.append(len(got))
        ask.reply(str(len(got)).encode())

    origin.otherwise(count, lazy=True)
    gw = gateway(app(origin, read_ahead="1KiB"))
    with gw.client(timeout=20) as client:
        client.ask("/x", "POST", {"Content-Length": "5000"})
        client.send(b"a" * 1000)
        assert holds(lambda: origin.count("/x") == 0, 0.2)
        client.send(b"a" * 1000)
        until(lambda: begun and begun[-1] == 2000, 5, "what came so far to go on")
        client.send(b"a" * 3000)
        assert client.read().body == b"5000"


def test_who_waits_to_be_told_to_continue_is_told_before_the_origin_is_asked(gw, origin):
    with gw.client() as client:
        client.ask("/x", "POST", {"Expect": "100-continue", "Content-Length": "4"})
        assert client.read_head().status == 100
        assert origin.count("/x") == 0
        client.send(b"body")
        assert client.read().body == b"body"
        assert "Expect" not in origin.last


def test_a_client_that_leaves_in_the_middle_is_never_heard_of_by_the_origin(gw, origin):
    with gw.client() as client:
        client.ask("/x", "POST", {"Content-Length": "100"})
        client.send(b"half")
        until(lambda: gw.metrics().total("sekisho_memory_held_bytes", by="bodies"), 5, "the body to be read")
    assert gw.access_for("/x")["reason"] == "client_gone"
    until(lambda: gw.metrics().total("sekisho_memory_held_bytes", by="bodies") == 0, 5, "the body to be let go")
    assert origin.count("/x") == 0


def test_bodies_that_break_the_rules_are_refused_before_the_origin_is_asked(gw, origin):
    for send, status in ((b"zz\r\n", 400), (b"100000\r\n" + bytes(1 << 20) + b"\r\n1\r\nx\r\n0\r\n\r\n", 413)):
        with gw.client() as client:
            client.ask("/x", "POST", CHUNKED)
            client.send(send)
            if status == 400:
                assert client.read().status == 400
    assert holds(lambda: origin.count("/x") <= 1, 0.2)


def test_a_body_that_does_not_come_is_408(gateway, origin):
    gw = gateway(app(origin, read_ahead="64KiB") | {"timeouts": {"body": "200ms"}})
    with gw.client() as client:
        client.ask("/x", "POST", {"Content-Length": "100"})
        client.send(b"half")
        assert client.read().status == 408
    assert origin.count("/x") == 0


def second_request_dies(ask) -> None:
    """A kept connection that turns out closed when its second request has come."""
    served = getattr(ask.connection, "served", 0)
    ask.connection.served = served + 1
    if served:
        ask.close()
    ask.reply(ask.body or b"fresh")


@pytest.mark.parametrize("method, tries", [("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)])
def test_a_body_that_is_whole_is_sent_again_where_the_method_allows_it(gw, origin, method, tries):
    origin.otherwise(second_request_dies)
    with gw.client() as client:
        assert client.get("/first").status == 200
        reply = client.get("/second", method=method, body=b"once more")
    assert origin.count("/second") == tries
    assert (reply.status, reply.body) == (200, b"once more") if tries == 2 else reply.status == 502
    assert {ask.body for ask in origin.seen("/second")} == {b"once more"}


def test_a_body_that_is_not_whole_is_never_sent_again(gateway, origin):
    origin.otherwise(second_request_dies)
    gw = gateway(app(origin, read_ahead="1KiB") | {"workers": 1})
    with gw.client() as client:
        assert client.get("/first").status == 200
        assert client.get("/second", method="PUT", body=b"x" * 5000).status == 502
    assert origin.count("/second") == 1


def test_it_needs_an_origin_that_takes_bodies(tmp_path):
    (tmp_path / "files").mkdir()
    config = {"origins": {"site": {"type": "dir", "path": str(tmp_path / "files")}},
              "routes": [{"path": "/", "origin": "site", "read_ahead": "1KiB"}]}
    complaint(tmp_path, config, "read_ahead: needs an origin of type http")


def test_the_deadline_of_a_route_ends_the_reading_too(gateway, origin):
    """The origin is not asked yet, and nothing but the client could end the wait."""
    gw = gateway(app(origin, read_ahead="64KiB", deadline="500ms"))
    with gw.client(timeout=10) as client:
        client.ask("/slow", "POST", {"Content-Length": "10"})
        client.send(b"12345")
        assert client.read().status == 504
    assert gw.access_for(lambda line: line["path"] == "/slow", 5)["reason"] == "deadline"
    assert origin.count("/slow") == 0


def test_slow_uploads_do_not_keep_objects_out_of_the_cache(gateway, origin):
    origin.otherwise(lambda ask: ask.reply(b"x" * 50_000, fields={"Cache-Control": "max-age=60"}))
    origin.on("/", lambda ask: ask.reply(ask.body))  # what is left of /up
    config = app(origin) | {"workers": 1, "memory": {"max": "4MiB"},
                            "cache": {"memory": {"size": "1MiB", "max_object": "64KiB"}, "fill_budget": "1MiB"}}
    config["routes"] = [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}},
                        {"path": "/up", "origin": "app", "cache": "off", "read_ahead": "1MiB"}]
    gw = gateway(config)
    clients = [gw.client(timeout=20) for _ in range(8)]
    try:
        for client in clients:
            client.ask("/up", "POST", {"Content-Length": "1000000"})
            client.send(b"x" * 900_000)
        until(lambda: gw.metrics().total("sekisho_memory_held_bytes", by="bodies") > 700_000, 10, "bodies to be read")
        gw.get("/x")
        assert "hit" in gw.get("/x")["Cache-Status"]
        assert gw.metrics().total("sekisho_memory_held_bytes", by="bodies") <= 4 << 18
        for client in clients:
            client.send(b"x" * 100_000)
            assert len(client.read().body) == 1_000_000
    finally:
        for client in clients:
            client.close()
