"""Keys that an issuer publishes (RFC 7517) and where it says they are (OpenID Connect Discovery): fetched, kept,
renewed, and missing."""
import json
import ssl
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lib.configs import UNLIMITED
from lib.deadline import holds, patience, until
from lib.gateway import complaint
from lib.issuer import DISCOVERY, KEYS, Issuer
from lib.origin import CHUNKED, Ask, says
from lib.tokens import AUDIENCE, PUBLIC, RSA, Signer, b64, bearer, claims, jwks, signer
from lib.verdicts import OBJECT, problem, refused, served

OLD, NEW, NEWER = Signer("ES256", "2026-10"), Signer("ES256", "2026-11"), Signer("ES256", "2026-12")

# Keys are renewed every second, as far as the reply does not say otherwise.
QUICK = {"min_ttl": "1s", "ttl": "1s", "cooldown": "1s"}


def published(issuer: Issuer, algorithms=("ES256",), jwks=None, **changes) -> dict:
    """An identity whose keys are at the issuer's; `jwks` adds to how they are fetched."""
    result = {"type": "jwt", "issuer": issuer.url, "audience": AUDIENCE, "algorithms": list(algorithms),
              "jwks": {"url": issuer.keys_url} | (jwks or {})} | changes
    return {key: value for key, value in result.items() if value is not None}


def discovered(issuer, algorithms=("ES256",), jwks=None, **changes) -> dict:
    """An identity that finds the keys by the issuer's discovery document."""
    return published(issuer, algorithms, **changes) | {"discovery": True, "jwks": jwks or {}}


def site(origin, identity: dict, **more) -> dict:
    """/private/ for the identity `staff`, / for everybody."""
    identities = identity if "type" not in identity else {"staff": identity}
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "identities": identities,
            "routes": [{"path": "/", "origin": "app"},
                       {"path": "/private/", "origin": "app", "identity": list(identities)}]} | UNLIMITED | more


@pytest.fixture
def app(origin):
    origin.otherwise(lambda ask: ask.reply(OBJECT.encode()))
    return origin


@pytest.fixture
def issuer():
    made = Issuer()
    made.publish(OLD)
    yield made
    made.stop()


@pytest.fixture
def other():
    made = Issuer()
    made.publish(OLD)
    yield made
    made.stop()


def fresh(key: Signer, issuer, **changes) -> dict:
    """The field of a token that nobody has seen before."""
    fresh.number += 1
    return bearer(key.token(iss=issuer.url, jti=str(fresh.number), **changes))


fresh.number = 0


def good(gw, key, issuer, path="/private/x"):
    served(gw.get(path, fresh(key, issuer)))


def bad(gw, key, issuer, path="/private/x"):
    refused(gw.get(path, fresh(key, issuer)))


def unavailable(reply):
    return problem(reply, 503, "identity-unavailable")


# ---- keys that come from the issuer


def test_published_keys_verify(gateway, app, issuer):
    gw = gateway(site(app, published(issuer)))
    good(gw, OLD, issuer)
    bad(gw, NEW, issuer)
    bad(gw, Signer("ES256", OLD.kid), issuer)
    ask = issuer.origin.seen(KEYS)[0]
    assert ask.method == "GET" and ask.get("Host") == f"127.0.0.1:{issuer.port}" and "Authorization" not in ask
    assert "json" in ask.get("Accept")


def test_a_url_alone_is_enough(gateway, app, issuer):
    gw = gateway(site(app, published(issuer) | {"jwks": issuer.keys_url}))
    good(gw, OLD, issuer)


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_every_public_algorithm_is_published(gateway, app, issuer, algorithm):
    key = Signer(algorithm, "k", private=signer(algorithm).private)
    issuer.publish(OLD, key)
    gw = gateway(site(app, published(issuer, [algorithm])))
    good(gw, key, issuer)
    bad(gw, OLD, issuer) if algorithm != "ES256" else None
    bad(gw, Signer(algorithm, "k"), issuer)


def test_a_key_without_alg_serves_the_algorithms_of_its_kind(gateway, app, issuer):
    keys = [Signer(algorithm, "k", private=signer("RS256").private) for algorithm in RSA]
    issuer.publish(keys[0].jwk(alg=None, use=None))
    gw = gateway(site(app, published(issuer, RSA)))
    for key in keys:
        good(gw, key, issuer)


def test_an_alg_binds_its_key(gateway, app, issuer):
    key = Signer("RS256", "k", private=signer("RS256").private)
    issuer.publish(key)
    gw = gateway(site(app, published(issuer, RSA)))
    good(gw, key, issuer)
    for algorithm in RSA[1:]:
        bad(gw, Signer(algorithm, "k", private=key.private), issuer)


def test_configured_keys_stand_beside_published_ones(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, keys=[NEW.key()])))
    good(gw, OLD, issuer)
    good(gw, NEW, issuer)


def test_a_token_without_kid_tries_the_keys_of_its_algorithm(gateway, app, issuer):
    signers = [Signer("ES256", f"k{number}") for number in range(3)]
    issuer.publish(*signers, signers[0].jwk(kid=None), signer("RS256"))
    gw = gateway(site(app, published(issuer)))
    for key in signers:
        served(gw.get("/private/x", bearer(key.token({"kid": None}, iss=issuer.url))))
    refused(gw.get("/private/x", bearer(NEW.token({"kid": None}, iss=issuer.url))))
    refused(gw.get("/private/x", bearer(signer("RS256").token(iss=issuer.url))))


def test_a_token_without_kid_costs_a_bounded_number_of_signatures(gateway, app, issuer):
    """A hundred keys, a hundred forgeries: as dear as so many signatures would be 10,000 verifications."""
    issuer.publish(*[Signer("ES256", f"k{number}") for number in range(100)])
    gw = gateway(site(app, published(issuer)))
    before = gw.cpu_seconds()
    for number in range(100):
        refused(gw.get("/private/x", bearer(NEW.token({"kid": None}, iss=issuer.url, jti=str(number)))))
    assert gw.cpu_seconds() - before < patience(0.6)


