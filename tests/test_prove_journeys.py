"""What a user of the load does between two requests: what is sent again, left out, repeated, kept and followed."""
import gzip
import hashlib
import socket
import struct
import threading

from lib.origin import Origin
from lib.prove import FAIL, PASS, USAGE, campaign, load, prove

# ---- what is sent again


def test_a_retry_counts_when_it_is_sent(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once():
        peer, _ = listener.accept()
        listener.close()  # whoever comes again is refused
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 Once\r\nContent-Length: 0\r\n\r\n")
        peer.recv(1)  # what is left unread makes the end a reset
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    server = threading.Thread(target=answer_once)
    server.start()
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{listener.getsockname()[1]}",
                                   scenarios={"s": {"resend": True, "steps": [{"get": "/"}, {"get": "/again"}]}},
                                   phases=[load("p", 0.1, rate=10)]))
    server.join()
    assert run.code == FAIL, run
    assert run.counts(step=0) == {"ok": 1} and run.reasons(step=1) == {"refused": 1}
    assert sum(cell["retries"] for cell in run.cells()) == 0


# ---- if and repeat


def answers(*bodies):
    """One after the other, the last for ever."""
    left = list(bodies)
    return lambda ask: ask.reply((left.pop(0) if len(left) > 1 else left[0]).encode())


def paths(origin) -> list:
    return [ask.path for ask in origin.requests]


ONCE = {"phases": [load("p", 0.1, rate=10)]}  # one journey


def test_a_step_is_polled_until_a_captured_value_comes(tmp_path, origin):
    origin.on("/job", answers(*['{"state":"busy"}'] * 4, '{"state":"done"}'))
    poll = {"get": "/job", "capture": {"json": "/state", "as": "state"}, "repeat": {"times": 10, "until": "{{state}} == done"}}
    run = prove(tmp_path, campaign(origin.url, [poll, {"get": "/after"}], **ONCE))
    assert run.code == PASS, run
    assert paths(origin) == ["/job"] * 5 + ["/after"]
    assert run.counts(step=0) == {"ok": 5} and run.counts(step=1) == {"ok": 1}


def test_what_does_not_come_true_fails_the_last_request(tmp_path, origin):
    origin.on("/job", answers('{"state":"busy"}'))
    poll = {"get": "/job", "capture": {"json": "/state", "as": "state"}, "repeat": {"times": 3, "until": "{{state}} == done"}}
    run = prove(tmp_path, campaign(origin.url, [poll, {"get": "/after"}], **ONCE))
    assert run.code == FAIL, run
    assert paths(origin) == ["/job"] * 3
    assert run.counts(step=0) == {"ok": 2, "failed": 1} and run.reasons(step=0) == {"until": 1}
    assert run.counts(step=1) == {"skipped": 1}
    assert "'{{state}} == done' had not come true after 3 times" in run.out


def test_a_step_without_its_condition_is_left_out_and_no_failure(tmp_path, origin):
    origin.on("/login", answers('{"role":"guest"}'))
    steps = [{"get": "/login", "capture": {"json": "/role", "as": "role"}},
             {"get": "/admin", "if": "{{role}} == admin"},
             {"get": "/guest", "if": "{{role}} != admin"}]
    run = prove(tmp_path, campaign(origin.url, steps, seconds=0.1,
                                   guardrails=["success == 100%", "left_out == 10", "requests == 20"]))
    assert run.code == PASS, run
    assert origin.count("/admin") == 0 and origin.count("/guest") == 10
    assert run.counts() == {"ok": 20}
    assert [sum(cell["left_out"] for cell in run.cells(step=step)) for step in range(3)] == [0, 10, 0]
    assert "10 times a step was left out" in run.out


def test_what_a_step_left_out_would_have_captured_is_empty(tmp_path, origin):
    # Of each second journey: what the first has captured is not there any more.
    origin.on("/login", answers('{"role":"admin"}', '{"role":"guest"}'))
    origin.on("/key", answers('{"key":"k1"}'))
    steps = [{"get": "/login", "capture": {"json": "/role", "as": "role"}},
             {"get": "/key", "if": "{{role}} == admin", "capture": {"json": "/key", "as": "key"}},
             {"get": "/open/{{key}}", "if": "{{key}}"}]
    run = prove(tmp_path, campaign(origin.url, phases=[load("p", 0.3, rate=10)],
                                   scenarios={"s": {"connections": 1, "steps": steps}}))
    assert run.code == PASS, run
    assert paths(origin) == ["/login", "/key", "/open/k1", "/login", "/login"]


def test_a_group_of_steps_is_done_so_many_times(tmp_path, origin):
    group = {"repeat": 3, "steps": [{"get": "/a"}, {"get": "/b", "repeat": 2}]}
    run = prove(tmp_path, campaign(origin.url, [group, {"get": "/c"}], **ONCE))
    assert run.code == PASS, run
    assert paths(origin) == ["/a", "/b", "/b"] * 3 + ["/c"]


