"""What a user of the load does between two requests: what is sent again, left out, repeated, kept and followed."""
import socket
import struct
import threading

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
