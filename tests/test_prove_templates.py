"""What a request may hold: values that templates make or escape, forms with files, paths that begin with a value."""
import base64
import email.parser
import email.policy
import json
import re
import urllib.parse

import pytest

from lib.prove import FAIL, PASS, USAGE, campaign, prove


@pytest.fixture
def asked(origin):
    """What came: each request with its body."""
    seen = []

    def note(ask):
        body = b"".join(ask.pieces())
        seen.append((ask, body))
        ask.reply(b"ok")
    origin.otherwise(note, lazy=True)
    return seen


def odd(value, folder=None):
    """A data set of one value; of one that no line of YAML holds, in a file."""
    if folder is None:
        return {"odd": {"values": [value]}}
    (folder / "odd.json").write_text(json.dumps([value]))
    return {"odd": {"file": "odd.json"}}


def test_values_are_made_anew_for_each_journey_and_stay_for_its_steps(tmp_path, origin, asked):
    text = "{{random_string(16)}} {{ random_string( 8,hex ) }} {{random_string(5, 'ab|')}} {{random_int(-3, 3)}}"
    steps = [{"post": "/a/{{random_string(6, digits)}}", "body": text}, {"post": "/b", "body": text}]
    run = prove(tmp_path, campaign(origin.url, steps, rate=100, seconds=0.5))
    assert run.code == PASS, run
    firsts = [body for ask, body in asked if ask.target.startswith("/a/")]
    assert len(firsts) == 50 and len(set(firsts)) == 50
    assert sorted(firsts) == sorted(body for ask, body in asked if ask.target == "/b")
    for body in firsts:
        assert re.fullmatch(rb"[A-Za-z0-9]{16} [0-9a-f]{8} [ab|]{5} -?[0-3]", body), body
    assert all(re.fullmatch("/a/[0-9]{6}", ask.target) for ask, _ in asked if ask.target != "/b")
    assert {body.split()[3] for body in firsts} >= {b"-3", b"3"}


def test_the_seed_chooses_them(tmp_path, origin, asked):
    def bodies(seed):
        asked.clear()
        run = prove(tmp_path, campaign(origin.url, [{"post": "/", "body": "{{random_string(9)}}"}], users=1, seconds=0.1, seed=seed))
        assert run.code == PASS, run
        return [body for _, body in asked][:3]
    first = bodies(7)
    assert bodies(7) == first != bodies(8)


VALUE = 'a"b\\c\n\x01 ä&=+/?%#'


def test_escapes_keep_a_value_what_it_is(tmp_path, origin, asked):
    step = {"post": "/p/{{odd|url}}?q={{odd|url}}&r={{odd}}&s={{odd|base64}}", "headers": {"X": "{{odd|json}}", "Y": "Basic {{odd|base64}}"},
            "body": '{"v": "{{odd|json}}", "w": "{{odd|base64|url}}", "x": "{{ odd | url }}"}'}
    run = prove(tmp_path, campaign(origin.url, [step], rate=10, seconds=0.2, data=odd(VALUE, tmp_path)))
    assert run.code == PASS, run
    ask, body = asked[0]
    path, _, query = ask.target.partition("?")
    assert urllib.parse.unquote(path.removeprefix("/p/")) == VALUE and "/" not in path.removeprefix("/p/")
    packed = base64.b64encode(VALUE.encode()).decode()
    assert urllib.parse.parse_qs(query) == {"q": [VALUE], "r": [VALUE], "s": [packed]}
    assert json.loads(body) == {"v": VALUE, "w": urllib.parse.quote(packed, safe=""), "x": urllib.parse.quote(VALUE, safe="")}
    assert ask.get("Y") == f"Basic {packed}"
    assert json.loads(b'"' + ask.get("X").encode("latin-1") + b'"') == VALUE


@pytest.mark.parametrize("text, word", [
    ("{{odd|jsn}}", "has a '|jsn', which is none of: raw, json, url, base64"),
    ("{{random_string(0)}}", "has a 'random_string(0)', which needs a length of 1 to 65536"),
    ("{{random_int(2, 1)}}", "needs two whole numbers, the smaller first"),
    ("{{random_text(2)}}", "is no function"),
    ("{{odd|raw}}", "which is for the paths of steps"),
])
def test_a_function_that_is_none_is_refused(tmp_path, text, word):
    run = prove(tmp_path, campaign("http://127.0.0.1:1", [{"post": "/", "body": text}], data=odd("x")))
    assert run.code == USAGE and word in run.err and "steps[0].body" in run.err, run


