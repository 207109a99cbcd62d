"""What fresh eyes found once, so that nobody has to find it again."""
import signal
import socket
import threading
import time

import pytest

from lib import configs
from lib.deadline import patience, until
from lib.origin import CHUNKED, Ask, says
from lib.sockets import connecting_to
from lib.wire import Client, fetch, is_hit

FRESH = {"Cache-Control": "max-age=60", "ETag": '"tag"'}


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def app(origin, **more):
    return {"origins": {"app": {"type": "http", "url": origin.url}},
            "routes": [{"path": "/", "origin": "app"}], "workers": 1} | more


# ---- connections


def test_a_client_that_has_said_all_still_gets_all_of_its_reply(gateway, origin):
    """A half-closed client was reset when its reply was complete, which threw away what was still unsent."""
    body = bytes(range(256)) * (4 << 12)  # more than sockets hold
    origin.on("/big", lambda ask: ask.reply(body, fields=FRESH))
    gw = gateway(app(origin))
    with gw.client(receive_buffer=4096) as client:
        client.ask("/big")
        head = client.read_head()
        until(lambda: is_hit(gw.get("/big", method="HEAD")), 10, "the fill to be complete")
        client.half_close()
        assert is_hit(gw.get("/big", method="HEAD"))  # its one worker has heard of the half-close before this
        assert b"".join(client.pieces(head)) == body
    assert gw.access_for(lambda r: r["path"] == "/big" and r["method"] == "GET")["status"] == 200


def test_a_pipelined_head_has_its_own_deadline(gateway, origin, gate):
    """It was counted from the first byte of the request before it, however long that took to answer."""
    origin.on("/slow", lambda ask: (gate.wait(10), ask.reply(b"slow")))
    gw = gateway(app(origin, timeouts={"header": "300ms"}))
    with gw.client() as client:
        client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHo")
        until(lambda: origin.count("/slow"), 5, "the first request")
        with gw.client() as later:  # when its time is over, that of the pipelined head would be, too
            later.send("GET /later HTTP/1.1\r\nHo")
            assert later.read().status == 408
        gate.set()
        assert client.read().body == b"slow"
        client.send("st: a\r\n\r\n")
        assert client.read().status == 200


def test_a_refused_upload_does_not_lose_its_answer(gateway, tmp_path):
    """Where the rest of a chunked body was too long to be read, the connection was reset behind the reply."""
    (tmp_path / "files").mkdir()
    gw = gateway({"origins": {"d": {"type": "dir", "path": str(tmp_path / "files")}},
                  "routes": [{"path": "/", "origin": "d"}]})
    chunk = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    for _ in range(20):
        with gw.client() as client:
            client.ask("/x", "POST", {"Transfer-Encoding": "chunked"})
            client.send(chunk * 12)
            assert client.read("POST").status == 405


def test_one_pipelining_client_does_not_starve_the_others(gateway, origin):
    origin.on("/x", lambda ask: ask.reply(b"", fields=FRESH))
    gw = gateway(app(origin, log={"access": "off"}))
    gw.get("/x")
    stop = threading.Event()

    def flood():
        request = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 2000
        with gw.client() as client:
            reader = threading.Thread(target=lambda: [None for _ in iter(lambda: client.socket.recv(1 << 20), b"")])
            reader.start()
            while not stop.is_set():
                client.send(request)
            client.half_close()
            reader.join()

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        with gw.client() as client:
            for _ in range(50):
                begun = time.monotonic()
                assert client.get("/x").status == 200
                assert time.monotonic() - begun < patience(1)
    finally:
        stop.set()
        flooding.join()


def test_the_largest_head_that_can_be_configured_can_be_read(gateway, origin):
    """The bounds in the configuration were beyond the buffers; then heads were neither read nor refused."""
    gw = gateway(app(origin, limits={"head": "32KiB", "target": "16KiB"}))
    path = "/" + "%41" * 5000
    assert gw.get(path).status == 200
    fields = {f"X-{i}": "v" * 1000 for i in range(31)}
    assert gw.get("/y", fields).status == 200
    assert gw.get("/y", fields | {"X-more": "v" * 2000}).status == 431
    with gw.client() as client:  # and behind it there is room for a body
        client.ask("/z", "POST", fields | {"Transfer-Encoding": "chunked"})
        client.send(b"5\r\nhello\r\n" * 3000 + b"0\r\n\r\n")
        assert client.read("POST").status == 200
    assert origin.seen("/z")[0].body == b"hello" * 3000


def test_a_client_that_leaves_before_its_answer_is_logged_as_gone_whatever_the_answer(gateway, tmp_path):
    """The reason was that of the answer, or "internal" where there was none, and the origin was blamed."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files/x").write_text("x")
    gw = gateway({"origins": {"d": {"type": "dir", "path": str(tmp_path / "files")}},
                  "routes": [{"path": "/d/", "origin": "d"}]})
    for path in ("/d/x", "/nowhere"):
        for _ in range(20):
            with gw.client() as client:
                client.ask(path)
                client.reset()
    gw.get("/d/last")
    gw.access_for("/d/last")
    for record in gw.access():
        assert record.get("reason") in (None, "client_gone", "not_found", "no_route"), record
    assert gw.total("sekisho_requests_total", outcome="origin_error") == 0


# ---- the cache


def test_what_the_origin_is_told_of_the_host_is_part_of_the_key(gateway, origin):
    """One client's Host went to the origin as X-Forwarded-Host, and the answer to everybody."""
    origin.on("/x", lambda ask: ask.reply(ask.get("X-Forwarded-Host").encode(), fields=FRESH))
    gw = gateway(app(origin))
    assert gw.get("/x", host="evil.test").body == b"evil.test"
    assert gw.get("/x", host="good.test").body == b"good.test"
    trusting = gateway(app(origin, trusted_proxies="127.0.0.0/8"))
    for name in ("evil.test", "good.test"):
        assert trusting.get("/x", {"X-Forwarded-Host": name}, host="inner").body == name.encode()


