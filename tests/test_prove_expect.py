"""What a reply must be: JSON by pointers, texts and patterns in bodies and header fields. One iteration of many
scenarios at a time (`--debug`), each with a reply of its own.
"""
import pytest

from lib.prove import FAIL, PASS, campaign, prove

JSON = (b'{"id": 7, "price": 19.90, "big": 12345678901234567890, "state": "done", "none": null, "yes": true, "~a/b": 1, '
        b'"tags": ["a", "b", 3], "items": [{"id": 1}, {"id": 2}], "user": {"name": "\xc3\x84nne", "api_key": "k-123"}}')

# json of expect, and what breaks it; None: it holds
POINTERS = [
    ({"/price": 19.9}, None),
    ({"/price": "19.90"}, '/price == "19.90" was expected, 19.90 came'),
    ({"/price": {"==": 19.900}}, None),
    ({"/big": 12345678901234567890}, None),
    ({"/big": 12345678901234567891}, "12345678901234567890 came"),
    ({"/id": {"!=": 7}}, "/id != 7 was expected, 7 came"),
    ({"/id": {">": 6, "<": 8, ">=": 7, "<=": 7}}, None),
    ({"/id": {"<": 7}}, "/id < 7 was expected, 7 came"),
    ({"/state": {"<": 7}}, '"done" came'),
    ({"/state": "done", "/yes": True, "/none": None}, None),
    ({"/state": "do"}, '/state == "do" was expected, "done" came'),
    ({"/yes": "true"}, '/yes == "true" was expected, true came'),
    ({"/state": {"contains": "on", "matches": "^d.{3}$", "not_contains": "x", "not_matches": "[0-9]"}}, None),
    ({"/state": {"matches": "^on"}}, "/state matches"),
    ({"/state": {"not_matches": "on"}}, "/state not_matches"),
    ({"/tags": {"contains": 3, "not_contains": "c"}}, None),
    ({"/tags": {"contains": "3"}}, '["a","b",3] came'),
    ({"/tags": ["a", "b", 3]}, None),
    ({"/tags": ["b", "a", 3]}, '/tags == ["b", "a", 3] was expected'),
    ({"/tags": {"length": 3}, "/user/name": {"length": 4}, "/user": {"length": {">": 1, "<": 3}}}, None),
    ({"/items": {"length": {"<": 2}}}, "length of /items < 2 was expected"),
    ({"/id": {"length": 1}}, "7 came"),
    ({"/items/1": {"==": {"id": 2}}}, None),
    ({"/items/1": {"==": {"id": 2, "n": 1}}}, '{"id":2} came'),
    ({"/~0a~1b": 1, "/items/1/id": 2}, None),
    ({"/error": "absent", "/id": "exists", "/none": {"exists": True}, "/items/2": {"exists": False}}, None),
    ({"/none": {"exists": False}}, "/none absent was expected, null came"),
    ({"/error": {"exists": True}}, "/error exists was expected, nothing came"),
    ({"/error": {"!=": "x"}}, "nothing came"),
    ({"/user/api_key": "k-124"}, "/user/api_key == … was expected, … came"),
]

# body of expect
BODIES = [
    ("done", None),
    (["done", "tags"], None),
    (["done", "undone"], "the body was to contain 'undone'"),
    ({"not_contains": "undone", "contains": "done"}, None),
    ({"not_contains": ["undone", "done"]}, "the body was not to contain 'done'"),
    ({"matches": '"price": [0-9.]+,'}, None),
    ({"matches": "^done$"}, "the body was to match '^done$'"),
    ({"not_matches": "(?i)ERROR"}, None),
    ({"not_matches": "(?i)DONE"}, "the body was not to match"),
    ({"matches": "{{x}}|a{2}|done"}, None),  # a pattern is no template
]

# headers of expect; Cache-Control comes as no-store and as max-age=0
HEADERS = [
    ({"Cache-Control": {"contains": "no-st"}}, None),
    ({"Cache-Control": {"contains": "store, max"}}, None),
    ({"Cache-Control": {"contains": "private"}}, "Cache-Control that contains 'private' was expected, 'no-store', 'max-age=0' came"),
    ({"Cache-Control": {"not_contains": "private", "matches": "max-age=[0-9]+$"}}, None),
    ({"Cache-Control": {"not_contains": "max-age"}}, "Cache-Control that does not contain 'max-age' was expected"),
    ({"Cache-Control": {"not_matches": "^max"}}, "Cache-Control that does not match '^max' was expected"),
    ({"ETag": {"matches": '^"[0-9a-f]+"$'}, "X-None": {"not_contains": "a"}}, None),
    ({"ETag": {"is": '"0af"'}, "Cache-Control": "no-store, max-age=0", "X-None": {"is": "!"}}, None),
    ({"X-None": {"matches": ""}} | {"X-None": {"contains": "a"}}, "X-None that contains 'a' was expected, none came"),
    ({"X-Api-Key": "other"}, "X-Api-Key: … was expected, … came"),
]


