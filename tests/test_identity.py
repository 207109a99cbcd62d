"""Who is calling: routes that require a JWT (RFC 7519, RFC 6750)."""
import base64
import email.utils
import hashlib
import hmac
import json
import time

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib.configs import UNLIMITED
from lib.deadline import until
from lib.gateway import complaint, run
from lib.peers import free_port
from lib.tokens import AUDIENCE, ISSUER, SECRET, EcKey, b64, bearer, claims, hs256
from lib.wire import Client, is_hit

EC = EcKey()


def staff(**changes):
    result = {
        "type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "keys": [{"inline": SECRET}]
    } | changes
    return {key: value for key, value in result.items() if value is not None}


def site(folder, identities, route=None, **more):
    return {"origins": {"site": {"type": "dir", "path": str(folder)}}, "identities": identities,
            "routes": [{"path": "/", "origin": "site"},
                       {"path": "/private/", "origin": "site", "identity": "staff"} | (route or {})]} | UNLIMITED | more


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    path = tmp_path_factory.mktemp("objects")
    (path / "x.txt").write_text("the object")
    return path


@pytest.fixture(scope="module")
def gw(module_gateway, objects):
    return module_gateway(site(objects, {
        "staff": staff(),
        "es": staff(algorithms=["ES256"], keys=[{"inline": EC.public_pem}]),
        "both": staff(algorithms=["HS256", "ES256"], keys=[{"inline": SECRET, "kid": "h", "algorithm": "HS256"},
                                                         {"inline": EC.public_pem, "kid": "e", "algorithm": "ES256"}]),
        "sources": staff(**{"from": ["bearer", {"header": "X-Token", "prefix": "Token "}, {"query": "token"}]}),
        "exact": staff(leeway="0s"),
        "timeless": staff(require_exp=False),
        "anybody": staff(issuer=None, audience=None),
    }) | {"routes": [{"path": "/", "origin": "site"}, {"path": "/private/", "origin": "site", "identity": "staff"},
                     *[{"path": f"/{name}/", "origin": "site", "identity": name}
                       for name in ("es", "both", "sources", "exact", "timeless", "anybody")]]})


def refused(reply):
    assert reply.status == 401, reply
    assert reply["WWW-Authenticate"].startswith("Bearer")
    assert reply["Content-Type"] == "application/problem+json"
    assert b"the object" not in reply.body
    body = json.loads(reply.body)
    assert body["status"] == 401 and body["request_id"] == reply["X-Request-Id"]
    return reply


def served(reply):
    assert (reply.status, reply.text) == (200, "the object"), reply


# ---- yes and no


def test_open_routes_ask_nobody(gw):
    served(gw.get("/x.txt"))
    served(gw.get("/x.txt", bearer("nonsense")))


def test_a_protected_route_without_a_token_is_401(gw):
    reply = refused(gw.get("/private/x.txt"))
    assert "error=" not in reply["WWW-Authenticate"]
    assert refused(gw.get("/private/x.txt",
                          bearer("nonsense")))["WWW-Authenticate"].count('error="invalid_token"') == 1


def test_a_valid_token_is_served(gw):
    served(gw.get("/private/x.txt", bearer(hs256())))
    served(gw.get("/es/x.txt", bearer(EC.token())))


def test_a_token_serves_again_and_again(gw):
    token = hs256()
    with gw.client() as client:
        for _ in range(50):
            served(client.get("/private/x.txt", bearer(token)))
            refused(client.get("/private/x.txt"))
            refused(client.get("/private/x.txt", bearer(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))))


def test_the_scheme_is_read_without_regard_to_case(gw):
    served(gw.get("/private/x.txt", {"Authorization": f"bearer {hs256()}"}))
    served(gw.get("/private/x.txt", {"authorization": f"BEARER {hs256()}"}))


def test_keys_are_chosen_by_kid_and_algorithm(gw):
    served(gw.get("/both/x.txt", bearer(hs256(headers={"kid": "h"}))))
    served(gw.get("/both/x.txt", bearer(EC.token(headers={"kid": "e"}))))
    served(gw.get("/both/x.txt", bearer(hs256())))
    refused(gw.get("/both/x.txt", bearer(hs256(headers={"kid": "e"}))))
    refused(gw.get("/both/x.txt", bearer(hs256(headers={"kid": "unknown"}))))


