"""Buckets, against the real MinIO and versitygw (RFC 9110; SigV4)."""
import hashlib
import json
import os
import uuid
from urllib.parse import quote

import pytest

from lib.deadline import until
from lib.gateway import instrumented
from lib.origin import Ask, says
from lib.peers import ACCESS_KEY, SECRET_KEY, Minio, free_port
from lib.wire import Truncated, is_hit

DATA = bytes(range(256)) * 40

ODD_KEYS = [
    "a b", "a+b", "100%", "a%20b", "%2e%2e", "ünï/cödé", "日本/語", "a&b=c", "q?x=1", "h#x", "semi;colon", "com,ma",
    "at@sign", "tilde~", "star*", "paren(s)", "quote'", "dollar$", "excl!", "equals=", "colon:x", "[brackets]",
    "{braces}", 'dq"', "pipe|x", "caret^", "back`tick", "<angle>", "deep/er/still/x", "trailing-dots...", "...leading",
    "😀.txt"
]


@pytest.fixture(scope="session", params=["minio", "versitygw"])
def s3(request):
    """A peer with objects in the bucket `photos`."""
    peer = request.getfixturevalue(request.param)
    client = peer.boto()
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos",
                      Key="data.bin",
                      Body=DATA,
                      ContentType="image/x-test",
                      CacheControl="max-age=60")
    client.put_object(Bucket="photos", Key="plain", Body=b"plain")
    peer.boto().put_object(Bucket="photos", Key="empty", Body=b"")  # MinIO stalls boto's next request behind it
    client.put_object(Bucket="photos", Key="under/prefix/x", Body=b"prefixed")
    for key in ODD_KEYS:
        client.put_object(Bucket="photos", Key=key, Body=key.encode())
    return peer


def config(peer, cache="off", **changes):
    return {"origins": {"photos": peer.origin(**changes)},
            "routes": [{"path": "/photos/", "origin": "photos", "cache": cache}]}


@pytest.fixture(scope="module", params=["uncached", "cached"])
def gw(module_gateway, s3, request):
    return module_gateway(config(s3, cache="off" if request.param == "uncached" else {"ttl": "1h"}))


@pytest.fixture
def client(gw):
    with gw.client() as client:
        yield client


def assert_leaks_nothing(reply):
    text = reply.raw_head + reply.body
    for secret in (ACCESS_KEY, SECRET_KEY, "AWS4-HMAC-SHA256", "Signature="):
        assert secret.encode() not in text


# ---- objects


def test_get_and_head(client):
    for _ in range(2):
        reply, head = client.get("/photos/data.bin"), client.get("/photos/data.bin", method="HEAD")
        assert (reply.status, reply.body) == (200, DATA)
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified"):
            assert reply[name] == head[name]
        assert reply["Content-Type"] == "image/x-test"
        assert reply["ETag"] == f'"{hashlib.md5(DATA).hexdigest()}"'