def one_each(tmp_path, origin, rows):
    """The lines that say why, of one iteration of a scenario for each row."""
    origin.otherwise(lambda ask: ask.reply(JSON, fields=[("Cache-Control", "no-store"), ("ETag", '"0af"'), ("Cache-Control", "max-age=0"),
                                                         ("X-Api-Key", "k-1")]))
    scenarios = {f"s{n}": {"steps": [{"name": f"step {n};", "get": "/", "expect": expect}]} for n, (expect, _) in enumerate(rows)}
    run = prove(tmp_path, campaign(origin.url, scenarios=scenarios), "--debug")
    assert run.code == (FAIL if any(broken for _, broken in rows) else PASS), run
    return run


def parts(run):
    """What is printed of each step, by its number."""
    found = {}
    for part in run.out.split("step ")[1:]:
        number, _, text = part.partition(";")
        found[int(number)] = found.get(int(number), "") + text
    return found


@pytest.mark.parametrize("key, rows", [("json", POINTERS), ("body", BODIES), ("headers", HEADERS)])
def test_a_reply_is_held_against(tmp_path, origin, key, rows):
    run = one_each(tmp_path, origin, [({key: expect}, broken) for expect, broken in rows])
    shown = parts(run)
    for number, (expect, broken) in enumerate(rows):
        assert ("BROKEN" in shown[number]) == bool(broken), (expect, shown[number])
        assert not broken or broken in shown[number], (expect, shown[number])
    assert "k-123" not in run.out and "k-124" not in run.out and "k-1\n" not in run.out


def test_a_value_of_an_earlier_step_is_what_the_reply_has(tmp_path, origin):
    origin.on("/a", lambda ask: ask.reply(b'{"id": 7, "name": "x", "n": 2}'))
    origin.on("/b", lambda ask: ask.reply(b'{"id": 7.0, "of": "7", "name": "x", "n": 3}', fields=[("X-Id", "id-7")]))
    capture = [{"json": "/id", "as": "id"}, {"json": "/name", "as": "name"}, {"json": "/n", "as": "n"}]
    expect = {"json": {"/id": "{{id}}", "/of": "{{id}}", "/name": {"contains": "{{name}}"}, "/n": {">": "{{n}}"}},
              "headers": {"X-Id": {"contains": "-{{id}}"}}, "body": {"contains": '"{{id}}"', "not_contains": "{{name}}y"}}
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "capture": capture}, {"get": "/b", "expect": expect}], rate=20, seconds=0.2))
    assert run.code == PASS, run
    origin.on("/b", lambda ask: ask.reply(b'{"id": 8, "of": "7", "name": "x", "n": 3}', fields=[("X-Id", "id-7")]))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "capture": capture}, {"get": "/b", "expect": expect}], rate=20, seconds=0.2))
    assert run.code == FAIL and '/id == "7" was expected, 8 came' in run.out and run.reasons() == {"body": 4}, run


@pytest.mark.parametrize("body", [b"", b"<html>done</html>", b'{"id": 7'])
def test_what_is_no_json_holds_nothing(tmp_path, origin, body):
    origin.otherwise(lambda ask: ask.reply(body))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "expect": {"json": {"/id": "absent"}}}], rate=20, seconds=0.2))
    assert run.code == FAIL and "/id absent was expected, the body is no JSON" in run.out, run


PAD = b'{"pad": "' + b"x" * (2 << 20) + b'"'


@pytest.mark.parametrize("expect, reason", [
    ({"json": {"/id": 7}}, "too_long"),
    ({"body": {"matches": "theend"}}, "too_long"),
    ({"body": {"matches": "x$"}}, "too_long"),  # the kept part ends so, the body does not
    ({"body": {"not_matches": "theend"}}, "too_long"),
    ({"body": {"matches": "pad"}}, None),
    ({"body": {"contains": ["pad", "theend"], "not_contains": "atall"}}, None),
    ({"body": {"not_contains": "theend"}}, "body"),
])
def test_of_a_long_body(tmp_path, origin, expect, reason):
    origin.otherwise(lambda ask: ask.reply(PAD + b', "id": 7, "theend": 1}'))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "expect": expect}], rate=5, seconds=0.3))
    assert run.code == (FAIL if reason else PASS) and run.reasons() == ({reason: run.sent()} if reason else {}), run
