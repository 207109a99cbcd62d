"""What a valid token must say: `require` of a route, its operators over every type, and the 403 where it does not hold."""
import json

import pytest
import yaml

from lib.configs import UNLIMITED
from lib.deadline import until
from lib.gateway import complaint, run
from lib.tokens import AUDIENCE, ISSUER, Signer, bearer, claims
from lib.verdicts import OBJECT, problem, refused, served

KEY = Signer("HS256")

NAMESPACED = "https://app.test/roles"

# Claims of every type; each case below says which tests pass with it.
BODY = {
    "text": "alpha beta", "empty": "", "number": 3, "fraction": 2.5, "negative": -7, "big": 9007199254740993, "yes": True,
    "no": False, "nothing": None, "list": ["a", "b", 1, True], "none": [], "digits": "3", "truth": "true",
    "map": {"inner": "x", "": "nameless", "a.b": "dotted"}, "realm": {"roles": ["reader", "writer"], "level": 4},
    "groups": [{"name": "blue", "rank": 1}, {"name": "red", "rank": 9}, "plain"], NAMESPACED: ["admin"],
    "nested": [["a", "b"], ["c"]], "unicode": "Zoë ☃", "scope": "read:objects write:objects", "uni code": 1,
}


def is_(claim, **test) -> dict:
    return {"claim": claim} | {("in" if name == "among" else name): value for name, value in test.items()}


HOLD = {  # rules that hold for BODY
    "text equals": is_("text", equals="alpha beta"),
    "empty text equals": is_("empty", equals=""),
    "number equals": is_("number", equals=3),
    "number equals as a fraction": is_("number", equals=3.0),
    "fraction equals": is_("fraction", equals=2.5),
    "negative equals": is_("negative", equals=-7),
    "big number equals exactly": is_("big", equals=9007199254740993),
    "true equals": is_("yes", equals=True),
    "false equals": is_("no", equals=False),
    "digits are a text": is_("digits", equals="3"),
    "the word true is a text": is_("truth", equals="true"),
    "not only ASCII": is_("unicode", equals="Zoë ☃"),
    "text in": is_("text", among=["x", "alpha beta"]),
    "number in": is_("number", among=["3", 4, 3]),
    "switch in": is_("yes", among=[1, True]),
    "one in": is_("number", among=3),
    "text has within": is_("text", substring="pha be"),
    "text has itself within": is_("text", substring="alpha beta"),
    "each has within": is_("realm.roles[*]", substring="rite"),
    "text contains itself": is_("text", contains="alpha beta"),
    "a list contains": is_("list", contains="b"),
    "a list contains a number": is_("list", contains=1),
    "a list contains a switch": is_("list", contains=True),
    "greater": is_("number", gt=2),
    "greater than a fraction": is_("number", gt=2.99),
    "greater than a negative": is_("negative", gt=-8),
    "big greater": is_("big", gt=9007199254740992),
    "not less": is_("number", gte=3),
    "less": is_("fraction", lt=2.6),
    "not greater": is_("negative", lte=-7),
    "exists, false": is_("no", exists=True),
    "exists, empty": is_("empty", exists=True),
    "exists, an empty list": is_("none", exists=True),
    "is absent": is_("missing", exists=False),
    "null is absent": is_("nothing", exists=False),
    "absent further in": is_("realm.missing.deeper", exists=False),
    "a step through a text": is_("text.x", exists=False),
    "beyond a list": is_("list[4]", exists=False),
    "nested": is_("map.inner", equals="x"),
    "nested list": is_("realm.roles", contains="writer"),
    "each": is_("realm.roles[*]", equals="writer"),
    "each in": is_("realm.roles[*]", among=["x", "reader"]),
    "each, then further": is_("groups[*].name", equals="red"),
    "each, greater": is_("groups[*].rank", gt=8),
    "each of each": is_("nested[*][*]", equals="c"),
    "each contains": is_("nested[*]", contains="b"),
    "each exists": is_("groups[*].name", exists=True),
    "none of each exists": is_("groups[*].missing", exists=False),
    "by number": is_("list[1]", equals="b"),
    "by number, further": is_("groups[1].name", equals="red"),
    "a namespaced name": is_(f'["{NAMESPACED}"]', contains="admin"),
    "a namespaced name, further": is_(f'["{NAMESPACED}"][0]', equals="admin"),
    "a name with a dot": is_('map["a.b"]', equals="dotted"),
    "a name with a space": is_('["uni code"]', equals=1),
    "sub": is_("sub", equals="ann"),
    "iss": is_("iss", equals=ISSUER),
    "aud as a text": is_("aud", contains=AUDIENCE),
    "exp": is_("exp", gt=1_700_000_000),
    "iat": is_("iat", lte=99_999_999_999),
    "a scope by its text": is_("scope", contains="write:objects"),
    "all": {"all": [is_("number", equals=3), is_("yes", equals=True)]},
    "any": {"any": [is_("number", equals=4), is_("yes", equals=True)]},
    "not": {"not": is_("number", equals=4)},
    "not of absent": {"not": is_("missing", equals=4)},
    "not not": {"not": {"not": is_("number", equals=3)}},
    "deep": {"any": [{"all": [is_("number", gt=5)]}, {"not": {"any": [is_("no", equals=True), is_("missing", exists=True)]}}]},
}

