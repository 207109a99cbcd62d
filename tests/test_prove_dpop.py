"""Proofs of possession (DPoP, RFC 9449): tokens that are bound to keys, and steps that prove to have them, or seem to.
What is sent is checked by PyJWT in the target (lib/dpop.py)."""
import itertools
import re

import jwt
import pytest

from lib.dpop import Verifier, hashed, thumbprint
from lib.origin import Origin
from lib.prove import FAIL, PASS, USAGE, campaign, prove
from lib.tokens import SECRET, Signer

BOUND = {"Authorization": "DPoP {{valid}}"}
GOOD = {"get": "/x?q=1", "headers": BOUND, "dpop": "device"}


@pytest.fixture
def origin():
    made = Origin()
    yield made
    made.stop()


def proving(url, steps, proof=None, token=None, **more) -> dict:
    return campaign(url, steps, **({"rate": 50, "seconds": 0.5} | more),
                    proofs={"device": proof or {}},
                    tokens={"valid": {"key": {"value": SECRET}, "proof": "device"} | (token or {})})


def private_pem(signer) -> str:
    from cryptography.hazmat.primitives import serialization
    return signer.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", ("ES256", "ES384", "EdDSA", "RS256", "PS256"))
def test_each_request_has_a_fresh_proof_that_verifies(tmp_path, origin, algorithm):
    verifier = Verifier(origin.url)
    origin.on("/x", verifier)
    run = prove(tmp_path, proving(origin.url, [GOOD], {"algorithm": algorithm}))
    assert run.code == PASS, run
    assert verifier.verdicts == ["ok"] * run.count("ok") and verifier.verdicts
    assert len(verifier.keys) == 1


def test_a_key_of_the_campaign_signs_and_shows_nowhere(tmp_path, origin):
    signer, verifier = Signer("ES256"), Verifier(origin.url)
    origin.on("/x", verifier)
    steps = [GOOD, GOOD | {"name": "never", "expect": 418}]
    run = prove(tmp_path, proving(origin.url, steps, {"key": {"value": private_pem(signer)}}), "--debug")
    assert verifier.verdicts == ["ok", "ok"] and verifier.keys == {thumbprint(signer.jwk())}
    secret = private_pem(signer).splitlines()[1]
    shown = run.out + run.err
    assert "DPoP: " in shown and secret not in shown and "eyJ" not in shown


@pytest.mark.parametrize("proof, keys", ((None, 1), ({"keys": 5}, 5)))
def test_tokens_are_bound_to_one_key_or_to_keys_of_their_own(tmp_path, origin, proof, keys):
    verifier = Verifier(origin.url)
    origin.on("/x", verifier)
    run = prove(tmp_path, proving(origin.url, [GOOD], proof, {"count": 5}, rate=200))
    assert run.code == PASS and set(verifier.verdicts) == {"ok"}, run
    tokens = {ask.get("Authorization").removeprefix("DPoP ") for ask in origin.seen("/x")}
    bound = {jwt.decode(token, SECRET, algorithms=["HS256"])["cnf"]["jkt"] for token in tokens}
    assert len(bound) == keys and bound == verifier.keys


def test_a_step_without_a_token_proves_without_ath(tmp_path, origin):
    verifier = Verifier(origin.url)
    origin.on("/token", verifier)
    run = prove(tmp_path, proving(origin.url, [{"post": "/token", "body": "grant_type=x", "dpop": {"proof": "device"}}]))
    assert run.code == PASS and set(verifier.verdicts) == {"ok"}, run


def test_a_token_that_the_target_gave_is_proved_too(tmp_path, origin):
    verifier = Verifier(origin.url)
    origin.on("/x", verifier)

    def give(ask) -> None:
        key = jwt.get_unverified_header(ask.get("DPoP"))["jwk"]
        ask.reply(jwt.encode({"cnf": {"jkt": thumbprint(key)}}, SECRET, "HS256").encode())

    origin.on("/token", give)
    steps = [{"post": "/token", "dpop": "device", "capture": {"regex": "(.+)", "as": "given"}},
             GOOD | {"headers": {"Authorization": "DPoP {{given}}"}}]
    run = prove(tmp_path, proving(origin.url, steps))
    assert run.code == PASS and set(verifier.verdicts) == {"ok"}, run


def test_the_uri_is_that_by_which_the_target_knows_itself(tmp_path, origin):
    verifier = Verifier("https://api.example.com")

    def behind(ask) -> None:
        ask.target = ask.target.replace("/base", "/v1", 1)
        verifier(ask)

    origin.on("/base/x", behind)
    made = proving(origin.url, [GOOD])
    made["targets"] = {"t": {"url": origin.url + "/base", "public_url": "https://API.example.com:443/v1"}}
    run = prove(tmp_path, made)
    assert run.code == PASS and set(verifier.verdicts) == {"ok"}, run


