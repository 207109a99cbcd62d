"""The slips that are made most, and that each error says what was meant: the line, the key, and the way out."""
import pytest

from lib.gateway import run

SMALL = """\
listen: 127.0.0.1:0
origins: { site: { type: dir, path: . } }
routes: [ { path: /, origin: site } ]
"""


def http(keys):
    return SMALL.replace("type: dir, path: .", f"type: http, {keys}")


# What is written: where it is complained of, and what the complaint must hold.
SLIPS = {
    "a variable in a flow map without quotes":
        (SMALL.replace("path: .", "path: ${FOLDER}"), 2, ["needs quotes", '"${NAME}"']),
    "the same in a list": ("listen: [ ${ADDRESS} ]\n", 1, ["needs quotes"]),
    "a variable without braces": (SMALL.replace("path: .", "path: $HOME"), 2, ["origins.site.path", "${HOME}"]),
    "the shell's home": (SMALL.replace("path: .", "path: ~/public"), 2, ["origins.site.path", "${HOME}/"]),
    "a tab": ("listen: 127.0.0.1:0\norigins:\n\tsite: { type: dir, path: . }\n", 3, ["tab", "spaces"]),
    "a tab among spaces": ("listen: 127.0.0.1:0\norigins:\n  site:\n\t  type: dir\n", 4, ["tab"]),
    "no space behind a colon": ("listen: 127.0.0.1:0\norigins:\n  site:\n    type:dir\n    path: .\n", 4,
                                ["a space is missing behind 'type:'"]),
    "no space behind the only colon": ("listen:127.0.0.1:0\n", 1, ["is a space missing behind 'listen:'?"]),
    "a colon within a value": (SMALL + "log: { level: info }\nadmin: listen: 127.0.0.1:1\n", 5, ["': '", "quotes"]),
    "a quote that stays open": (SMALL + "log: { output: \"x }\n", 4, ["\"", "never closed"]),
    "a brace that stays open": (SMALL + "log: { level: info\n", 4, ["{", "never closed"]),
    "routes as a map": (SMALL.replace("[ { path: /, origin: site } ]", "\n  /: { origin: site }"), 4,
                        ["routes are a list", "- { path: /"]),
    "routes with names": (SMALL.replace("[ { path: /, origin: site } ]", "\n  home: { path: /x, origin: site }"), 4,
                          ["routes[0].home", "routes are a list and have no names", "- { path: /x"]),
    "several methods in one": (SMALL.replace("origin: site }", "origin: site, methods: 'GET, HEAD' }"), 3,
                               ["routes[0].methods[0]", "several are a list: [GET, POST]"]),
    "origins as a list": ("listen: 127.0.0.1:0\norigins:\n  - name: site\n    type: dir\nroutes: [ { path: /, origin: site } ]\n",
                          3, ["origins", "not a list", "each name is a key"]),
    "TLS at the root": (SMALL + "tls: { certificate: a.pem }\n", 4, ["tls", "not supported yet", "trusted_proxies"]),
    "TLS of a listener": (SMALL.replace("127.0.0.1:0", "{ address: 127.0.0.1:0, tls: {} }"), 1,
                          ["listen[0].tls", "not supported yet", "trusted_proxies"]),
    "how long as the cache": (SMALL.replace("origin: site }", "origin: site, cache: 10m }"), 3,
                              ["routes[0].cache", "'10m'", "{ ttl: 10m }"]),
    "how large as the cache": (SMALL + "cache: 1GiB\n", 4, ["cache", "must be a map", "{ memory: … }"]),
    "how large as its memory": (SMALL + "cache: { memory: 1GiB }\n", 4, ["cache.memory", "{ size: … }"]),
    "a rate by itself": (SMALL + "rates: { few: 10/s }\n", 4, ["rates.few", "{ requests: … }"]),
    "a duration without a unit": (SMALL.replace("origin: site }", "origin: site, cache: { ttl: 10 } }"), 3,
                                  ["routes[0].cache.ttl", "'10'", "10s"]),
    "a size of one letter": (SMALL + "cache: { memory: { size: 16M } }\n", 4, ["cache.memory.size", "'16M'", "16MiB"]),
    "a rate without a period": (SMALL + "rates: { few: { requests: 10 } }\n", 4, ["rates.few.requests", "100/s"]),
    "yes for on": (SMALL.replace("origin: site }", "origin: site, cache: yes }"), 3, ["'yes'", "true (on)"]),
    "a port alone": (SMALL.replace("127.0.0.1:0", "8080"), 1, ["listen[0]", "0.0.0.0:8080"]),
    "a listener's name": (SMALL.replace("127.0.0.1:0", "localhost:8080"), 1, ["listen[0]", "127.0.0.1:8080"]),
    "a path with a star": (SMALL.replace("path: /,", "path: /a/*,"), 3, ["routes[0].path", "leave the '*' out"]),
    "a path without a slash": (SMALL.replace("path: /,", "path: photos,"), 3, ["routes[0].path", "begin with '/'"]),
    "a URL without a scheme": (http("url: api.test"), 2, ["origins.site.url", "http://"]),
    "a host instead of a URL": (http("host: api.test"), 2, ["origins.site.host", "did you mean 'url'?"]),
    "another program's word": (SMALL.replace("origin: site }", "upstream: site }"), 3, ["upstream", "'origin'"]),
    "the plural": (SMALL.replace("origin: site }", "origins: site }"), 3, ["origins", "did you mean 'origin'?"]),
    "a kind that is none": (SMALL.replace("type: dir", "type: file"), 2, ["type", "dir, s3, http"]),
    "no kind": (SMALL.replace("type: dir, ", ""), 2, ["origins.site.type", "dir, s3, http"]),
    "a name that is none": (SMALL.replace("origin: site }", "origin: sitte }"), 3, ["no origin 'sitte'", "'site'"]),
    "an algorithm in small letters": (SMALL + "identities: { a: { type: jwt, algorithms: hs256, keys: { inline: x } } }\n", 4,
                                      ["identities.a.algorithms[0]", "did you mean 'HS256'?"]),
    "a key without a value": (SMALL + "redis:\n", 4, ["redis", "has no value"]),
    "a key twice": (SMALL + "workers: 1\nworkers: 2\n", 5, ["workers", "twice", "line 4"]),
    "two documents": (SMALL + "---\na: 1\n", 5, ["one document only"]),
    "a variable that is not set": (SMALL.replace("path: .", "path: '${NO_SUCH_VARIABLE}'"), 2, ["NO_SUCH_VARIABLE", "not set"]),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_with_its_remedy(tmp_path, slip):
    text, line, holds = SLIPS[slip]
    file = tmp_path / "sekisho.yaml"
    file.write_text(text)
    done = run("check", "-c", file)
    assert done.returncode == 2 and not done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"sekisho: {file}:{line}: "), done.stderr
    for part in holds:
        assert part in lines[0], lines[0]


