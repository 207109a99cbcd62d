"""The report of a run, opened in a browser: it draws, it asks the network for nothing, and names stay names."""
import json
import xml.etree.ElementTree as ElementTree

import pytest

from lib.browser import Browser
from lib.gateway import run

HOSTILE = "</script><script>window.owned=1</script><img src=x onerror='window.owned=1'>"

CAMPAIGN = """
text: "{hostile}"
prepare:
  - command: [sh, -c, "mkdir -p '${{RUN_DIR}}/objects' && head -c 3000 /dev/zero > '${{RUN_DIR}}/objects/a'"]
processes:
  gateway:
    command: ["${{SEKISHO}}", serve, -c, /dev/stdin]
    stdin: |
      listen: 127.0.0.1:${{PORT_GATEWAY}}
      admin: {{ listen: "127.0.0.1:${{PORT_ADMIN}}", token_file: "${{RUN_DIR}}/admin.token" }}
      log: {{ level: warn, access: off }}
      origins: {{ objects: {{ type: dir, path: "${{RUN_DIR}}/objects" }} }}
      routes: {{ path: /, origin: objects, cache: {{ ttl: 10m }} }}
    ready: http://127.0.0.1:${{PORT_ADMIN}}/ready
targets:
  gateway:
    url: http://127.0.0.1:${{PORT_GATEWAY}}
    metrics: http://127.0.0.1:${{PORT_ADMIN}}/metrics
    process: gateway
scenarios:
  reading:
    weight: 4
    steps:
      - {{ get: /a, name: "{hostile}" }}
      - get: /a
  missing:
    weight: 1
    steps:
      - get: /nothing
interval: 100ms
phases:
  - {{ name: warm-up, warm_up: true, duration: 500ms, rate: 100 }}
  - {{ name: steady, duration: 2s, rate: 200 }}
faults:
  - {{ name: frozen, at: 1s, for: 200ms, pause: gateway }}
windows:
  calm: {{ from: 2s, to: 2400ms }}
guardrails:
  - {{ check: hit_ratio > 1%, name: "{hostile}" }}
  - {{ check: success > 99%, scenario: missing }}
validity: {{ send_lag: 500ms, rate: 90%, tail_samples: 1 }}
"""

CHARTS = ["rate", "latency", "outcomes", "hits", "rss", "cpu", "busy", "percentiles"]