def test_a_path_that_begins_with_a_value_is_a_whole_target(tmp_path, origin):
    origin.on("/base/first", lambda ask: ask.reply(b'{"next": "/base/second?x=1", "empty": "", "name": "third"}'))
    origin.on("/base/second", lambda ask: ask.reply(b"ok"))
    capture = [{"json": f"/{name}", "as": name} for name in ("next", "empty", "name")]
    scenarios = {name: {"steps": [{"get": "/first", "capture": capture}, {"get": path}]}
                 for name, path in (("good", "{{next}}"), ("none", "{{empty}}"), ("word", "{{name}}"), ("raw", "{{name|raw}}"))}
    run = prove(tmp_path, campaign(origin.url + "/base", scenarios=scenarios, rate=100, seconds=0.3))
    assert run.code == FAIL, run
    assert run.counts(scenario="good", step=1) == {"ok": run.count("ok", scenario="good", step=0)}
    for name in ("none", "word", "raw"):
        assert run.reasons(scenario=name) == {"bad_value": run.count("ok", scenario=name, step=0)}, run
    assert {ask.target for ask in origin.seen("/base/second")} == {"/base/second?x=1"}
    assert len(origin.seen("/base/first")) + len(origin.seen("/base/second")) == run.count("ok")


@pytest.mark.parametrize("path, data, word", [
    ("{{odd}}", odd("second"), "begins the path, which has to begin with '/': odd, row 1 does not; write /{{odd}}"),
    ("{{odd}}", odd(""), "odd, row 1 does not"),
    ("{{odd}}", {"odd": "1..3"}, "odd does not"),
    ("{{uuid}}", None, "uuid does not"),
    ("{{random_string(3)}}/x", None, "random_string(3) does not"),
])
def test_a_path_that_is_none_is_refused(tmp_path, path, data, word):
    run = prove(tmp_path, campaign("http://127.0.0.1:1", [{"get": path}], data=data))
    assert run.code == USAGE and word in run.err, run


# ---- forms


def fields_of(ask, body):
    """By Python's reader of MIME: name, filename, type and bytes of each part."""
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + ask.get("Content-Type").encode() +
                                                                            b"\r\n\r\n" + body)
    assert message.is_multipart() and not message.defects, message.defects
    out = []
    for part in message.iter_parts():
        assert part.get_content_disposition() == "form-data"
        out.append((part.get_param("name", header="content-disposition"), part.get_filename(),
                    part["content-type"], part.get_payload(decode=True)))
    return out


