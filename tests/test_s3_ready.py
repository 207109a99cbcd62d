"""What the gateway finds out about a bucket before a client does, and to whom it says so; and the bucket's region.

Scripted answers are AWS's documented ones; the real peers are MinIO and versitygw.
"""
import json
import re
import uuid

import boto3
import pytest

from lib.aws import KEY, SECRET, Aws, Refusal
from lib.deadline import until
from lib.gateway import ROOT
from lib.peers import ACCESS_KEY, SECRET_KEY, Minio, VersityGw
from lib.tokens import hs256
from lib.wire import fetch

NOT_READY, READY = "dependency is not ready", "dependency is ready"


def config(origin: dict, **more) -> dict:
    return {"origins": {"photos": origin}, "routes": [{"path": "/photos/", "origin": "photos", "cache": "off"}]} | more


def dependency(reply, name: str = "photos") -> dict:
    return next(one for one in json.loads(reply.body)["dependencies"] if one["name"] == name)


def told(gw, name: str = "photos", kind: str = NOT_READY) -> list:
    return [record for record in gw.logged(kind) if record["origin"] == name]


def red(gw):
    """What a stranger hears of it, and what an operator does."""
    stranger = until(lambda: (r := gw.ready()).status == 503 and "not asked" not in r.text and r, 15, "red")
    return stranger, gw.administrate("/ready")


REFUSALS = [
    (Refusal(403, "InvalidAccessKeyId"), f"access key {KEY} is not known"),
    (Refusal(403, "SignatureDoesNotMatch"), f"secret is not that of the access key {KEY}"),
    (Refusal(404, "NoSuchBucket"), "there is no bucket photos at 127.0.0.1"),
    (Refusal(400, "ExpiredToken"), "session token has expired"),
    (Refusal(403, "InvalidToken"), "session token is not that of"),
    (Refusal(403, "RequestTimeTooSkewed"), "clocks"),
    (Refusal(403, "AllAccessDisabled"), "403 AllAccessDisabled"),
    (Refusal(403, "<script>alert(1)</script>"), "answers with 403 for the bucket"),
    (Refusal(503, "SlowDown"), "fewer requests"),
    (Refusal(500, "InternalError"), "500 InternalError"),
    (Refusal(301, "PermanentRedirect", fields={"x-amz-bucket-region": "ap-south-1"}), "region ap-south-1"),
    (Refusal(400, "AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>", {"x-amz-bucket-region": "ap-south-1"}),
     "region ap-south-1, and is asked for in eu-west-1"),
]


@pytest.mark.parametrize("refusal, words", REFUSALS, ids=[refusal.code for refusal, _ in REFUSALS])
def test_what_is_wrong_is_told_apart_and_to_the_operator_alone(gateway, origin, refusal, words):
    aws = Aws(origin, region="eu-west-1")
    aws.refusal = refusal
    gw = gateway(config(aws.configuration(region="eu-west-1")), wait="listening")
    stranger, operator = red(gw)
    assert dependency(stranger)["ready"] is False and dependency(operator)["ready"] is False
    assert words in dependency(operator)["reason"], operator.text
    assert words in told(gw)[0]["reason"]
    for secret in (KEY, "photos at", "secret", "session token", "region", refusal.code, "object store", "bucket"):
        assert secret not in dependency(stranger).get("reason", ""), stranger.text
    assert SECRET not in gw.stderr() + operator.text and "<script>" not in gw.stderr() + operator.text


def test_a_client_hears_nothing_of_our_credentials(gateway, origin):
    aws = Aws(origin)
    for code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "RequestTimeTooSkewed"):
        aws.refusal = Refusal(403, code)
        gw = gateway(config(aws.configuration()), wait="listening")
        for method in ("GET", "HEAD"):
            assert gw.get("/photos/cat.jpg", method=method).status == 502
        problem = json.loads(gw.get("/photos/cat.jpg").body)
        assert problem["type"] == "urn:sekisho:problem:origin-denied" and "detail" not in problem
        text = json.dumps(problem).lower()
        for word in ("secret", "signature", "access key", "region", "token", "clock", "bucket", KEY.lower()):
            assert word not in text, problem


