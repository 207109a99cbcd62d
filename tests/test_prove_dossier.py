"""One proof of several runs: what the dossier says must be what the runs' results say, in both of its forms."""
import json
import re
import shutil

import pytest

from lib.browser import Browser
from lib.gateway import run
from lib.origin import Origin
from lib.prove import FAIL, INVALID, PASS, USAGE, campaign, prove

FORGED = [{"get": "/secret", "expect": 401}]


def dossier(folder, *runs):
    done = run("prove", "dossier", *runs, "--out", folder, timeout=60)
    texts = {name: (folder / name).read_text() if (folder / name).exists() else None
             for name in ("dossier.html", "dossier.md")}
    return done, texts["dossier.html"], texts["dossier.md"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of runs: `good` and `kept-out` PASS, `bad` FAILs, `few` is INVALID."""
    origin = Origin()
    origin.forgiving = True
    origin.on("/secret", lambda ask: ask.reply(b"no", 401))
    origin.on("/broken", lambda ask: ask.reply(b"no", 500))
    origin.on("/metrics", lambda ask: ask.reply(b"# TYPE sekisho_denials_total counter\n"
                                                b'sekisho_denials_total{reason="forged"} %d\n' % origin.count("/secret")))
    top = tmp_path_factory.mktemp("runs")
    target = {"t": {"url": origin.url, "metrics": origin.url + "/metrics"}}

    def one(name, code, **more):
        made = prove(top / name, campaign(seconds=0.6, targets=target, name=name, **more))
        assert made.code == code, made
        return made.folder

    try:
        yield {
            "good": one("good", PASS, guardrails=["success == 100%", "p50 < 300s"],
                        windows={"calm": {"from": "100ms", "to": "400ms"}}),
            "kept-out": one("kept-out", PASS, steps=FORGED,
                            guardrails=["denied == 100%", 'delta(sekisho_denials_total{reason="forged"}) > 0']),
            "bad": one("bad", FAIL, steps=[{"get": "/"}, {"get": "/broken"}], guardrails=["success > 99%"]),
            "few": one("few", INVALID, guardrails=["p99.9 < 300s"], validity={"tail_samples": 1000}),
        }
    finally:
        origin.stop()


@pytest.mark.parametrize("names, code, word", [
    (["good", "kept-out"], PASS, "PASS"),
    (["good", "few"], INVALID, "INVALID"),
    (["good", "few", "bad"], FAIL, "FAIL"),
])
def test_the_worst_run_decides(runs, tmp_path, names, code, word):
    done, page, text = dossier(tmp_path, *(runs[name] for name in names))
    assert done.returncode == code, done
    assert done.stdout.splitlines()[-1].startswith(word + ": ") and len(done.stdout.splitlines()) == len(names) + 1
    assert f'<p class="verdict">{word}</p>' in page and f"{word}: Proof of {len(names)} runs" in text


def test_goals_figures_and_advice_are_those_of_the_runs(runs, tmp_path):
    _, page, text = dossier(tmp_path, *runs.values())
    for name, folder in runs.items():
        result = json.loads((folder / "result.json").read_text())
        for check in result["checks"]:
            if check["kind"] == "guardrail":
                figure = f" {check['measured'] or '–'} |"
                assert any(line.startswith(f"| {name} |") and check["state"] in line and figure in line
                           for line in text.splitlines()), check
        sent = json.loads((folder / "summary.json").read_text())["metrics"]["http_reqs"]["count"]
        assert any(line.startswith(f"| {name} ") and f" {sent:,} |" in line for line in text.splitlines())
        assert result["environment"]["command"].split()[0] in text
    assert "Goals met: **4 of 6**" in text
    assert re.search(r"\*\*bad:\*\* .*1 of 1 goals is missed: 'success", text)
    assert re.search(r"\*\*good:\*\* .*to spare", text)
    assert "**All runs:** No run sets a fault" in text
    assert "No run asks for what must be denied" not in text
    for part in ("Recommendations", "times to spare", "No run sets a fault"):
        assert part in page


def test_denials_stand_by_reason(runs, tmp_path):
    _, _, text = dossier(tmp_path, runs["kept-out"])
    denied = json.loads((runs["kept-out"] / "summary.json").read_text())["metrics"]["http_reqs"]["count"]
    security = text[text.index("## Security"):text.index("## Capacity")]
    assert f"| kept-out | {denied} | {denied} | – | – | – | – |" in security, security
    assert re.search(r'sekisho\\?_denials\\?_total.*reason.*forged.*\| \d+ \| \d+ \| \d+ \|', security), security


def test_runs_of_one_campaign_are_told_apart_and_older_results_are_read(runs, tmp_path):
    """As `ab` leaves them: folders in a folder, all of one name."""
    for name in ("1-a-1", "1-b-1"):
        (tmp_path / "ab" / name).mkdir(parents=True)
        shutil.copy(runs["good"] / "result.json", tmp_path / "ab" / name)
    old = tmp_path / "ab" / "1-b-1" / "result.json"
    result = json.loads(old.read_text())
    result["environment"]["machine"] = "another"
    for key in ("samples", "warnings"):
        del result[key]
    for row in result["intervals"]:
        row.pop("unmet", None)
    old.write_text(json.dumps(result))
    done, page, text = dossier(tmp_path / "out", tmp_path / "ab")
    assert done.returncode == PASS, done
    assert "1-a-1" in text and "1-b-1" in text and "held, held in 2 of 2" in text
    assert "2 different machines" in text.split("##")[0] and "2 different machines" in page.split("<main>")[0]


@pytest.mark.parametrize("make, word", [
    (lambda path: None, "is no folder"),
    (lambda path: path.mkdir(), "holds no result.json"),
    (lambda path: (path.mkdir(), (path / "result.json").write_text("{}")), "result.json"),
])
def test_a_folder_without_a_result_is_one_clear_line(runs, tmp_path, make, word):
    make(tmp_path / "nothing")
    done, page, _ = dossier(tmp_path / "out", runs["good"], tmp_path / "nothing")
    assert done.returncode == USAGE and done.stderr.count("\n") == 1 and word in done.stderr, done
    assert "nothing" in done.stderr and page is None


def test_a_browser_shows_it_with_the_pictures_of_each_run(runs, tmp_path):
    dossier(tmp_path, *runs.values())
    with Browser(tmp_path) as browser:
        page = browser.open(tmp_path / "dossier.html")
        drawn = page.evaluate("""[...document.querySelectorAll('[data-chart]')].map(figure => {
          const canvas = figure.querySelector('canvas');
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          const colours = new Set();
          for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3]) colours.add(pixels.slice(i, i + 4).join());
          return [figure.dataset.chart, colours.size];
        })""")
        assert [name for name, _ in drawn].count("latency") == len(runs) and drawn[0][0] == "percentiles"
        assert all(colours > 5 for _, colours in drawn), drawn
        assert page.requests == [page.url] and page.troubles == []
        titles = page.evaluate("[...document.querySelectorAll('h2')].map(title => title.textContent)")
        assert {"Goals", "Recommendations", "Latency", "Reliability", "Chaos", "Security", "Capacity", "Pictures"} <= set(titles)
        narrow = browser.open(tmp_path / "dossier.html", width=360, height=740)
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