# Colours of a canvas that are not see-through: a chart that was drawn has a good many.
DRAWN = """[...document.querySelectorAll('[data-chart]')].map(figure => {
  const canvas = figure.querySelector('canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3]) colours.add(pixels.slice(i, i + 4).join());
  return [figure.dataset.chart, canvas.clientWidth > 200 && canvas.clientHeight > 100, colours.size];
})"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "hostile.yaml").write_text(CAMPAIGN.format(hostile=HOSTILE))
    done = run("prove", "run", folder / "hostile.yaml", "--out", folder / "out", "--quiet", timeout=60)
    assert done.returncode == 1, done  # the guardrail of `missing` is broken
    return folder / "out"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def page(browser, reports):
    return browser.open(reports / "report.html")


def test_every_chart_is_drawn(page):
    drawn = page.evaluate(DRAWN)
    assert [name for name, _, _ in drawn] == CHARTS
    assert all(large and colours > 20 for _, large, colours in drawn), drawn
    assert len(page.screenshot()) > 50_000


def test_the_page_asks_for_nothing_but_itself_and_complains_of_nothing(page):
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.requests == [page.url]
    assert page.troubles == []


def test_the_charts_over_time_share_one_left_margin(page):
    """So that their bands line up."""
    lefts = page.evaluate("[...document.querySelectorAll('[data-chart]:not([data-chart=percentiles]) canvas')]"
                          ".map(canvas => Chart.getChart(canvas).chartArea.left)")
    assert len(lefts) > 3 and len(set(lefts)) == 1, lefts


def test_the_page_could_not_ask_if_it_wanted_to(browser, reports):
    page = browser.open(reports / "report.html")
    refused = page.evaluate("fetch('https://127.0.0.1:1/').then(() => 'sent', error => String(error))")
    assert "TypeError" in refused
    violations = [str(trouble) for trouble in page.troubles if "Content Security Policy" in str(trouble)]
    assert any("https://127.0.0.1:1/" in violation for violation in violations), page.troubles
    assert page.requests == [page.url]


def test_names_stay_text(page):
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("window.owned === undefined")
    assert page.evaluate("document.querySelector('.text').textContent") == HOSTILE
    assert page.evaluate("document.scripts.length") == 3


def test_verdict_goals_and_figures_agree_with_the_result(page, reports):
    result = json.loads((reports / "result.json").read_text())
    text = page.evaluate("document.body.innerText")
    assert page.evaluate("document.querySelector('.verdict').textContent") == result["verdict"] == "FAIL"
    assert [row.split("\t")[0].split()[-1] for row in page.evaluate(
        "[...document.querySelectorAll('#goals > .scroll tbody tr')].map(row => row.innerText)")] == \
        [check["state"] for check in result["checks"] if check["kind"] == "guardrail"]
    sent = json.loads((reports / "summary.json").read_text())["metrics"]["http_reqs"]["count"]
    assert f"{sent:,}" in text
    assert result["environment"]["command"] in text


def test_without_javascript_the_tables_tell_the_same(browser, reports):
    page = browser.open(reports / "report.html", scripts=False)
    # Chromium's own look into the page still works
    text = page.evaluate("document.body.innerText")
    for part in ("FAIL", "In figures", "service p99", "frozen", "The charts need JavaScript", "The same as a table"):
        assert part in text, part
    assert page.evaluate("getComputedStyle(document.querySelector('.chart')).display") == "none"
    assert page.troubles == []


def test_a_phone_shows_it_without_scrolling_sideways(browser, reports):
    page = browser.open(reports / "report.html", width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert all(colours > 20 for _, _, colours in page.evaluate(DRAWN))
    assert page.troubles == []


def test_it_is_dark_where_the_reader_wants_that_and_light_on_paper(browser, reports):
    page = browser.open(reports / "report.html", dark=True)
    background = "getComputedStyle(document.body).backgroundColor"
    assert max(json.loads(page.evaluate(background).replace("rgb(", "[").replace(")", "]"))) < 64
    ticks = "Chart.getChart(document.querySelector('canvas')).options.scales.x.ticks.color"
    dark = page.evaluate(ticks)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    light = page.evaluate(ticks)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert light != dark == page.evaluate(ticks)


def test_a_line_can_be_hidden(page):
    button = "document.querySelector('[data-chart=latency] .legend button')"
    chart = "Chart.getChart(document.querySelector('[data-chart=latency] canvas'))"
    assert page.evaluate(f"{button}.textContent") == "p50"
    page.evaluate(f"{button}.click()")
    assert page.evaluate(f"{chart}.isDatasetVisible(0)") is False
    assert page.evaluate(f"{button}.getAttribute('aria-pressed')") == "false"
    page.evaluate(f"{button}.click()")
    assert page.evaluate(f"{chart}.isDatasetVisible(0)") is True


def test_reports_can_be_made_again_from_the_result(reports, tmp_path):
    done = run("prove", "report", reports / "result.json", "--out", tmp_path / "again")
    assert done.returncode == 0, done
    for name in ("report.html", "report.md", "junit.xml", "summary.json", "benchmark.json", "latency.hgrm", "result.json"):
        assert (tmp_path / "again" / name).read_bytes() == (reports / name).read_bytes(), name


def test_junit_is_xml_that_fails(reports):
    suite = ElementTree.parse(reports / "junit.xml").getroot().find("testsuite")
    assert int(suite.get("failures")) == 1 and int(suite.get("tests")) == len(suite.findall("testcase"))
    assert any(HOSTILE in case.get("name") for case in suite.findall("testcase"))


def test_a_result_that_is_none_is_one_clear_line(tmp_path):
    (tmp_path / "result.json").write_text("{}")
    done = run("prove", "report", tmp_path / "result.json", "--out", tmp_path / "out")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "result.json" in done.stderr, done
    assert not (tmp_path / "out" / "report.html").exists()