def test_each_change_is_logged_once(gateway, origin):
    aws = Aws(origin)
    aws.refusal = Refusal(403, "InvalidAccessKeyId")
    gw = gateway(config(aws.configuration()), wait="listening")

    def probed_again():
        before = len(aws.scopes())
        until(lambda: len(aws.scopes()) >= before + 6, 20, "three more probes")

    until(lambda: told(gw), 10, "the first reason")
    probed_again()
    assert len(told(gw)) == 1, "once a change, and not once a probe"
    aws.refusal = Refusal(403, "SignatureDoesNotMatch")
    until(lambda: len(told(gw)) == 2, 10, "another reason")
    probed_again()
    aws.refusal = None
    until(lambda: told(gw, kind=READY), 10, "that it is well")
    assert gw.ready().status == 200
    assert ["known" in told(gw)[0]["reason"], "secret" in told(gw)[1]["reason"], len(told(gw))] == [True, True, 2]
    assert len(told(gw, kind=READY)) == 1


def test_a_key_that_may_not_list_is_good_with_a_note(gateway, origin):
    aws = Aws(origin)
    aws.may_list = False
    gw = gateway(config(aws.configuration()))
    note = dependency(gw.administrate("/ready"))
    assert note["ready"] and "s3:ListBucket" in note["reason"] and KEY in note["reason"]
    assert "reason" not in dependency(gw.ready())
    assert gw.get("/photos/cat.jpg").body == b"a cat"


def test_a_wrong_credential_at_ready_is_refused(gateway, origin):
    gw = gateway(config(Aws(origin).configuration()))
    assert fetch(gw.admin, "/ready", {"Authorization": "Bearer nonsense"}, host="localhost").status == 401
    assert gw.ready().status == 200


def test_a_store_that_does_not_answer_is_not_ready(gateway, origin):
    aws = Aws(origin)
    origin.otherwise(lambda ask: ask.stall())
    gw = gateway(config(aws.configuration()), wait="listening")
    until(lambda: told(gw), 15, "that it is not ready")
    assert "in time" in told(gw)[0]["reason"]


# ---- the region


def signed_for(aws, before: int = 0) -> list:
    return aws.regions()[before:]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("redirects, field", [(False, True), (False, False), (True, True)],
                         ids=["malformed", "malformed without a field", "redirect"])
def test_the_region_is_found_and_kept_and_found_again(gateway, origin, redirects, field, method):
    aws = Aws(origin, region="eu-central-1", redirects=redirects, tells_in_field=field)
    gw = gateway(config(aws.configuration()) | {"admin": {}, "workers": 1}, wait="")
    until(lambda: told(gw, kind=READY), 10, "readiness")
    before = len(aws.regions())
    assert gw.get("/photos/cat.jpg", method=method).status == 200
    first = signed_for(aws, before)
    assert first[0] == "us-east-1" and first[-1] == "eu-central-1" and len(first) <= 3
    before = len(aws.regions())
    assert gw.get("/photos/cat.jpg", method=method).status == 200
    assert signed_for(aws, before) == ["eu-central-1"], "it was forgotten"
    aws.region = "ap-south-1"
    assert gw.get("/photos/cat.jpg", method=method).status == 200
    assert signed_for(aws)[-1] == "ap-south-1"


def test_a_region_that_is_set_stays(gateway, origin):
    aws = Aws(origin, region="eu-central-1")
    gw = gateway(config(aws.configuration(region="us-west-2")), wait="listening")
    stranger, operator = red(gw)
    assert "eu-central-1" in dependency(operator)["reason"] and "us-west-2" in dependency(operator)["reason"]
    assert gw.get("/photos/cat.jpg").status == 502
    assert set(aws.regions()) == {"us-west-2"}


def test_a_store_that_tells_another_region_each_time_is_asked_twice(gateway, origin):
    aws = Aws(origin)
    gw = gateway(config(aws.configuration()) | {"admin": {}}, wait="")
    until(lambda: told(gw, kind=READY), 10, "readiness")
    regions = iter(f"eu-west-{n}" for n in range(100))
    origin.on("/photos/cat.jpg", lambda ask: aws.refuse(ask, Refusal(400, "AuthorizationHeaderMalformed", "", {
        "x-amz-bucket-region": next(regions)})))
    assert gw.get("/photos/cat.jpg").status == 502
    assert origin.count("/photos/cat.jpg") == 2
    origin.on("/photos/bad", lambda ask: aws.refuse(ask, Refusal(400, "AuthorizationHeaderMalformed", "", {
        "x-amz-bucket-region": "evil.example/"})))
    assert gw.get("/photos/bad").status == 502
    assert origin.count("/photos/bad") == 1, "what is no region's name is not followed"