def shape_of(vendor: str, key: Signer, unused: Signer) -> list:
    """What the vendors' JWKS look like: other members, and keys that are not for signatures beside."""
    chain = {"x5c": [b64(b"\x30\x82" + b"c" * 700)], "x5t": b64(b"t" * 20)}
    return {
        "Keycloak": [unused.jwk(alg="RSA-OAEP", use="enc", kid="enc") | chain | {"x5t#S256": b64(b"t" * 32)},
                     key.jwk() | chain | {"x5t#S256": b64(b"t" * 32)}],
        "Auth0": [key.jwk() | chain, Signer("RS256", "next", private=unused.private).jwk() | chain],
        "Okta": [key.jwk(kid=key.kid) | {"status": "ACTIVE"}],
        "Entra": [key.jwk(alg=None) | chain | {"issuer": "https://login.test/x/v2.0", "cloud_instance_name": "test"}],
        "Google": [key.jwk(), Signer("RS256", "next", private=unused.private).jwk()],
        "Cognito": [key.jwk(), Signer("RS256", "id", private=unused.private).jwk()],
    }[vendor]


SHAPES = {  # the issuer's path, what a token carries
    "Keycloak": ("/realms/main", {"typ": "Bearer", "azp": "web", "realm_access": {"roles": ["reader"]},
                                  "resource_access": {"account": {"roles": ["view"]}}, "acr": "1", "sid": "s",
                                  "email_verified": True, "aud": [AUDIENCE, "account"]}),
    "Auth0": ("/", {"azp": "client", "scope": "openid read:objects", "gty": "client-credentials",
                    "https://app.test/roles": ["reader"], "permissions": ["read:objects"],
                    "aud": [AUDIENCE, "https://tenant.test/userinfo"], "sub": "auth0|5f7c8ec7c33c6c004bbafe82"}),
    "Okta": ("/oauth2/default", {"ver": 1, "jti": "AT.x", "cid": "0oa", "scp": ["openid"], "uid": "00u"}),
    "Entra": ("/tenant/v2.0", {"ver": "2.0", "tid": "t", "oid": "o", "roles": ["reader"], "nbf": int(time.time()),
                               "aio": "x", "uti": "u", "xms_cc": ["cp1"]}),
    "Google": ("", {"azp": "1.apps.test", "email": "ann@example.com", "email_verified": True, "at_hash": "h"}),
    "Cognito": ("/eu-central-1_x", {"token_use": "access", "client_id": "c", "cognito:groups": ["reader"],
                                    "username": "ann", "origin_jti": "o", "event_id": "e", "version": 2}),
}


@pytest.mark.parametrize("vendor", SHAPES)
def test_the_shapes_of_known_providers_work_by_discovery(gateway, app, vendor):
    path, more = SHAPES[vendor]
    key = Signer("RS256", "iFvQ_6SHcBm1AtoCFV7Pp7q5tSQ", private=signer("RS256").private)
    unused = Signer("RS256", "unused", private=signer("RS384").private)
    issuer = Issuer(path=path)
    try:
        issuer.say(json.dumps({"keys": shape_of(vendor, key, unused)}).encode())
        gw = gateway(site(app, discovered(issuer, ["RS256"])))
        served(gw.get("/private/x", bearer(key.token({"x5t": "abc", "typ": "JWT"}, iss=issuer.url, **more))))
        bad(gw, Signer("RS256", "enc", private=unused.private), issuer)
        refused(gw.get("/private/x", bearer(key.token(iss=issuer.base + "/elsewhere"))))
    finally:
        issuer.stop()


# ---- several issuers


def test_several_issuers_are_chosen_by_iss(gateway, app, issuer, other):
    """Both name their key alike."""
    mine, theirs = Signer("ES256", "1"), Signer("RS256", "1", private=signer("RS256").private)
    issuer.publish(mine)
    other.publish(theirs)
    config = site(app, {"ours": published(issuer), "theirs": discovered(other, ["RS256", "ES256"])})
    config["routes"].append({"path": "/ours/", "origin": "app", "identity": "ours"})
    gw = gateway(config)
    for _ in range(2):
        good(gw, mine, issuer)
        good(gw, theirs, other)
        bad(gw, mine, other)
        bad(gw, theirs, issuer)
        bad(gw, theirs, other, "/ours/x")
        refused(gw.get("/private/x", bearer(mine.token())))
        refused(gw.get("/private/x", bearer(mine.token(iss=None))))


def test_an_issuer_that_is_away_takes_no_other_with_it(gateway, app, issuer, other):
    config = site(app, {"ours": published(issuer), "theirs": published(other)})
    other.away()
    gw = gateway(config, wait="listening")
    until(lambda: gw.get("/private/x", fresh(OLD, issuer)).status == 200, 10, "the keys of the issuer that is there")
    for _ in range(3):
        good(gw, OLD, issuer)
        unavailable(gw.get("/private/x", fresh(OLD, other)))
    other.back()
    until(lambda: gw.get("/private/x", fresh(OLD, other)).status == 200, 15, "the other issuer's keys")


# ---- rotation


class Load:
    """Clients that never pause, each request with a token of its own; what is refused is kept."""

    def __init__(self, gw, issuer_url: str, key: Signer, clients: int = 3):
        self.gw, self.issuer_url, self.key = gw, issuer_url, key
        self.done, self.failed = [0] * clients, []
        self.signing = [None] * clients
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, number: int) -> None:
        with self.gw.client() as client:
            while not self.stopping.is_set():
                key = self.key
                token = key.token(iss=self.issuer_url, jti=f"{number}-{self.done[number]}")
                reply = client.get("/private/x", bearer(token))
                if reply.status != 200:
                    self.failed.append((key.kid, reply.status, reply.get("WWW-Authenticate"), reply.text))
                self.signing[number] = key
                self.done[number] += 1

    def go_on(self, key: Signer | None = None) -> None:
        """Signs by `key` from now on; returns when every client has been served again, with it."""
        self.key = key or self.key
        before = list(self.done)
        until(lambda: self.failed or all(now > then + 3 and used is self.key for now, then, used in
                                         zip(self.done, before, self.signing)), 20, "every client to go on")

    def finish(self) -> int:
        self.stopping.set()
        for thread in self.threads:
            thread.join(patience(20))
        assert not self.failed, self.failed[:3]
        return sum(self.done)


