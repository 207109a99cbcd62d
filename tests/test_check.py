"""`check` finds what `serve` would refuse, and all of it; ports in use are its only excuse."""
import os
import socket

import pytest

from lib.gateway import run

SMALL = """\
listen: 127.0.0.1:0
origins: { site: { type: dir, path: . } }
routes: [ { path: /, origin: site } ]
"""


def written(tmp_path, text):
    file = tmp_path / "sekisho.yaml"
    file.write_text(text)
    return file


def complaints(tmp_path, text, command="check") -> list:
    file = written(tmp_path, text)
    done = run(command, "-c", file)
    assert done.returncode == 2 and not done.stdout, done
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"sekisho: {file}") for line in lines), done.stderr
    return [line.removeprefix(f"sekisho: {file}:") for line in lines]


@pytest.fixture
def closed(tmp_path):
    """A folder that nobody may write to. Root may, unless it is none."""
    folder = tmp_path / "closed"
    folder.write_text("not a folder at all")
    return folder


PLACES = {
    "log.output": "log: {{ output: {} }}\n",
    "log.access.output": "log: {{ access: {{ output: {} }} }}\n",
    "audit.output": "audit: {{ output: {} }}\n",
    "audit": "audit: {}\n",
    "admin.token_file": "admin: {{ listen: '127.0.0.1:0', token_file: {} }}\n",
}


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize("key", PLACES)
@pytest.mark.parametrize("where", ["no such folder", "a file for a folder", "a folder"])
def test_what_cannot_be_written_is_told_with_its_line(tmp_path, closed, key, command, where):
    (tmp_path / "folder").mkdir()
    path = {"no such folder": tmp_path / "none" / "x", "a file for a folder": closed / "x", "a folder": tmp_path / "folder"}[where]
    [line] = complaints(tmp_path, SMALL + PLACES[key].format(path), command)
    assert line.startswith("4: " + (key if "." in key else "audit.output") + ": ") and str(path) in line


def test_check_makes_nothing(tmp_path):
    file = written(tmp_path, SMALL + "admin: { listen: '127.0.0.1:0' }\naudit: audit.log\n"
                   "log: { output: op.log, access: { output: access.log } }\n")
    done = run("check", "-c", file)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["sekisho.yaml"]


def test_a_token_file_for_all_to_read_is_told(tmp_path):
    (tmp_path / "token").write_text("x" * 40)
    os.chmod(tmp_path / "token", 0o644)
    [line] = complaints(tmp_path, SMALL + "admin:\n  listen: 127.0.0.1:0\n  token_file: token\n")
    assert line.startswith("6: admin.token_file: ") and "0600" in line and "x" * 40 not in line


def test_all_errors_are_told_each_with_its_line(tmp_path):
    lines = complaints(tmp_path, """\
listen: [ 127.0.0.1, 127.0.0.1:0 ]
timeouts: { header: 1, haeder: 2s }
origins:
  site: { type: dir, path: . }
  api: { type: http, url: ftp://x, timeouts: { connect: soon } }
  odd: { type: odd }
limits: { nonsense: 1 }
routes:
  - { path: x, origin: site }
  - { path: /, origin: site, cache: 10m, cahce: off }
""")
    assert [line.split(": ")[:2] for line in lines] == [
        ["1", "listen[0]"], ["2", "timeouts.header"], ["2", "timeouts.haeder"], ["5", "origins.api.url"],
        ["5", "origins.api.timeouts.connect"], ["6", "origins.odd.type"], ["7", "limits.nonsense"], ["9", "routes[0].path"],
        ["10", "routes[1].cache"], ["10", "routes[1].cahce"]]


def test_names_that_do_not_exist_are_all_told(tmp_path):
    lines = complaints(tmp_path, """\
listen: 127.0.0.1:0
cache: { memory: { size: much } }
origins: { site: { type: dir, path: . } }
routes:
  - { path: /a, origin: no }
  - { path: /b, origin: site, identity: nobody }
""")
    assert [line.split(": ")[0] for line in lines] == ["2", "5", "6"]


def test_serve_tells_the_first_and_how_many_there_are(tmp_path):
    [line] = complaints(tmp_path, SMALL + "workers: -1\nlimits: { nonsense: 1 }\n", "serve")
    assert "workers" in line and "1 more" in line and "sekisho check" in line