FORGED = {
    "ath": "ath", "htm": "htm", "htu": "htu", "host": "host elsewhere.invalid", "iat_past": "iat_past",
    "iat_future": "iat_future", "jti": "jti", "nonce": "nonce", "key": "key", "typ": "typ", "alg": "alg",
    "signature": "signature", "private": "private", "twice": "2 proofs", "replay": "replay",
}


@pytest.mark.parametrize("forge", FORGED)
def test_a_forged_proof_is_wrong_in_what_it_says_and_in_nothing_else(tmp_path, origin, forge):
    verifier = Verifier(origin.url)
    origin.on("/x", verifier)
    run = prove(tmp_path, proving(origin.url, [GOOD, GOOD | {"dpop": {"proof": "device", "forge": forge}, "expect": 401}]))
    assert run.code == PASS, run
    assert run.count("denied") == run.count("ok") > 0
    assert sorted(verifier.verdicts) == sorted(["ok", FORGED[forge]] * run.count("ok"))


def test_a_target_that_takes_a_replayed_proof_fails(tmp_path, origin):
    origin.on("/x", lambda ask: ask.reply(b"ok"))
    replay = GOOD | {"dpop": {"proof": "device", "forge": "replay"}, "expect": 401}
    run = prove(tmp_path, proving(origin.url, [GOOD, replay]))
    assert run.code == FAIL and run.reasons() == {"not_denied": run.count("failed")}, run
    sent = [ask.get("DPoP") for ask in origin.seen("/x")]
    assert len(set(sent)) * 2 == len(sent)


def test_a_nonce_is_carried_and_a_demand_for_it_answered_once(tmp_path, origin):
    verifier = Verifier(origin.url, nonces=(f"nonce-{n}" for n in itertools.count()))
    origin.on("/x", verifier)
    step = GOOD | {"dpop": {"proof": "device", "nonce": "answer"}}
    run = prove(tmp_path, proving(origin.url, [step], users=1, rate=None, seconds=0.3))
    assert run.code == PASS, run
    assert verifier.verdicts[:2] == ["nonce", "ok"] and set(verifier.verdicts[1:]) == {"ok"}
    assert run.count("ok") == len(verifier.verdicts) - 1
    assert sum(cell["retries"] for cell in run.cells()) == 1


def test_a_nonce_that_never_pleases_ends_after_one_answer(tmp_path, origin):
    numbers = itertools.count()
    origin.on("/x", lambda ask: ask.reply(b"", 401, [("DPoP-Nonce", f"n{next(numbers)}"),
                                                    ("WWW-Authenticate", 'DPoP error="use_dpop_nonce"')]))
    run = prove(tmp_path, proving(origin.url, [GOOD | {"dpop": {"proof": "device", "nonce": "answer"}}]))
    assert run.code == FAIL and origin.count("/x") == 2 * run.sent(), run


def test_without_a_wish_to_answer_the_next_request_has_the_nonce(tmp_path, origin):
    verifier = Verifier(origin.url, nonces=(f"nonce-{n}" for n in itertools.count()))
    origin.on("/x", verifier)
    run = prove(tmp_path, proving(origin.url, [GOOD | {"expect": {"status": [200, 401], "outcome": "ok"}}],
                                  users=1, rate=None, seconds=0.3))
    assert run.code == PASS and verifier.verdicts[:2] == ["nonce", "ok"], run


BAD = (
    ([GOOD | {"dpop": "devise"}], "dpop: there is no proof 'devise', did you mean 'device'?"),
    ([GOOD | {"headers": BOUND | {"dpop": "x"}}], "dpop: stands beside a header field DPoP, which is the proof"),
    ([{"get": "/x", "dpop": {"proof": "device", "forge": "ath"}}],
     "dpop: forges 'ath', which only steps with a field Authorization have"),
    ([GOOD | {"dpop": {"proof": "device", "forge": "replay"}}],
     "dpop: forges 'replay': the last proof before it must be of the same request, and a right one"),
    ([GOOD, GOOD | {"get": "/y", "dpop": {"proof": "device", "forge": "replay"}}],
     "dpop: forges 'replay': the last proof before it must be of the same request, and a right one"),
)


@pytest.mark.parametrize("steps, error", BAD, ids=range(len(BAD)))
def test_what_cannot_be_proved_is_refused_with_its_line(tmp_path, steps, error):
    run = prove(tmp_path, proving("http://127.0.0.1:1", steps))
    assert run.code == USAGE and re.search(rf":\d+: scenarios\.s\.steps\[\d\]\.{re.escape(error)}\n", run.err), run


def test_the_thumbprint_is_that_of_the_rfc():
    jwk = {"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
           "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}
    assert thumbprint(jwk) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert hashed("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU") == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