def test_rotation_under_load_refuses_no_valid_token(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks=QUICK)))
    old = bearer(OLD.token(iss=issuer.url))
    served(gw.get("/private/x", old))
    load = Load(gw, issuer.url, OLD)
    try:
        load.go_on()
        for was, now in ((OLD, NEW), (NEW, NEWER)):
            issuer.publish(now, was)
            fetches = issuer.fetches
            until(lambda: issuer.fetches > fetches, 10, "the keys to be renewed")
            load.go_on(now)
            good(gw, was, issuer)
            issuer.publish(now)
            until(lambda: gw.get("/private/x", fresh(was, issuer)).status == 401, 10, "the withdrawn key to be dropped")
            load.go_on()
    finally:
        total = load.finish()
    assert total > 50
    refused(gw.get("/private/x", old))  # remembered, and refused all the same
    bad(gw, OLD, issuer)
    bad(gw, NEW, issuer)
    good(gw, NEWER, issuer)


def test_a_key_that_is_new_at_the_issuer_is_fetched_when_a_token_names_it(gateway, app, issuer):
    """Long before the keys' time is over, and with the issuer signing by it at once."""
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "cooldown": "1s"})))
    load = Load(gw, issuer.url, OLD)
    try:
        load.go_on()
        assert issuer.fetches == 1
        issuer.publish(NEW, OLD)
        load.go_on(NEW)
        load.go_on(OLD)
    finally:
        load.finish()
    assert issuer.fetches == 2


def test_a_real_provider_rotates_its_keys_under_load(gateway, app, oidc):
    keys = {algorithm: Signer(algorithm, f"{algorithm}-1", private=signer(algorithm).private)
            for algorithm in ("RS256", "PS256", "ES256", "EdDSA")}
    provider = oidc(*keys.values())
    identity = {"type": "jwt", "issuer": provider.issuer, "audience": AUDIENCE, "algorithms": list(keys), "discovery": True,
                "jwks": QUICK}
    gw = gateway(site(app, identity))
    for algorithm in keys:
        for _ in range(2):
            served(gw.get("/private/x", bearer(provider.token(algorithm))))
    remembered = bearer(provider.token("ES256"))
    served(gw.get("/private/x", remembered))

    new = {algorithm: Signer(algorithm, f"{algorithm}-2") for algorithm in keys}
    load = Load(gw, provider.issuer, keys["ES256"])
    try:
        load.go_on()
        provider.rotate(*new.values(), *keys.values())
        for algorithm in keys:  # the provider's own tokens, signed by keys that the gateway may not have seen yet
            served(gw.get("/private/x", bearer(provider.token(algorithm))))
        load.go_on(new["ES256"])
        served(gw.get("/private/x", remembered))
        provider.rotate(*new.values())
        until(lambda: gw.get("/private/x", remembered).status == 401, 10, "the withdrawn key's token to be refused")
        load.go_on()
    finally:
        load.finish()
    for algorithm, key in keys.items():
        refused(gw.get("/private/x", bearer(key.token(iss=provider.issuer))))
        served(gw.get("/private/x", bearer(provider.token(algorithm))))
    # Once a second and not once a request.
    assert provider.count("/jwks") < 40


def test_two_real_providers_share_a_route(gateway, app, oidc):
    first, second = oidc(OLD), oidc(Signer("ES256", OLD.kid))
    identities = {name: {"type": "jwt", "issuer": provider.issuer, "audience": AUDIENCE, "algorithms": ["ES256"],
                         "discovery": True} for name, provider in (("first", first), ("second", second))}
    gw = gateway(site(app, identities))
    for provider in (first, second):
        served(gw.get("/private/x", bearer(provider.token("ES256"))))
    refused(gw.get("/private/x", bearer(OLD.token(iss=second.issuer))))


def test_a_name_whose_key_changes_is_the_new_key_alone(gateway, app, issuer):
    same = Signer("ES256", OLD.kid)
    gw = gateway(site(app, published(issuer, jwks=QUICK)))
    before = fresh(OLD, issuer)
    served(gw.get("/private/x", before))
    issuer.publish(same)
    until(lambda: gw.get("/private/x", fresh(same, issuer)).status == 200, 10, "the new key")
    refused(gw.get("/private/x", before))


def test_keys_that_stay_leave_tokens_remembered(gateway, app, issuer):
    """A renewal that brings the same keys, or one more, is no storm of verifications."""
    gw = gateway(site(app, published(issuer, jwks=QUICK), workers=1))
    token = fresh(OLD, issuer)
    served(gw.get("/private/x", token))
    issuer.publish(OLD, NEW)
    fetches = issuer.fetches
    until(lambda: issuer.fetches >= fetches + 2, 10, "two renewals")
    verified = gw.total("sekisho_identity_verifications_total", result="verified")
    for _ in range(20):
        served(gw.get("/private/x", token))
    assert gw.total("sekisho_identity_verifications_total", result="verified") == verified


# ---- how long keys are kept