def test_a_reply_that_was_old_when_it_came_says_so_also_on_its_first_way_through(gateway, origin):
    origin.on("/x", lambda ask: ask.reply(b"x", fields={"Cache-Control": "max-age=600", "Age": "100"}))
    gw = gateway(app(origin))
    assert int(gw.get("/x")["Age"]) in range(100, 110)
    assert int(gw.get("/x")["Age"]) in range(100, 110)


def test_a_body_that_ends_with_its_connection_is_not_stored(gateway, origin):
    """So does one that was cut: a truncated body must never be kept as whole."""
    origin.on("/x", says(200, FRESH, b"perhaps all", Ask.close))
    gw = gateway(app(origin))
    for _ in range(2):
        reply = gw.get("/x")
        assert reply.body == b"perhaps all" and not is_hit(reply)
    assert origin.count("/x") == 2


def test_several_ranges_of_what_cannot_be_kept_get_the_whole(gateway, origin):
    """Without room in the budget a fill keeps a window only, and the client was cut off without an answer."""
    body = bytes(range(256)) * (8 << 10)
    origin.on("/x", lambda ask: ask.reply(body, fields=FRESH))
    gw = gateway(app(origin, cache={"fill_budget": "1MiB"}))
    reply = gw.get("/x", {"Range": "bytes=0-9,100-109,5000-"})
    assert reply.status in (200, 206)
    assert reply.status != 200 or reply.body == body


def test_several_ranges_of_a_fill_that_fails_get_a_problem_and_a_true_log_line(gateway, origin, gate):
    origin.on("/x", says(200, FRESH | {"Content-Length": "100"}, b"half", gate, Ask.close))
    gw = gateway(app(origin))
    with gw.client() as client:
        client.ask("/x", fields={"Range": "bytes=0-1,50-60"})
        until(lambda: origin.count("/x"), 5, "the fill")
        gate.set()
        status = client.read().status
    assert status == 502
    assert gw.access_for("/x")["status"] == 502


def test_conditions_on_head_hold_also_before_anything_is_cached(gateway, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/x").write_text("x")
    gw = gateway({"origins": {"d": {"type": "dir", "path": str(tmp_path / "files")}},
                  "routes": [{"path": "/", "origin": "d"}]})
    tag = gw.get("/x")["ETag"]
    for method in ("GET", "HEAD"):
        assert gw.get("/x", {"If-None-Match": tag}, method=method).status == 304
        assert gw.get("/x", {"If-Match": '"other"'}, method=method).status == 412


# ---- the end


def test_a_fill_that_is_kept_for_later_does_not_hold_up_the_end(gateway, origin, gate):
    """Whoever asked for a part has it; nobody is left to whom the rest would matter."""
    origin.on("/x", says(200, FRESH | {"Content-Length": "1000000"}, bytes(1000), gate, Ask.close))
    gw = gateway(app(origin, shutdown={"timeout": "20s"}))
    reply = gw.get("/x", {"Range": "bytes=0-9"})
    assert reply.status == 206
    begun = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert time.monotonic() - begun < patience(5)
    gw.check_clean()


def test_a_silent_connection_from_the_accept_queue_does_not_hold_up_the_end(gateway, origin):
    gw = gateway(app(origin, timeouts={"header": "60s"}))
    silent = [socket.create_connection(gw.address) for _ in range(20)]
    begun = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert time.monotonic() - begun < patience(5)
    for one in silent:
        one.close()


def test_an_origin_that_swallows_connections_does_not_hold_up_the_end(gateway, origin):
    """The readiness probe waited out its connect timeout, however long, after everything else had ended."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    stuffing = []
    for _ in range(3):  # its queue is full: further connections are neither accepted nor refused
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(full.getsockname())
        stuffing.append(one)
    port = full.getsockname()[1]
    before = connecting_to(port)
    config = app(origin)
    config["origins"]["deaf"] = {"type": "http", "url": f"http://127.0.0.1:{port}", "timeouts": {"connect": "60s"}}
    gw = gateway(config, wait="listening")
    until(lambda: connecting_to(port) > before, 10, "the probe to be connecting")
    begun = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert time.monotonic() - begun < patience(5)
    for one in [full, *stuffing]:
        one.close()


# ---- the admin listener


def test_many_silent_clients_leave_the_admin_listener_usable(gateway, origin):
    gw = gateway(app(origin))
    silent = [socket.create_connection(gw.admin) for _ in range(300)]
    before = gw.descriptors()
    assert before < 250
    for one in silent:
        one.close()
    until(lambda: fetch(gw.admin, "/health").status == 200, 5, "the admin listener")
