"""The subcommands: check, schema, token, version, and the demo that `make run` shows."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import jsonschema
import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization

from lib.deadline import patience, until
from lib.gateway import BINARY, ROOT, SANITIZER, Gateway, run
from lib.tokens import SECRET, EcKey

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def env_of(example) -> dict:
    """`# check-env: NAME=value …` lines give what an example takes from the environment."""
    lines = re.findall(r"^# check-env: (.*)$", example.read_text(), re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))


def check(tmp_path, text, env=None):
    file = tmp_path / "sekisho.yaml"
    file.write_text(text)
    return run("check", "-c", file, env=env)


SMALL = """\
listen: 127.0.0.1:0
origins: { site: { type: dir, path: . } }
routes: [ { path: /, origin: site } ]
"""


# ---- check


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(example):
    done = run("check", "-c", example, env=env_of(example), cwd=example.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_fits_the_schema(example):
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(example.read_text()), schema)


@pytest.mark.parametrize("text", ["listn: 127.0.0.1:0", "listen: 127.0.0.1:0\nroutes: [ { pth: / } ]", "workers: [1]"])
def test_the_schema_refuses_what_check_refuses(tmp_path, text):
    schema = json.loads(run("schema").stdout)
    assert check(tmp_path, text).returncode != 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema)


def test_check_says_that_all_is_well(tmp_path):
    done = check(tmp_path, SMALL)
    assert done.returncode == 0 and not done.stderr


@pytest.mark.parametrize("text, line, mentions", [
    ("listn: 127.0.0.1:0\n", 1, ["listn", "listen"]),
    (SMALL + "timeouts:\n  heder: 1s\n", 5, ["heder", "header"]),
    (SMALL + "timeouts: { header: 1 }\n", 4, ["header"]),
    (SMALL + "timeouts: { header: 1 fortnight }\n", 4, ["header"]),
    (SMALL + "limits: { head: 99TiB }\n", 4, ["head"]),
    (SMALL + "limits: { fields: many }\n", 4, ["fields"]),
    (SMALL + "workers: -1\n", 4, ["workers"]),
    (SMALL + "log: { level: loud }\n", 4, ["level", "info"]),
    (SMALL + "trusted_proxies: [ 10.0.0.0/33 ]\n", 4, ["trusted_proxies"]),
    (SMALL.replace("origin: site", "origin: sitte"), 3, ["sitte", "'site'"]),
    (SMALL.replace("type: dir", "type: dyr"), 2, ["dyr", "dir"]),
    (SMALL.replace("type: dir, ", ""), 2, ["type"]),
    (SMALL.replace("path: . ", ""), 2, ["path"]),
    (SMALL.replace("path: /,", "path: x,"), 3, ["path"]),
    (SMALL.replace("path: /,", "path: /../,"), 3, ["path"]),
    (SMALL.replace("127.0.0.1:0", "localhost"), 1, ["listen"]),
    (SMALL.replace("127.0.0.1:0", "127.0.0.1:70000"), 1, ["listen"]),
    (SMALL.replace("127.0.0.1:0", "{ address: 127.0.0.1:0, tls: {} }"), 1, ["tls"]),
    (SMALL.replace("127.0.0.1:0", "{ address: 127.0.0.1:0, proxy_protocol: on }"), 1, ["proxy_protocol"]),
    (SMALL + "listen: 127.0.0.1:1\n", 4, ["listen"]),
    (SMALL.replace("routes: [", "routes: [ { path: /, origin: site },"), 3, ["/"]),
    (SMALL.replace("dir, path: .", "http, url: ftp://x"), 2, ["url"]),
    (SMALL.replace("dir, path: .", "http, url: '${NO_SUCH_VARIABLE_IN_TESTS}'"), 2, ["NO_SUCH_VARIABLE_IN_TESTS"]),
    (SMALL.replace("dir, path: .", "s3, bucket: b, access_key_id: x"), 2, ["secret_access_key"]),
    ("listen: [\n", 2, []),
    ("just text\n", 1, []),
    ("- a\n- list\n", 1, []),
    ("a: b: c\n", 1, []),
    ("\tlisten: x\n", 1, []),
])
def test_a_mistake_is_one_line_with_its_place(tmp_path, text, line, mentions):
    done = check(tmp_path, text)
    assert done.returncode == 2 and not done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    place = re.search(r"sekisho\.yaml:(\d+):", lines[0])
    assert place, lines[0]
    assert int(place[1]) in ((line,) if text.startswith(("listen: 127", "listn")) else (line, line - 1)), lines[0]
    for word in mentions:
        assert word in lines[0], lines[0]


def test_variables_are_filled_in(tmp_path):
    text = SMALL.replace("path: .", "path: '${TEST_FOLDER:-.}'")
    assert check(tmp_path, text).returncode == 0
    assert check(tmp_path, text, env={"TEST_FOLDER": str(tmp_path)}).returncode == 0
    assert check(tmp_path, text.replace("path: /,", 'path: "/${TEST_PREFIX}/",'),
                 env={"TEST_PREFIX": "a"}).returncode == 0


def test_serve_refuses_what_check_refuses(tmp_path):
    (tmp_path / "x.yaml").write_text("listn: x\n")
    one, other = run("check", "-c", tmp_path / "x.yaml"), run("serve", "-c", tmp_path / "x.yaml")
    assert other.returncode != 0 and other.stderr.split("x.yaml:")[-1] == one.stderr.split("x.yaml:")[-1]


def test_a_missing_file_is_named(tmp_path):
    done = run("check", "-c", tmp_path / "absent.yaml")
    assert done.returncode != 0 and "absent.yaml" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_missing_folder_is_told_at_start(tmp_path):
    (tmp_path / "x.yaml").write_text(SMALL.replace("path: .", "path: ./no-such-folder"))
    done = subprocess.Popen([BINARY, "serve", "-c", tmp_path / "x.yaml"],
                            stderr=subprocess.PIPE,
                            stdout=subprocess.DEVNULL,
                            text=True)
    try:
        line = done.stderr.readline()
        while line and "no-such-folder" not in line:
            line = done.stderr.readline()
        assert "no-such-folder" in line, "nobody told that the folder is missing"
    finally:
        done.terminate()
        done.communicate()


# ---- the rest


def test_the_reference_is_what_the_schema_says():
    assert run("schema", "--docs").stdout == (ROOT / "docs/configuration.md").read_text()


def test_version():
    done = run("version")
    assert done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout)


def test_no_or_an_unknown_subcommand_explains_itself():
    for arguments in ([], ["dance"], ["serve"], ["serve", "--no-such-option"]):
        done = run(*arguments)
        assert done.returncode != 0 and (done.stderr + done.stdout).strip()
    assert run("--help").returncode == 0


def test_token_mints_for_an_hmac_secret(tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    done = run("token", "--key", tmp_path / "secret", "--sub", "ann", "--iss", "https://id.test", "--aud",
               "sekisho")
    assert done.returncode == 0, done.stderr
    claims = jwt.decode(done.stdout.strip(),
                        SECRET,
                        algorithms=["HS256"],
                        audience="sekisho",
                        issuer="https://id.test")
    assert claims["sub"] == "ann" and claims["exp"] > claims["iat"]


def test_token_mints_for_an_es256_key(tmp_path):
    key = EcKey()
    (tmp_path / "key.pem").write_bytes(
        key.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
    done = run("token", "--key", tmp_path / "key.pem", "--alg", "ES256", "--sub", "ann")
    assert done.returncode == 0, done.stderr
    assert jwt.decode(done.stdout.strip(), key.public_pem, algorithms=["ES256"])["sub"] == "ann"


def test_token_refuses_a_key_that_is_none(tmp_path):
    (tmp_path / "short").write_text("short")
    for file in ("short", "absent"):
        done = run("token", "--key", tmp_path / file, "--sub", "ann")
        assert done.returncode != 0 and len(done.stderr.splitlines()) == 1 and not done.stdout


# ---- the demo


def test_the_demo_prints_three_commands_that_do_what_they_say(tmp_path):
    env = os.environ | {"SEKISHO_DEMO_LISTEN": "127.0.0.1:0"}
    process = subprocess.Popen([BINARY, "serve", "--demo", tmp_path / "demo"],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=open(tmp_path / "stderr", "wb"),
                               text=True,
                               env=env,
                               cwd=tmp_path)
    lines = []
    reader = threading.Thread(target=lambda: [lines.append(line) for line in process.stdout], daemon=True)
    reader.start()
    try:
        def commands():
            assert process.poll() is None, (tmp_path / "stderr").read_text()
            return [line for line in lines if line.startswith("curl")]

        until(lambda: len(commands()) == 3, 20, "three commands")
        codes = []
        for command in commands():
            done = subprocess.run([*shlex.split(command), "-s", "-o", "/dev/null", "-w", "\n%{http_code}"],
                                  capture_output=True,
                                  text=True,
                                  timeout=patience(20))
            codes.append(done.stdout.split()[-1])
        assert codes == ["200", "401", "200"]
        assert len(commands()) == 3
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(patience(20))
    assert code == 0
    assert not SANITIZER.search((tmp_path / "stderr").read_text())


NOBODY = 65534


@pytest.fixture
def open_folder():
    """One that a process of another user can use, too, which is not root's: to root nothing is hidden."""
    folder = Path(tempfile.mkdtemp(prefix="sekisho-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("flags, hidden", [((), True), (("--allow-core-dumps",), False)])
def test_the_memory_of_a_process_that_holds_secrets_is_hidden(open_folder, flags, hidden):
    """The kernel gives the files of such a process in /proc to root: no debugger of the same user reads them."""
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    os.umask(0o022)
    gw = Gateway(open_folder, {"origins": {"site": {"type": "dir", "path": "."}}, "routes": [{"path": "/", "origin": "site"}]},
                 arguments=flags)
    if os.geteuid() == 0:
        gw.out.touch(0o644), gw.err.touch(0o644)
        gw.arguments = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *gw.arguments]
    with gw.start():
        for file in ("environ", "mem", "maps"):
            assert (Path(f"/proc/{gw.pid}/{file}").stat().st_uid == user) is not hidden, file
        if hidden:
            limits = Path(f"/proc/{gw.pid}/limits").read_text()
            assert re.search(r"Max core file size +0 ", limits), limits
        metrics = gw.metrics()  # it can still look at itself
        assert metrics.total("process_open_fds") > 5 and metrics.total("process_resident_memory_bytes") > 1 << 20