@pytest.mark.parametrize("fields, bounds, often", [
    ({}, {"ttl": "1s", "min_ttl": "1s"}, True),
    ({}, {"ttl": "1h"}, False),
    ({"Cache-Control": "max-age=1"}, {"ttl": "1h", "min_ttl": "1s"}, True),
    ({"Cache-Control": "public, max-age=1, must-revalidate"}, {"ttl": "1h", "min_ttl": "1s"}, True),
    ({"Cache-Control": "max-age=3600"}, {"ttl": "1s", "min_ttl": "1s"}, False),
    ({"Cache-Control": "max-age=1"}, {"ttl": "1h", "min_ttl": "1m"}, False),
    ({"Cache-Control": "max-age=3600"}, {"ttl": "1s", "min_ttl": "1s", "max_ttl": "1s"}, True),
    ({"Cache-Control": "max-age=99999999999999999999"}, {"ttl": "1s", "min_ttl": "1s", "max_ttl": "1h"}, False),
    ({"Cache-Control": "max-age=nonsense"}, {"ttl": "1s", "min_ttl": "1s"}, True),
    ({"Cache-Control": "no-store"}, {"ttl": "1h", "min_ttl": "1s", "max_ttl": "1h"}, None),
])
def test_keys_are_renewed_by_what_the_reply_says_within_bounds(gateway, app, issuer, fields, bounds, often):
    issuer.publish(OLD, fields=fields)
    gw = gateway(site(app, published(issuer, jwks=bounds)))
    good(gw, OLD, issuer)
    if often:
        until(lambda: issuer.fetches >= 3, 10, "the keys to be renewed")
    else:
        assert holds(lambda: issuer.fetches <= (1 if often is False else 4), 2.5)
    good(gw, OLD, issuer)


def test_keys_are_renewed_before_they_expire_and_nobody_waits(gateway, app, issuer):
    """While a renewal is under way the keys at hand serve."""
    gw = gateway(site(app, published(issuer, jwks={"min_ttl": "1s", "ttl": "1s", "timeout": "5s"})))
    good(gw, OLD, issuer)
    gate = threading.Event()
    issuer.answer(lambda ask: (gate.wait(patience(20)), ask.reply(jwks(OLD)))[1])
    fetches = issuer.fetches
    until(lambda: issuer.fetches > fetches, 10, "a renewal to begin")
    try:
        for _ in range(20):
            began = time.monotonic()
            good(gw, OLD, issuer)
            assert time.monotonic() - began < patience(0.5)
    finally:
        gate.set()


# ---- an issuer that is away


def test_an_issuer_that_is_away_at_start_and_comes_back(gateway, app):
    issuer = Issuer(present=False)
    issuer.publish(OLD)
    gw = gateway(site(app, published(issuer)), wait="listening")
    try:
        reply = until(lambda: (r := gw.ready()).status == 503 and "staff" in r.text and r, 10, "readiness to tell")
        (told,) = [each for each in json.loads(reply.text)["dependencies"] if "staff" in each["name"]]
        assert told["ready"] is False and "who shows a credential" in told["reason"]
        (whole,) = [each for each in json.loads(gw.administrate("/ready").text)["dependencies"] if "staff" in each["name"]]
        assert "refuse" in whole["reason"], whole  # where it is and why: not for strangers
        served(gw.get("/x"))
        reply = gw.get("/private/x", fresh(OLD, issuer))
        unavailable(reply)
        assert "WWW-Authenticate" not in reply
        refused(gw.get("/private/x"), None)
        refused(gw.get("/private/x", bearer("nonsense")))
        assert app.count("/private/x") == 0
        issuer.back()
        until(lambda: gw.ready().status == 200, 15, "readiness to be green")
        good(gw, OLD, issuer)
        bad(gw, NEW, issuer)
    finally:
        issuer.stop()


def test_the_last_good_keys_serve_while_the_issuer_is_away(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks=QUICK)))
    good(gw, OLD, issuer)
    issuer.away()
    until(lambda: gw.total("sekisho_jwks_fetches_total", result="unreachable") >= 2, 10, "renewals to fail")
    for _ in range(10):
        good(gw, OLD, issuer)
    assert gw.ready().status == 200, "what serves is ready"
    assert "staff" in gw.ready().text
    issuer.publish(NEW)
    issuer.back()
    until(lambda: gw.get("/private/x", fresh(NEW, issuer)).status == 200, 45, "the keys of the issuer that is back")
    bad(gw, OLD, issuer)


def test_keys_that_are_too_old_serve_nobody(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks=QUICK | {"max_stale": "2s"})))
    token = fresh(OLD, issuer)
    served(gw.get("/private/x", token))
    issuer.away()
    until(lambda: gw.get("/private/x", fresh(OLD, issuer)).status == 503, 15, "the keys to be dropped")
    assert gw.get("/private/x", token).status == 503, "a remembered token is no better than its key"
    until(lambda: gw.ready().status == 503, 10, "readiness to tell")
    issuer.back()
    until(lambda: gw.get("/private/x", token).status == 200, 45, "the keys to come back")


def test_an_issuer_that_hangs_delays_nobody_who_is_known(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "timeout": "2s"}), workers=1))
    known = fresh(OLD, issuer)
    served(gw.get("/private/x", known))
    issuer.answer(Ask.stall)
    waiting = []

    def stranger():
        began = time.monotonic()
        reply = gw.get("/private/x", fresh(NEW, issuer))
        waiting.append((reply.status, time.monotonic() - began))

    threads = [threading.Thread(target=stranger) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: issuer.fetches == 2, 10, "the fetch for the unknown key")
    slowest = 0.0
    end = time.monotonic() + patience(15)
    with gw.client() as client:
        while not waiting and time.monotonic() < end:
            began = time.monotonic()
            served(client.get("/private/x", known))
            served(client.get("/x"))
            slowest = max(slowest, time.monotonic() - began)
    for thread in threads:
        thread.join(patience(20))
    assert slowest < patience(0.25), slowest
    assert len(waiting) == 5
    assert all(status in (401, 503) and took < patience(4) for status, took in waiting), waiting
    good(gw, OLD, issuer)


def test_an_issuer_that_hangs_is_waited_for_once(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "timeout": "1s", "cooldown": "1s"})))
    good(gw, OLD, issuer)
    issuer.answer(Ask.stall)
    began = time.monotonic()
    with gw.client(timeout=6) as client:
        assert client.get("/private/x", fresh(NEW, issuer)).status in (401, 503)
    assert time.monotonic() - began < patience(4)