def test_unset_issuer_and_audience_are_not_checked(gw):
    served(gw.get("/anybody/x.txt", bearer(hs256(iss="https://anyone.test", aud="anything"))))
    served(gw.get("/anybody/x.txt", bearer(hs256(iss=None, aud=None))))


def test_claims_that_refuse(gw):
    now = int(time.time())
    for changes in ({"exp": now - 60}, {"exp": now - 31}, {"nbf": now + 60}, {"iat": now + 600
                                                                              }, {"iss": "https://other.test"},
                    {"iss": None}, {"aud": "other"}, {"aud": ["other",
                                                              "another"]}, {"aud": None}, {"aud": []}, {"exp": None},
                    {"exp": "tomorrow"}, {"exp": {}}, {"nbf": "x"}, {"iss": [ISSUER]}, {"aud": 7}, {"aud": ISSUER}):
        try:
            token = hs256(**changes)
        except TypeError:  # PyJWT does not mint it; sign it by hand
            token = forge({"alg": "HS256"}, claims(**changes))
        refused(gw.get("/private/x.txt", bearer(token)))


def test_claims_that_are_fine(gw):
    now = int(time.time())
    for changes in ({"exp": now - 10}, {"nbf": now + 10}, {"aud": ["other", AUDIENCE]}, {"nbf": now - 10},
                    {"exp": now + 0.5 + 60}, {"iat": None}, {"sub": None}, {"nested": {"a": [1, {"b": None}]}}):
        served(gw.get("/private/x.txt", bearer(hs256(**changes))))


def test_leeway_and_required_expiry_are_settings(gw):
    now = int(time.time())
    refused(gw.get("/exact/x.txt", bearer(hs256(exp=now - 2))))
    served(gw.get("/timeless/x.txt", bearer(hs256(exp=None))))


def test_the_very_first_request_knows_what_time_it_is(gateway, objects):
    """A client that is there before the workers run: their clocks must be right all the same."""
    expired = bearer(hs256(iat=None, exp=int(time.time()) - 3600))
    for _ in range(20):
        port = free_port()
        gw = gateway(site(objects, {"staff": staff()}, workers=1, listen=f"127.0.0.1:{port}"), wait="")
        client = until(lambda: connected(("127.0.0.1", port)), 20, "the listener")
        reply = refused(client.get("/private/x.txt", expired))
        assert abs(email.utils.parsedate_to_datetime(reply["Date"]).timestamp() - time.time()) < 60
        client.close()


def connected(address):
    try:
        return Client(address)
    except ConnectionRefusedError:
        return None


def test_a_remembered_token_expires_all_the_same(gw):
    token = hs256(exp=int(time.time()) + 2)
    served(gw.get("/exact/x.txt", bearer(token)))
    until(lambda: gw.get("/exact/x.txt", bearer(token)).status == 401, 10, "the token to expire")


# ---- forgeries