def test_a_form_with_files(tmp_path, origin, asked):
    (tmp_path / "photo.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "note.txt").write_bytes(b"one\ntwo")
    parts = [{"name": "title", "value": "{{odd}}"}, {"name": "photo", "file": "photo.bin"},
             {"name": 'no"te', "file": "note.txt", "filename": '{{user}} "x".txt', "type": "text/plain"},
             {"name": "meta", "value": '{"n": {{iteration}}}', "type": "application/json"}]
    run = prove(tmp_path, campaign(origin.url, [{"post": "/", "multipart": parts}], rate=10, seconds=0.2, data=odd("ä\nb", tmp_path)))
    assert run.code == PASS, run
    ask, body = asked[0]
    assert ask.get("Content-Length") == str(len(body))
    title, photo, note, meta = fields_of(ask, body)
    assert title == ("title", None, None, "ä\r\nb".encode())
    assert photo == ("photo", "photo.bin", "application/octet-stream", bytes(range(256)) * 40)
    assert note[1:] == ("0 %22x%22.txt", "text/plain", b"one\ntwo") and note[0] == "no%22te"
    assert meta == ("meta", None, "application/json", b'{"n": 0}')


def test_a_boundary_that_comes_back_is_another(tmp_path, origin, asked):
    """A value that closes the form, and opens a part of its own."""
    seen = []

    def evil(ask):
        body = b"".join(ask.pieces())
        seen.append((ask, body))
        ask.reply(ask.get("Content-Type", "=none").partition("=")[2].encode())
    origin.on("/form", evil, lazy=True)
    steps = [{"post": "/form", "multipart": {"name": "a", "value": "b"}, "capture": {"regex": "(.+)", "as": "line"}},
             {"post": "/form", "multipart": [{"name": "a", "value": '\r\n--{{line}}\r\nContent-Disposition: form-data; name="evil"\r\n\r\nx'}]}]
    run = prove(tmp_path, campaign(origin.url, steps, rate=10, seconds=0.2))
    assert run.code == PASS, run
    ask, body = seen[1]
    assert [name for name, _, _, _ in fields_of(ask, body)] == ["a"], body


@pytest.mark.parametrize("step, word", [
    ({"multipart": [{"name": "a"}]}, "multipart[0]: needs one of: value, file"),
    ({"multipart": [{"name": "a", "value": "b", "file": "c"}]}, "stands beside 'value'"),
    ({"multipart": [{"value": "b"}]}, "multipart[0].name: is missing"),
    ({"multipart": [{"name": "a", "file": "nope.bin"}]}, "nope.bin' cannot be read"),
    ({"multipart": [{"name": "a", "value": "{{nope}}"}]}, "multipart[0].value: '{{nope}}' has no value"),
    ({"multipart": [{"name": "a", "value": "b"}], "body": "x"}, "multipart: stands beside 'body'"),
    ({"multipart": [{"name": "a", "value": "b"}], "headers": {"content-type": "x/y"}}, "is the form's own"),
    ({"multipart": [{"name": "a", "value": "b"}], "type": "s3"}, "is for steps of type http"),
    ({"multipart": [{"name": "a", "value": "b", "type": "x\ny"}]}, "multipart[0].type"),
])
def test_a_form_that_is_none_is_refused(tmp_path, step, word):
    run = prove(tmp_path, campaign("http://127.0.0.1:1", [{"post": "/"} | step]))
    assert run.code == USAGE and word in run.err, run


# ---- what a report shows of them


def test_a_token_that_a_step_replaces_stands_nowhere(tmp_path, origin):
    """The one that was sent is as secret as the one that came for it, and so is one that no template names."""
    origin.on("/login", lambda ask: ask.reply(b'{"t": "the-first-secret", "u": "nobody-asks-for-it"}'))
    origin.on("/renew", lambda ask: ask.reply(b'{"t": "the-second-secret"}'))
    origin.on("/use", lambda ask: ask.reply(b"the-second-secret nobody-asks-for-it", 500))
    token = {"json": "/t", "as": "token"}
    steps = [{"get": "/login", "capture": [token, {"json": "/u", "as": "spare_token"}]},
             {"post": "/renew", "headers": {"X-Plain": "{{token}}"}, "body": "{{token}} {{token|base64}}", "capture": token},
             {"get": "/use?a={{token}}"}]
    content = campaign(origin.url, steps, rate=10, seconds=0.2)
    run = prove(tmp_path, content, "--debug")
    assert run.code == FAIL and "X-Plain: …" in run.out, run
    packed = base64.b64encode(b"the-first-secret").decode()
    for secret in ("the-first-secret", "the-second-secret", "nobody-asks-for-it", packed):
        assert secret not in run.out, secret
    run = prove(tmp_path, content)
    for secret in ("the-second-secret", "nobody-asks-for-it"):
        assert secret not in run.text("result.json") and secret not in run.out


def test_secrets_of_forms_and_basic_credentials_are_masked(tmp_path, origin):
    origin.otherwise(lambda ask: ask.reply(b"open-sesame is no password, hidden-in-a-form", 500))
    basic = base64.b64encode(b"alice:open-sesame").decode()
    steps = [{"post": "/", "headers": {"Authorization": f"Basic {basic}"},
              "multipart": [{"name": "password", "value": "hidden-in-a-form"}, {"name": "title", "value": "shown"}]}]
    run = prove(tmp_path, campaign(origin.url, steps, rate=10, seconds=0.2))
    sample = run.result["samples"][0]
    assert 'name="title"\n\nshown\n' in sample["request"] and 'name="password"\n\n…\n' in sample["request"], sample
    for name in ("result.json", "report.html", "report.md"):
        assert not [s for s in ("open-sesame", "hidden-in-a-form", basic) if s in run.text(name)], name