def test_a_journey_that_leaves_out_everything_ends(tmp_path, origin):
    nothing = {"if": "{{now}} == never", "steps": [{"get": "/a"}, {"get": "/b"}]}
    run = prove(tmp_path, campaign(origin.url, users=2, seconds=0.3, guardrails=["left_out > 0", "requests == 1"], scenarios={
        "s": {"steps": [nothing]}, "t": {"steps": [{"get": "/t", "think": "10s"}]}}, grace="10ms", seed=3))
    assert run.counts(scenario="s") == {} and origin.count("/a") == 0, run


def test_steps_behind_a_failure_are_skipped_but_for_those_that_might_not_have_been_taken(tmp_path, origin):
    origin.on("/bad", lambda ask: ask.reply(status=500))
    steps = [{"get": "/bad", "capture": {"header": "X", "as": "x"}}, {"get": "/maybe", "if": "{{x}}"}, {"get": "/c", "repeat": 5}]
    run = prove(tmp_path, campaign(origin.url, steps, **ONCE))
    assert run.code == FAIL, run
    assert [run.counts(step=step) for step in range(3)] == [{"failed": 1}, {}, {"skipped": 1}]


def test_conditions_are_read_strictly(tmp_path):
    for step, why in (({"get": "/", "if": "a == b"}, "names no value"),
                      ({"get": "/", "if": "{{x}} == 1"}, "'{{x}}' has no value"),
                      ({"get": "/", "steps": [{"get": "/"}], "repeat": 2}, "stands beside 'steps'"),
                      ({"steps": [{"get": "/"}]}, "needs 'if' or 'repeat'"),
                      ({"steps": [{"get": "/"}], "repeat": {"times": 2, "until": "{{now}}"}}, "is for one step"),
                      ({"get": "/", "repeat": {"until": "{{now}}"}}, "is missing"),
                      ({"get": "/", "repeat": 0}, "is out of bounds")):
        run = prove(tmp_path, campaign("http://127.0.0.1:1", [step]))
        assert run.code == USAGE and why in run.err, (step, run)


# ---- cookies


def logs_in(origin):
    """Gives each login a session of its own, and knows what came back."""
    sessions = []

    def login(ask):
        sessions.append(f"session-number-{len(sessions)}")
        ask.reply(b"", fields=[("Set-Cookie", f"sid={sessions[-1]}; Path=/; HttpOnly"), ("Set-Cookie", "theme=dark; Path=/admin")])
    origin.on("/login", login)
    return sessions


def cookies(origin, path) -> list:
    return [ask.get("cookie") for ask in origin.seen(path)]


def test_a_journey_sends_the_cookies_that_it_was_given(tmp_path, origin):
    logs_in(origin)
    steps = [{"get": "/first"}, {"get": "/login"}, {"get": "/shop"}, {"get": "/admin/x"}, {"get": "/shop/own", "headers": {"Cookie": "a=b"}}]
    run = prove(tmp_path, campaign(origin.url, phases=[load("p", 0.2, rate=10)],
                                   scenarios={"s": {"cookies": "journey", "connections": 1, "steps": steps}}))
    assert run.code == PASS, run
    assert cookies(origin, "/first") == [None, None]
    assert cookies(origin, "/shop") == ["sid=session-number-0", "sid=session-number-1"]
    assert cookies(origin, "/admin/x") == [f"theme=dark; sid=session-number-{n}" for n in range(2)]
    assert cookies(origin, "/shop/own") == ["a=b", "a=b"]


def test_a_user_keeps_his_cookies_where_he_is_to(tmp_path, origin):
    sessions = logs_in(origin)
    steps = [{"get": "/first"}, {"get": "/login"}]
    run = prove(tmp_path, campaign(origin.url, phases=[load("p", 0.2, rate=10)],
                                   scenarios={"s": {"cookies": "user", "connections": 1, "steps": steps}}))
    assert run.code == PASS and len(sessions) == 2, run
    assert cookies(origin, "/first") == [None, "sid=session-number-0"]


def test_without_a_word_nobody_keeps_cookies(tmp_path, origin):
    logs_in(origin)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/login"}, {"get": "/shop"}], **ONCE))
    assert run.code == PASS and cookies(origin, "/shop") == [None], run


def test_cookies_are_shown_in_no_report(tmp_path, origin):
    logs_in(origin)
    origin.on("/echo", lambda ask: ask.reply(ask.get("cookie").split("=")[1].encode(), status=500))
    run = prove(tmp_path, campaign(origin.url, phases=ONCE["phases"], scenarios={
        "s": {"cookies": "journey", "steps": [{"get": "/login"}, {"get": "/echo"}]}}))
    assert run.code == FAIL and run.result["samples"], run
    for name in sorted(run.reports):
        assert "session-number-0" not in run.text(name), name


# ---- redirects


def to(location, status=302):
    return lambda ask: ask.reply(status=status, fields=[("Location", location)])