@pytest.mark.parametrize("arguments, holds", [
    (["run", "-c", "x"], ["no command 'run'", "did you mean 'serve'?", "check"]),
    (["srve"], ["no command 'srve'", "did you mean 'serve'?"]),
    (["validate", "x"], ["did you mean 'check'?"]),
    (["frobnicate"], ["no command 'frobnicate'", "the commands are serve, check, schema"]),
    (["-c", "x"], ["sekisho serve -c"]),
])  # yapf: disable
def test_a_wrong_command_names_the_right_one(arguments, holds):
    done = run(*arguments)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    for part in holds:
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize("algorithm", [[], ["--alg", "HS256"]])
def test_a_private_key_is_no_secret(tmp_path, algorithm):
    """Whoever has the public key could not forge, but the token verifies nowhere."""
    run("keygen", "--alg", "ES256", "--out", tmp_path / "x.pem")
    done = run("token", "--key", tmp_path / "x.pem", *algorithm)
    assert done.returncode == 2 and not done.stdout
    assert "PEM" in done.stderr and "--alg ES256" in done.stderr
    assert run("token", "--key", tmp_path / "x.pem", "--alg", "ES256").returncode == 0


@pytest.mark.parametrize("command, holds", [
    ([], ["Exit codes:", "Example"]),
    (["serve"], ["Exit codes:", "Example", "SIGHUP", "SIGTERM"]),
    (["check"], ["Exit codes:", "Example"]),
    (["token"], ["Exit codes:", "Example"]),
    (["keygen"], ["Exit codes:", "Example"]),
])  # yapf: disable
def test_help_shows_an_example_and_what_the_exit_code_says(command, holds):
    done = run(*command, "--help")
    assert done.returncode == 0
    for part in holds:
        assert part in done.stdout
