"""`sekisho keygen` and `sekisho token`: every algorithm, taken by PyJWT and made of openssl's keys; keys as JWK."""
import json
import stat
import subprocess

import jwt
import pytest

from lib.gateway import run

SECRETS = {"HS256": 32, "HS384": 48, "HS512": 64}
KEYS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
OPENSSL = {  # how openssl makes a key for it
    "RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "PS512": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ES384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "EdDSA": ["ED25519"],
}


def good(*arguments) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments) -> str:
    done = run(*arguments)
    assert done.returncode == 2 and not done.stdout and len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def openssl(*arguments) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("algorithm", SECRETS)
def test_a_secret_is_as_long_as_its_hash_and_pyjwt_takes_its_tokens(tmp_path, algorithm):
    file = tmp_path / "secret"
    assert good("keygen", "--algorithm", algorithm, "--out", file) == f"secret: {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) >= SECRETS[algorithm]
    token = good("token", "--key", file, "--algorithm", algorithm, "--sub", "ann").strip()
    assert jwt.decode(token, file.read_text(), algorithms=[algorithm])["sub"] == "ann"
    assert "no public key" in refused("keygen", "--alg", algorithm, "--out", tmp_path / "other", "--jwk")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_pair_signs_what_pyjwt_and_the_printed_jwk_verify(tmp_path, algorithm):
    file = tmp_path / "key.pem"
    jwk = json.loads(good("keygen", "--alg", algorithm, "--out", file, "--jwk", "--kid", "2026-11"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert jwk["alg"] == algorithm and jwk["use"] == "sig" and jwk["kid"] == "2026-11"
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys()
    token = good("token", "--key", file, "--alg", algorithm, "--sub", "ann", "--kid", "2026-11").strip()
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT", "kid": "2026-11"}
    public = file.with_name("key.pem.pub").read_text()
    assert jwt.decode(token, public, algorithms=[algorithm])["sub"] == "ann"
    key = jwt.algorithms.get_default_algorithms()[algorithm].from_jwk(json.dumps(jwk))
    assert jwt.decode(token, key, algorithms=[algorithm])["sub"] == "ann"
    openssl("pkey", "-in", file, "-noout", "-check")
    assert openssl("pkey", "-in", file, "-pubout") == public


@pytest.mark.parametrize("algorithm", OPENSSL)
def test_tokens_are_signed_with_keys_that_openssl_made(tmp_path, algorithm):
    file = tmp_path / "key.pem"
    openssl("genpkey", "-algorithm", *OPENSSL[algorithm], "-out", file)
    public = openssl("pkey", "-in", file, "-pubout")
    token = good("token", "--key", file, "--alg", algorithm, "--sub", "ann").strip()
    assert jwt.decode(token, public, algorithms=[algorithm])["sub"] == "ann"


def test_a_key_is_never_written_over(tmp_path):
    file = tmp_path / "key.pem"
    good("keygen", "--alg", "ES256", "--out", file)
    before = file.read_text()
    assert "never written over" in refused("keygen", "--alg", "ES256", "--out", file)
    assert file.read_text() == before


def test_a_key_that_does_not_fit_is_refused_in_one_line(tmp_path):
    rsa, ec = tmp_path / "rsa.pem", tmp_path / "ec.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", rsa)
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-128-cbc", "-pass", "pass:hunter2",
            "-out", ec)
    assert "1024 bits" in refused("token", "--key", rsa, "--alg", "RS256", "--sub", "ann")
    assert "needs an EC key on P-256" in refused("token", "--key", rsa, "--alg", "ES256", "--sub", "ann")
    assert "passphrase" in refused("token", "--key", ec, "--alg", "ES256", "--sub", "ann")
    assert run("token", "--key", rsa, "--alg", "none", "--sub", "ann").returncode == 2


# ---- the JWK in a configuration


def checked(tmp_path, key: dict, algorithms: list):
    file = tmp_path / "sekisho.json"
    file.write_text(
        json.dumps({
            "listen": "127.0.0.1:0",
            "origins": {"site": {"type": "dir", "path": str(tmp_path)}},
            "identities": {"staff": {"type": "jwt", "issuer": "https://id.test", "audience": "sekisho",
                                     "algorithms": algorithms, "keys": [key]}},
            "routes": [{"path": "/", "origin": "site", "identity": "staff"}],
        }))
    return run("check", "-c", file, env={"STAFF_JWK": (tmp_path / "staff.jwk").read_text()})


def test_a_configuration_takes_the_jwk_from_a_file_the_environment_or_in_line(tmp_path):
    text = good("keygen", "--alg", "PS256", "--out", tmp_path / "staff.pem", "--jwk", "--kid", "a")
    (tmp_path / "staff.jwk").write_text(text)
    for key in ({"file": str(tmp_path / "staff.jwk")}, {"env": "STAFF_JWK"}, {"inline": text}, {"inline": text, "kid": "a"}):
        done = checked(tmp_path, key, ["PS256"])
        assert done.returncode == 0, done.stderr


def test_a_jwk_that_contradicts_its_configuration_is_refused(tmp_path):
    text = good("keygen", "--alg", "PS256", "--out", tmp_path / "staff.pem", "--jwk", "--kid", "a")
    (tmp_path / "staff.jwk").write_text(text)
    for key, algorithms, why in (({"env": "STAFF_JWK", "kid": "b"}, ["PS256"], "kid"),
                                 ({"env": "STAFF_JWK"}, ["RS256"], "PS256"),
                                 ({"inline": text.replace('"sig"', '"enc"')}, ["PS256"], "use"),
                                 ({"inline": text.replace("{", '{"d":"AQAB",', 1)}, ["PS256"], "private key"),
                                 ({"inline": text.replace("{", '{"kid":"a",', 1)}, ["PS256"], "duplicate")):
        done = checked(tmp_path, key, algorithms)
        assert done.returncode != 0 and why in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