def test_an_empty_object(client):
    reply = client.get("/photos/empty")
    assert (reply.status, reply.body, reply["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_signed_and_found(client, key):
    reply = client.get("/photos/" + quote(key))
    assert (reply.status, reply.body) == (200, key.encode())


def test_keys_are_found_however_the_client_encodes_them(client):
    assert client.get("/photos/%64ata.bin").body == DATA
    assert client.get("/photos/a+b").body == b"a+b"
    assert client.get("/photos/a%2Bb").body == b"a+b"
    assert client.get("/photos/tilde%7e").body == b"tilde~"


def test_double_slashes_belong_to_the_key(gateway, origin):
    """Against a stub: the real peers do not all keep such keys."""
    gw = gateway({"origins": {"photos": {"type": "s3", "bucket": "photos", "endpoint": origin.url}},
                  "routes": [{"path": "/photos/", "origin": "photos", "cache": "off"}]})
    for asked in ("/photos/a//b", "/photos//a", "/photos/a//"):
        assert gw.get(asked).status == 200
        assert origin.last.target == asked


@pytest.mark.parametrize("ask, first, last", [("bytes=0-9", 0, 9), ("bytes=-5", len(DATA) - 5, len(DATA) - 1),
                                              ("bytes=10000-", 10000, len(DATA) - 1)])
def test_one_range(client, ask, first, last):
    for _ in range(2):
        reply = client.get("/photos/data.bin", {"Range": ask})
        assert (reply.status, reply.body) == (206, DATA[first:last + 1])
        assert reply["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"


def test_several_ranges(client):
    for _ in range(2):
        reply = client.get("/photos/data.bin", {"Range": "bytes=0-9,100-109"})
        assert reply.status == 206 and reply["Content-Type"].startswith("multipart/byteranges; boundary=")
        assert DATA[:10] in reply.body and b"Content-Range: bytes 100-109/10240" in reply.body.replace(
            b"content-range", b"Content-Range")
        assert reply.body.count(b"image/x-test") == 2


def test_a_range_outside_is_416(client):
    reply = client.get("/photos/data.bin", {"Range": "bytes=20000-"})
    assert reply.status == 416 and reply["Content-Range"] == f"bytes */{len(DATA)}"
    assert_leaks_nothing(reply)


def test_conditions(client, s3):
    for _ in range(2):
        whole = client.get("/photos/data.bin")
        etag, modified = whole["ETag"], whole["Last-Modified"]
        assert client.get("/photos/data.bin", {"If-None-Match": etag}).status == 304
        assert client.get("/photos/data.bin", {"If-None-Match": '"x"'}).status == 200
        assert client.get("/photos/data.bin", {"If-Match": '"x"'}).status == 412
        assert client.get("/photos/data.bin", {"If-Match": etag}).status == 200
        reply = client.get("/photos/data.bin", {"If-Modified-Since": modified})
        assert reply.status == 304 or s3.name == "versitygw", "versitygw itself compares fractions of a second"
        assert client.get("/photos/data.bin", {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status == 412
        assert client.get("/photos/data.bin", {"Range": "bytes=0-4", "If-Range": etag}).status == 206
        reply = client.get("/photos/data.bin", {"Range": "bytes=0-4", "If-Range": '"x"'})
        assert (reply.status, reply.body) == (200, DATA)


def test_a_missing_key_is_404_in_our_own_words(client):
    for method in ("GET", "HEAD"):
        reply = client.get("/photos/absent", method=method)
        assert reply.status == 404
    reply = client.get("/photos/absent")
    assert reply["Content-Type"] == "application/problem+json"
    assert b"NoSuchKey" not in reply.body and b"photos" not in reply.body.replace(b"/photos/absent", b"")
    assert_leaks_nothing(reply)


@pytest.mark.parametrize("target",
                         ["/photos/", "/photos/?list-type=2", "/photos/?acl", "/photos/?policy", "/photos/?versions"])
def test_the_bucket_itself_is_not_shown(client, target):
    reply = client.get(target)
    assert reply.status in (403, 404)
    assert b"<" not in reply.body and b"data.bin" not in reply.body


def test_sub_resources_of_an_object_are_not_reachable(client):
    """Of a query only partNumber means something; the rest is dropped."""
    for query in ("acl", "tagging", "torrent", "uploadId=x", "response-content-type=text/html", "X-Amz-Signature=x"):
        reply = client.get("/photos/data.bin?" + query)
        assert (reply.status, reply.body) == (200, DATA), query
        assert reply["Content-Type"] == "image/x-test"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_writing_is_405(gw, s3, method):
    with gw.client() as client:
        reply = client.get("/photos/plain", method=method, body=b"overwritten" if method != "DELETE" else None)
        assert reply.status == 405 and {"GET", "HEAD"} <= set(reply["Allow"].replace(" ", "").split(","))
        assert client.get("/photos/plain").body == b"plain"
    assert s3.boto().get_object(Bucket="photos", Key="plain")["Body"].read() == b"plain"


@pytest.mark.parametrize(
    "target", ["/photos/../other/x", "/photos/%2e%2e/other/x", "/photos/..%2fx", "/photos/x\\y", "/photos/%00"])
def test_no_path_leaves_the_bucket(client, target):
    assert client.get(target).status == 400


def test_fields_of_the_client_do_not_reach_the_bucket(gateway, origin):
    gw = gateway({
        "origins": {
            "photos": {
                "type": "s3", "bucket": "photos", "endpoint": origin.url, "access_key_id": ACCESS_KEY,
                "secret_access_key": SECRET_KEY, "session_token": "a-session-token"
            }
        }, "routes": [{"path": "/", "origin": "photos", "cache": "off"}]
    })
    gw.get(
        "/x", {
            "Authorization": "Bearer client", "X-Amz-Security-Token": "client", "Cookie": "a=b",
            "X-Amz-Copy-Source": "/other/x", "X-Amz-Date": "20200101T000000Z", "X-Amz-Expected-Bucket-Owner": "1",
            "Range": "bytes=0-1"
        })
    ask = origin.last
    assert ask.get("Authorization").startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/")
    assert ask.get("X-Amz-Security-Token") == "a-session-token"
    assert "x-amz-security-token" in ask.get("Authorization")
    assert ask.get("X-Amz-Date") != "20200101T000000Z"
    assert "X-Amz-Copy-Source" not in ask and "Cookie" not in ask
    assert b"client" not in origin.received().lower().replace(b"x-client", b"")


def test_the_bucket_internals_do_not_reach_the_client(client):
    reply = client.get("/photos/data.bin")
    assert not [
        name for name, _ in reply.fields if name.lower() in ("x-amz-id-2", "x-amz-request-id", "x-minio-deployment-id")
    ]
    assert reply.get("Server") in (None, "sekisho") or "minio" not in reply["Server"].lower()


# ---- configurations of the origin


def test_a_prefix_is_put_before_every_key(gateway, s3):
    gw = gateway(config(s3, prefix="under/prefix/"))
    assert gw.get("/photos/x").body == b"prefixed"
    assert gw.get("/photos/data.bin").status == 404
    assert gw.get("/photos/../../data.bin").status == 400


@pytest.mark.parametrize("wrong", [{"secret_access_key": "wrong-secret-wrong-secret"}, {"access_key_id": "NOSUCHKEY"}])
def test_wrong_credentials_are_502_and_leak_nothing(gateway, s3, wrong):
    gw = gateway(config(s3, **wrong), wait="listening")
    for method in ("GET", "HEAD"):
        reply = gw.get("/photos/data.bin", method=method)
        # Without a body S3 gives no reason; versitygw's status for a key id that it does not know is 404.
        assert reply.status == 502 or (method == "HEAD" and reply.status in (403, 404))
        assert_leaks_nothing(reply)
    body = json.loads(gw.get("/photos/data.bin").body)
    assert body["status"] == 502
    assert SECRET_KEY not in gw.stderr() and "wrong-secret" not in gw.stderr()


def test_a_missing_bucket_is_no_success(gateway, s3):
    gw = gateway(config(s3, bucket="no-such-bucket"), wait="listening")
    reply = gw.get("/photos/data.bin")
    assert reply.status in (404, 502)
    assert_leaks_nothing(reply)


def test_an_anonymous_origin_signs_nothing(gateway, origin):
    gw = gateway({"origins": {"photos": {"type": "s3", "bucket": "photos", "endpoint": origin.url}},
                  "routes": [{"path": "/", "origin": "photos", "cache": "off"}]})
    assert gw.get("/x").status == 200
    assert "Authorization" not in origin.last and origin.last.target == "/photos/x"


def test_a_public_bucket_is_read_without_credentials(gateway, minio):
    client, bucket = minio.boto(), f"public-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="x", Body=b"for everybody")
    anonymous = {"bucket": bucket, "access_key_id": None, "secret_access_key": None}
    gw = gateway(config(minio, **anonymous), wait="listening")
    assert gw.get("/photos/x").status in (403, 502), "the bucket is still private"
    client.put_bucket_policy(Bucket=bucket,
                             Policy=json.dumps({
                                 "Version": "2012-10-17", "Statement": [{
                                     "Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"],
                                     "Resource": [f"arn:aws:s3:::{bucket}/*"]
                                 }]
                             }))
    until(lambda: gw.get("/photos/x").body == b"for everybody", 10, "the policy to take hold")


def test_temporary_credentials_carry_their_session_token(gateway, minio):
    import boto3
    sts = boto3.client("sts", endpoint_url=minio.endpoint, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
                       aws_secret_access_key=SECRET_KEY)
    temporary = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/tests", RoleSessionName="tests")["Credentials"]
    minio.boto().create_bucket(Bucket="temporary")
    minio.boto().put_object(Bucket="temporary", Key="session", Body=b"for a session")
    keys = {
        "bucket": "temporary", "access_key_id": temporary["AccessKeyId"],
        "secret_access_key": temporary["SecretAccessKey"]
    }
    gw = gateway(config(minio, **keys, session_token=temporary["SessionToken"]))
    assert gw.get("/photos/session").body == b"for a session"
    gw = gateway(config(minio, **keys), wait="listening")
    assert gw.get("/photos/session").status in (403, 502)


def test_virtual_host_style(gateway, minio):
    client = minio.boto()
    client.create_bucket(Bucket="hosted")
    client.put_object(Bucket="hosted", Key="a b/ü", Body=b"by its host")
    gw = gateway(
        {
            "origins": {
                "hosted": minio.origin(bucket="hosted", style="virtual-host", endpoint=f"http://s3.test:{minio.port}")
            }, "routes": [{"path": "/", "origin": "hosted"}]
        },
        hosts=["hosted.s3.test", "s3.test"])
    assert gw.get("/" + quote("a b/ü")).body == b"by its host"
    assert gw.get("/absent").status == 404


def test_credentials_come_from_the_environment(gateway, s3):
    gw = gateway(config(s3, access_key_id="${TEST_KEY}", secret_access_key="${TEST_SECRET}"),
                 env={"TEST_KEY": ACCESS_KEY, "TEST_SECRET": SECRET_KEY})
    assert gw.get("/photos/plain").body == b"plain"


# ---- TLS


def test_an_endpoint_over_tls(gateway, minio_tls, certificate):
    client = minio_tls.boto(verify=str(certificate.ca))
    client.create_bucket(Bucket="photos")
    body = os.urandom(6 << 20)
    client.put_object(Bucket="photos", Key="large", Body=body)
    gw = gateway(config(minio_tls, tls={"ca_file": str(certificate.ca)}))
    assert gw.get("/photos/large").body == body
    assert gw.get("/photos/absent").status == 404
    gw = gateway(config(minio_tls), wait="listening")
    assert gw.get("/photos/large").status == 502, "an unknown authority was believed"


# ---- versions


def test_old_versions_are_given_where_they_may_be_and_delete_markers_told(gateway, minio):
    s3 = minio.boto()
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="versioned", Key="x", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket="versioned", Key="x", Body=b"new")["VersionId"]
    plain, knowing = gateway(config(minio, bucket="versioned")), gateway(config(minio, bucket="versioned", versions=True))
    assert plain.get(f"/photos/x?versionId={old}").body == b"new"
    assert plain.get(f"/photos/x?version%49d={old}").body == b"new"
    assert [knowing.get(f"/photos/x?versionId={one}").body for one in (old, new)] == [b"old", b"new"]
    marker = s3.delete_object(Bucket="versioned", Key="x")["VersionId"]
    for method in ("GET", "HEAD"):
        gone = plain.get("/photos/x", method=method)
        assert gone.status == 404 and gone["x-amz-delete-marker"] == "true"
        told = knowing.get(f"/photos/x?versionId={marker}", method=method)
        assert told.status == 405 and told["x-amz-delete-marker"] == "true" and told["Allow"] == ""
        assert plain.get("/photos/never", method=method).get("x-amz-delete-marker") is None
    assert knowing.get(f"/photos/x?versionId={old}").body == b"old"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_credentials_of_ours_that_are_refused_are_no_fault_of_the_client(gateway, s3, method):
    for wrong in ({"secret_access_key": "wrong"}, {"access_key_id": "nobody"}):
        gw = gateway(config(s3, **wrong), wait="listening")
        # versitygw's status for a key id that it does not know is 404, and a HEAD has no body that says more.
        untold = s3.name == "versitygw" and method == "HEAD" and "access_key_id" in wrong
        assert gw.get("/photos/plain", method=method).status == (404 if untold else 502)
    good = gateway(config(s3))
    assert good.get("/photos/" + "k" * 1025, method=method).status == 400
    assert good.get("/photos/%ff%fe", method=method).status == 400


# ---- misbehaviour


def s3_stub(origin, **more):
    return {
        "origins": {
            "photos": {
                "type": "s3", "bucket": "photos", "endpoint": origin.url, "access_key_id": "k",
                "secret_access_key": "s", "timeouts": {"connect": "1s", "first_byte": "1s", "idle": "1s"}
            }
        }, "routes": [{"path": "/", "origin": "photos", "cache": {"ttl": "1h"}}]
    } | more


@pytest.mark.parametrize("how, status", [("garbage", 502), ("close", 502), ("stall", 504), ("status 403", 403),
                                         ("status 500", 502), ("status 503", 503), ("status 301", 502)])
def test_an_endpoint_that_misbehaves(gateway, origin, how, status):
    gw = gateway(s3_stub(origin), wait="listening")
    if how.startswith("status"):
        code = int(how.split()[1])
        origin.on(
            "/photos/x",
            lambda ask: ask.reply(b"<Error><Code>Secret</Code></Error>", code, {"Location": "http://internal.test/"}))
    else:
        origin.on("/photos/x", lambda ask: ask.stall() if how == "stall" else ask.close() if how == "close" else
                  (ask.send(b"not HTTP at all\r\n\r\n"), ask.close()))
    reply = gw.get("/x")
    assert reply.status in (status, 502 if how.startswith("status 5") else status)
    assert b"Secret" not in reply.body and "Location" not in reply
    origin.on("/photos/x", lambda ask: ask.reply(b"well again"))
    assert gw.get("/x").body == b"well again", "the failure was kept"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("code, fields, status, told", [
    (405, {"Allow": "PUT"}, 502, None), (405, {"x-amz-delete-marker": "true"}, 405, "true"),
    (404, {"x-amz-delete-marker": "false"}, 404, None), (404, {"x-amz-delete-marker": "true"}, 404, "true")])
def test_a_delete_marker_is_told_where_the_store_says_so(gateway, origin, method, code, fields, status, told):
    gw = gateway(s3_stub(origin))
    origin.on("/photos/x", lambda ask: ask.reply(b"<Error><Code>MethodNotAllowed</Code></Error>", code, fields))
    reply = gw.get("/x", method=method)
    assert (reply.status, reply.get("x-amz-delete-marker")) == (status, told)


@pytest.mark.parametrize("code, fields, body, status", [
    (302, {"Location": "/dir/", "x-amz-error-code": "Found", "Content-Type": "text/html"}, b"<html>Found</html>", 302),
    (301, {"Location": "/elsewhere"}, b"", 301),
    (301, {"x-amz-bucket-region": "eu-north-1"}, b"<Error><Code>PermanentRedirect</Code></Error>", 502),
    (307, {"Location": "http://b.test/", "Content-Type": "application/xml"},
     b"<Error><Code>TemporaryRedirect</Code></Error>", 502),
    (300, {}, b"", 502)])
def test_who_is_sent_on_by_a_store(gateway, origin, code, fields, body, status):
    gw = gateway(s3_stub(origin))
    origin.on("/photos/x", lambda ask: ask.reply(body, code, fields))
    reply = gw.get("/x")
    assert (reply.status, reply.get("Location")) == (status, fields.get("Location") if status < 400 else None)


def test_only_a_time_is_passed_on_as_one(gateway, origin):
    gw = gateway(s3_stub(origin))
    for value, told in (("7", "7"), ("Fri, 31 Dec 2027 23:59:59 GMT", "Fri, 31 Dec 2027 23:59:59 GMT"), ('junk "x"', None)):
        origin.on("/photos/x", lambda ask, value=value: ask.reply(b"", 503, {"Retry-After": value}))
        reply = gw.get("/x")
        assert reply.status == 503 and (told is None or reply["Retry-After"] == told) and "junk" not in str(reply.raw_head)


def test_what_a_bucket_answers_is_a_reply_and_what_it_refuses_us_a_denial(gateway, origin):
    gw = gateway(s3_stub(origin))
    probes = gw.total("sekisho_origin_requests_total")
    for path, status, code in (("/absent", 404, "NoSuchKey"), ("/private", 403, "AccessDenied"), ("/changed", 412, "x"),
                               ("/short", 416, "InvalidRange"), ("/ours", 403, "InvalidAccessKeyId")):
        origin.on("/photos" + path, lambda ask, status=status, code=code:
                  ask.reply(f"<Error><Code>{code}</Code></Error>".encode(), status))
        assert gw.get(path).status == (502 if path == "/ours" else status)

    def count(name, **labels):
        return gw.total(f"sekisho_{name}_total", **labels)

    until(lambda: count("origin_requests") == probes + 5, 5, "five questions to be counted")
    assert count("origin_requests", outcome="reply") == 4
    assert count("origin_requests", outcome="denied") == 1 and count("origin_requests", outcome="bad_reply") == 0
    assert count("denials", reason="forbidden") == 1 and count("denials", reason="origin_denied") == 1


def test_a_truncated_object_is_cut_and_never_stored(gateway, origin):
    gw = gateway(s3_stub(origin))
    origin.on("/photos/x", says(200, {"Content-Length": "1000", "ETag": '"a"'}, b"half", Ask.close))
    for _ in range(2):
        try:
            assert gw.get("/x").status == 502, "the failure came before the head had gone out"
        except Truncated:
            pass
    origin.on("/photos/x", lambda ask: ask.reply(b"whole", fields={"ETag": '"b"'}))
    assert gw.get("/x").body == b"whole"
    assert is_hit(gw.get("/x"))


def test_an_endpoint_that_is_down_is_told_by_name_and_found_when_it_comes(gateway, tmp_path):
    port = free_port()
    peer = Minio(tmp_path / "late", port=port)
    gw = gateway(config(peer), wait="listening")
    reply = until(lambda: (r := gw.ready()).status == 503 and r, 10, "readiness to be red")
    assert "photos" in reply.text
    assert gw.get("/photos/data.bin").status == 502
    peer.start()
    try:
        peer.wait()
        peer.boto().create_bucket(Bucket="photos")
        peer.boto().put_object(Bucket="photos", Key="data.bin", Body=b"came later")
        until(lambda: gw.ready().status == 200, 30, "readiness to turn green")
        assert gw.get("/photos/data.bin").body == b"came later"
    finally:
        peer.stop()
    until(lambda: gw.ready().status == 503, 30, "readiness to turn red again")


# ---- size


@pytest.mark.slow
def test_a_gigabyte_streams_in_constant_memory(gateway, minio):
    """Uploaded in parts, read back whole, by one client and then by several at once."""
    client, block, parts = minio.boto(), os.urandom(32 << 20), 32
    client.create_bucket(Bucket="large")
    upload = client.create_multipart_upload(Bucket="large", Key="x")["UploadId"]
    done = [{
        "PartNumber": n, "ETag": client.upload_part(Bucket="large", Key="x", UploadId=upload, PartNumber=n,
                                                    Body=block)["ETag"]
    } for n in range(1, parts + 1)]
    client.complete_multipart_upload(Bucket="large", Key="x", UploadId=upload, MultipartUpload={"Parts": done})
    gw = gateway({"origins": {"large": minio.origin(bucket="large")}, "routes": [{"path": "/", "origin": "large"}]})
    gw.get("/absent")
    before = gw.rss()
    with gw.client(timeout=120) as reader:
        reader.ask("/x")
        head = reader.read_head()
        assert head["Content-Length"] == str(len(block) * parts)
        assert reader.drain(head) == len(block) * parts
    got = gw.get("/x", {"Range": f"bytes={(32 << 20) * 5 + 7}-{(32 << 20) * 5 + 1006}"})
    assert got.body == block[7:1007]
    if not instrumented():
        assert gw.peak_rss() - before < 32 << 20
    client.delete_object(Bucket="large", Key="x")
