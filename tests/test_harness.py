"""The suite's own tools, checked against nginx and against each other: a test that cannot fail proves nothing."""
import pytest

from lib.deadline import until
from lib.exposition import Metrics
from lib.origin import CHUNKED, Ask, says
from lib.wire import BadReply, Client, Truncated, exchange, fetch


def address(server):
    return "127.0.0.1", server.port


def test_client_reads_what_nginx_serves(nginx):
    (nginx.directory / "html/page.html").write_bytes(b"x" * 100_000)
    with Client(address(nginx)) as client:
        reply = client.get("/page.html")
        assert (reply.status, len(reply.body)) == (200, 100_000)
        assert client.get("/page.html", method="HEAD").body == b""
        assert client.get("/none").status == 204
        assert client.get("/absent").status == 404


def test_client_sees_that_nginx_closes_on_a_bad_request(nginx):
    reply, closed = exchange(address(nginx), b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert reply.status == 400 and closed


def test_client_tells_a_truncated_body_from_a_whole_one(origin):
    origin.on("/cut", says(200, {"Content-Length": "10"}, b"half.", Ask.close))
    origin.on("/chunked", says(200, CHUNKED, b"half", Ask.close))
    for path in ("/cut", "/chunked"):
        with pytest.raises(Truncated) as cut:
            fetch(address(origin), path)
        assert cut.value.got.startswith(b"half")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\n\n", b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
                                  b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1",
                                  b"HTTP/1.1 200 OK\r\n\r\nbody until close"])
def test_client_refuses_a_sloppy_reply(origin, head):
    origin.on("/", lambda ask: (ask.send(head), ask.close()))
    with pytest.raises((BadReply, Truncated)):
        fetch(address(origin))


def test_origin_remembers_bodies_of_both_framings(origin):
    with Client(address(origin)) as client:
        assert client.get("/a?b=c", method="POST", body=b"sized").body == b"/a?b=c"
        client.send("POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert client.read().status == 200
    assert [ask.body for ask in origin.requests] == [b"sized", b"abc"]
    assert len(origin.connections) == 1


def test_origin_notices_that_its_peer_left(origin):
    origin.on("/", lambda ask: ask.stall())
    with Client(address(origin)) as client:
        client.ask("/")
        until(lambda: origin.count("/"), 5, "the request to arrive")
    until(lambda: origin.connections[0].gone.is_set(), 5, "the origin to notice")


@pytest.mark.parametrize("text", [
    "a 1\n", "# TYPE a counter\na 1\na 1\n", "# TYPE a counter\na{b=\"c\" 1\n", "# TYPE a counter\na 1",
    "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
    "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n"])
def test_exposition_parser_refuses(text):
    with pytest.raises(AssertionError):
        Metrics(text).check_histograms()


def test_s3_peers_hold_objects(minio, versitygw):
    for peer in (minio, versitygw):
        client = peer.boto()
        client.create_bucket(Bucket="harness")
        client.put_object(Bucket="harness", Key="a b/ü+?#&=%41", Body=b"bytes")
        assert client.get_object(Bucket="harness", Key="a b/ü+?#&=%41")["Body"].read() == b"bytes"