def test_a_reload_without_the_issuer_ends_a_wait_for_its_keys(gateway, app, issuer):
    """A request that joined a fetch nobody will finish; there is no driver that could begin another."""
    gw = gateway(site(app, published(issuer, jwks=QUICK | {"timeout": "20s"})))
    good(gw, OLD, issuer)
    before = issuer.fetches
    issuer.answer(Ask.stall)
    until(lambda: issuer.fetches > before, 10, "a renewal to be under way")
    other = published(issuer, jwks=QUICK | {"timeout": "19s"})
    with gw.client(timeout=8) as client:
        client.ask("/private/x", fields=fresh(NEW, issuer))
        until(lambda: gw.total("sekisho_connections_active") >= 1, 5, "the request to be there")
        assert gw.reload(site(app, other) | {"admin": gw.config["admin"], "listen": gw.config["listen"]}).ok
        assert client.read().status in (401, 503)


def test_the_time_for_keys_is_counted_to_the_last_byte(gateway, app):
    """An endpoint that drips makes nobody wait longer than one that is silent."""
    issuer = Issuer()
    stop = threading.Event()

    def drip(ask):
        ask.head(200, {"Content-Length": "100000"})
        while not stop.wait(0.05):
            ask.send(b" ")

    issuer.answer(drip)
    gw = gateway(site(app, published(issuer, jwks={"timeout": "1s"})), wait="listening")
    try:
        until(lambda: gw.total("sekisho_jwks_fetches_total", result="unreachable") >= 1, 10, "the fetch to time out")
        unavailable(gw.get("/private/x", fresh(OLD, issuer)))
        issuer.publish(OLD)
        until(lambda: gw.get("/private/x", fresh(OLD, issuer)).status == 200, 15, "the keys")
    finally:
        stop.set()
        issuer.stop()


def test_requests_that_come_before_the_keys_share_one_fetch_and_wait_for_it(gateway, app):
    issuer = Issuer()
    gate = threading.Event()
    issuer.answer(lambda ask: (gate.wait(patience(20)), ask.reply(jwks(OLD)))[1])
    gw = gateway(site(app, published(issuer, jwks={"timeout": "10s"})), wait="listening")
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(gw.get("/private/x", fresh(OLD, issuer)))) for _ in range(20)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: issuer.fetches == 1, 10, "the fetch")
        served(gw.get("/x"))
        refused(gw.get("/private/x"), None)
        gate.set()
        for thread in threads:
            thread.join(patience(20))
        for reply in replies:
            served(reply)
        assert len(replies) == 20 and issuer.fetches == 1
    finally:
        gate.set()
        issuer.stop()


def test_a_flood_of_unknown_names_makes_few_fetches(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "cooldown": "30s"})))
    known = fresh(OLD, issuer)
    served(gw.get("/private/x", known))

    def flood(number):
        with gw.client() as client:
            for count in range(60):
                token = OLD.sign(OLD.header(kid=f"{number}-{count}"), claims(iss=issuer.url))
                refused(client.get("/private/x", bearer(token)))

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        served(gw.get("/private/x", known))
    assert issuer.fetches <= 3, issuer.fetches
    good(gw, OLD, issuer)


def test_made_up_names_keep_no_new_key_from_being_found(gateway, app, issuer):
    """Neither many of them nor one again and again: whoever has rotated is let in within seconds."""
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "cooldown": "1m"})))
    good(gw, OLD, issuer)
    over = threading.Event()

    def flood():
        with gw.client() as client:
            number = 0
            while not over.is_set():
                for name in (f"made-up-{number}", "the-same"):
                    client.get("/private/x", bearer(OLD.sign(OLD.header(kid=name), claims(iss=issuer.url))))
                number += 1

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        until(lambda: issuer.fetches >= 2, 10, "the first name to be asked for")
        issuer.publish(OLD, NEW)
        began = time.monotonic()
        until(lambda: gw.get("/private/x", fresh(NEW, issuer)).status == 200, 10, "the new key to be found")
        spent = time.monotonic() - began
    finally:
        over.set()
        thread.join()
    assert spent < patience(8)
    assert issuer.fetches <= 2 + 2 * (spent / 3 + 2), issuer.fetches


def test_forgeries_that_name_no_issuer_of_ours_ask_nobody(gateway, app, issuer):
    """Nor does what is no token at all, or a known key's forgery: strangers cannot make us call."""
    gw = gateway(site(app, published(issuer, jwks={"ttl": "1h", "cooldown": "1s"})))
    good(gw, OLD, issuer)
    for _ in range(3):
        for token in (NEW.token(iss="https://elsewhere.test"), NEW.token(iss=None), "nonsense", "a.b.c",
                      Signer("ES256", OLD.kid).token(iss=issuer.url), signer("HS256").token({"kid": "x"}, iss=issuer.url)):
            refused(gw.get("/private/x", bearer(token)))
    assert issuer.fetches == 1


# ---- an endpoint that answers badly


def huge(ask):
    ask.head(200, CHUNKED | {"Content-Type": "application/json"})
    ask.chunk(b'{"keys":[')
    for _ in range(4096):
        ask.chunk(b" " * 16384)
    ask.last_chunk()


WEAK = Signer("RS256", "weak", private=rsa.generate_private_key(65537, 1024))

