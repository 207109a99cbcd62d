"""A folder as a bucket: exact bytes, no way out, ranges and conditions (RFC 9110 §13, §14)."""
import email.parser
import email.utils
import hashlib
import os
import re
import socket
import threading
from urllib.parse import quote

import pytest

from lib import configs
from lib.deadline import until
from lib.gateway import instrumented
from lib.wire import Client

DATA = bytes(range(256)) * 8  # 2048 bytes, each place tells where it is


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("outside the root")
    root = outside / "root"
    root.mkdir()
    (root / "data.bin").write_bytes(DATA)
    (root / "empty").write_bytes(b"")
    (root / "sub").mkdir()
    (root / "sub/inner.txt").write_text("inner")
    for name in ("a b.txt", "a+b.txt", "100%.txt", "ünï.txt", "q?x.txt", "h#x.txt", "a&b=c.txt", "semi;colon.txt",
                 "%41.txt"):
        (root / name).write_text(name)
    (root / "inside-link").symlink_to("sub/inner.txt")
    (root / "relative-escape").symlink_to("../secret.txt")
    (root / "absolute-escape").symlink_to(outside / "secret.txt")
    (root / "absolute-inside").symlink_to(root / "data.bin")
    (root / "folder-escape").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))
    yield root
    listener.close()


@pytest.fixture(scope="module", params=["uncached", "cached"])
def gw(module_gateway, root, request):
    """Everything here holds whether the bytes come from the file or from the cache."""
    cache = "off" if request.param == "uncached" else {"ttl": "1h"}
    return module_gateway({"origins": {"site": {"type": "dir", "path": str(root), "follow_links": True}},
                           "routes": [{"path": "/", "origin": "site", "cache": cache}]})


@pytest.fixture
def client(gw):
    with gw.client() as client:
        client.get("/data.bin")  # on the cached gateway from here on a hit
        yield client


# ---- objects


def test_bytes_and_their_description(client):
    reply = client.get("/data.bin")
    assert reply.status == 200 and reply.body == DATA
    assert reply["Content-Length"] == str(len(DATA))
    assert reply["Accept-Ranges"] == "bytes"
    assert re.fullmatch(r'(W/)?"[^"]+"', reply["ETag"])
    assert email.utils.parsedate_to_datetime(reply["Last-Modified"])


def test_an_empty_object(client):
    for _ in range(2):
        reply = client.get("/empty")
        assert (reply.status, reply.body, reply["Content-Length"]) == (200, b"", "0")
    assert client.get("/empty", {"Range": "bytes=0-0"}).status == 416


@pytest.mark.parametrize("name, kind", [
    ("x.html", "text/html"), ("x.css", "text/css"), ("x.js", "text/javascript"), ("x.json", "application/json"),
    ("x.png", "image/png"), ("x.jpg", "image/jpeg"), ("x.svg", "image/svg+xml"), ("x.txt", "text/plain"),
    ("x.PDF", "application/pdf"), ("x.wasm", "application/wasm"), ("x.unknown", "application/octet-stream"),
    ("noextension", "application/octet-stream")])
def test_content_type_by_extension(client, root, name, kind):
    (root / name).write_text("x")
    assert client.get("/" + name)["Content-Type"].split(";")[0] == kind


@pytest.mark.parametrize("name", ["a b.txt", "a+b.txt", "100%.txt", "ünï.txt", "q?x.txt", "h#x.txt", "a&b=c.txt",
                                  "semi;colon.txt", "%41.txt"])
def test_odd_names_are_found_by_their_encoding(client, name):
    reply = client.get("/" + quote(name))
    assert (reply.status, reply.text) == (200, name)


def test_a_plus_is_a_plus_and_a_query_names_no_file(client):
    assert client.get("/a+b.txt").text == "a+b.txt"
    assert client.get("/data.bin?a=b").body == DATA
    assert client.get("/a%2bb.txt").text == "a+b.txt"


def test_double_slashes_count_as_one(client):
    assert client.get("//sub//inner.txt").text == "inner"