def test_redirects_are_followed_where_a_step_says_so(tmp_path, origin):
    origin.on("/a", to("/b/", 301))
    origin.on("/b/", to("c?d", 303))
    run = prove(tmp_path, campaign(origin.url, [{"post": "/a", "body": "text", "follow": 2, "expect": {"body": "/b/c?d"}}],
                                   guardrails=["success == 100%", "redirects == 2"], **ONCE))
    assert run.code == PASS, run
    assert [(ask.method, ask.target, bytes(ask.body)) for ask in origin.requests] == [
        ("POST", "/a", b"text"), ("GET", "/b/", b""), ("GET", "/b/c?d", b"")]
    assert run.counts() == {"ok": 1} and run.statuses() == {200: 1}
    assert "2 redirects were followed" in run.out


def test_307_sends_the_body_again(tmp_path, origin):
    origin.on("/a", to("/b", 307))
    run = prove(tmp_path, campaign(origin.url, [{"put": "/a", "body_size": "100KB", "follow": 1}], **ONCE))
    assert run.code == PASS, run
    assert [(ask.method, ask.path, len(ask.body)) for ask in origin.requests] == [("PUT", "/a", 100_000), ("PUT", "/b", 100_000)]


def test_a_redirect_that_cannot_be_followed_is_a_failure_of_its_own(tmp_path, origin):
    origin.on("/away", to("http://elsewhere.example/x"))
    origin.on("/round", to("/round"))
    for path, why in (("/away", "it leads to no target of the campaign"), ("/round", "there were more than `follow` allows")):
        run = prove(tmp_path / path[1:], campaign(origin.url, [{"get": path, "follow": 3}], **ONCE))
        assert run.code == FAIL and run.reasons() == {"redirect": 1}, run
        assert why in run.out, run
    assert origin.count("/round") == 4


def test_no_credential_goes_to_another_target(tmp_path, origin):
    with_token = {"Authorization": "Bearer of-a-user", "X-Api-Key": "key", "X-Plain": "plain"}
    other = Origin()
    try:
        origin.on("/a", to(f"{other.url}/b"))
        origin.on("/login", lambda ask: ask.reply(fields=[("Set-Cookie", "sid=1")]))
        steps = [{"get": "/login"}, {"get": "/a", "headers": with_token, "follow": 1}]
        run = prove(tmp_path, campaign(origin.url, targets={"t": origin.url, "u": other.url}, **ONCE,
                                       scenarios={"s": {"steps": steps}}))
        assert run.code == PASS, run
        ask = other.last
        assert ask.path == "/b" and ask.get("host") == other.url.removeprefix("http://")
        assert ask.get("x-plain") == "plain" and "authorization" not in ask and "x-api-key" not in ask
    finally:
        other.stop()


def test_a_redirect_brings_and_takes_cookies(tmp_path, origin):
    origin.on("/login", lambda ask: ask.reply(status=303, fields=[("Set-Cookie", "sid=1; Path=/"), ("Location", "/home")]))
    run = prove(tmp_path, campaign(origin.url, **ONCE, scenarios={
        "s": {"cookies": "journey", "steps": [{"post": "/login", "follow": 1}]}}))
    assert run.code == PASS and cookies(origin, "/home") == ["sid=1"], run


# ---- gzip


TEXT = b'{"id": 77, "of": "' + b"x" * 20_000 + b'"}'


def coded(body=TEXT, coding="gzip", cut=0):
    data = gzip.compress(body)
    data = data[:len(data) - cut]
    return lambda ask: ask.reply(data, fields=[("Content-Encoding", coding)])


def test_a_coded_body_is_looked_at_as_it_was(tmp_path, origin):
    origin.on("/a", coded())
    step = {"get": "/a", "decompress": True, "capture": {"json": "/id", "as": "id"},
            "expect": {"body": "xxx", "length": len(TEXT), "sha256": hashlib.sha256(TEXT).hexdigest()}}
    run = prove(tmp_path, campaign(origin.url, [step, {"get": "/b/{{id}}"}], **ONCE))
    assert run.code == PASS, run
    assert origin.seen("/a")[0].get("accept-encoding") == "gzip" and origin.count("/b/77") == 1
    assert run.bytes(step=0) == len(gzip.compress(TEXT))


def test_a_body_in_no_coding_stays_as_it_is(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "decompress": True, "expect": {"body": "/a"}}], **ONCE))
    assert run.code == PASS and run.bytes() == 2, run


def test_a_wrong_coding_is_a_failure_of_its_own(tmp_path, origin):
    for name, handler, why in (("cut", coded(cut=9), "it is cut off"), ("br", coded(coding="br"), "in another coding"),
                               ("plain", lambda ask: ask.reply(b"plain", fields=[("Content-Encoding", "gzip")]), "it is no gzip")):
        origin.on("/a", handler)
        run = prove(tmp_path / name, campaign(origin.url, [{"get": "/a", "decompress": True}], **ONCE))
        assert run.code == FAIL and run.reasons() == {"coding": 1}, run
        assert why in run.out, run


def test_what_is_secret_in_a_coded_body_is_hidden(tmp_path, origin):
    data = gzip.compress(b'{"password": "not-to-be-seen"}')
    origin.on("/a", lambda ask: ask.reply(data, status=500, fields=[("Content-Encoding", "gzip")]))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "decompress": True}], **ONCE))
    reply = run.result["samples"][0]["reply"]
    assert '"password"' in reply and "not-to-be-seen" not in reply, reply