NONSENSE = {
    "nothing": says(200, {"Content-Length": "0"}),
    "no JSON": says(200, {"Content-Length": "4"}, b"keys"),
    "HTML": says(200, {"Content-Length": "21", "Content-Type": "text/html"}, b"<html>Sign in!</html>"),
    "cut JSON": says(200, {"Content-Length": "30"}, jwks(OLD)[:30]),
    "cut off": says(200, {"Content-Length": "5000"}, jwks(OLD), Ask.close),
    "cut off, chunked": says(200, CHUNKED, jwks(OLD), Ask.close),
    "a list": says(200, {"Content-Length": "2"}, b"[]"),
    "no keys": says(200, {"Content-Length": "2"}, b"{}"),
    "keys no list": says(200, {"Content-Length": "11"}, b'{"keys":{}}'),
    "no key": says(200, {"Content-Length": "11"}, b'{"keys":[]}'),
    "keys twice": lambda ask: ask.reply(jwks(OLD)[:-1] + b"," + jwks(OLD)[1:]),
    "nested": lambda ask: ask.reply(b'{"keys":' + b"[" * 200_000),
    "binary": lambda ask: ask.reply(bytes(range(256)) * 16),
    "huge": lambda ask: ask.reply(b" " * (8 << 20) + jwks(OLD)),
    "huge without a length": huge,
    "404": says(404, {"Content-Length": "0"}),
    "500 with keys": lambda ask: ask.reply(jwks(OLD), 500),
    "203 with keys": lambda ask: ask.reply(jwks(OLD), 203),
    "204": lambda ask: ask.reply(b"", 204),
    "304": lambda ask: ask.reply(b"", 304),
    "no HTTP": lambda ask: (ask.send(b"220 ready\r\n"), ask.close()),
    "a closed door": Ask.close,
    "a reset": Ask.reset,
    "a compressed body": lambda ask: ask.reply(b"\x1f\x8b\x08\0" + b"x" * 40, fields={"Content-Encoding": "gzip"}),
    "weak keys": lambda ask: ask.reply(jwks(WEAK)),
    "secrets": lambda ask: ask.reply(jwks(signer("HS256"), {"kty": "oct", "k": b64(b"x" * 64), "kid": OLD.kid})),
    "keys for encryption": lambda ask: ask.reply(jwks(OLD.jwk(use="enc"))),
    "keys of other algorithms": lambda ask: ask.reply(jwks(signer("RS256"), Signer("ES384", OLD.kid))),
    "points off the curve": lambda ask: ask.reply(jwks(OLD.jwk(x=b64(b"\1" * 32)))),
}


@pytest.fixture
def liars():
    """An issuer for each kind of nonsense."""
    made = {name: Issuer() for name in NONSENSE}
    for name, issuer in made.items():
        issuer.answer(NONSENSE[name])
    yield made
    for issuer in made.values():
        issuer.stop()


def trusting(issuer: Issuer, name: str) -> dict:
    """An identity that would take the nonsense if anybody did."""
    ours = [Signer("HS256", "ours", private="our own secret of the tests, as long as it has to be").key()]
    return {"weak keys": published(issuer, ["ES256", "RS256"], QUICK),
            "secrets": published(issuer, ["ES256", "HS256"], QUICK, keys=ours)}.get(name, published(issuer, jwks=QUICK))


def test_nonsense_at_start_is_no_key_and_afterwards_changes_nothing(gateway, app, liars):
    """All at one gateway, each with a route of its own, so that their waits are one."""
    names = {name: f"liar{number}" for number, name in enumerate(liars)}
    config = site(app, {names[name]: trusting(issuer, name) for name, issuer in liars.items()})
    config["routes"] = [{"path": f"/{identity}/", "origin": "app", "identity": identity} for identity in names.values()]
    gw = gateway(config, wait="listening")

    def status(name: str, key: Signer) -> int:
        return gw.get(f"/{names[name]}/x", fresh(key, liars[name])).status

    for name, issuer in liars.items():
        until(lambda: issuer.fetches >= 1, 10, f"a first fetch: {name}")
        assert status(name, OLD) == 503, name
    assert status("weak keys", WEAK) in (401, 503)
    for secret in ("x" * 64, signer("HS256").private):
        for kid in (None, OLD.kid):
            assert status("secrets", Signer("HS256", kid, private=secret)) in (401, 503)
    report = gw.ready()
    assert report.status == 503
    told = {each["name"]: each for each in json.loads(report.text)["dependencies"]}
    for name, identity in names.items():
        (mine,) = [each for key, each in told.items() if key.rpartition(" ")[2].strip('"') == identity] or [None]
        assert mine and mine["ready"] is False and mine["reason"], (name, told)

    for issuer in liars.values():
        issuer.publish(OLD)
    for name in liars:
        until(lambda: status(name, OLD) == 200, 40, f"the keys: {name}")
    until(lambda: gw.ready().status == 200, 40, "readiness to be green")

    before = {}
    for name, issuer in liars.items():
        issuer.answer(NONSENSE[name])
        before[name] = issuer.fetches
    for name, issuer in liars.items():
        until(lambda: issuer.fetches >= before[name] + 2, 20, f"two bad renewals: {name}")
        assert status(name, OLD) == 200, name
        assert status(name, NEW) == 401, name
    assert gw.ready().status == 200


def test_huge_answers_do_not_stay_in_memory(gateway, app):
    issuer = Issuer()
    issuer.answer(huge)
    gw = gateway(site(app, published(issuer, jwks=QUICK)), wait="listening")
    try:
        until(lambda: gw.total("sekisho_jwks_fetches_total", result="too_large") >= 2, 20, "two huge answers")
        assert gw.peak_rss() < 120 << 20
    finally:
        issuer.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(gateway, app, issuer, other, status):
    issuer.answer(says(status, {"Location": other.keys_url, "Content-Length": "0"}))
    gw = gateway(site(app, published(issuer)), wait="listening")
    until(lambda: gw.total("sekisho_jwks_fetches_total", result="status") >= 1, 10, "the fetch to fail")
    unavailable(gw.get("/private/x", fresh(OLD, issuer)))
    assert other.fetches == 0


