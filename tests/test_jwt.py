"""Tokens of every algorithm (RFC 7515, 7518, 7519, 8037, 8725): those that verify, and those that only seem to."""
import base64
import hashlib
import hmac
import json
import time

import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa, utils, x448, x25519

from lib.configs import UNLIMITED
from lib.gateway import complaint, run
from lib.tokens import (ALGORITHMS, AUDIENCE, HMAC, ISSUER, PUBLIC, RSA, SECRET, Signer, b64, bearer,
                        claims, public_pem, signer, unb64)
from lib.verdicts import OBJECT, refused, served

def jwt_identity(algorithms, keys, **changes) -> dict:
    result = {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": algorithms, "keys": keys} | changes
    return {key: value for key, value in result.items() if value is not None}


def only(algorithm: str, **changes) -> dict:
    """An identity of one algorithm and one key."""
    return jwt_identity([algorithm], [signer(algorithm).key(algorithm=None)], **changes)


def site(origin, identities: dict, **more) -> dict:
    """A route /<name>/ for each identity."""
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "identities": identities,
            "routes": [{"path": f"/{name}/", "origin": "app", "identity": name, "cache": False} for name in identities]
            } | UNLIMITED | more


@pytest.fixture(scope="module")
def app(module_origin):
    module_origin.otherwise(lambda ask: ask.reply(OBJECT.encode()))
    return module_origin


@pytest.fixture(scope="module")
def gw(module_gateway, app):
    return module_gateway(site(app, {algorithm: only(algorithm) for algorithm in ALGORITHMS} | {
        "all": jwt_identity(list(ALGORITHMS), [signer(algorithm).key() for algorithm in ALGORITHMS]),
        "mixed": jwt_identity(["HS256", "RS256"], [signer("HS256").key(), signer("RS256").key()]),
        "cookies": only("ES256", **{"from": ["bearer", {"cookie": "session"}]}),
    }))


@pytest.fixture
def never(app):
    """Nothing may reach the origin while the test runs."""
    before = len(app.requests)
    yield
    assert len(app.requests) == before, f"the origin was asked for {app.last.target}"


