"""Files that do not answer (a FIFO stands in for a mount that hangs): a start, a check and a reload say so within seconds,
and meanwhile signals are taken."""
import os
import signal
import subprocess
import time

import pytest
import yaml

from lib.deadline import patience, until
from lib.gateway import BESIDES, BINARY, run

HUNG = "cannot be read: nothing came within"


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def site(folder, **more):
    return {"origins": {"site": {"type": "dir", "path": str(folder)}}, "routes": [{"path": "/", "origin": "site"}]} | more


def names(fifo):
    """Every key that names a file which is read with the configuration."""
    def https(tls):
        return {"app": {"type": "http", "url": "https://app.test", "tls": tls}}

    jwt = {"type": "jwt", "algorithms": ["HS256"]}
    return {
        "identities.staff.keys[0].file": {"identities": {"staff": jwt | {"keys": [{"file": fifo}]}}},
        "origins.app.tls.ca_file": {"origins": https({"ca_file": fifo}), "routes": [{"path": "/", "origin": "app"}]},
        "origins.app.credentials.file": {
            "origins": {"app": {"type": "s3", "bucket": "b", "credentials": {"file": fifo}}},
            "routes": [{"path": "/", "origin": "app"}]},
        "identities.far.jwks.tls.ca_file": {"identities": {
            "far": {"type": "jwt", "issuer": "https://a.test", "algorithms": ["ES256"],
                    "jwks": {"url": "https://a.test/keys", "tls": {"ca_file": fifo}}}}},
        "redis.tls.ca_file": {"redis": {"url": "rediss://a.test", "tls": {"ca_file": fifo}}},
    }


def test_a_configuration_that_does_not_come_keeps_the_old_one(gateway, folder, fifo):
    (folder / "x").write_text("object")
    gw = gateway(site(folder))
    gw.file.unlink()
    os.mkfifo(gw.file)
    began = time.monotonic()
    reload = gw.reload(seconds=15)
    assert not reload.ok and time.monotonic() - began < patience(10)
    assert HUNG in str(reload.told)
    assert gw.get("/x").status == 200


def test_signals_are_taken_while_it_does_not_come(gateway, folder):
    gw = gateway(site(folder, shutdown={"timeout": "1s"}))
    gw.file.unlink()
    os.mkfifo(gw.file)
    began = time.monotonic()
    gw.signal(signal.SIGHUP)
    gw.signal(signal.SIGTERM)
    assert gw.wait() == 0
    assert time.monotonic() - began < patience(3)
    gw.check_clean()


@pytest.mark.parametrize("key", names(""))
def test_every_file_it_names_has_the_same_deadline(folder, tmp_path, fifo, key):
    file = tmp_path / "sekisho.yaml"
    config = {"listen": "127.0.0.1:0"} | site(folder) | names(str(fifo))[key]
    file.write_text(yaml.safe_dump(config))
    done = run("check", "-c", file, timeout=15)
    assert done.returncode == 2
    assert f"{key}: " in done.stderr and HUNG in done.stderr and f"{file}:" in done.stderr, done.stderr


@pytest.mark.parametrize("command", [["serve", "-c"], ["check", "-c"], ["token", "--key"]])
def test_a_command_that_waits_for_a_file_can_be_ended(fifo, command):
    process = subprocess.Popen([str(BINARY), *command, str(fifo)], stderr=subprocess.PIPE, env=os.environ | BESIDES)
    until(lambda: len(os.listdir(f"/proc/{process.pid}/task")) > 1, 5, "the reading to begin")
    process.send_signal(signal.SIGINT)
    assert process.wait(patience(3)) == 2
    assert b"the process is to end" in process.stderr.read()


def test_a_pipe_that_somebody_fills_is_a_file_like_any(folder, fifo):
    """As the shell makes it of `check -c <(…)`."""
    process = subprocess.Popen([str(BINARY), "check", "-c", str(fifo)], env=os.environ | BESIDES)
    fifo.write_text(yaml.safe_dump({"listen": "127.0.0.1:0"} | site(folder)))
    assert process.wait(patience(10)) == 0
