"""Campaign files: what `sekisho prove check` says of them, their JSON Schema, and docs/campaigns.md."""
import json

import jsonschema
import pytest
import yaml

from lib.deadline import patience
from lib.gateway import ROOT, run

DOCUMENT = ROOT / "docs/campaigns.md"
SHIPPED = sorted((ROOT / "campaigns").glob("*.yaml"))
EXAMPLE = DOCUMENT.read_text().split("```yaml\n", 1)[1].split("```", 1)[0]
SMALL = """\
targets: { site: "http://127.0.0.1:9" }
scenarios: { read: { steps: [ { get: / } ] } }
phases: [ { name: load, duration: 1s, rate: 1 } ]
"""


def check(tmp_path, text, *options):
    file = tmp_path / "campaign.yaml"
    file.write_text(text)
    return run("prove", "check", file, *options)


@pytest.fixture(scope="module")
def schema():
    made = json.loads(run("schema", "prove").stdout)
    jsonschema.Draft202012Validator.check_schema(made)
    return made


@pytest.mark.parametrize("campaign", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_campaign_is_good_and_fits_the_schema(campaign, schema):
    done = run("prove", "check", campaign)
    assert done.returncode == 0, done.stderr
    jsonschema.validate(yaml.safe_load(campaign.read_text()), schema)


def test_the_campaign_in_the_docs_is_good_and_fits_the_schema(tmp_path, schema):
    done = check(tmp_path, EXAMPLE)
    assert done.returncode == 0, done.stderr
    jsonschema.validate(yaml.safe_load(EXAMPLE), schema)


def test_the_campaign_in_the_docs_passes(tmp_path):
    """A busy machine can make one run INVALID, and under sanitizers every run: never exit code 2, though."""
    file = tmp_path / "example.yaml"
    file.write_text(EXAMPLE)
    for attempt in range(3):
        done = run("prove", "run", file, "--quiet", "--out", tmp_path / str(attempt), timeout=60)
        assert done.returncode in (0, 1, 3), done.stdout + done.stderr
        if done.returncode == 0 or patience(1) > 1:
            return
    pytest.fail(done.stdout + done.stderr)


@pytest.mark.parametrize("wrong, where", [
    (SMALL.replace("steps", "step"), ":2: scenarios.read.step: unknown key, did you mean 'steps'?"),
    (SMALL.replace("get: /", "gte: /"), ":2: scenarios.read.steps[0].gte: unknown key, did you mean 'get'?"),
    (SMALL.replace("duration: 1s", "duration: [1s]"), ":3: phases[0].duration: must be a single value, not a list"),
    (SMALL + "windoes: {}\n", ":4: windoes: unknown key, did you mean 'windows'?"),
])
def test_what_check_refuses_the_schema_refuses(tmp_path, wrong, where, schema):
    done = check(tmp_path, wrong)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and done.stderr.rstrip().endswith(where), done.stderr
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(wrong), schema)


@pytest.mark.parametrize("wrong, where", [
    (SMALL.replace("get: /", 'get: "/{{key}}"'), ":2: scenarios.read.steps[0].get: '{{key}}' has no value: "),
    (SMALL + "data: { users: { file: users.csv } }\n", ":4: data.users.file: the file '"),
    (SMALL + "faults: [ { name: f, at: 2s, command: [x] } ]\n", ":4: faults[0].at: lies beyond the end: "),
    (SMALL + "guardrails: [ p95 < 50 ]\n", ":4: guardrails[0]: "),
])
def test_what_the_schema_cannot_tell_check_refuses(tmp_path, wrong, where):
    done = check(tmp_path, wrong)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and where in done.stderr, done.stderr


def test_a_row_with_too_few_columns_is_named(tmp_path):
    (tmp_path / "users.csv").write_text("name,password\nann,x\nbob\n")
    done = check(tmp_path, SMALL + "data: { users: { file: users.csv } }\n")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("users.csv' has 1 of 2 columns in line 3"), done.stderr


def test_a_variable_that_is_set_must_be_asked_for(tmp_path):
    text = SMALL.replace("rate: 1", "rate: '${RATE:-1}'")
    assert check(tmp_path, text, "--set", "RATE=5").returncode == 0
    done = check(tmp_path, text, "--set", "RTAE=5")
    assert done.returncode == 2
    assert "--set: the file has no ${RTAE}, did you mean 'RATE'?" in done.stderr


def test_the_reference_is_what_the_table_says():
    assert run("schema", "prove", "--docs").stdout == DOCUMENT.read_text()