def test_odd_keys_in_a_set_spoil_no_good_one(gateway, app, issuer):
    odd = [{}, 7, None, "key", [], {"kty": "EC"}, {"kty": "XX", "kid": "a"}, {"kty": 5}, OLD.jwk(use="enc"),
           signer("HS256").jwk(), WEAK.jwk(), OLD.jwk(x="%%%"), OLD.jwk(crv="P-521"), OLD.jwk(alg="ES384"),
           OLD.jwk(alg=7), OLD.jwk(kid=7), NEW.jwk(key_ops=["encrypt"]), {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
           {"kty": "OKP", "crv": "X25519", "x": b64(b"1" * 32)}]
    issuer.say(json.dumps({"keys": [*odd, NEWER.jwk(), *odd], "more": {"a": [1]}}).encode())
    gw = gateway(site(app, published(issuer, ["ES256", "RS256", "EdDSA"])))
    good(gw, NEWER, issuer)
    for key in (OLD, NEW, WEAK):
        bad(gw, key, issuer)


def test_a_json_content_type_is_not_asked_for(gateway, app, issuer):
    """Published as application/jwk-set+json, text/plain or nothing at all: issuers do."""
    for kind in ("application/jwk-set+json", "text/plain", "application/octet-stream"):
        issuer.publish(OLD, fields={"Content-Type": kind})
        gw = gateway(site(app, published(issuer)))
        good(gw, OLD, issuer)


def test_keys_come_chunked_and_by_an_old_server(gateway, app, issuer):
    body = jwks(OLD)
    issuer.answer(says(200, CHUNKED, *[body[at:at + 7] for at in range(0, len(body), 7)]))
    good(gateway(site(app, published(issuer))), OLD, issuer)
    issuer.answer(lambda ask: (ask.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body), ask.close()))
    good(gateway(site(app, published(issuer))), OLD, issuer)


# ---- discovery

LIES = {
    "another issuer": lambda issuer: {"issuer": "https://elsewhere.test"},
    "a slash more": lambda issuer: {"issuer": issuer.url + "/"},
    "another case": lambda issuer: {"issuer": issuer.url.upper()},
    "no issuer": lambda issuer: {"issuer": None},
    "an issuer list": lambda issuer: {"issuer": [issuer.url]},
    "no keys": lambda issuer: {"jwks_uri": None},
    "keys no URL": lambda issuer: {"jwks_uri": "/keys"},
    "keys a file": lambda issuer: {"jwks_uri": "file:///etc/passwd"},
    "keys a list": lambda issuer: {"jwks_uri": [issuer.keys_url]},
    "keys a URL with a name": lambda issuer: {"jwks_uri": issuer.keys_url.replace("//", "//user:pass@")},
    "keys of another scheme": lambda issuer: {"jwks_uri": "ftp://127.0.0.1/keys"},
}


NO_DOCUMENT = {"empty": b"", "a list": b"[]", "an empty object": b"{}", "HTML": b"<html>", "cut": b'{"issuer":'}


def test_a_discovery_document_that_lies_or_is_none_is_not_believed(gateway, app):
    """All at one gateway, each issuer with a route of its own, so that their waits are one."""
    issuers = {name: Issuer() for name in (*LIES, *NO_DOCUMENT)}
    try:
        for name, issuer in issuers.items():
            issuer.publish(OLD)
            if name in LIES:
                issuer.discover(**LIES[name](issuer))
            else:
                issuer.on(DISCOVERY, lambda ask, body=NO_DOCUMENT[name]: ask.reply(body))
        names = {name: f"liar{number}" for number, name in enumerate(issuers)}
        config = site(app, {names[name]: discovered(issuer) for name, issuer in issuers.items()})
        config["routes"] = [{"path": f"/{identity}/", "origin": "app", "identity": identity} for identity in names.values()]
        gw = gateway(config, wait="listening")
        for name, issuer in issuers.items():
            lie = name in LIES and isinstance(LIES[name](issuer).get("issuer"), str)
            until(lambda: gw.total("sekisho_jwks_fetches_total", identity=names[name],
                                   result="issuer_mismatch" if lie else "malformed") >= 1, 10, f"discovery to fail: {name}")
            unavailable(gw.get(f"/{names[name]}/x", fresh(OLD, issuer)))
            assert issuer.fetches == 0, name
            issuer.discover()
        for name, issuer in issuers.items():
            until(lambda: gw.get(f"/{names[name]}/x", fresh(OLD, issuer)).status == 200, 40, f"the keys: {name}")
    finally:
        for issuer in issuers.values():
            issuer.stop()


def test_discovery_says_where_the_keys_are(gateway, app, issuer, other):
    issuer.discover(jwks_uri=other.base + "/moved?tenant=a%20b&x=1")
    other.on("/moved", lambda ask: ask.reply(jwks(NEW)))
    gw = gateway(site(app, discovered(issuer)))
    good(gw, NEW, issuer)
    bad(gw, OLD, issuer)
    assert other.origin.seen("/moved")[0].target == "/moved?tenant=a%20b&x=1"
    assert issuer.fetches == 0


# ---- TLS