@pytest.mark.parametrize("target", [
    "/absent", "/sub/absent", "/sub", "/sub/", "/data.bin/", "/data.bin/x", "/" + "a" * 300, "/fifo", "/socket",
    "/loop"
])
def test_what_is_no_object_is_404(client, target):
    reply = client.get(target)
    assert reply.status == 404
    assert reply["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("target", ["/relative-escape", "/absolute-escape", "/folder-escape/secret.txt",
                                    "/folder-escape/root/data.bin"])
def test_links_out_of_the_root_are_404(client, target):
    reply = client.get(target)
    assert reply.status == 404 and b"outside" not in reply.body


def test_a_link_inside_the_root_is_followed_where_it_may_be(client, gateway, root):
    assert client.get("/inside-link").text == "inner"
    strict = gateway({"origins": {"site": {"type": "dir", "path": str(root)}},
                      "routes": [{"path": "/", "origin": "site"}]})
    assert strict.get("/sub/inner.txt").text == "inner"
    assert strict.get("/inside-link").status == 404


@pytest.mark.parametrize("target", [
    "/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt",
    "/%2e%2e%2fsecret.txt", "/%252e%252e/secret.txt", "/....//secret.txt", "/sub/%2e./%2e%2e/secret.txt"
])
def test_no_path_leaves_the_root(client, target):
    reply = client.get(target)
    assert reply.status in (400, 404) and b"outside" not in reply.body


def test_no_file_of_the_gateways_own_is_served(gateway):
    """Where the folder is the one that the configuration stands in: itself, the operator's token, keys, logs."""
    gw = gateway({"origins": {"site": {"type": "dir", "path": ".", "follow_links": True}},
                  "identities": {"staff": {"type": "jwt", "algorithms": "HS256", "keys": {"file": "key"}}},
                  "routes": [{"path": "/", "origin": "site"}, {"path": "/staff", "origin": "site", "identity": "staff"}],
                  "log": {"access": {"output": "access.log"}}, "audit": {"output": "audit.log", "rotate": {"size": "100KiB"}}},
                 start=False)
    files = {"key": "a-key-of-at-least-thirty-two-bytes", "fine.txt": "fine", "audit.log.1": "yesterday's", "audit.log.html": "a page"}
    for name, text in files.items():
        (gw.directory / name).write_text(text)
    (gw.directory / "other").symlink_to("key")
    gw.start()
    assert gw.get("/fine.txt").text == "fine" and gw.get("/audit.log.html").text == "a page"
    for name in ("sekisho.yaml", "admin.token", "access.log", "audit.log", "audit.log.1", "key", "other"):
        assert (gw.directory / name).exists(), name
        assert gw.get("/" + name).status == 404, name
    (gw.directory / "new").write_text(gw.file.read_text() + "# changed\n")
    os.replace(gw.directory / "new", gw.file)
    assert gw.get("/sekisho.yaml").status == 404


def test_an_unreadable_object_is_not_served(client, root):
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    (root / "closed").write_text("closed")
    (root / "closed").chmod(0)
    assert client.get("/closed").status in (403, 404)


def test_an_object_that_changes_is_served_anew(gateway, folder):
    (folder / "x").write_text("old")
    gw = gateway(configs.site(folder, cache="off"))
    first = gw.get("/x")
    (folder / "new").write_text("newer")
    os.replace(folder / "new", folder / "x")
    second = gw.get("/x", {"If-None-Match": first["ETag"]})
    assert (second.status, second.text) == (200, "newer") and second["ETag"] != first["ETag"]


# ---- ranges


@pytest.mark.parametrize("ask, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-499", 0, 499), ("bytes=500-999", 500, 999), ("bytes=2047-2047", 2047, 2047),
    ("bytes=2000-", 2000, 2047), ("bytes=0-", 0, 2047), ("bytes=-1", 2047, 2047), ("bytes=-48", 2000, 2047),
    ("bytes=-9999", 0, 2047), ("bytes=2000-99999999", 2000, 2047), ("bytes= 0-1", 0, 1), ("BYTES=0-1", 0, 1)])