def forge(header, payload, secret=SECRET) -> str:
    """Signs whatever it is given by HMAC-SHA256."""
    head, body = (part if isinstance(part, str) else b64(part) for part in (header, payload))
    mac = hmac.new(secret if isinstance(secret, bytes) else secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{b64(mac.digest())}"


def test_the_forger_can_sign(gw):
    served(gw.get("/private/x.txt", bearer(forge({"alg": "HS256"}, claims()))))


def forgeries():
    good = hs256()
    head, body, signature = good.split(".")
    other = b64(claims(sub="mallory"))
    yield "another secret", hs256("another secret of 48 bytes, as long as the first")
    yield "another key", EcKey().token()
    yield "changed claims", f"{head}.{other}.{signature}"
    yield "no signature", f"{head}.{body}."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{good}.x"
    yield "five parts", f"{good}.x.y"
    yield "empty", ""
    yield "dots", ".."
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r}", f'{b64({"alg": name})}.{body}.'
        yield f"alg {name!r} signed", forge({"alg": name}, claims())
    yield "no alg", forge({"typ": "JWT"}, claims())
    yield "alg of another size", forge({"alg": "HS512"}, claims())
    yield "alg in small letters", forge({"alg": "hs256"}, claims())
    yield "alg a list", forge({"alg": ["HS256"]}, claims())
    yield "alg RS256", forge({"alg": "RS256"}, claims())
    yield "padding", good + "="
    yield "plus and slash", good.replace("-", "+").replace("_", "/") + "+/"
    yield "a space inside", f"{head}. {body}.{signature}"
    yield "a line feed encoded", f"{head}.{body}%0a.{signature}"
    yield "duplicate alg", forge(b64(b'{"alg":"HS256","alg":"none"}'), claims())
    yield "duplicate sub", forge({"alg": "HS256"}, b64(json.dumps(claims())[:-1].encode() + b',"sub":"root"}'))
    yield "duplicate exp", forge({"alg": "HS256"}, b64(json.dumps(claims())[:-1].encode() + b',"exp":99999999999}'))
    yield "header no JSON", forge(b64(b"alg HS256"), claims())
    yield "header a list", forge(b64(b'["HS256"]'), claims())
    yield "claims no JSON", forge({"alg": "HS256"}, b64(b"sub=ann"))
    yield "claims a list", forge({"alg": "HS256"}, b64(b"[]"))
    yield "claims with rubbish behind", forge({"alg": "HS256"}, b64(json.dumps(claims()).encode() + b"x"))
    yield "claims not UTF-8", forge({"alg": "HS256"}, b64(json.dumps(claims()).encode().replace(b"ann", b"\xff\xfe")))
    yield "unknown critical header", forge({"alg": "HS256", "crit": ["x"], "x": 1}, claims())
    yield "deep claims", forge({"alg": "HS256"},
                               b64(json.dumps(claims())[:-1].encode() + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}"))
    yield "too long", forge({"alg": "HS256"}, claims(pad="x" * 8000))
    yield "exp infinite", forge({"alg": "HS256"},
                                b64(json.dumps(claims())[:-1].encode().replace(b'"exp"', b'"was"') + b',"exp":1e999}'))
    yield "an encrypted token", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..x.y.z"


FORGERIES = dict(forgeries())


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(gw, name):
    refused(gw.get("/private/x.txt", bearer(FORGERIES[name])))


def test_a_public_key_is_no_hmac_secret(gw):
    """The confusion of algorithms: a token signed by HMAC with the text of the public key."""
    for secret in (EC.public_pem, EC.public_pem.strip()):
        refused(gw.get("/es/x.txt", bearer(forge({"alg": "HS256"}, claims(), secret))))
        refused(gw.get("/both/x.txt", bearer(forge({"alg": "HS256"}, claims(), secret))))
        refused(gw.get("/both/x.txt", bearer(forge({"alg": "HS256", "kid": "e"}, claims(), secret))))


def test_keys_inside_a_token_are_not_believed(gw):
    own = EcKey()
    numbers = own.private.public_key().public_numbers()
    jwk = {
        "kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))
    }
    refused(gw.get("/es/x.txt", bearer(own.token(headers={"jwk": jwk}))))
    refused(gw.get("/es/x.txt", bearer(own.token(headers={"jku": "http://127.0.0.1:1/keys"}))))


def test_es256_signatures_are_64_bytes_and_not_zero(gw):
    head, body, signature = EC.token().split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    for bad in (bytes(64), raw[:63], raw + b"\0", raw[32:] + raw[:32], b"\xff" * 64, b"\x30\x44" + raw):
        refused(gw.get("/es/x.txt", bearer(f"{head}.{body}.{b64(bad)}")))


def test_two_credentials_are_none(gw):
    token = hs256()
    for reply in (gw.get("/private/x.txt", [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]),
                  gw.get(f"/sources/x.txt?token={token}&token={token}")):
        assert reply.status == 400 and "invalid_request" in reply["WWW-Authenticate"]


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "Digest x", "Token x"])
def test_other_schemes_are_no_token(gw, value):
    refused(gw.get("/private/x.txt", {"Authorization": value}))


