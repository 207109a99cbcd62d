"""The access log: one JSON line a request, whatever became of it, and never a secret."""
import datetime
import json
import os
import signal

import pytest

from lib.deadline import until
from lib.origin import Ask, says
from lib.tokens import SECRET, bearer, hs256
from lib.wire import Client, Truncated, exchange


def config(origin, folder, **more):
    return {"origins": {"app": {"type": "http", "url": origin.url}, "site": {"type": "dir", "path": str(folder)}},
            "identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}]}},
            "routes": [{"path": "/", "origin": "app"}, {"path": "/site/", "origin": "site", "cache": {"ttl": "1h"}},
                       {"path": "/private/", "origin": "site", "identity": "staff"}]} | more


@pytest.fixture
def gw(gateway, origin, folder):
    (folder / "x").write_text("object")
    return gateway(config(origin, folder))


def test_a_record_tells_who_what_and_how(gw):
    reply = gw.get("/private/x", bearer(hs256(sub="ann")) | {"User-Agent": "tests/1"}, host="asked.test")
    record = gw.access_for("/private/x")
    assert record["request_id"] == reply["X-Request-Id"]
    assert (record["method"], record["path"], record["status"]) == ("GET", "/private/x", 200)
    assert record["principal"] == "ann" and record["client"] == "127.0.0.1"
    assert record["host"] == "asked.test" and record["user_agent"] == "tests/1"
    assert record["route"].rstrip("/") == "/private"
    assert record["origin"] == "site" and record["protocol"] == "HTTP/1.1"
    assert record["bytes"] >= len("object") and record["bytes_in"] > 100
    assert 0 < record["duration_ms"] < 5000
    when = datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60


def test_cache_and_origin_time_are_told(gw, origin):
    origin.on("/x", lambda ask: ask.reply(b"body", fields={"Cache-Control": "max-age=60"}))
    gw.get("/x")
    gw.get("/x")
    until(lambda: len(gw.access()) == 2, 5, "two records")
    first, second = sorted(gw.access(), key=lambda record: record["time"])  # each worker writes its own
    assert (first["cache"], second["cache"]) == ("miss", "hit")
    assert first["origin_ms"] > 0 and "origin_ms" not in second


def test_denials_and_failures_tell_their_reason(gw, origin):
    origin.on("/die", lambda ask: ask.close())
    detail = json.loads(gw.get("/private/y").body)["detail"]
    assert detail == "a token is needed, and none was sent", "for people a sentence, for the log a word"
    gw.get("/die")
    refused = gw.access_for("/private/y")
    assert refused["reason"] == "unauthorized" and refused["detail"] == "no_credential"
    assert gw.access_for("/die")["reason"] in ("origin_bad_reply", "origin_refused")


def test_malformed_requests_are_recorded(gw):
    reply, _ = exchange(gw.address, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
    record = gw.access_for(lambda r: r["request_id"] == reply["X-Request-Id"])
    assert record["status"] == 400 and record["reason"] == "bad_request" and record["client"] == "127.0.0.1"
    reply = gw.get("/a%2fb")
    record = gw.access_for(lambda r: r["request_id"] == reply["X-Request-Id"])
    assert record["status"] == 400 and record["client"] == "127.0.0.1" and record["path"] == "/a%2fb"


def test_aborted_requests_are_recorded(gw, origin):
    origin.on("/stall", lambda ask: ask.stall(60))
    client = gw.client()
    client.ask("/stall")
    until(lambda: origin.count("/stall"), 5, "the request at the origin")
    client.close()
    record = gw.access_for("/stall", 10)
    assert record["status"] == 499 and record["reason"] == "client_gone"


def test_a_reply_that_broke_off_is_recorded_as_failed(gw, origin):
    origin.on("/cut", says(200, {"Content-Length": "100"}, b"half", Ask.close))
    with pytest.raises(Truncated):
        gw.get("/cut")
    record = gw.access_for("/cut")
    assert record["status"] == 200 and record["reason"] == "origin_bad_reply"


def test_hostile_bytes_stay_inside_their_field(gw):
    reply, _ = exchange(gw.address,
                        b'GET /%22%7d%0d HTTP/1.1\r\nHost: x\r\nUser-Agent: "}\\u0000\xff\xfe\x80, {"a":"b"\r\n\r\n')
    assert reply.status == 400
    with gw.client() as client:
        client.send(b'GET /x%22%7d?a="}&b=\xc3 HTTP/1.1\r\nHost: x\r\n\r\n'.replace(b"\xc3", b"%C3"))
        client.read()
        client.ask("/last", fields={"User-Agent": 'q"\\'})
        client.read()
    assert gw.access_for("/last")["user_agent"] == 'q"\\'
    assert all(isinstance(record, dict) and "request_id" in record for record in gw.access())


def test_long_fields_are_cut_in_the_log(gw):
    gw.get("/" + "a" * 6000, {"User-Agent": "b" * 2000})
    record = gw.access_for(lambda r: r["path"].startswith("/aaa"))
    assert len(record["path"]) <= 4096 and len(record["user_agent"]) <= 512


def test_every_request_has_its_line_at_the_end(gw):
    with gw.client() as client:
        ids = [client.get("/site/x")["X-Request-Id"] for _ in range(500)]
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert [record["request_id"] for record in gw.access()] == ids


def test_it_goes_to_a_file_that_is_private(gateway, origin, folder, tmp_path):
    file = tmp_path / "access.log"
    gw = gateway(config(origin, folder, log={"access": {"output": str(file)}}))
    gw.get("/x")
    until(lambda: file.exists() and file.read_text().endswith("\n"), 5, "a line")
    assert json.loads(file.read_text())["path"] == "/x"
    assert not gw.out.read_text()
    assert file.stat().st_mode & 0o007 == 0


def test_it_can_be_turned_off(gateway, origin, folder):
    gw = gateway(config(origin, folder, log={"access": "off"}))
    gw.get("/x")
    gw.stop()
    assert not gw.out.read_text()


def test_a_stuck_reader_of_the_log_stops_no_request(gateway, origin, folder):
    """Its output is a pipe that nobody reads: lines are dropped, requests go on."""
    reader, writer = os.pipe()
    (folder / "x").write_text("object")
    try:
        gw = gateway(config(origin, folder, log={"access": {"output": f"/dev/fd/{writer}"}}), pass_fds=[writer])
        with gw.client() as client:
            for _ in range(3000):
                assert client.get("/site/x", {"User-Agent": "x" * 400}).status == 200
        gw.stop()
    finally:
        os.close(writer)
        os.close(reader)


def test_many_clients_lose_no_line(gw):
    clients = [Client(gw.address) for _ in range(50)]
    for client in clients:
        client.ask("/site/x")
    for client in clients:
        assert client.read().status == 200
        client.close()
    until(lambda: len(gw.access()) == 50, 5, "fifty lines")