def test_one_range(client, ask, first, last):
    reply = client.get("/data.bin", {"Range": ask})
    assert reply.status == 206
    assert reply.body == DATA[first:last + 1]
    assert reply["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert reply["Content-Length"] == str(last + 1 - first)
    assert "ETag" in reply


@pytest.mark.parametrize("ask", ["bytes=2048-", "bytes=9999-10000", "bytes=-0", "bytes=99999999999999999-"])
def test_a_range_outside_is_416(client, ask):
    reply = client.get("/data.bin", {"Range": ask})
    assert reply.status == 416 and reply["Content-Range"] == f"bytes */{len(DATA)}"
    assert client.get("/data.bin").status == 200


@pytest.mark.parametrize("ask", [
    "bytes=1-0", "bytes=a-b", "bytes=", "bytes", "items=0-1", "bytes=0-1-2", "bytes=--1", "bytes=0x1-2",
    "bytes=99999999999999999999999-", "bytes=" + ",".join(f"{n}-{n}"
                                                          for n in range(0, 200, 2)), "bytes=" + ",".join(["0-"] * 10)
])
def test_a_malformed_or_hostile_range_is_ignored(client, ask):
    reply = client.get("/data.bin", {"Range": ask})
    assert reply.status == 200 and reply.body == DATA


def parts_of(reply):
    kind = reply["Content-Type"]
    assert kind.startswith("multipart/byteranges; boundary=")
    message = email.parser.BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + reply.body)
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    bodies = []
    for part in reply.body.split(b"--" + boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        assert body.endswith(b"\r\n")
        bodies.append(body[:-2])
    assert reply.body.rstrip(b"\r\n").endswith(b"--" + boundary + b"--")
    return [(part["Content-Range"], body) for part, body in zip(message.get_payload(), bodies, strict=True)]


def test_several_ranges_come_as_parts(client):
    reply = client.get("/data.bin", {"Range": "bytes=0-9, 100-109,-5"})
    assert reply.status == 206 and "Content-Range" not in reply
    assert parts_of(reply) == [("bytes 0-9/2048", DATA[:10]), ("bytes 100-109/2048", DATA[100:110]),
                               ("bytes 2043-2047/2048", DATA[-5:])]
    assert client.get("/data.bin").body == DATA


def test_of_several_ranges_the_satisfiable_are_sent(client):
    reply = client.get("/data.bin", {"Range": "bytes=5000-6000,7-7"})
    assert (reply.status, reply.body) == (206, DATA[7:8])


def test_touching_ranges_are_one(client):
    reply = client.get("/data.bin", {"Range": "bytes=0-9,10-19"})
    assert (reply.status, reply.body, reply["Content-Range"]) == (206, DATA[:20], "bytes 0-19/2048")


def test_a_range_of_head_and_of_other_kinds_is_ignored(client):
    reply = client.get("/data.bin", {"Range": "bytes=0-9"}, method="HEAD")
    assert reply.status in (200, 206) and reply.body == b""


# ---- conditions


def test_if_none_match(client):
    etag = client.get("/data.bin")["ETag"]
    for value in (etag, f'"other", {etag}', "*", f"W/{etag.removeprefix('W/')}"):
        reply = client.get("/data.bin", {"If-None-Match": value})
        assert reply.status == 304 and reply.body == b"" and reply["ETag"] == etag, value
    assert client.get("/data.bin", {"If-None-Match": '"other"'}).status == 200
    assert client.get("/data.bin", {"If-None-Match": etag}, method="HEAD").status == 304


def test_if_match(client):
    etag = client.get("/data.bin")["ETag"]
    assert client.get("/data.bin", {"If-Match": "*"}).status == 200
    assert client.get("/data.bin", {"If-Match": '"other"'}).status == 412
    if not etag.startswith("W/"):
        assert client.get("/data.bin", {"If-Match": f'"other", {etag}'}).status == 200
        assert client.get("/data.bin", {"If-Match": "W/" + etag}).status == 412, "If-Match compares strongly"


def test_dates(client):
    modified = client.get("/data.bin")["Last-Modified"]
    before, after = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    assert client.get("/data.bin", {"If-Modified-Since": modified}).status == 304
    assert client.get("/data.bin", {"If-Modified-Since": before}).status == 200
    assert client.get("/data.bin", {"If-Modified-Since": "yesterday"}).status == 200
    assert client.get("/data.bin", {"If-Unmodified-Since": before}).status == 412
    assert client.get("/data.bin", {"If-Unmodified-Since": modified}).status == 200
    assert client.get("/data.bin", {"If-Unmodified-Since": after}).status == 200


def test_precedence_of_conditions(client):
    etag = client.get("/data.bin")["ETag"]
    past = "Mon, 01 Jan 2001 00:00:00 GMT"
    modified = client.get("/data.bin")["Last-Modified"]
    assert client.get("/data.bin", {"If-None-Match": '"other"', "If-Modified-Since": modified}).status == 200
    if not etag.startswith("W/"):
        assert client.get("/data.bin", {"If-Match": etag, "If-Unmodified-Since": past}).status == 200
    assert client.get("/data.bin", {"If-Match": '"other"', "If-None-Match": etag}).status == 412
    assert client.get("/data.bin", {"If-None-Match": etag, "Range": "bytes=0-1"}).status == 304
    assert client.get("/absent", {"If-Match": "*"}).status == 404


def test_if_range(client):
    reply = client.get("/data.bin")
    ranged = {"Range": "bytes=0-9"}
    if not reply["ETag"].startswith("W/"):
        assert client.get("/data.bin", ranged | {"If-Range": reply["ETag"]}).status == 206
    assert client.get("/data.bin", ranged | {"If-Range": '"other"'}).status == 200
    assert client.get("/data.bin", ranged | {"If-Range": "W/" + reply["ETag"].removeprefix("W/")}).status == 200
    assert client.get("/data.bin", ranged | {"If-Range": "Mon, 01 Jan 2001 00:00:00 GMT"}).status == 200


# ---- size


def test_a_large_object_streams_in_constant_memory(gateway, folder):
    size = 256 << 20
    block = os.urandom(1 << 20)
    digest = hashlib.md5()
    with open(folder / "large", "wb") as file:
        for number in range(size >> 20):
            piece = number.to_bytes(8, "big") + block[8:]
            digest.update(piece)
            file.write(piece)
    gw = gateway(configs.site(folder))
    gw.get("/large", {"Range": "bytes=0-0"})
    before = gw.rss()
    got = hashlib.md5()
    with gw.client(timeout=60) as client:
        client.ask("/large")
        head = client.read_head()
        assert head.status == 200 and head["Content-Length"] == str(size)
        for piece in client.pieces(head):
            got.update(piece)
    assert got.digest() == digest.digest()
    if not instrumented():
        assert gw.peak_rss() - before < 24 << 20


def test_a_slow_reader_does_not_make_the_gateway_buffer(gateway, folder):
    (folder / "large").write_bytes(b"x" * (64 << 20))
    gw = gateway(configs.site(folder))
    before = gw.rss()
    readers = [Client(gw.address, receive_buffer=8192) for _ in range(8)]
    try:
        for reader in readers:
            reader.ask("/large")
            assert reader.read_head().status == 200
        (folder / "small").write_text("small")
        assert gw.get("/small").text == "small"
        if not instrumented():
            assert gw.peak_rss() - before < 32 << 20
    finally:
        for reader in readers:
            reader.close()
    until(lambda: len([r for r in gw.access() if r["path"] == "/large"]) == 8, 10,
          "the readers' leaving to be noticed")


def test_many_readers_of_one_object_at_once(gw):
    results = []

    def read():
        with gw.client() as client:
            for _ in range(10):
                results.append(client.get("/data.bin").body == DATA)

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


def test_descriptors_do_not_leak(gw, root):
    for target in ("/data.bin", "/absent", "/sub", "/fifo", "/absolute-escape"):
        gw.get(target)
    settled = gw.descriptors()
    for _ in range(50):
        for target in ("/data.bin", "/absent", "/sub", "/fifo", "/absolute-escape"):
            gw.get(target)
    until(lambda: gw.descriptors() <= settled + 4, 5, "descriptors to be given back")