# ---- what verifies


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_is_served(gw, algorithm):
    for token in (signer(algorithm).token(), signer(algorithm).sign(), signer(algorithm).token(sub="ben")):
        for _ in range(3):  # verified, then remembered
            served(gw.get(f"/{algorithm}/x", bearer(token)))
            served(gw.get("/all/x", bearer(token)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_may_be_written_as_a_jwk(gateway, app, tmp_path, algorithm):
    key = signer(algorithm)
    bare = json.dumps(key.jwk(use=None, alg=None))
    (tmp_path / "key.jwk").write_text(json.dumps(key.jwk(), indent=2) + "\n")
    gw = gateway(site(app, {
        "inline": jwt_identity([algorithm], [{"inline": json.dumps(key.jwk())}]),
        "bare": jwt_identity([algorithm], [{"inline": bare}]),
        "file": jwt_identity([algorithm], [{"file": str(tmp_path / "key.jwk")}]),
        "env": jwt_identity([algorithm], [{"env": "THE_JWK"}]),
    }), env={"THE_JWK": bare})
    for name in ("inline", "bare", "file", "env"):
        served(gw.get(f"/{name}/x", bearer(key.token())))
        refused(gw.get(f"/{name}/x", bearer(Signer(algorithm, private=another(algorithm)).token())))


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_public_key_comes_from_a_file_and_the_environment(gateway, app, tmp_path, algorithm):
    key = signer(algorithm)
    (tmp_path / "key.pem").write_text(key.public_pem)
    gw = gateway(site(app, {"file": jwt_identity([algorithm], [{"file": str(tmp_path / "key.pem")}]),
                            "env": jwt_identity([algorithm], [{"env": "THE_KEY"}])}), env={"THE_KEY": key.public_pem})
    for name in ("file", "env"):
        served(gw.get(f"/{name}/x", bearer(key.token())))


def test_eddsa_is_of_two_curves_that_do_not_mix(gateway, app):
    """RFC 8037 §3.1: the key says which curve."""
    smaller, larger = signer("EdDSA"), Signer("EdDSA", private=ed448.Ed448PrivateKey.generate())
    gw = gateway(site(app, {"smaller": only("EdDSA"), "larger": jwt_identity(["EdDSA"], [larger.key(algorithm=None)])}))
    served(gw.get("/smaller/x", bearer(smaller.token())))
    served(gw.get("/larger/x", bearer(larger.token())))
    refused(gw.get("/smaller/x", bearer(larger.token())))
    refused(gw.get("/larger/x", bearer(smaller.token())))


def test_headers_that_mean_nothing_to_us_are_passed_over(gw):
    key = signer("ES256")
    for more in ({"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": "application/at+jwt"}, {"x5t": "AAAA"}, {"cty": "json"},
                 {"unknown": {"a": [1, 2]}}):
        served(gw.get("/ES256/x", bearer(key.sign(key.header(**more)))))


def test_claims_of_any_shape_are_fine_where_they_are_not_registered(gw):
    key = signer("ES256")
    for more in ({"text": "ü€😀\"\\/\n"}, {"number": -1.5e-3}, {"deep": {"a": [[1], {"b": None}]}}, {"": ""},
                 {"iat": time.time()}, {"exp": time.time() + 60.5}, {"aud": [AUDIENCE, "other"]}, {"sub": "ü"}):
        served(gw.get("/ES256/x", bearer(key.sign(payload=claims(**more)))))


def test_a_token_comes_in_a_cookie(gw):
    token = signer("ES256").token()
    for cookie in (f"session={token}", f"a=b; session={token}; c=d"):
        served(gw.get("/cookies/x", {"Cookie": cookie}))
    refused(gw.get("/cookies/x", {"Cookie": f"session={token}x"}))
    refused(gw.get("/cookies/x", {"Cookie": f"sessions={token}"}), None)
    refused(gw.get("/ES256/x", {"Cookie": f"session={token}"}), None)
    reply = gw.get("/cookies/x", {"Cookie": f"session={token}; session={token}"})
    assert reply.status == 400 and "invalid_request" in reply["WWW-Authenticate"]


def test_issuers_are_told_apart_by_iss(gateway, app):
    """Two issuers on one route with keys of the same name: each key is good for its own issuer only."""
    one, two = Signer("ES256", "1"), Signer("RS256", "1")
    issuers = {"one": "https://one.test", "two": "https://two.test"}
    identities = {"one": jwt_identity(["ES256"], [one.key()], issuer=issuers["one"]),
                  "two": jwt_identity(["RS256", "ES256"], [two.key(), Signer("ES256", "2").key()], issuer=issuers["two"])}
    config = site(app, identities)
    config["routes"].append({"path": "/both/", "origin": "app", "identity": ["one", "two"], "cache": False})
    gw = gateway(config)
    for _ in range(2):
        served(gw.get("/both/x", bearer(one.token(iss=issuers["one"]))))
        served(gw.get("/both/x", bearer(two.token(iss=issuers["two"]))))
        for bad in (one.token(iss=issuers["two"]), two.token(iss=issuers["one"]), one.token(), two.token(iss=None)):
            refused(gw.get("/both/x", bearer(bad)))
        # remembered on the route for both, still refused on the route for one
        refused(gw.get("/one/x", bearer(two.token(iss=issuers["two"]))))
        refused(gw.get("/two/x", bearer(one.token(iss=issuers["one"]))))


def test_a_token_remembered_on_one_route_opens_no_other(gateway, app):
    key = signer("ES256")
    gw = gateway(site(app, {"a": only("ES256"), "b": only("ES256", audience="another"),
                            "c": only("ES256", issuer="https://another.test")}))
    token = key.token()
    for _ in range(3):
        served(gw.get("/a/x", bearer(token)))
        refused(gw.get("/b/x", bearer(token)))
        refused(gw.get("/c/x", bearer(token)))


# ---- only the configured algorithm


@pytest.mark.parametrize("allowed", ALGORITHMS)
def test_a_token_of_any_other_algorithm_is_refused(gw, never, allowed):
    """With every algorithm's own key, and with the key that the identity trusts wherever it fits."""
    with gw.client() as client:
        for algorithm in ALGORITHMS:
            if algorithm == allowed:
                continue
            tokens = [signer(algorithm).token(), signer(algorithm).sign({"alg": allowed})]
            if {algorithm, allowed} <= {*RSA} or {algorithm, allowed} <= {*HMAC}:
                same = Signer(algorithm, private=signer(allowed).private)
                tokens += [same.token(), same.sign({"alg": allowed})]
            for token in tokens:
                refused(client.get(f"/{allowed}/x", bearer(token)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_spelling_of_none_is_an_algorithm(gw, never, algorithm):
    body = b64(claims())
    for spelt in ("none", "None", "NONE", "nOnE", "none ", " none", "", "null", "HS0", algorithm.lower(),
                  algorithm.swapcase(), algorithm + " ", algorithm + "\0"):
        if spelt == algorithm:
            continue
        unsigned = f"{b64({'alg': spelt})}.{body}"
        signed = signer(algorithm).sign({"alg": spelt})
        for path in (f"/{algorithm}/x", "/all/x"):
            for token in (f"{unsigned}.", unsigned, f"{unsigned}.AA", signed):
                refused(gw.get(path, bearer(token)))
    for wrong in (None, 256, True, [algorithm], {"alg": algorithm}):
        refused(gw.get(f"/{algorithm}/x", bearer(signer(algorithm).sign({"alg": wrong}))))


def public_texts(key: Signer):
    """Each way in which the bytes of a public key might be taken for a secret."""
    public = key.private.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    yield key.public_pem.encode()
    yield key.public_pem.strip().encode()
    yield key.public_pem.replace("\n", "\r\n").encode()
    yield "".join(key.public_pem.splitlines()[1:-1]).encode()
    yield public.public_bytes(serialization.Encoding.DER, spki)
    yield json.dumps(key.jwk()).encode()
    yield b""
    for member in ("n", "x"):
        if member in key.jwk():
            yield unb64(key.jwk()[member])
            yield key.jwk()[member].encode()


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_public_key_is_no_hmac_secret(gw, never, algorithm):
    with gw.client() as client:
        for name, sha in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
            signed = f"{b64({'alg': name})}.{b64(claims())}"
            for secret in public_texts(signer(algorithm)):
                token = f"{signed}.{b64(hmac.new(secret, signed.encode(), sha).digest())}"
                for path in (f"/{algorithm}/x", "/mixed/x", "/all/x"):
                    refused(client.get(path, bearer(token)))


# ---- signatures


def another(algorithm: str):
    return SECRET + " and sixteen more" if algorithm in HMAC else Signer.generate(algorithm)


def bent_signatures(key: Signer):
    head, body, text = key.sign().split(".")
    good = unb64(text)
    yield from (b"", good[:-1], good[1:], good + b"\0", b"\0" + good, good + good, bytes(len(good)),
                b"\xff" * len(good), good[::-1])
    yield from (bytes([good[0] ^ 1]) + good[1:], good[:-1] + bytes([good[-1] ^ 0x80]))
    if key.algorithm in ("ES256", "ES384"):
        half = len(good) // 2
        r, s = (int.from_bytes(piece, "big") for piece in (good[:half], good[half:]))
        yield from (utils.encode_dss_signature(r, s), good[half:] + good[:half], good[:half] + bytes(half),
                    bytes(half) + good[half:])
        order = {"ES256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
                 "ES384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973
                 }[key.algorithm]
        yield from (order.to_bytes(half, "big") * 2, bytes(half - 1) + b"\1" + order.to_bytes(half, "big"))
        if s + order < 1 << 8 * half:
            yield good[:half] + (s + order).to_bytes(half, "big")
    if key.algorithm == "EdDSA":  # RFC 8032 §8.4: S must be below the order of the base point
        order = (1 << 252) + 27742317777372353535851937790883648493
        yield good[:32] + (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    if key.algorithm in RSA:
        signed, sha = f"{head}.{body}".encode(), getattr(hashes, "SHA" + key.algorithm[2:])()
        wrong = hashes.SHA256() if key.algorithm[2:] != "256" else hashes.SHA512()
        if key.algorithm in ("PS256", "PS384", "PS512"):  # RFC 7518 §3.5: the salt is as long as the hash
            yield from (key.private.sign(signed, padding.PSS(padding.MGF1(sha), salt), sha) for salt in (0, 20))
            yield key.private.sign(signed, padding.PKCS1v15(), sha)
            yield key.private.sign(signed, padding.PSS(padding.MGF1(wrong), sha.digest_size), sha)
        else:
            yield key.private.sign(signed, padding.PSS(padding.MGF1(sha), sha.digest_size), sha)
        yield key.private.sign(signed, padding.PKCS1v15(), wrong)
        modulus = key.private.public_key().public_numbers().n
        yield (1).to_bytes(len(good), "big")
        if int.from_bytes(good, "big") + modulus < 1 << 8 * len(good):
            yield (int.from_bytes(good, "big") + modulus).to_bytes(len(good), "big")
    if key.algorithm in HMAC:
        sha = getattr(hashlib, "sha" + key.algorithm[2:])
        signed = f"{head}.{body}".encode()
        yield from (hmac.new(secret, signed, sha).digest() for secret in (b"", b"secret", b"\0" * 64))
        yield from (sha(signed).digest(), good[: len(good) // 2], good[:16])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bent_signature_is_refused(gw, never, algorithm):
    key = signer(algorithm)
    with gw.client() as client:
        for signature in bent_signatures(key):
            head, body, good = key.sign().split(".")
            if signature == unb64(good):
                continue
            refused(client.get(f"/{algorithm}/x", bearer(f"{head}.{body}.{b64(signature)}")))
        refused(client.get(f"/{algorithm}/x", bearer(Signer(algorithm, private=another(algorithm)).token())))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_remembered_token_vouches_for_no_other(gw, algorithm):
    """After a success: the same signature under other claims, and the same claims under another signature."""
    key = signer(algorithm)
    token = key.token(sub="ann")
    head, body, signature = token.split(".")
    other = key.token(sub="eve").split(".")
    with gw.client() as client:
        for _ in range(3):
            served(client.get(f"/{algorithm}/x", bearer(token)))
            for bad in (f"{head}.{other[1]}.{signature}", f"{head}.{body}.{other[2]}", f"{other[0]}.{body}.", token[:-8],
                        f"{head}.{body}.{b64(bytes(len(unb64(signature))))}"):
                refused(client.get(f"/{algorithm}/x", bearer(bad)))


# ---- headers that say where to find the key, or that more must be understood


def tempting_headers(algorithm: str, port: int):
    """What a forger writes into the header, beside a signature of his own key."""
    here = f"http://127.0.0.1:{port}/keys"
    own = Signer(algorithm, kid="own", private=another(algorithm))
    for more in ({"jwk": own.jwk()}, {"jwk": own.jwk(private=algorithm not in HMAC)}, {"jku": here}, {"x5u": here},
                 {"x5c": [base64.b64encode(b"a certificate").decode()]}, {"jku": here, "jwk": own.jwk(), "kid": "own"},
                 {"kid": "../../../../dev/null"}, {"kid": "' OR 1=1 --"}, {"kid": here}):
        yield own.sign({"alg": algorithm} | more)
    if algorithm in HMAC:
        empty = Signer(algorithm, private="")
        yield empty.sign({"alg": algorithm, "kid": "/dev/null"})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_that_a_token_brings_are_not_believed_nor_fetched(gw, app, never, algorithm):
    knocks = len(app.connections)
    with gw.client() as client:
        for token in tempting_headers(algorithm, app.port):
            for path in (f"/{algorithm}/x", "/all/x"):
                refused(client.get(path, bearer(token)))
    assert len(app.connections) == knocks


STRANGE_HEADERS = {
    "jwk": lambda key: {"jwk": key.jwk()},
    "jku": lambda key: {"jku": "https://id.test/keys"},
    "x5u": lambda key: {"x5u": "https://id.test/chain"},
    "x5c": lambda key: {"x5c": ["AAAA"]},
    "crit of something unknown": lambda key: {"crit": ["x"], "x": 1},
    "crit of exp": lambda key: {"crit": ["exp"], "exp": int(time.time()) + 60},
    "crit of b64": lambda key: {"crit": ["b64"], "b64": True},
    "crit of b64, off": lambda key: {"crit": ["b64"], "b64": False},
    "empty crit": lambda key: {"crit": []},
    "crit no list": lambda key: {"crit": "alg"},
    "crit null": lambda key: {"crit": None},
    "kid a number": lambda key: {"kid": 1},
    "kid null": lambda key: {"kid": None},
    "kid a list": lambda key: {"kid": ["a"]},
}


@pytest.mark.parametrize("name", STRANGE_HEADERS)
def test_a_good_signature_does_not_excuse_a_header(gw, never, name):
    with gw.client() as client:
        for algorithm in ALGORITHMS:
            key = signer(algorithm)
            refused(client.get(f"/{algorithm}/x", bearer(key.sign(key.header(**STRANGE_HEADERS[name](key))))))


OTHER_TYPES = ["logout+jwt", "dpop+jwt", "secevent+jwt", "oauth-id-jag+jwt", "token-introspection+jwt", "JWE", "JOSE", "none", "",
               "application/logout+jwt", "text/jwt", "JWT ", "at+jwt, JWT"]


@pytest.mark.parametrize("typ", OTHER_TYPES)
def test_a_token_for_something_else_is_refused(gw, never, typ):
    key = signer("ES256")
    refused(gw.get("/ES256/x", bearer(key.sign(key.header(typ=typ)))))


def test_the_usual_types_are_written_in_any_way(gw):
    key = signer("ES256")
    for typ in ("JWT", "jwt", "at+jwt", "AT+JWT", "application/jwt", "Application/at+jwt"):
        served(gw.get("/ES256/x", bearer(key.sign(key.header(typ=typ)))))
    served(gw.get("/ES256/x", bearer(key.sign(key.header()))))


def test_the_types_are_a_setting(gateway, app):
    key = signer("ES256")
    gw = gateway(site(app, {"strict": only("ES256", token_types=["application/at+jwt"]),
                            "wide": only("ES256", token_types=["none", "X+jwt"])}))
    for path, typ, may in (("strict", "at+jwt", True), ("strict", "JWT", False), ("strict", None, False),
                           ("wide", "x+JWT", True), ("wide", None, True), ("wide", "at+jwt", False), ("wide", "none", False)):
        reply = gw.get(f"/{path}/x", bearer(key.sign(key.header(typ=typ) if typ else key.header())))
        served(reply) if may else refused(reply)


CONFIRMATIONS = [{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}, {"x5t#S256": "a"}, {"jwk": {"kty": "EC"}}, {"kid": "x"}, {},
                 {"a": {"jkt": "x"}}, [], [{"jkt": "x"}], "x", "", 1, True, False, None]


@pytest.mark.parametrize("cnf", CONFIRMATIONS, ids=str)
def test_a_token_that_is_bound_to_a_key_is_no_bearer_token(gw, never, cnf):
    key = signer("ES256")
    for scheme in ("Bearer", "DPoP"):
        reply = gw.get("/ES256/x", {"Authorization": f"{scheme} {key.sign(payload=claims() | {'cnf': cnf})}"})
        refused(reply, "invalid_token" if scheme == "Bearer" else None)
    refused(gw.get("/ES256/x", bearer(key.sign(payload=json.dumps(claims())[:-1].encode() + b',"\\u0063nf":{}}'))))


def test_an_event_is_no_token(gw, never):
    """A logout token of OpenID Connect Back-Channel Logout, of an issuer that does not say so in `typ`."""
    events = {"http://schemas.openid.net/event/backchannel-logout": {}}
    refused(gw.get("/ES256/x", bearer(signer("ES256").sign(payload=claims(events=events, sid="1")))))


def test_a_kid_names_its_key_and_no_other(gateway, app, never):
    one, two = Signer("ES256", "one"), Signer("ES256", "two")
    gw = gateway(site(app, {"named": jwt_identity(["ES256"], [one.key(), two.key()])}))
    for bad in (one.token({"kid": "two"}), two.token({"kid": "one"}), one.token({"kid": "ONE"}), one.token({"kid": ""}),
                one.token({"kid": "three"}), one.token({"kid": "one\0"})):
        refused(gw.get("/named/x", bearer(bad)))


# ---- what is no token: form, JSON, claims. Every one has a signature that is right.


def text(claim: str) -> bytes:
    """Claims that verify, with this written into the object as it stands."""
    return json.dumps(claims())[:-1].encode() + f",{claim}}}".encode()


def without(claim: str, written: str) -> bytes:
    return json.dumps(claims(**{claim: None}))[:-1].encode() + f",{written}}}".encode()


def respelt(part: str) -> str:
    """Another spelling of the same bytes: the bits of the last character that carry nothing are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {0: 0, 2: 4, 3: 2}[len(part) % 4]
    return part[:-1] + alphabet[alphabet.index(part[-1]) | ((1 << spare) - 1)] if spare else part


def padded_claims(length: int) -> bytes:
    """Claims whose length leaves spare bits in base64url."""
    for size in range(3):
        body = json.dumps(claims(pad="x" * size)).encode()
        if len(body) % 3 == length:
            return body
    raise AssertionError


def forms(key: Signer):
    """name, token: not three canonical parts."""
    good = key.sign()
    head, body, signature = good.split(".")
    yield from {
        "nothing": "", "one dot": ".", "two dots": "..", "three dots": "...", "one part": head,
        "two parts": f"{head}.{body}", "four parts": f"{good}.{head}", "five parts": f"{good}.{head}.{body}",
        "a dot before": f".{good}", "a dot behind": f"{good}.", "two dots inside": f"{head}..{body}.{signature}",
        "no header": f".{body}.{signature}", "no claims": f"{head}..{signature}", "no signature": f"{head}.{body}.",
        "padded signature": good + "=" * (-len(signature) % 4 or 1), "padded": good + "==",
        "padded header": key.sign(head + "=" * (-len(head) % 4 or 1), body),
        "padded claims": key.sign(head, body + "=" * (-len(body) % 4 or 1)),
        "padded to four": key.sign(base64.urlsafe_b64encode(json.dumps(key.header()).encode()).decode() + "====", body),
        "plus": key.sign(head, b64(b'{"a":"\xfb\xef\xbe"}') + "+"), "slash": key.sign(head, body + "/"),
        "a part of length 1 mod 4": key.sign(head, body + "A" * ((1 - len(body)) % 4 or 4)),
        "a quote": key.sign(head, body + '"'), "percent": key.sign(head, body + "%3D"),
        "a header in the open": key.sign(json.dumps(key.header(), separators=(",", ":")), body),
        "claims in the open": key.sign(head, json.dumps(claims(), separators=(",", ":"))),
        "JSON serialization": json.dumps({"payload": body, "protected": head, "signature": signature},
                                         separators=(",", ":")),
        "general JSON serialization": json.dumps(
            {"payload": body, "signatures": [{"protected": head, "signature": signature}]}, separators=(",", ":")),
        "encrypted": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        "a token in a token": key.sign({"alg": key.algorithm, "cty": "JWT"}, good),
        "an empty header": key.sign(b"{}"),
        "text behind the header": key.sign(head + "A" * 4, body),
    }.items()
    for spare in (1, 2):
        payload = b64(padded_claims(spare))
        assert respelt(payload) != payload
        yield f"claims spelt otherwise {spare}", key.sign(head, respelt(payload))
        header = b64(json.dumps(key.header()).encode().ljust(48 + spare))
        yield f"header spelt otherwise {spare}", key.sign(respelt(header), body)
    if respelt(signature) != signature:
        yield "signature spelt otherwise", f"{head}.{body}.{respelt(signature)}"


BAD_JSON = {
    "empty": b"", "a space": b" ", "no JSON": b"sub=ann", "null": b"null", "a list": b"[]", "a text": b'"x"',
    "a number": b"1", "true": b"true", "open": b'{"a":1', "open text": b'{"a":"', "just a brace": b"{",
    "single quotes": b"{'sub':'ann'}", "names without quotes": b"{sub:1}", "a comma too many": b'{"a":1,}',
    "a comment": b'{"a":1/*x*/}', "a line comment": b'{"a":1}//x', "no colon": b'{"a" 1}', "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}', "hexadecimal": b'{"a":0x1}', "a leading zero": b'{"a":01}',
    "a leading plus": b'{"a":+1}', "a bare point": b'{"a":.5}', "True": b'{"a":True}', "undefined": b'{"a":undefined}',
    "a bad escape": b'{"a":"\\x41"}', "half an escape": b'{"a":"\\u00"}', "a lone surrogate": b'{"a":"\\ud800"}',
    "surrogates turned round": b'{"a":"\\udc00\\ud800"}', "a raw line feed": b'{"a":"x\ny"}', "a raw NUL": b'{"a":"\0"}',
    "a raw tab": b'{"a":"\t"}', "not UTF-8": b'{"a":"\xff"}', "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}', "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "cut UTF-8": b'{"a":"\xe2\x82"}', "a name not UTF-8": b'{"\xff":1}', "a member twice": b'{"a":1,"a":1}',
    "a member twice, escaped": b'{"a":1,"\\u0061":2}', "twice, both escaped": b'{"\\u0061":1,"\\u0061":2}',
    "twice, further in": b'{"a":{"b":1,"b":2}}', "twice, in a list": b'{"a":[{"b":1,"b":2}]}',
    "twice, escaped, further in": b'{"a":{"b":1,"\\u0062":2}}', "the empty name twice": b'{"":1,"":2}',
    "deep lists": b'{"a":' + b"[" * 1500 + b"]" * 1500 + b"}", "deep objects": b'{"a":' * 700 + b"1" + b"}" * 700,
    "deep and open": b'{"a":' + b"[" * 3000, "a number without end": b'{"a":1e999999}',
}


def merged(good: dict, bad: bytes) -> bytes:
    """`bad` with what would otherwise verify, so that nothing but the JSON can be the reason."""
    if not bad.startswith(b'{"'):
        return bad
    return json.dumps(good)[:-1].encode() + b"," + bad[1:]


BYTES_AROUND = {
    "a byte order mark": (b"\xef\xbb\xbf", b""), "NUL before": (b"\0", b""), "NUL behind": (b"", b"\0"),
    "a comma behind": (b"", b","), "a letter behind": (b"", b"x"), "a brace behind": (b"", b"}"),
    "a second object": (b"", b"{}"), "a letter before": (b"x", b""), "brackets": (b"[", b"]"), "quotes": (b'"', b'"'),
    "a vertical tab": (b"\v", b""), "a form feed": (b"", b"\f"), "a space and an object": (b"", b" {}"),
    "a no-break space": (b"", b"\xc2\xa0"),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_no_compact_serialization_is_refused(gw, never, algorithm):
    for name, token in forms(signer(algorithm)):
        for path in (f"/{algorithm}/x", "/all/x"):
            reply = gw.get(path, {"Authorization": f"Bearer {token}"})
            assert reply.status == 401, (name, reply)
            refused(reply, None if reply["WWW-Authenticate"] == 'Bearer realm="sekisho"' and name == "nothing" else "invalid_token")


@pytest.mark.parametrize("name", BAD_JSON)
def test_a_signature_does_not_excuse_bad_json(gw, never, name):
    bad = BAD_JSON[name]
    with gw.client() as client:
        for algorithm in ALGORITHMS:
            key = signer(algorithm)
            refused(client.get(f"/{algorithm}/x", bearer(key.sign(payload=merged(claims(), bad)))))
            refused(client.get(f"/{algorithm}/x", bearer(key.sign(merged(key.header(), bad)))))


def test_white_space_around_the_json_is_none_of_our_business(gw):
    """RFC 7515 §3 and RFC 8259 §2: these four characters, anywhere between tokens."""
    space = b" \t\r\n"
    for algorithm in ALGORITHMS:
        key = signer(algorithm)
        header, payload = json.dumps(key.header(), indent=1).encode(), json.dumps(claims(), indent=1).encode()
        for before, behind in ((space, b""), (b"", space), (b"\n", b"\n"), (space * 20, space * 20)):
            served(gw.get(f"/{algorithm}/x", bearer(key.sign(payload=before + payload + behind))))
            served(gw.get(f"/{algorithm}/x", bearer(key.sign(before + header + behind))))


@pytest.mark.parametrize("name", BYTES_AROUND)
def test_bytes_around_the_json_are_refused(gw, never, name):
    before, behind = BYTES_AROUND[name]
    with gw.client() as client:
        for algorithm in ALGORITHMS:
            key = signer(algorithm)
            header, payload = json.dumps(key.header()).encode(), json.dumps(claims()).encode()
            refused(client.get(f"/{algorithm}/x", bearer(key.sign(payload=before + payload + behind))))
            refused(client.get(f"/{algorithm}/x", bearer(key.sign(before + header + behind))))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_in_another_encoding_is_refused(gw, never, encoding):
    for algorithm in ALGORITHMS:
        refused(gw.get(f"/{algorithm}/x", bearer(signer(algorithm).sign(payload=json.dumps(claims()).encode(encoding)))))


@pytest.mark.parametrize("name", ["alg", "kid", "crit", "exp", "nbf", "iat", "iss", "aud", "sub", "jti"])
def test_no_registered_name_stands_twice_however_it_is_spelt(gw, never, name):
    """The first value, the last value, and both: a verifier that takes either one would be fooled."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    with gw.client() as client:
        for algorithm in ALGORITHMS:
            key = signer(algorithm)
            if name in ("alg", "kid", "crit"):
                good = json.dumps(key.header() | ({} if name == "alg" else {name: "k"}))
            else:
                good = json.dumps(claims() | {name: claims().get(name, 1 if name == "nbf" else "x")})
            value = json.dumps(json.loads(good)[name])
            for spelt in (name, escaped):
                for bad in (good[:-1] + f', "{spelt}": {value}}}', f'{{"{spelt}": {value}, ' + good[1:]):
                    token = key.sign(bad.encode()) if name in ("alg", "kid", "crit") else key.sign(payload=bad.encode())
                    refused(client.get(f"/{algorithm}/x", bearer(token)))


WRONG_NUMBERS = ('"1"', '"9999999999"', "true", "false", "null", "[]", "{}", "[9999999999]", '{"a":1}', '""', '"x"', "1e999",
                 "-1e999")
WRONG_TYPES = {
    "exp": (*WRONG_NUMBERS, "0", "-1", "-9999999999", "0.0", "-0", "1"),
    "nbf": (*WRONG_NUMBERS, "9999999999", "1e12", "99999999999999999999"),
    "iat": (*WRONG_NUMBERS, "9999999999", "1e12", "99999999999999999999"),
    "aud": ("1", "true", "null", "{}", "[1]", "[]", '""', '[["sekisho"]]', '["sekisho",1]', '["sekisho",null]',
            '{"sekisho":true}', '{"0":"sekisho"}', '"Sekisho"', '"sekisho "', '"sekisho\\u0000"', '"other sekisho"'),
    "iss": ("1", "true", "null", "{}", "[]", '""', '["https://id.test"]', '"https://id.test/"', '"https://ID.test"',
            '"https://id.test\\u0000"', '" https://id.test"'),
    "sub": ("1", "1.5", "true", "null", "{}", "[]", '["ann"]'),
    "jti": ("1", "true", "null", "[]", "{}"),
}


@pytest.mark.parametrize("claim", WRONG_TYPES)
def test_a_registered_claim_of_a_wrong_type_or_value_is_refused(gw, never, claim):
    with gw.client() as client:
        for algorithm in ("HS256", "RS256", "PS256", "ES256", "EdDSA"):
            for value in WRONG_TYPES[claim]:
                token = signer(algorithm).sign(payload=without(claim, f'"{claim}":{value}'))
                reply = client.get(f"/{algorithm}/x", bearer(token))
                assert reply.status == 401, (claim, value, reply)
                refused(reply)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_times_that_do_not_hold_are_refused(gw, never, algorithm):
    now = int(time.time())
    with gw.client() as client:
        for changes in ({"exp": None}, {"exp": now - 31}, {"exp": now - 31.5}, {"exp": now - 86400}, {"nbf": now + 90},
                        {"iat": now + 90}, {"iat": now + 86400}, {"exp": now - 100, "nbf": now + 100}):
            refused(client.get(f"/{algorithm}/x", bearer(signer(algorithm).sign(payload=claims(**changes)))))


# ---- size


def test_a_huge_token_is_refused(gw, never):
    key = signer("ES256")
    refused(gw.get("/ES256/x", bearer(key.token(pad="x" * 9000))))
    refused(gw.get("/ES256/x", bearer("a" * 9000)))
    refused(gw.get("/ES256/x", bearer("." * 9000)))
    assert gw.get("/ES256/x", bearer(key.token(pad="x" * 40000))).status == 431


@pytest.fixture(scope="module")
def roomy(module_gateway, app):
    """Room for tokens of 24 KiB."""
    return module_gateway(site(app, {"big": only("HS256", max_token=24 << 10), "es": only("ES256", max_token=24 << 10)})
                          | {"limits": UNLIMITED["limits"] | {"head": "32KiB"}})


BOMBS = {
    "lists": b"[" * 8000 + b"]" * 8000, "open lists": b"[" * 16000, "objects": b'{"":' * 3500 + b"1" + b"}" * 3500,
    "open objects": b'{"":' * 4000, "lists and objects": b'[{"":' * 2500 + b"1" + b"}]" * 2500,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_nested_bomb_is_refused(roomy, never, name):
    for path, algorithm in (("/big/x", "HS256"), ("/es/x", "ES256")):
        key = signer(algorithm)
        refused(roomy.get(path, bearer(key.sign(payload=json.dumps(claims())[:-1].encode() + b',"x":' + BOMBS[name] + b"}"))))
        refused(roomy.get(path, bearer(key.sign(json.dumps(key.header())[:-1].encode() + b',"x":' + BOMBS[name] + b"}"))))


def test_a_wide_token_costs_no_more_than_its_bytes(roomy):
    """Thousands of members, whose names must all be compared with each other: quadratic work would show."""
    key = signer("HS256")
    names = [f"{number:x}" for number in range(1500)]
    wide = key.sign(payload=claims(**{name: 1 for name in names}))
    twice = key.sign(payload=json.dumps(claims(**{name: 1 for name in names}))[:-1].encode() + b',"0":1}')
    before = roomy.cpu_seconds()
    for number in range(20):
        assert roomy.get("/big/x", bearer(wide[:-1] + ("A" if wide[-1] != "A" else "Q"))).status == 401
        assert roomy.get("/big/x", bearer(twice)).status == 401
    assert roomy.get("/big/x", bearer(wide)).status in (200, 401)
    assert roomy.cpu_seconds() - before < 1


# ---- what does not start


def pem(private, encryption=None) -> str:
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 encryption or serialization.NoEncryption()).decode()


def unusable():
    """name: (algorithm, the key as written, what the error mentions)."""
    for algorithm in PUBLIC:
        private = signer(algorithm).private
        good = signer(algorithm).public_pem
        yield f"{algorithm} no PEM", (algorithm, "not a key", "PEM")
        yield f"{algorithm} half a PEM", (algorithm, good[:len(good) // 2], "PEM")
        yield f"{algorithm} rubbish in a PEM", (algorithm, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "")
        yield f"{algorithm} a private key", (algorithm, pem(private), "private")
        yield f"{algorithm} a passphrase", (
            algorithm, pem(private, serialization.BestAvailableEncryption(b"pass phrase")), "")
        yield f"{algorithm} a private JWK", (algorithm, json.dumps(signer(algorithm).jwk(private=True)), "private")
        yield f"{algorithm} a JWK for encryption", (algorithm, json.dumps(signer(algorithm).jwk(use="enc")), "use")
        yield f"{algorithm} a JWK of another algorithm", (
            algorithm, json.dumps(signer(algorithm).jwk(alg="HS256")), "alg")
        yield f"{algorithm} a JWK without kty", (algorithm, json.dumps(signer(algorithm).jwk(kty=None)), "kty")
        yield f"{algorithm} half a JWK", (algorithm, json.dumps(signer(algorithm).jwk())[:60], "")
        yield f"{algorithm} an empty text", (algorithm, "", "")
    short = rsa.generate_private_key(65537, 1024)
    for algorithm in RSA:
        yield f"{algorithm} 1024 bits", (algorithm, public_pem(short), "2048")
        yield f"{algorithm} 1024 bits as a JWK", (
            algorithm, json.dumps(Signer(algorithm, private=short).jwk()), "2048")
        yield f"{algorithm} an EC key", (algorithm, signer("ES256").public_pem, "RSA")
    for algorithm, curve, named in (("ES256", ec.SECP384R1(), "P-256"), ("ES384", ec.SECP256R1(), "P-384"),
                                    ("ES256", ec.SECP256K1(), "P-256"), ("ES384", ec.SECP521R1(), "P-384")):
        yield f"{algorithm} {curve.name}", (algorithm, public_pem(ec.generate_private_key(curve)), named)
        yield f"{algorithm} an RSA key", (algorithm, signer("RS256").public_pem, "RSA")
    yield "EdDSA an X448 key", ("EdDSA", public_pem(x448.X448PrivateKey.generate()), "Ed25519")
    yield "EdDSA an X25519 key", ("EdDSA", public_pem(x25519.X25519PrivateKey.generate()), "Ed25519")
    yield "EdDSA an EC key", ("EdDSA", signer("ES256").public_pem, "Ed25519")
    point = signer("ES256").jwk()
    yield "ES256 a point off the curve", ("ES256", json.dumps(point | {"x": b64(b"\1" * 32)}), "")
    yield "ES256 a padded JWK", ("ES256", json.dumps(point | {"x": point["x"] + "="}), "")
    for algorithm, least in (("HS256", 32), ("HS384", 48), ("HS512", 64)):
        yield f"{algorithm} a short secret", (algorithm, "x" * (least - 1), str(least))
        yield f"{algorithm} a short JWK", (algorithm, json.dumps({"kty": "oct", "k": b64(b"x" * (least - 1))}), str(least))
        yield f"{algorithm} a public key", (algorithm, signer("RS256").public_pem, "")
        yield f"{algorithm} a private key", (algorithm, pem(signer("RS256").private), "")
        yield f"{algorithm} an RSA JWK", (algorithm, json.dumps(signer("RS256").jwk(alg=None)), "")


UNUSABLE = dict(unusable())


def secrets_of(written: str) -> list:
    """What no message may repeat: the long words of a key."""
    return [word for word in written.replace('"', " ").split() if len(word) > 24 and not word.startswith("--")]


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_cannot_verify_does_not_start(app, tmp_path, name):
    algorithm, written, mentions = UNUSABLE[name]
    done = complaint(tmp_path, site(app, {"staff": jwt_identity([algorithm], [{"inline": written}])}), mentions)
    assert not any(word in done.stderr for word in secrets_of(written)), done.stderr


@pytest.mark.parametrize("algorithm", HMAC)
def test_the_shortest_secrets_start(gateway, app, algorithm):
    secret = "y" * (int(algorithm[2:]) // 8)
    gw = gateway(site(app, {"staff": jwt_identity([algorithm], [{"inline": secret}])}))
    served(gw.get("/staff/x", bearer(Signer(algorithm, private=secret).token())))


def test_a_gateway_does_not_start_with_what_check_refuses(app, tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0"} | site(
        app, {"staff": jwt_identity(["RS256"], [{"inline": public_pem(rsa.generate_private_key(65537, 1024))}])})))
    assert run("serve", "-c", file).returncode != 0
