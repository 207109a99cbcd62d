"""SIGHUP: the whole configuration or none of it, and nobody notices but those it is for."""
import threading

import pytest

from lib import configs
from lib.deadline import until
from lib.gateway import instrumented
from lib.origin import Ask, says
from lib.tokens import AUDIENCE, ISSUER, SECRET, bearer, hs256
from lib.wire import Truncated, is_hit

FRESH = {"Cache-Control": "max-age=600"}


@pytest.fixture
def site(folder):
    (folder / "x").write_text("object")
    return configs.site(folder)


def test_a_route_is_added_under_load_without_a_failure(gateway, origin):
    def config(extra):
        return {"origins": {"app": {"type": "http", "url": origin.url}},
                "routes": [{"path": "/a/", "origin": "app", "cache": "off"}, *extra]}

    gw = gateway(config([]))
    stop, failures, served = threading.Event(), [], []

    def load(name):
        number = 0
        try:
            while not stop.is_set():
                with gw.client() as client:
                    for _ in range(20):
                        number += 1
                        reply = client.get(f"/a/{name}/{number}")
                        if reply.status != 200 or reply.text != f"/{name}/{number}":
                            failures.append(reply)
                served.append(20)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            assert gw.get(f"/new{number}/x").status == 404
            extra = [{"path": f"/new{n}/", "origin": "app"} for n in range(number + 1)]
            assert gw.reload(config(extra)).ok
            assert gw.get(f"/new{number}/x").status == 200
        until(lambda: len(served) > 20, 20, "some load")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]


@pytest.mark.parametrize("broken, mentions", [
    ("listen: [", "sekisho.yaml"), ("listn: 127.0.0.1:0\n", "listen"), ("", "sekisho.yaml"),
    ("listen: 127.0.0.1:0\norigins: { site: { type: dir, path: /no/such/folder } }\nroutes: [ { path: /, origin: sight } ]\n",
     "sight")
])
def test_a_bad_configuration_is_refused_and_the_old_one_stays(gateway, site, broken, mentions):
    gw = gateway(site)
    reload = gw.reload(broken)
    assert not reload.ok
    told = [str(record) for record in reload.told if record["level"] == "error"]
    assert len(told) == 1 and mentions in told[0] and "sekisho.yaml" in told[0]
    assert gw.get("/x").text == "object" and gw.ready().status == 200
    gw.write(site)
    assert gw.reload().ok


def test_a_key_file_that_vanished_refuses_the_reload_and_stays_protected(gateway, site, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    config = site | {
        "identities": {
            "staff": {
                "type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"],
                "keys": [{"file": str(tmp_path / "secret")}]
            }
        }, "routes": [{"path": "/", "origin": "site", "identity": "staff"}]
    }
    gw = gateway(config)
    (tmp_path / "secret").unlink()
    assert not gw.reload(config).ok
    assert gw.get("/x").status == 401
    assert gw.get("/x", bearer(hs256())).text == "object"


def test_the_configuration_in_force_is_told(gateway, site):
    gw = gateway(site)

    def hash_in_force():
        return gw.metrics().series("sekisho_config_info")[0]["hash"]

    first = hash_in_force()
    assert not gw.reload("nonsense: [").ok and hash_in_force() == first
    assert gw.reload(site | {"limits": {"target": "1KiB"}}).ok and hash_in_force() != first
    assert gw.reload(site).ok and hash_in_force() == first


def test_the_cache_survives(gateway, origin):
    def config(ttl):
        return configs.app(origin, cache={"ttl": ttl})

    origin.on("/x", lambda ask: ask.reply(b"body", fields=FRESH))
    gw = gateway(config("1h"))
    gw.get("/x")
    assert gw.reload(config("2h")).ok
    assert is_hit(gw.get("/x")) and origin.count("/x") == 1


def test_an_origin_that_moves_is_not_answered_from_the_old_ones_cache(gateway, origin, another_origin):
    other = another_origin()
    for number, server in enumerate((origin, other)):
        server.on("/x", lambda ask, body=b"from %d" % number: ask.reply(body, fields=FRESH))

    def config(server):
        return configs.app(server)

    gw = gateway(config(origin))
    assert gw.get("/x").body == b"from 0"
    gw.reload(config(other))
    assert gw.get("/x").body == b"from 1"