# ---- sources


def test_a_token_comes_by_header_with_its_prefix(gw):
    token = hs256()
    served(gw.get("/sources/x.txt", {"X-Token": f"Token {token}"}))
    refused(gw.get("/sources/x.txt", {"X-Token": token}))
    refused(gw.get("/private/x.txt", {"X-Token": f"Token {token}"}))


def test_a_token_comes_by_query(gw):
    served(gw.get(f"/sources/x.txt?token={hs256()}"))
    served(gw.get(f"/sources/x.txt?a=b&token={hs256()}&c=d"))
    refused(gw.get("/sources/x.txt?token=x"))
    refused(gw.get(f"/private/x.txt?token={hs256()}"))


# ---- what reaches the origin, the cache and the log


@pytest.fixture
def app(gateway, origin):
    origin.otherwise(lambda ask: ask.reply(b"the object", fields={"Cache-Control": "max-age=60"}))
    return gateway({
        "origins": {"app": {"type": "http", "url": origin.url}},
        "identities": {"staff": staff(**{"from": ["bearer", {"header": "X-Token"}, {"query": "token"}]})},
        "routes": [{"path": "/", "origin": "app"}, {"path": "/private/", "origin": "app", "identity": "staff"},
                   {"path": "/forward/", "origin": "app", "identity": "staff", "forward_authorization": True}]})


def test_a_consumed_credential_reaches_no_origin(app, origin):
    token = hs256()
    served(app.get("/private/a", bearer(token)))
    served(app.get("/private/b", {"X-Token": token}))
    served(app.get(f"/private/c?x=1&token={token}&y=2"))
    assert [ask.target for ask in origin.requests] == ["/a", "/b", "/c?x=1&y=2"]
    assert token.encode() not in origin.received() and token.rsplit(".")[-1].encode() not in origin.received()
    assert all("Authorization" not in ask and "X-Token" not in ask for ask in origin.requests)


def test_authorization_goes_on_where_the_route_says_so(app, origin):
    token = hs256()
    served(app.get("/forward/a", bearer(token)))
    assert origin.last.get("Authorization") == f"Bearer {token}"
    served(app.get("/open", {"Authorization": "Basic YTpi"}))
    assert origin.last.get("Authorization") == "Basic YTpi"


def test_tokens_in_the_query_share_one_cached_object(app, origin):
    for number in range(4):
        reply = app.get(f"/private/shared?v=1&token={hs256(jti=str(number))}")
        served(reply)
        assert is_hit(reply) == (number > 0)
    assert origin.count("/shared") == 1


def test_the_cache_never_answers_before_identity(app, origin):
    served(app.get("/private/x", bearer(hs256())))
    assert is_hit(app.get("/private/x", bearer(hs256())))
    refused(app.get("/private/x"))
    refused(app.get("/private/x", bearer(hs256(exp=1))))
    refused(app.get("/private/x", {"If-None-Match": "*"}))
    assert app.get("/private/x", method="HEAD").status == 401
    assert origin.count("/x") == 1


def test_a_refused_request_reaches_no_origin(app, origin):
    with app.client() as client:
        refused(client.get("/private/x", method="POST", body=b"GET /o HTTP/1.1\r\nHost: x\r\n\r\n"))
        served(client.get("/open"))
    assert [ask.path for ask in origin.requests] == ["/open"]


def test_tokens_stand_in_no_log(app):
    token = hs256(sub="ann")
    signature = token.rsplit(".")[-1]
    app.get("/private/a", bearer(token))
    app.get(f"/private/b?token={token}&x=1")
    app.get("/private/c", {"X-Token": token})
    app.get(f"/private/d?token={token}x")
    app.get(f"/open?a=1&token={token}&b=2")
    assert app.access_for("/open?a=1&b=2"), "nor one that was sent where none is asked for"
    record = app.access_for("/private/d")
    assert record["status"] == 401
    assert app.access_for("/private/a")["principal"] == "ann"
    app.stop()
    assert signature not in app.out.read_text() and signature not in app.stderr()
    assert SECRET not in app.stderr()


