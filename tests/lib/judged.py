"""What a row of the tables of verdicts is: a target that behaves as its name says, a load, guardrails, the verdict and why."""
import time

from lib.origin import Origin
from lib.peers import free_port
from lib.prove import campaign, prove


def every(n: int, other):
    """Answers well, but every n-th time."""
    def reply(ask):
        if ask.connection.origin.count("/") % n == 0:
            other(ask)
        else:
            ask.reply(b"ok")
    return reply


TARGETS = {
    "well": lambda ask: ask.reply(b"ok"),
    "500": lambda ask: ask.reply(b"no", 500),
    "403": lambda ask: ask.reply(b"no", 403),
    "429": lambda ask: ask.reply(b"no", 429),
    "404": lambda ask: ask.reply(b"no", 404),
    "closes": lambda ask: ask.close(),
    "resets": lambda ask: ask.reset(),
    "no HTTP": lambda ask: ask.send(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "hangs": lambda ask: ask.stall(),
    "takes 200 ms": lambda ask: time.sleep(0.2) or ask.reply(b"ok"),
    "half 500": every(2, lambda ask: ask.reply(b"no", 500)),
    "a tenth 500": every(10, lambda ask: ask.reply(b"no", 500)),
    "a tenth 429": every(10, lambda ask: ask.reply(b"no", 429)),
    "a tenth hangs": every(10, lambda ask: ask.stall()),
}

GET = [{"get": "/"}]
BRIEF = [{"get": "/", "timeout": "100ms"}]
PATIENT = [{"get": "/", "timeout": "2s"}]  # for what must be answered in time: longer than a machine stands still
LIMITED = [{"get": "/", "expect": {"status": [200, 429]}}]
DENIED = [{"get": "/", "expect": 403}]
OPEN = {"rate": 100}
CLOSED = {"users": 2}
TIGHT = {"rate": 100, "connections": 2, "backlog": 5}


def name_of(row) -> str:
    target, _, load, guardrails, _, _ = row
    return f"{target}, {next(iter(load))}{'+' if len(load) > 1 else ''}: {'; '.join(guardrails)}"


def judge(tmp_path, row, targets=TARGETS):
    """The run of a row's campaign against its target, which must end with the row's verdict and its word."""
    target, steps, load, guardrails, verdict, word = row
    made = None if target == "refuses" else Origin()
    try:
        if made:
            made.forgiving = True
            made.on("/", targets[target], lazy=getattr(targets[target], "lazy", False))
            made.on("/metrics", targets.get("/metrics"))
        scenario = {"steps": steps} | {k: load[k] for k in ("connections", "resend") if k in load}
        more = {k: load[k] for k in ("rate", "users", "backlog") if k in load}
        more |= {k: load[k] for k in ("validity", "faults", "processes", "prefix") if k in load}
        prefix = more.pop("prefix", ())
        if "mishap" in load:
            more["faults"] = [{"name": "f", "at": "100ms", "command": ["false"]}]
        if "metrics" in load:
            more["targets"] = {"t": {"url": made.url, "metrics": made.url + "/metrics"}}
        run = prove(tmp_path, campaign(made.url if made else f"http://127.0.0.1:{free_port()}", seconds=load.get("seconds", 1),
                                       grace=load.get("grace", "300ms"), scenarios={"s": scenario},
                                       guardrails=guardrails or None, **more), prefix=prefix)
    finally:
        if made:
            made.stop()
    assert run.code == verdict, run
    assert word in run.out, run
    return run