# What is cached belongs to who answers: the origin's place and the name of its credential, and nothing else of it.


def http_at(url, **more):
    return {"origins": {"app": {"type": "http", "url": url} | more},
            "routes": [{"path": "/", "origin": "app", "cache": {"ttl": "1h"}}]}


def bucket_of(origin, **more):
    keys = {"access_key_id": "TENANT1", "secret_access_key": "secret1"}
    return {"origins": {"photos": {"type": "s3", "bucket": "photos", "endpoint": origin.url} | keys | more},
            "routes": [{"path": "/photos/", "origin": "photos", "cache": {"ttl": "1h"}}]}


def warmed(gateway, origin, config, target):
    gw = gateway(config)
    assert not is_hit(gw.get(target)) and is_hit(gw.get(target)) and origin.count(target) == 1
    return gw


@pytest.mark.parametrize("change", [{"pool": {"idle": 7}}, {"timeouts": {"first_byte": "7s"}}, {"concurrency": 7},
                                    {"pool": {"idle": 0, "resolve_every": "7s"}, "timeouts": {"connect": "1s"}}])
def test_a_change_of_how_an_origin_is_asked_keeps_what_it_said(gateway, origin, change):
    gw = warmed(gateway, origin, http_at(origin.url), "/x")
    assert gw.reload(http_at(origin.url, **change)).ok
    assert is_hit(gw.get("/x")) and origin.count("/x") == 1
    assert gw.get("/y").status == 200, "and it is asked with the new ones"


def test_what_is_cached_survives_another_name(gateway, origin):
    gw = warmed(gateway, origin, http_at(origin.url), "/x")
    assert gw.reload({"origins": {"renamed": {"type": "http", "url": origin.url}},
                      "routes": [{"path": "/", "origin": "renamed", "cache": {"ttl": "1h"}}]}).ok
    assert is_hit(gw.get("/x")) and origin.count("/x") == 1


@pytest.mark.parametrize("change", [{"preserve_host": True}, {"tls": {"server_name": "other.test"}}])
def test_a_change_of_what_an_origin_may_answer_finds_nothing_of_before(gateway, origin, change):
    gw = warmed(gateway, origin, http_at(origin.url), "/x")
    assert gw.reload(http_at(origin.url, **change)).ok
    assert not is_hit(gw.get("/x")) and origin.count("/x") == 2
    assert gw.reload(http_at(origin.url)).ok
    assert is_hit(gw.get("/x")), "and back again everything is there"


def test_another_url_finds_nothing_of_before(gateway, origin):
    origin.otherwise(lambda ask: ask.reply(ask.target.encode(), fields=FRESH))
    gw = warmed(gateway, origin, http_at(origin.url), "/x")
    assert gw.reload(http_at(origin.url + "/below")).ok
    reply = gw.get("/x")
    assert not is_hit(reply) and reply.text == "/below/x"


def test_a_bucket_s_cache_belongs_to_the_access_key_and_not_to_its_secret(gateway, origin):
    gw = warmed(gateway, origin, bucket_of(origin), "/photos/x")
    assert gw.reload(bucket_of(origin, secret_access_key="rotated", pool={"idle": 7})).ok
    assert is_hit(gw.get("/photos/x")) and origin.count("/photos/x") == 1
    assert gw.reload(bucket_of(origin, access_key_id="TENANT2")).ok
    assert not is_hit(gw.get("/photos/x")) and origin.count("/photos/x") == 2
    assert "TENANT2/" in origin.last.get("Authorization")


def test_routes_of_one_credential_share_what_is_cached_and_tenants_do_not(gateway, origin):
    mine = bucket_of(origin)["origins"]["photos"]
    theirs = mine | {"access_key_id": "TENANT2", "secret_access_key": "secret2"}
    gw = gateway({"origins": {"mine": mine, "same": mine, "theirs": theirs},
                  "routes": [{"path": f"/{name}/", "origin": name, "cache": {"ttl": "1h"}}
                             for name in ("mine", "same", "theirs")]})
    assert not is_hit(gw.get("/mine/x"))
    assert is_hit(gw.get("/same/x")) and origin.count("/photos/x") == 1
    assert not is_hit(gw.get("/theirs/x")) and origin.count("/photos/x") == 2