def test_it_says_what_it_looked_at_and_what_not(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = written(tmp_path, SMALL.replace("127.0.0.1:0", "127.0.0.1:%d" % taken.getsockname()[1]))
        done = run("check", "-c", file)
        assert done.returncode == 0 and "1 origin" in done.stdout and "ports" in done.stdout
        assert run("serve", "-c", file).returncode == 2


def test_a_start_makes_what_check_found_good(gateway, folder, tmp_path):
    gw = gateway({"origins": {"site": {"type": "dir", "path": str(folder)}}, "routes": [{"path": "/", "origin": "site"}],
                  "log": {"access": {"output": str(tmp_path / "access.log")}}})
    gw.get("/")
    gw.stop()
    assert (tmp_path / "access.log").read_text()


def test_check_warns_of_a_folder_around_what_another_route_guards(tmp_path):
    (tmp_path / "site" / "private").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "site")
    text = """\
listen: 127.0.0.1:0
origins: {{ all: {{ type: dir, path: {outer} }}, inner: {{ type: dir, path: site/private }} }}
identities: {{ staff: {{ type: jwt, algorithms: HS256, keys: {{ inline: a-key-of-at-least-thirty-two-bytes }} }} }}
routes: [ {{ path: /, origin: all {more} }}, {{ path: {guarded}, origin: inner, identity: staff }} ]
"""
    for outer in ("site", "alias", "site/private", "site/../site"):
        done = run("check", "-c", written(tmp_path, text.format(outer=outer, guarded="/secret", more="")))
        assert done.returncode == 0 and "gives to everybody what routes[1] asks an identity for" in done.stderr, (outer, done)
    for outer, guarded, more in (("site", "/private", ""), ("site", "/secret", ", identity: staff")):
        done = run("check", "-c", written(tmp_path, text.format(outer=outer, guarded=guarded, more=more)))
        assert done.returncode == 0 and "asks an identity" not in done.stderr, done


def test_check_warns_of_a_field_that_no_client_can_send(tmp_path):
    file = tmp_path / "sekisho.yaml"
    for proxies, warned in (("[]", True), ("[192.0.2.0/24]", False)):
        file.write_text("listen: 127.0.0.1:8080\norigins: { me: { type: http, url: 'http://192.0.2.1' } }\n"
                        f"trusted_proxies: {proxies}\n"
                        "routes: { path: /, origin: me, forward_fields: [X-Original-URL, X-Forwarded-User] }\n")
        done = run("check", "-c", file)
        assert done.returncode == 0 and ("'X-Forwarded-User' is believed" in done.stderr) is warned, done
        assert "X-Original-URL" not in done.stderr


def test_all_names_of_a_route_that_are_wrong_are_told_at_once(tmp_path):
    told = complaints(tmp_path, "listen: 127.0.0.1:0\norigins: { site: { type: dir, path: . } }\nroutes:\n"
                                "  - { path: /, origin: site }\n"
                                "  - { path: /, origin: sight }\n"
                                "  - { path: /x, origin: cite, identity: nobody }\n")
    assert [line.split(":")[:2] for line in told] == [
        ["5", " routes[1].path"], ["5", " routes[1].origin"], ["6", " routes[2].origin"], ["6", " routes[2].identity"]], told


def test_the_file_may_stand_alone(tmp_path):
    assert run("check", written(tmp_path, SMALL)).returncode == 0
    for command in ("check", "serve"):
        done = run(command, written(tmp_path, SMALL + "nonsense: 1\n"))
        assert done.returncode == 2 and "nonsense" in done.stderr


def test_what_only_building_finds_is_told_of_every_identity_and_origin(tmp_path):
    told = run("check", "-c", written(tmp_path, """\
listen: 127.0.0.1:0
origins: { a: { type: dir, path: nowhere }, b: { type: dir, path: . }, c: { type: dir, path: neither } }
identities:
  staff: { type: jwt, issuer: any, audience: any, algorithms: [ES256], keys: [ { inline: no key at all } ], from: [bearer] }
routes: [ { path: /, origin: a, identity: staff }, { path: /b, origin: b }, { path: /c, origin: c } ]
"""))
    assert told.returncode == 2, told
    for word in ("nowhere", "neither", "staff"):
        assert sum(word in line for line in told.stderr.splitlines()) == 1, told.stderr
    assert len(told.stderr.splitlines()) == 3