def test_at_aws_the_host_follows_the_region_that_was_found(gateway, origin):
    aws = Aws(origin, region="eu-central-1")
    place = f"http://s3.amazonaws.com:{origin.port}"
    names = ["photos.s3.amazonaws.com", "photos.s3.eu-central-1.amazonaws.com"]
    gw = gateway(config(aws.configuration(endpoint=place)) | {"workers": 1}, hosts=names)
    assert "eu-central-1" in dependency(gw.administrate("/ready"))["reason"]
    for _ in range(2):
        assert gw.get("/photos/cat.jpg").body == b"a cat"
    assert [ask.get("Host") for ask in origin.seen("/cat.jpg")] == [
        f"photos.s3.amazonaws.com:{origin.port}"] + 2 * [f"photos.s3.eu-central-1.amazonaws.com:{origin.port}"]


def test_an_endpoint_of_aws_says_its_region(gateway, origin):
    """README's endpoint, as it is written there: nothing else says the region."""
    written = re.search(r"S3_ENDPOINT=https://(s3\.([a-z0-9-]+)\.amazonaws\.com)", (ROOT / "README.md").read_text())
    aws = Aws(origin, region=written[2])
    gw = gateway(config(aws.configuration(endpoint=f"http://{written[1]}:{origin.port}")),
                 hosts=["photos." + written[1]])
    assert gw.get("/photos/cat.jpg").body == b"a cat"
    assert set(aws.regions()) == {written[2]}, "no request was wasted"


@pytest.mark.parametrize("peer", [Minio, VersityGw])
def test_the_region_of_a_real_store_is_found(gateway, tmp_path, peer):
    store = peer(tmp_path / "store")
    if peer is Minio:
        store.env = store.env | {"MINIO_SITE_REGION": "eu-central-1"}
    else:
        store.arguments[1:1] = ["--region", "eu-central-1"]
    store.start()
    try:
        store.wait()
        client = boto3.client("s3", endpoint_url=store.endpoint, region_name="eu-central-1",
                              aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
        client.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_object(Bucket="photos", Key="x", Body=b"in another region")
        gw = gateway(config(store.origin()))
        assert gw.get("/photos/x").body == b"in another region"
        assert gw.get("/photos/x", method="HEAD").status == 200
        gw = gateway(config(store.origin(region="us-west-2")), wait="listening")
        assert "region" in dependency(red(gw)[1])["reason"]
        assert gw.get("/photos/x").status == 502
    finally:
        store.stop()


# ---- real stores


def bucket_of(peer) -> str:
    """A bucket of the test's own with one object."""
    name = f"ready-{uuid.uuid4().hex[:8]}"
    peer.boto().create_bucket(Bucket=name)
    peer.boto().put_object(Bucket=name, Key="x", Body=b"x")
    return name


@pytest.mark.parametrize("peer", ["minio", "versitygw"])
def test_a_real_store_tells_them_apart(gateway, request, peer):
    store = request.getfixturevalue(peer)
    bucket = bucket_of(store)
    gw = gateway(config(store.origin(bucket=bucket)))
    assert dependency(gw.ready())["ready"] and gw.get("/photos/x").body == b"x"
    for changes, words in (({"access_key_id": "NOSUCHKEY"}, "access key NOSUCHKEY is not known"),
                           ({"secret_access_key": "not-the-secret"}, f"secret is not that of the access key {ACCESS_KEY}"),
                           ({"bucket": "no-such-bucket"}, "there is no bucket no-such-bucket")):
        gw = gateway(config(store.origin(**{"bucket": bucket} | changes)), wait="listening")
        stranger, operator = red(gw)
        assert words in dependency(operator)["reason"], (store.name, operator.text)
        assert words in told(gw)[0]["reason"] and words not in stranger.text
        assert SECRET_KEY not in gw.stderr() and "not-the-secret" not in gw.stderr() + operator.text


def temporary(minio, policy: dict) -> dict:
    sts = boto3.client("sts", endpoint_url=minio.endpoint, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
                       aws_secret_access_key=SECRET_KEY)
    made = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/tests", RoleSessionName="tests",
                           Policy=json.dumps(policy))["Credentials"]
    return {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"],
            "session_token": made["SessionToken"]}