# ---- refusing to start


def ec_pem(private, public=True):
    if public:
        return private.public_key().public_bytes(serialization.Encoding.PEM,
                                                 serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.BestAvailableEncryption(b"passphrase")).decode()


RSA_KEY = rsa.generate_private_key(65537, 2048)
P384_KEY = ec.generate_private_key(ec.SECP384R1())

BROKEN = {
    "no keys": (staff(keys=None), "keys"),
    "empty keys": (staff(keys=[]), "keys"),
    "no algorithms": (staff(algorithms=None), "algorithms"),
    "unknown algorithm": (staff(algorithms=["HS1"]), "HS1"),
    "none as algorithm": (staff(algorithms=["none"]), "none"),
    "missing file": (staff(keys=[{"file": "no-such-file.pem"}]), "no-such-file.pem"),
    "missing variable": (staff(keys=[{"env": "NO_SUCH_VARIABLE_IN_TESTS"}]), "NO_SUCH_VARIABLE_IN_TESTS"),
    "unset reference": (staff(keys=[{"inline": "${NO_SUCH_VARIABLE_IN_TESTS}"}]), "NO_SUCH_VARIABLE_IN_TESTS"),
    "short secret": (staff(keys=[{"inline": "short"}]), "32"),
    "empty secret": (staff(keys=[{"inline": ""}]), "inline"),
    "no PEM": (staff(algorithms=["ES256"], keys=[{"inline": "not a key"}]), "PEM"),
    "truncated PEM": (staff(algorithms=["ES256"], keys=[{"inline": EC.public_pem[:90]}]), "PEM"),
    "an RSA key": (staff(algorithms=["ES256"], keys=[{"inline": ec_pem(RSA_KEY)}]), "RSA"),
    "another curve": (staff(algorithms=["ES256"], keys=[{"inline": ec_pem(P384_KEY)}]), "P-256"),
    "an encrypted key": (staff(algorithms=["ES256"], keys=[{"inline": ec_pem(EC.private, public=False)}]), ""),
    "a public key as secret": (staff(keys=[{"inline": EC.public_pem}]), ""),
    "two sources of one key": (staff(keys=[{"inline": SECRET, "env": "HOME"}]), ""),
    "no source of a key": (staff(keys=[{"kid": "x"}]), ""),
    "kid twice": (staff(keys=[{"inline": SECRET, "kid": "a"}, {"inline": SECRET + "2", "kid": "a"}]), "a"),
    "two algorithms and a key of neither": (staff(algorithms=["HS256", "ES256"]), "ES256"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_verifier_that_cannot_verify_does_not_start(objects, tmp_path, name, command):
    identity, mentions = BROKEN[name]
    done = complaint(tmp_path, site(objects, {"staff": identity}), mentions, command)
    assert "a secret of the tests" not in done.stderr and "not a key" not in done.stderr


def test_a_route_that_names_no_identity_of_ours_does_not_start(objects, tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0"} | site(objects, {"stuff": staff()})))
    done = run("serve", "-c", file)
    assert done.returncode != 0 and "staff" in done.stderr and "broken.yaml:" in done.stderr


def test_keys_come_from_files_and_the_environment(gateway, objects, tmp_path):
    (tmp_path / "staff.pem").write_text(EC.public_pem)
    gw = gateway(site(objects, {"staff": staff(algorithms=["ES256"], keys=[{"file": str(tmp_path / "staff.pem")}])}))
    served(gw.get("/private/x.txt", bearer(EC.token())))
    gw = gateway(site(objects, {"staff": staff(keys=[{"env": "STAFF_SECRET"}])}), env={"STAFF_SECRET": SECRET})
    served(gw.get("/private/x.txt", bearer(hs256())))
    gw = gateway(site(objects, {"staff": staff(keys=[{"inline": "${STAFF_SECRET}"}])}), env={"STAFF_SECRET": SECRET})
    served(gw.get("/private/x.txt", bearer(hs256())))
