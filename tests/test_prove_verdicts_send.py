"""Verdicts on what was sent: connections that are reset, uploads that nobody read, users who wait while a target stalls,
values that would be lines of their own, and what a check has not seen. In the form of test_prove_verdicts.py.
"""
import json
import select
import signal
import threading
import time

import pytest

from lib.deadline import patience, until
from lib.judged import CLOSED, GET, judge, name_of
from lib.prove import FAIL, INVALID, PASS, USAGE, Running, Seen, campaign, prove


# ---- targets


def second(other):
    """Answers the first request of each connection, and does something else with the second."""
    def reply(ask):
        ask.connection.asked = getattr(ask.connection, "asked", 0) + 1
        ask.reply(b"ok") if ask.connection.asked == 1 else other(ask)
    return reply


def answers_unread(ask):
    """With the request's head alone; what follows stays where it is until the client leaves."""
    ask.reply(b"ok")
    poll = select.poll()
    poll.register(ask.connection.socket, select.POLLRDHUP)
    poll.poll(1000 * patience(10))
    ask.close()


answers_unread.lazy = True


class Freezes:
    """From 300 to 1100 ms after the first request nobody is answered."""

    def __init__(self):
        self.lock, self.first = threading.Lock(), None

    def __call__(self, ask):
        with self.lock:
            self.first = self.first or time.monotonic()
        since = time.monotonic() - self.first
        if 0.3 < since < 1.1:
            time.sleep(1.1 - since)
        ask.reply(b"ok")


def metrics(ask):
    ask.reply(b"# TYPE shop_requests_total counter\n"
              b'shop_requests_total{code="200",way="a"} %d\n' % ask.connection.origin.count("/") +
              b'shop_requests_total{code="404",way="b"} 0\n')


TARGETS = {
    "well": lambda ask: ask.reply(b"ok"),
    "resets what is kept": second(lambda ask: ask.reset()),
    "closes what is kept": second(lambda ask: ask.close()),
    "closes what rests": lambda ask: ask.reply(b"ok") or ask.close(),
    "answers unread": answers_unread,
    "freezes": lambda ask: None,  # made anew for each row
    "says a line break": lambda ask: ask.reply(b'{"id": "a\\r\\nX-Second: b"}'),
    "says a space": lambda ask: ask.reply(b'{"id": "a HTTP/1.1"}'),
    "is long": lambda ask: ask.reply(b"x" * (2 << 20) + b"the end" + b"x" * 1000),
    "is long JSON": lambda ask: ask.reply(b'{"pad": "' + b"x" * (2 << 20) + b'", "id": 7}'),
    "varies twice": lambda ask: ask.reply(b"ok", fields=[("Vary", "Accept"), ("Vary", "Origin"), ("Set-Cookie", "a=1"),
                                                         ("Set-Cookie", "b=2")]),
    "/metrics": metrics,
}

OPEN = {"rate": 40, "connections": 1, "seconds": 0.5}
SLOW = {"rate": 5, "connections": 1}
ONCE = {"rate": 10, "seconds": 0.3, "grace": "3s"}
POST = [{"post": "/", "body": "x"}]
UPLOAD = [{"put": "/", "body_size": "64MiB"}]
THEN = {"get": "/", "capture": {"json": "/id", "as": "id"}}


def expects(**what):
    return [{"get": "/", "expect": what}]


def captures(**what):
    return [{"get": "/", "capture": {"as": "x"} | what}]