FAIL = {  # rules that do not
    "another text": is_("text", equals="alpha"),
    "another case": is_("text", equals="Alpha beta"),
    "more text": is_("text", equals="alpha beta "),
    "a text for a number": is_("number", equals="3"),
    "a number for a text": is_("digits", equals=3),
    "a switch for a text": is_("truth", equals=True),
    "a text for a switch": is_("yes", equals="true"),
    "a number for a switch": is_("yes", equals=1),
    "a switch for a number": is_("number", equals=True),
    "false for zero": is_("no", equals=0),
    "an empty text for null": is_("nothing", equals=""),
    "false for null": is_("nothing", equals=False),
    "zero for an empty text": is_("empty", equals=0),
    "absent": is_("missing", equals="x"),
    "absent, empty": is_("missing", equals=""),
    "absent, false": is_("missing", equals=False),
    "a list for its only element": is_(f'["{NAMESPACED}"]', equals="admin"),
    "a list is no text": is_("realm.roles", equals="reader"),
    "a map is no text": is_("map", equals="x"),
    "a big number by rounding": is_("big", equals=9007199254740992),
    "in, none of them": is_("text", among=["alpha", "beta"]),
    "in, other types": is_("number", among=["3", True]),
    "in, a list": is_("realm.roles", among=["reader", "writer"]),
    "contains, another text": is_("text", contains="gamma"),
    "contains, part of a text": is_("text", contains="pha be"),
    "contains, a word of a text": is_("text", contains="alpha"),
    "contains, part of a scope": is_("scope", contains="write"),
    "contains, two words of a scope": is_("scope", contains="read:objects write:objects"),
    "within, another text": is_("text", substring="gamma"),
    "within, another case": is_("text", substring="ALPHA"),
    "within a list": is_("realm.roles", substring="read"),
    "within, digits of a number": is_("number", substring="3"),
    "within, of absent": is_("missing", substring="a"),
    "contains, another case": is_("text", contains="ALPHA"),
    "contains, part of an element": is_("realm.roles", contains="read"),
    "contains, another type in a list": is_("list", contains="1"),
    "contains, a switch as text": is_("list", contains="true"),
    "contains, a number in a text": is_("digits", contains=3),
    "contains, in an empty list": is_("none", contains="a"),
    "contains, a map's name": is_("map", contains="inner"),
    "contains, a nested list's element": is_("nested", contains="a"),
    "contains, of absent": is_("missing", contains="a"),
    "contains, of a number": is_("number", contains=3),
    "part of an audience": is_("aud", contains=AUDIENCE[:4]),
    "greater, equal": is_("number", gt=3),
    "greater, of digits": is_("digits", gt=1),
    "greater, of a switch": is_("yes", gt=0),
    "greater, of absent": is_("missing", gt=-1),
    "greater, of null": is_("nothing", gte=0),
    "greater, of a list": is_("list", gt=0),
    "less, of a text": is_("text", lt=1),
    "less, of absent": is_("missing", lt=1),
    "less, equal": is_("negative", lt=-7),
    "not less, less": is_("negative", gte=-6.5),
    "not greater, greater": is_("big", lte=9007199254740992),
    "exists, absent": is_("missing", exists=True),
    "exists, null": is_("nothing", exists=True),
    "is absent, empty": is_("empty", exists=False),
    "is absent, false": is_("no", exists=False),
    "each without the steps": is_("groups.name", equals="red"),
    "each of a map": is_("realm[*]", equals=4),
    "each of a text": is_("text[*]", equals="a"),
    "by number of a map": is_("map[0]", equals="x"),
    "by number of a text": is_("text[0]", equals="a"),
    "a name of a list": is_("list.a", exists=True),
    "a dotted name as a path": is_("map.a.b", equals="dotted"),
    "another case of a name": is_("Text", equals="alpha beta"),
    "none of each is absent": is_("groups[*].name", exists=False),
    "all, one fails": {"all": [is_("number", equals=3), is_("yes", equals=False)]},
    "any, none": {"any": [is_("number", equals=4), is_("missing", exists=True)]},
    "not of what holds": {"not": is_("number", equals=3)},
    "not of any": {"not": {"any": [is_("number", equals=4), is_("yes", equals=True)]}},
}