def test_connections_to_unchanged_origins_survive(gateway, origin):
    config = configs.app(origin, cache="off") | {"workers": 1}
    gw = gateway(config)
    gw.get("/")
    gw.reload(config | {"routes": config["routes"] + [{"path": "/b/", "origin": "app"}]})
    gw.get("/")
    assert len(origin.connections) == 1


def test_a_request_in_flight_finishes_by_the_rules_it_began_with(gateway, origin, folder):
    gate = threading.Event()
    origin.on("/slow", says(200, {"Content-Length": "10"}, b"first", gate, b"last."))
    gw = gateway(configs.app(origin, cache="off"))
    (folder / "x").write_text("object")
    with gw.client() as client:
        client.ask("/slow")
        head = client.read_head()
        assert gw.reload(configs.site(folder)).ok
        assert gw.get("/x").text == "object"
        gate.set()
        assert b"".join(client.pieces(head)) == b"firstlast."
        assert client.get("/x").text == "object", "the same connection is served by the new rules"


def test_a_route_that_becomes_protected_is_so_at_once_for_open_connections(gateway, site):
    gw = gateway(site)
    with gw.client() as client:
        assert client.get("/x").status == 200
        protected = site | {
            "identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": SECRET}]}},
            "routes": [{"path": "/", "origin": "site", "identity": "staff"}]
        }
        assert gw.reload(protected).ok
        assert client.get("/x").status == 401
        assert client.get("/x", bearer(hs256())).status == 200


def test_remembered_tokens_of_a_key_that_was_taken_out_are_refused(gateway, site):
    def config(secret):
        return site | {"identities": {"staff": {"type": "jwt", "algorithms": ["HS256"], "keys": [{"inline": secret}]}},
                       "routes": [{"path": "/", "origin": "site", "identity": "staff"}]}

    gw = gateway(config(SECRET))
    token = hs256()
    with gw.client() as client:
        for _ in range(3):
            assert client.get("/x", bearer(token)).status == 200
        gw.reload(config("quite another secret, of more than 32 bytes"))
        assert client.get("/x", bearer(token)).status == 401


def test_a_setting_that_needs_a_restart_is_told(gateway, site):
    gw = gateway(site)
    since = len(gw.stderr())
    assert gw.reload(site | {"listen": "127.0.0.1:1"}).ok
    assert any("listen" in str(record) and record["level"] == "warn" for record in gw.log(since))
    assert gw.get("/x").status == 200


def test_the_log_level_changes(gateway, site):
    def told(config):
        return [record for record in gw.reload(config).told if record["message"] == "configuration reloaded"]

    gw = gateway(site)
    assert told(site)
    gw.reload(site | {"log": {"level": "error"}})
    assert not told(site | {"log": {"level": "error"}})
    gw.reload(site)
    assert told(site)


def test_the_access_log_moves(gateway, site, tmp_path):
    """log.access is no setting that needs a restart: it takes effect, or the operator is told that it does not."""
    gw = gateway(site)
    file = tmp_path / "access.log"
    reload = gw.reload(site | {"log": {"access": {"output": str(file)}}})
    assert reload.ok
    if not [record for record in reload.told if record["level"] == "warn" and "access" in str(record)]:
        gw.get("/x")
        until(lambda: file.exists() and file.read_text(), 5, "a line in the new access log")


def test_many_reloads_leak_nothing(gateway, site):
    gw = gateway(site)
    for _ in range(5):
        gw.reload()
    descriptors, before = gw.descriptors(), gw.rss()
    for _ in range(40):
        gw.reload()
        assert gw.get("/x").status == 200
    assert gw.descriptors() <= descriptors + 2
    if not instrumented():
        assert gw.rss() - before < 8 << 20


def test_timeouts_and_limits_change(gateway, site):
    gw = gateway(site)
    assert gw.get("/" + "a" * 200).status == 404
    gw.reload(site | {"limits": {"target": "100"}})
    assert gw.get("/" + "a" * 200).status == 414


def test_truncation_is_not_hidden_by_a_reload(gateway, origin):
    config = configs.app(origin)
    gate = threading.Event()
    origin.on("/cut", says(200, FRESH | {"Content-Length": "10"}, b"first", gate, Ask.close))
    gw = gateway(config)
    with gw.client() as client:
        client.ask("/cut")
        head = client.read_head()
        gw.reload(config)
        gate.set()
        with pytest.raises(Truncated):
            client.drain(head)