# target, steps, load, guardrails, verdict, a word of the line that says why
TABLE = [
    # what is lost is not sent again in silence
    ("resets what is kept", GET, OPEN, ["success == 100%"], FAIL, "reset"),
    ("resets what is kept", GET, OPEN, ["reason(reset) == 0"], FAIL, "reset"),
    ("resets what is kept", GET, OPEN, ["retries == 0", "reason(reset) > 0"], PASS, "reset"),
    ("resets what is kept", GET, OPEN | {"resend": True}, ["retries > 0", "success > 50%"], PASS, "sent again"),
    ("resets what is kept", GET, OPEN | {"resend": True}, ["retries == 0"], FAIL, "sent again"),
    ("resets what is kept", POST, OPEN | {"resend": True}, ["success == 100%"], FAIL, "reset"),
    ("resets what is kept", POST, OPEN | {"resend": True}, ["retries == 0", "reason(reset) > 0"], PASS, "reset"),
    ("closes what is kept", GET, OPEN, ["success == 100%"], FAIL, "reset"),
    ("closes what is kept", GET, OPEN | {"resend": True}, ["retries == 0", "reason(reset) > 0"], PASS, "reset"),
    ("closes what rests", GET, SLOW, ["success == 100%", "retries == 0"], PASS, ""),
    ("closes what rests", POST, SLOW, ["success == 100%", "retries == 0"], PASS, ""),
    # bodies that nobody took
    ("answers unread", UPLOAD, ONCE, ["success == 100%"], PASS, "3 of 3 request bodies were overtaken by their replies"),
    ("answers unread", UPLOAD, ONCE, ["uploaded == 100%"], FAIL, "it was 0 %"),
    ("answers unread", UPLOAD, ONCE, ["uploaded_bytes >= 192MiB"], FAIL, "must be >= 192MiB"),
    # it fits into the buffers of who sends it, and is not where it was sent to
    ("answers unread", [{"put": "/", "body_size": "2MiB"}], ONCE, ["uploaded == 100%"], FAIL, "it was 0 %"),
    ("answers unread", GET, ONCE, ["uploaded == 100%"], INVALID, "no request with a body"),
    ("well", [{"put": "/", "body_size": "1MiB"}], ONCE, ["uploaded == 100%", "uploaded_bytes == 3MiB"], PASS, ""),
    ("well", POST, ONCE, ["uploaded == 100%", "uploaded_bytes == 3B"], PASS, ""),
    # closed load
    ("freezes", GET, {"users": 4, "seconds": 1.6}, ["success == 100%"], PASS, "are in no percentile"),
    # values stay values
    ("says a line break", [THEN, {"get": "/x", "headers": {"X-Id": "{{id}}"}}], ONCE, ["success == 100%"], FAIL, "bad value"),
    ("says a line break", [THEN, {"get": "/x", "headers": {"X-Id": "{{id}}"}}], ONCE,
     ["reason(bad_value) == 3", "status(2xx) == 3"], PASS, ""),
    ("says a line break", [THEN, {"get": "/{{id}}"}], ONCE, ["success == 100%"], PASS, ""),
    ("says a space", [THEN, {"get": "/{{id}}"}], ONCE, ["success == 100%"], PASS, ""),
    ("says a space", [THEN, {"get": "/{{id|raw}}"}], ONCE, ["success == 100%"], FAIL, "bad value"),
    # what was not seen
    ("well", GET, ONCE | {"metrics": True}, ['delta(shop_requests_total{code="5xx"}) == 0'], INVALID, "code was 200, 404"),
    ("well", GET, ONCE | {"metrics": True}, ['last(shop_requests_total{code="5xx"}) == 0'], INVALID, "code was 200, 404"),
    ("well", GET, ONCE | {"metrics": True}, ['delta(shop_requests_total{code="200",way="b"}) == 0'], INVALID, "or 0"),
    ("well", GET, ONCE | {"metrics": True}, ['delta(shop_requests_total{code="500"} or 0) == 0'], PASS, ""),
    ("well", GET, ONCE | {"metrics": True}, ['delta(shop_requests_total{cod="500"} or 0) == 0'], INVALID, "label 'cod'"),
    ("well", GET, ONCE | {"metrics": True}, ["delta(shop_request_total or 0) == 0"], INVALID, "no sample"),
    ("well", GET, ONCE | {"metrics": True},
     ['delta(shop_requests_total{code="404"}) == 0', 'delta(shop_requests_total{code=~"200|500"}) == 3'], PASS, ""),
    ("is long", expects(body="the end"), ONCE, ["success == 100%"], PASS, ""),
    ("is long", expects(body="no end"), ONCE, ["reason(body) == 3"], PASS, ""),
    ("is long JSON", captures(json="/id"), ONCE, ["success == 100%"], FAIL, "too long"),
    ("is long JSON", captures(regex="x(x)x"), ONCE, ["success == 100%"], PASS, ""),
    ("varies twice", expects(headers={"Vary": "Origin"}), ONCE, ["success == 100%"], PASS, ""),
    ("varies twice", expects(headers={"Vary": "Accept, Origin"}), ONCE, ["success == 100%"], PASS, ""),
    ("varies twice", expects(headers={"Vary": "Accept-Encoding"}), ONCE, ["success == 100%"], FAIL, "header"),
    ("varies twice", expects(headers={"Set-Cookie": "b=2"}), ONCE, ["success == 100%"], PASS, ""),
    ("varies twice", captures(header="Set-Cookie", regex="b=(.)"), ONCE, ["success == 100%"], PASS, ""),
    ("varies twice", captures(header="Set-Cookie", regex="c=(.)"), ONCE, ["success == 100%"], FAIL, "capture"),
]


