"""Where there is no figure, there is a dash and no 0; and what a reader looks for after a failure is shown."""
import json
import re
import signal

from lib.deadline import until
from lib.prove import FAIL, INVALID, PASS, Running, campaign, load, prove

# Figures that stand for none
MADE_UP = re.compile(r"\bnan\b|\binf\b|>0 s<|\| 0 s \||\b0 ns\b|in 0 s\b|p99 0 s|<td[^>]*> *</td>")


def rows_of(page, section):
    part = page[page.index(f'<section id="{section}">'):]
    part = part[:part.index("</section>")]
    return [[re.sub("<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr.*?</tr>", part, re.S)]


def test_an_interrupted_run_has_dashes_for_what_it_did_not_reach(tmp_path, origin):
    running = Running(tmp_path, campaign(
        origin.url, phases=[load("first", 60, rate=50), load("second", 60, rate=50)],
        windows={"late": {"from": "70s", "to": "80s"}}, interval="100ms"))
    try:
        until(lambda: origin.count("/") > 5, 20, "requests")
        running.signal(signal.SIGINT)
        run = running.wait()
    finally:
        running.stop()
    assert run.code == INVALID, run
    page = run.text("report.html").split("<script")[0]
    for row in rows_of(page, "stretches"):
        if row[0].startswith(("second", "late")):
            assert row[3:] == ["–"] * 8, row
    for text in (page, run.text("report.md"), run.text("junit.xml"), run.out):
        assert not MADE_UP.search(re.sub(r"<pre>.*?</pre>", "", text, flags=re.S)), MADE_UP.search(text)


def test_a_run_without_requests_has_no_latency(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=0, seconds=0.3))
    assert run.code == INVALID and "no requests" in run.out, run
    trend = run.summary["metrics"]["http_req_duration"]
    assert set(trend) == {"thresholds"} and "value" not in run.summary["metrics"]["http_req_failed"]
    assert json.loads(run.text("benchmark.json")) == []
    assert rows_of(run.text("report.html"), "stretches")[1][3:] == ["–"] * 8
    page = run.text("report.html").split("<script")[0]
    for text in (page, run.text("report.md"), run.out):
        assert not MADE_UP.search(re.sub(r"<pre>.*?</pre>", "", text, flags=re.S)), MADE_UP.search(text)


def test_a_limit_that_was_expected_is_not_counted_as_not_well(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"slower", 429))
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=0.6, interval="100ms", guardrails=["success == 100%"],
                                   steps=[{"get": "/", "expect": {"status": [200, 429]}}]))
    assert run.code == PASS and run.counts() == {"limited": run.sent()}, run
    rows = rows_of(run.text("report.html"), "time")[1:]
    assert len(rows) > 3 and {row[3] for row in rows} == {"–"}, rows
    assert sum(row["unmet"] or 0 for row in run.result["intervals"]) == 0


def test_why_tls_failed_is_shown(tmp_path, tls_origin):
    run = prove(tmp_path, campaign(tls_origin.url.replace("http:", "https:"), rate=20, seconds=0.3))
    assert run.code == FAIL and set(run.reasons()) == {"tls"}, run
    why = run.result["samples"][0]["why"]
    assert why.startswith("no TLS was agreed on: ") and len(why) > 30, why
    for text in (run.text("report.html"), run.text("report.md"), run.out):
        assert "no TLS was agreed on" in text and "tls" in text