@pytest.fixture
def tls_issuer(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    made = Issuer(tls=context)
    made.publish(OLD)
    yield made
    made.stop()


@pytest.mark.parametrize("kind", [published, discovered])
def test_keys_come_over_tls_by_a_private_authority(gateway, app, tls_issuer, certificate, kind):
    gw = gateway(site(app, kind(tls_issuer, jwks={"tls": {"ca_file": str(certificate.ca)}})))
    good(gw, OLD, tls_issuer)


def test_a_certificate_that_nobody_vouches_for_brings_no_keys(gateway, app, tls_issuer, certificate):
    for tls in ({}, {"ca_file": str(certificate.ca), "server_name": "elsewhere.test"}):
        gw = gateway(site(app, published(tls_issuer, jwks={"tls": tls} if tls else {})), wait="listening")
        until(lambda: gw.total("sekisho_jwks_fetches_total", result="unreachable") >= 1, 10, "the fetch to fail")
        unavailable(gw.get("/private/x", fresh(OLD, tls_issuer)))
        assert tls_issuer.fetches == 0
    gw = gateway(site(app, published(tls_issuer, jwks={"tls": {"verify": False}})))
    good(gw, OLD, tls_issuer)


def test_an_issuer_behind_tls_cannot_send_us_to_keys_in_the_clear(gateway, app, tls_issuer, other, certificate):
    tls_issuer.discover(jwks_uri=other.keys_url)
    gw = gateway(site(app, discovered(tls_issuer, jwks={"tls": {"ca_file": str(certificate.ca)}})), wait="listening")
    until(lambda: gw.total("sekisho_jwks_fetches_total", result="malformed") >= 1, 10, "discovery to fail")
    unavailable(gw.get("/private/x", fresh(OLD, tls_issuer)))
    assert other.fetches == 0


# ---- reload


def test_a_reload_keeps_keys_and_remembered_tokens(gateway, app, issuer):
    config = site(app, published(issuer, jwks={"ttl": "1h"}), workers=1)
    gw = gateway(config)
    tokens = [fresh(OLD, issuer) for _ in range(20)]
    for token in tokens:
        served(gw.get("/private/x", token))
    verified = gw.total("sekisho_identity_verifications_total", result="verified")
    for number in range(3):
        config["routes"].append({"path": f"/more{number}/", "origin": "app"})
        assert gw.reload(config).ok
        for token in tokens:
            served(gw.get("/private/x", token))
    assert gw.total("sekisho_identity_verifications_total", result="verified") == verified
    assert issuer.fetches == 1


def test_a_reload_that_changes_the_rules_forgets_who_was_let_in(gateway, app, issuer, other):
    config = site(app, published(issuer, jwks={"ttl": "1h"}))
    gw = gateway(config)
    token = fresh(OLD, issuer)
    served(gw.get("/private/x", token))
    config["identities"]["staff"]["audience"] = "another"
    assert gw.reload(config).ok
    refused(gw.get("/private/x", token))
    config["identities"]["staff"]["audience"] = AUDIENCE
    config["identities"]["staff"]["jwks"]["url"] = other.keys_url
    other.publish(NEW)
    assert gw.reload(config).ok
    until(lambda: gw.get("/private/x", fresh(NEW, issuer)).status == 200, 10, "the new place's keys")
    refused(gw.get("/private/x", token))


def test_a_reload_while_the_issuer_is_away_keeps_the_keys(gateway, app, issuer):
    config = site(app, published(issuer, jwks={"ttl": "1h"}))
    gw = gateway(config)
    good(gw, OLD, issuer)
    issuer.away()
    config["routes"].append({"path": "/more/", "origin": "app"})
    assert gw.reload(config).ok
    good(gw, OLD, issuer)


def test_an_issuer_that_leaves_the_configuration_is_asked_no_more(gateway, app, issuer):
    config = site(app, published(issuer, jwks=QUICK))
    gw = gateway(config)
    until(lambda: issuer.fetches >= 2, 10, "a renewal")
    config["identities"], config["routes"] = {}, config["routes"][:1]
    assert gw.reload(config).ok
    until(lambda: holds(lambda before=issuer.fetches: issuer.fetches == before, 1.5), 10, "the fetches to end")


def test_a_stop_does_not_wait_for_an_issuer_that_hangs(gateway, app, issuer):
    issuer.answer(Ask.stall)
    gw = gateway(site(app, published(issuer, jwks={"timeout": "30s"})), wait="listening")
    until(lambda: issuer.fetches == 1, 10, "the fetch")
    began = time.monotonic()
    gw.stop()
    assert time.monotonic() - began < patience(5)


# ---- what the operator sees


def test_no_token_stands_in_a_log_when_the_issuer_fails(gateway, app, issuer):
    gw = gateway(site(app, published(issuer, jwks=QUICK)))
    token = NEW.token(iss=issuer.url)
    gw.get("/private/x", bearer(token))
    issuer.away()
    until(lambda: gw.total("sekisho_jwks_fetches_total", result="unreachable") >= 1, 10, "a failure")
    gw.get("/private/x", bearer(token))
    gw.stop()
    for part in token.split("."):
        assert part not in gw.stderr() and part not in gw.out.read_text()


# ---- what does not start

BROKEN = {
    "no issuer": ({"jwks": "https://id.example/keys", "issuer": None}, "issuer: is missing"),
    "no audience": ({"jwks": "https://id.example/keys", "audience": None}, "audience: is missing"),
    "any audience and another": ({"jwks": "https://id.example/keys", "audience": ["any", "x"]}, "names others beside 'any'"),
    "keys in the clear, elsewhere": ({"jwks": "http://id.example/keys"}, "jwks"),
    "keys no URL": ({"jwks": "keys.json"}, "jwks"),
    "keys by FTP": ({"jwks": "ftp://127.0.0.1/keys"}, "jwks"),
    "keys with a password": ({"jwks": "https://user:secret-word@id.example/keys"}, "jwks"),
    "discovery without an issuer": ({"discovery": True, "issuer": None}, "issuer"),
    "discovery of an issuer that is no URL": ({"discovery": True, "issuer": "accounts"}, "issuer"),
    "discovery in the clear, elsewhere": ({"discovery": True, "issuer": "http://id.example"}, ""),
    "no keys at all": ({}, "keys"),
    "no keys to be found": ({"jwks": {"ttl": "1m"}}, ""),
    "times the wrong way round": ({"jwks": {"url": "https://id.example/keys", "min_ttl": "2h", "max_ttl": "1h"}}, "ttl"),
    "a published secret": ({"jwks": "https://id.example/keys", "algorithms": ["HS256"]}, "HS256"),
    "an unknown key": ({"jwks": {"url": "https://id.example/keys", "tll": "1m"}}, "ttl"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_keys_that_can_never_come_do_not_start(app, tmp_path, name):
    changes, mentions = BROKEN[name]
    identity = {"type": "jwt", "issuer": "https://id.example", "audience": AUDIENCE, "algorithms": ["ES256"]} | changes
    identity = {key: value for key, value in identity.items() if value is not None}
    done = complaint(tmp_path, site(app, {"staff": identity}), mentions)
    assert "secret-word" not in done.stderr