def test_readme_policy_is_all_that_is_needed(gateway, minio):
    written = re.search(r"^```json\n(\{.*?^\})\n```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    bucket = bucket_of(minio)
    policy = json.loads(written[1].replace("photos", bucket))
    gw = gateway(config(minio.origin(bucket=bucket, **temporary(minio, policy))))
    assert gw.get("/photos/x").body == b"x" and gw.get("/photos/missing").status == 404
    assert "s3:ListBucket" not in dependency(gw.administrate("/ready")).get("reason", "")
    policy["Statement"] = [one for one in policy["Statement"] if "s3:ListBucket" not in str(one["Action"])]
    assert policy["Statement"], "reading and listing are two statements"
    gw = gateway(config(minio.origin(bucket=bucket, **temporary(minio, policy))))
    assert gw.get("/photos/x").body == b"x"
    assert "s3:ListBucket" in dependency(gw.administrate("/ready"))["reason"]


# ---- without an admin listener, and what an origin's requests meet


def test_failures_are_logged_where_nobody_can_ask(gateway, origin, folder):
    aws = Aws(origin)
    aws.refusal = Refusal(403, "SignatureDoesNotMatch")
    gw = gateway(config(aws.configuration()) | {"admin": {}}, wait="")
    until(lambda: gw.logged("listening"), 10, "the gateway to listen")
    until(lambda: told(gw), 10, "the failure in the log")
    assert "secret" in told(gw)[0]["reason"]
    aws.refusal = None
    until(lambda: told(gw, kind=READY), 10, "the recovery in the log")


def test_an_origin_that_answers_no_request_is_logged_once(gateway, origin):
    origin.on("/x", lambda ask: ask.reply(b"no", 500))
    gw = gateway({"origins": {"app": {"type": "http", "url": origin.url}},
                  "routes": [{"path": "/", "origin": "app", "cache": "off"}], "admin": {}}, wait="")
    until(lambda: gw.logged(READY), 10, "the origin to be watched")
    for _ in range(6):
        assert gw.get("/x").status == 500
    (record,) = until(lambda: gw.logged("requests to an origin fail"), 15, "the line")
    assert record["origin"] == "app" and record["last"] == "server_error"
    origin.on("/x", lambda ask: ask.reply(b"yes"))
    assert gw.get("/x").status == 200
    until(lambda: gw.logged("an origin answers requests again"), 15, "the other line")
    assert len(gw.logged("requests to an origin fail")) == 1


# ---- what readiness may do without, and what tells draining alone


def test_an_optional_origin_keeps_readiness_green(gateway, origin):
    aws = Aws(origin)
    aws.refusal = Refusal(403, "SignatureDoesNotMatch")
    gw = gateway(config(aws.configuration(optional=True)))
    until(lambda: told(gw), 10, "its failure to be found")
    one = dependency(gw.ready())
    assert gw.ready().status == 200 and one["ready"] is False and one["optional"] is True
    assert gw.total("sekisho_ready") == 1
    assert gw.reload(gw.config | {"origins": {"photos": aws.configuration()}}).ok
    until(lambda: gw.ready().status == 503, 10, "readiness to turn red without the word")


def test_an_optional_identity_keeps_readiness_green(gateway, origin):
    made = {"origins": {"app": {"type": "http", "url": origin.url}}, "routes": [
        {"path": "/", "origin": "app"}, {"path": "/private/", "origin": "app", "identity": "people"}],
        "identities": {"people": {"type": "jwt", "issuer": "https://id.example", "audience": "x",
                                  "algorithms": ["RS256"], "jwks": "http://127.0.0.1:9/keys", "optional": True}}}
    gw = gateway(made)
    one = dependency(gw.ready(), "people")
    assert one["ready"] is False and one["optional"] is True
    assert gw.get("/private/x", {"Authorization": "Bearer " + hs256()}).status in (401, 503)
    gw = gateway(made | {"identities": {"people": made["identities"]["people"] | {"optional": False}}}, wait="listening")
    until(lambda: gw.ready().status == 503 and "people" in gw.ready().text, 10, "readiness to be red")


def test_serving_tells_draining_alone(gateway, origin):
    aws = Aws(origin)
    aws.refusal = Refusal(403, "SignatureDoesNotMatch")
    made = config(aws.configuration(), shutdown={"delay": "1500ms"}, apps={"about": {"type": "status"}})
    made["routes"].append({"path": "/about/", "app": "about"})
    gw = gateway(made, wait="listening")
    red(gw)

    def asked() -> list:
        return [(reply.status, json.loads(reply.body)) for reply in
                (fetch(gw.admin, "/serving", host="localhost"), gw.get("/about/serving"))]

    assert asked() == 2 * [(200, {"serving": True})]
    gw.signal(15)
    until(lambda: asked() == 2 * [(503, {"serving": False})], 1.4, "the end to be told")
    assert gw.wait() == 0