@pytest.mark.parametrize("row", TABLE, ids=name_of)
def test_the_verdict_is(tmp_path, row):
    judge(tmp_path, row, TARGETS | {"freezes": Freezes()})


# ---- what the reports say of it


def test_what_is_sent_again_stands_in_every_report(tmp_path):
    run = judge(tmp_path, ("resets what is kept", GET, OPEN | {"resend": True}, ["retries > 0"], PASS, ""), TARGETS)
    retries = sum(cell["retries"] for cell in run.cells())
    assert retries > 0
    said = "1 request was sent again" if retries == 1 else f"{retries} requests were sent again"
    assert said in run.out and said in run.text("report.html") and said in run.text("report.md"), run
    assert [p.get("value") for p in run.junit.iter("property") if p.get("name") == "retries"] == [str(retries)]
    assert run.summary["metrics"]["http_req_retries"]["count"] == retries


def test_what_was_not_uploaded_stands_in_every_report(tmp_path):
    run = judge(tmp_path, ("answers unread", UPLOAD, ONCE, ["success == 100%"], PASS, "overtaken"), TARGETS)
    (said,) = run.result["warnings"]
    assert said in run.text("report.html").replace("&#39;", "'") and "overtaken" in run.text("report.md")
    assert [p.get("value") for p in run.junit.iter("property") if p.get("name") == "warning"] == [said]
    assert run.summary["sekisho"]["warnings"] == [said]
    uploads = [cell["uploads"] for cell in run.cells()]
    assert sum(u["bytes"] for u in uploads) == 3 * (64 << 20)
    assert 0 < sum(u["sent"] for u in uploads) == run.summary["metrics"]["data_sent"]["count"] < 3 * (64 << 20)


def test_users_who_were_never_kept_waiting_are_told_nothing(tmp_path):
    run = judge(tmp_path, ("well", GET, CLOSED | {"seconds": 0.5}, ["success == 100%"], PASS, ""), TARGETS)
    assert run.result["warnings"] == [], run


def test_users_who_go_on_late_make_a_run_invalid(tmp_path, origin):
    """All of them think for a second, and the harness is stopped meanwhile."""
    seen = Seen()
    origin.on("/", seen)
    running = Running(tmp_path, campaign(origin.url, users=20, seconds=3, validity={"send_lag": "50ms"},
                                         scenarios={"s": {"steps": [{"get": "/", "think": "1s"}]}}))
    until(lambda: len(seen) >= 20, 10, "all users")
    running.signal(signal.SIGSTOP)
    time.sleep(1.5)  # of the three seconds that the load lasts
    running.signal(signal.SIGCONT)
    run = running.wait()
    assert run.code == INVALID and "arrivals were taken up in time" in run.spoiled_by(), run


# ---- what went over the wire


def sent(tmp_path, origin, step, value: str, **more) -> tuple:
    """The run, and the target and X-Id that the origin was asked with for a captured value."""
    origin.on("/", lambda ask: ask.reply(json.dumps({"id": value}).encode()))
    run = prove(tmp_path, campaign(origin.url, [THEN, step], rate=10, seconds=0.1, **more))
    asked = [ask for ask in origin.requests if ask.path != "/"]
    return run, asked