def identity(**changes) -> dict:
    return {"type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "keys": [KEY.key()]} | changes


def site(origin, routes: dict, **more) -> dict:
    """A route for each name, with what it requires."""
    return {"origins": {"app": {"type": "http", "url": origin.url}}, "identities": {"staff": identity()},
            "routes": [{"path": f"/{name}/", "origin": "app", "identity": "staff", "require": require}
                       for name, require in routes.items()]} | UNLIMITED | more


@pytest.fixture(scope="module")
def app(module_origin):
    module_origin.otherwise(lambda ask: ask.reply(OBJECT.encode(), fields={"Cache-Control": "max-age=600"}))
    return module_origin


def paths(rules: dict, prefix: str) -> dict:
    return {f"{prefix}{number}": rules[name] for number, name in enumerate(rules)}


@pytest.fixture(scope="module")
def gw(module_gateway, app):
    return module_gateway(site(app, paths(HOLD, "hold") | paths(FAIL, "fail") | {
        "list": [is_("number", equals=3), is_("yes", equals=True)],
        "half": [is_("number", equals=3), is_("yes", equals=False)],
        "admin": is_("realm.roles[*]", equals="admin"),
    }))


def rejected(reply) -> dict:
    body = problem(reply, 403, "claims-rejected")
    challenge = reply.get("WWW-Authenticate")
    assert challenge is None or challenge.startswith('Bearer error="insufficient_scope"'), challenge
    return body


@pytest.mark.parametrize("number, name", list(enumerate(HOLD)), ids=list(HOLD))
def test_a_rule_that_holds_lets_through(gw, number, name):
    token = KEY.token(**BODY)
    for _ in range(2):
        served(gw.get(f"/hold{number}/x", bearer(token)))


@pytest.mark.parametrize("number, name", list(enumerate(FAIL)), ids=list(FAIL))
def test_a_rule_that_does_not_hold_is_403(gw, app, number, name):
    before = len(app.requests)
    token = KEY.sign(payload=claims(**BODY) | {"nothing": None})
    for _ in range(2):
        rejected(gw.get(f"/fail{number}/x", bearer(token)))
    assert len(app.requests) == before


def test_all_rules_of_a_list_must_hold(gw):
    token = bearer(KEY.token(**BODY))
    served(gw.get("/list/x", token))
    rejected(gw.get("/half/x", token))


def test_null_is_told_from_absent_by_no_rule(gw):
    """BODY by PyJWT's own hand: claims() takes None out, so this one is written as it stands."""
    token = KEY.sign(payload=claims() | BODY)
    served(gw.get(f"/hold{list(HOLD).index('null is absent')}/x", bearer(token)))
    rejected(gw.get(f"/fail{list(FAIL).index('exists, null')}/x", bearer(token)))


def test_who_is_not_known_is_401_and_who_may_not_is_403(gw):
    refused(gw.get("/admin/x"), None)
    refused(gw.get("/admin/x", bearer(KEY.token(exp=1, realm={"roles": ["admin"]}))))
    refused(gw.get("/admin/x", bearer(Signer("HS256", private="y" * 64).token(realm={"roles": ["admin"]}))))
    rejected(gw.get("/admin/x", bearer(KEY.token(realm={"roles": ["reader"]}))))
    rejected(gw.get("/admin/x", bearer(KEY.token())))
    served(gw.get("/admin/x", bearer(KEY.token(realm={"roles": ["reader", "admin"]}))))


@pytest.mark.parametrize("claim", ["admin", ["admin "], [["admin"]], {"0": "admin"}, {"admin": True}, [], "", None, 1, True,
                                   ["ADMIN"], ["administrator"], [{"name": "admin"}], [None], ["admin\0"]])
def test_nothing_but_the_very_role_is_the_role(gw, claim):
    rejected(gw.get("/admin/x", bearer(KEY.sign(payload=claims(realm={"roles": claim})))))
    rejected(gw.get("/admin/x", bearer(KEY.sign(payload=claims(roles=claim)))))


def test_a_cached_object_is_given_to_those_only_who_may_have_it(gw, app):
    may, not_ = bearer(KEY.token(realm={"roles": ["admin"]})), bearer(KEY.token(realm={"roles": ["guest"]}))
    served(gw.get("/admin/shared", may))
    asked = app.count("/shared")
    for _ in range(3):
        rejected(gw.get("/admin/shared", not_))
        served(gw.get("/admin/shared", may))
    assert app.count("/shared") == asked
    assert gw.get("/admin/shared", not_, method="HEAD").status == 403
    rejected(gw.get("/admin/shared", not_ | {"If-None-Match": "*"}))


def test_a_rejected_upload_reaches_no_origin(gw, app):
    before = len(app.requests)
    with gw.client() as client:
        reply = client.get("/admin/x", bearer(KEY.token()), method="POST", body=b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        rejected(reply)
    assert len(app.requests) == before


def test_what_was_decided_for_one_token_decides_for_no_other(gw):
    with gw.client() as client:
        for number in range(30):
            role = "admin" if number % 3 else "guest"
            reply = client.get("/admin/x", bearer(KEY.token(sub="ann", jti=str(number), realm={"roles": [role]})))
            served(reply) if role == "admin" else rejected(reply)


def test_the_reason_is_counted_and_logged_and_gives_no_claim_away(gateway, app):
    gw = gateway(site(app, {"admin": is_("team", equals="blue-secret-team")}))
    reply = gw.get("/admin/x", bearer(KEY.token(team="red-private-team", sub="ann")))
    body = json.dumps(rejected(reply))
    assert "blue-secret-team" not in body and "red-private-team" not in body and "blue" not in reply.raw_head.decode()
    until(lambda: gw.total("sekisho_denials_total", reason="claims_rejected") == 1, 5, "the refusal to be counted")
    record = gw.access_for("/admin/x")
    assert record["status"] == 403 and record["principal"] == "ann"


def test_a_reload_changes_what_is_required_for_remembered_tokens_too(gateway, app):
    config = site(app, {"team": is_("team", equals="blue")}, workers=1)
    gw = gateway(config)
    blue, red = bearer(KEY.token(team="blue")), bearer(KEY.token(team="red"))
    served(gw.get("/team/x", blue))
    rejected(gw.get("/team/x", red))
    verified = gw.total("sekisho_identity_verifications_total", result="verified")
    config["routes"][0]["require"] = is_("team", equals="red")
    assert gw.reload(config).ok
    rejected(gw.get("/team/x", blue))
    served(gw.get("/team/x", red))
    assert gw.total("sekisho_identity_verifications_total", result="verified") == verified


def test_an_audience_is_a_list_even_when_written_as_a_text(gateway, app):
    config = site(app, {"x": is_("aud", contains="admin"), "each": is_("aud[*]", equals="admin")})
    config["identities"]["staff"].pop("audience")
    gw = gateway(config)
    for audience, may in (("admin", True), (["x", "admin"], True), ("not-admin", False), (["admins"], False)):
        reply = gw.get("/x/x", bearer(KEY.token(aud=audience)))
        served(reply) if may else rejected(reply)


def test_a_scope_is_a_list_of_words(gateway, app):
    gw = gateway(site(app, {"scope": is_("scope", contains="admin"), "each": is_("scope[*]", equals="admin"),
                            "scp": is_("scp", contains="admin"), "group": is_("group", contains="admin")}))
    for value, may in (("admin", True), ("read admin", True), ("admin  read ", True), (["read", "admin"], True),
                       ("admins-not", False), ("not-admin", False), ("read:admin", False), ("read,admin", False),
                       ("read\tadmin", False), ("", False), (" ", False), (None, False), (["read admin"], False)):
        for path, name in (("scope", "scope"), ("each", "scope"), ("scp", "scp")):
            reply = gw.get(f"/{path}/x", bearer(KEY.sign(payload=claims() | {name: value})))
            served(reply) if may else rejected(reply)
    for value, may in (("admin", True), (["x", "admin"], True), ("admins-not", False), ("not admin", False)):
        reply = gw.get("/group/x", bearer(KEY.sign(payload=claims(group=value))))
        served(reply) if may else rejected(reply)


def test_rules_see_every_identity_of_a_route(gateway, app):
    """Two issuers, one rule that tells them apart."""
    other = Signer("ES256")
    config = site(app, {"x": {"any": [is_("iss", equals="https://other.test"), is_("role", equals="admin")]}})
    config["identities"]["other"] = identity(issuer="https://other.test", algorithms=["ES256"], keys=[other.key()])
    config["routes"][0]["identity"] = ["staff", "other"]
    gw = gateway(config)
    served(gw.get("/x/x", bearer(other.token(iss="https://other.test"))))
    rejected(gw.get("/x/x", bearer(KEY.token())))
    served(gw.get("/x/x", bearer(KEY.token(role="admin"))))


# ---- what does not start

BROKEN = {
    "no test": ({"claim": "a"}, ""),
    "two tests": ({"claim": "a", "equals": 1, "gt": 0}, ""),
    "a test without a claim": ({"equals": 1}, ""),
    "an unknown test": ({"claim": "a", "matches": "x"}, "matches"),
    "claim and any": ({"claim": "a", "equals": 1, "any": [is_("b", equals=1)]}, ""),
    "an empty any": ({"any": []}, "any"),
    "an empty all": ({"all": []}, "all"),
    "an empty in": (is_("a", among=[]), "in"),
    "greater than a text": (is_("a", gt="x"), "gt"),
    "greater than a quoted number": (is_("a", gt="3"), "gt"),
    "greater than a switch": (is_("a", gt=True), "gt"),
    "exists a number": (is_("a", exists=3), "exists"),
    "an empty path": (is_("", equals=1), "claim"),
    "a dot at the end": (is_("a.", equals=1), "claim"),
    "two dots": (is_("a..b", equals=1), "claim"),
    "an open bracket": (is_("a[", equals=1), "claim"),
    "a negative number": (is_("a[-1]", equals=1), "claim"),
    "no name in quotes": (is_('["a', equals=1), "claim"),
    "behind a bracket": (is_("a[0]b", equals=1), "claim"),
    "contains nothing": (is_("a", contains=""), "contains"),
    "nothing within": (is_("a", substring=""), "substring"),
    "a number within": (is_("a", substring=3), "substring"),
    "contains and within": ({"claim": "a", "contains": "x", "substring": "x"}, ""),
    "equals a list": (is_("a", equals=[1]), "equals"),
    "equals a map": (is_("a", equals={"b": 1}), "equals"),
    "an empty rule": ({}, ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_that_means_nothing_does_not_start(app, tmp_path, name):
    rule, mentions = BROKEN[name]
    complaint(tmp_path, site(app, {"x": rule}), mentions)


def test_a_rule_without_an_identity_does_not_start(app, tmp_path):
    """Auth asked for, verifier missing."""
    config = site(app, {"x": is_("a", equals=1)})
    config["routes"][0].pop("identity")
    file = tmp_path / "broken.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0"} | config))
    done = run("serve", "-c", file)
    assert done.returncode != 0 and "identity" in done.stderr and "broken.yaml:" in done.stderr