@pytest.mark.parametrize("path, value, wanted", [
    ("/x/{{id}}", "a b", "/x/a%20b"),
    ("/x/{{id}}", "a\r\nX: y", "/x/a%0D%0AX:%20y"),
    ("/x/{{id}}", "a/b?c#d%e\u00e9", "/x/a/b%3Fc%23d%25e%C3%A9"),
    ("/x/{{id}}", "-._~!$&'()*+,;=:@", "/x/-._~!$&'()*+,;=:@"),
    ("/x?q={{id}}", "a&b=c+d;e/f?", "/x?q=a%26b%3Dc%2Bd%3Be/f?"),
    ("/x?q={{id}}&n={{iteration}}", "\u0000", "/x?q=%00&n=0"),
    ("{{id}}", "/x/list?page=2&of=%20", "/x/list?page=2&of=%20"),
    ("{{id}}", "/x/a b", "/x/a%20b"),
    ("/x/{{id|raw}}", "a%2Fb?c=d&e", "/x/a%2Fb?c=d&e"),
])
def test_a_value_in_a_path_is_encoded_where_it_must_be(tmp_path, origin, path, value, wanted):
    run, asked = sent(tmp_path, origin, {"get": path}, value)
    assert run.code == PASS and [ask.target for ask in asked] == [wanted], run


@pytest.mark.parametrize("value", ["a\r\nX-Second: b", "a\nb", "a\rb", "a\u0000b"])
def test_a_value_that_no_field_can_hold_is_not_sent(tmp_path, origin, value):
    run, asked = sent(tmp_path, origin, {"get": "/x", "headers": {"X-Id": "{{id}}"}}, value)
    assert run.code == FAIL and run.reasons() == {"bad_value": 1} and not asked, run
    assert b"X-Second" not in origin.received()


def test_a_value_that_a_field_can_hold_is_sent_as_it_is(tmp_path, origin):
    run, asked = sent(tmp_path, origin, {"get": "/x", "headers": {"X-Id": "{{id}}"}}, "a b?#&%")
    assert run.code == PASS and asked[0].get("X-Id") == "a b?#&%", run


@pytest.mark.parametrize("written", ["19.90", "1E2", "-0", "12345678901234567890123", "0.1e-7", "19.9"])
def test_a_number_is_sent_as_it_was_written(tmp_path, origin, written):
    origin.on("/", lambda ask: ask.reply(b'{"id": %s, "of": [{"id": %s}, "%%", true]}' % ((written.encode(),) * 2)))
    steps = [{"get": "/", "capture": [{"json": "/id", "as": "id"}, {"json": "/of", "as": "of"}]},
             {"post": "/x/{{id}}", "body": "{{of}}"}]
    run = prove(tmp_path, campaign(origin.url, steps, rate=10, seconds=0.1))
    assert run.code == PASS, run
    asked = origin.last
    assert asked.target == f"/x/{written}" and asked.body == b'[{"id":%s},"%%",true]' % written.encode()


def test_a_number_of_a_data_file_is_sent_as_it_was_written(tmp_path, origin):
    (tmp_path / "prices.json").write_text('[{"p": 19.90, "t": "a\\u0041"}]')
    run = prove(tmp_path, campaign(origin.url, [{"get": "/{{prices.p}}/{{prices.t}}"}], rate=10, seconds=0.1,
                                   data={"prices": {"file": "prices.json"}}))
    assert run.code == PASS and origin.last.target == "/19.90/aA", run


@pytest.mark.parametrize("step, word", [
    ({"get": "/", "headers": {"X-Id": "{{users.id}}"}}, "headers.X-Id: '{{users.id}}' holds a line break or a NUL"),
    ({"get": "/{{users.id|raw}}"}, "get: '{{users.id}}' holds white space or a control"),
])
def test_a_data_file_that_would_bring_a_line_of_its_own_is_refused(tmp_path, origin, step, word):
    (tmp_path / "users.csv").write_text('id,name\n1,a\n"2\r\nX: y",b\n')
    run = prove(tmp_path, campaign(origin.url, [step], data={"users": {"file": "users.csv"}}))
    assert run.code == USAGE and word in run.err and "in row 2 of the data set 'users'" in run.err, run
    assert not origin.requests
