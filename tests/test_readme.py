"""The README's guide works as it is written: its blocks are run, with the bucket and the provider of this machine.

What a reader fills in comes from the environment here, too; only the two ports are others, since 8080 may be somebody's.
"""
import os
import re
import shutil
import signal
import subprocess

from lib.deadline import patience, until
from lib.gateway import BINARY, ROOT
from lib.peers import ACCESS_KEY, SECRET_KEY, free_port
from lib.tokens import AUDIENCE, Signer
from lib.wire import fetch

TITLE = "## Protect a bucket with your identity provider"
PLACES = {"ISSUER", "AUDIENCE", "S3_ENDPOINT", "BUCKET", "S3_KEY", "S3_SECRET"}


def blocks(kind: str) -> list:
    text = (ROOT / "README.md").read_text()
    chapter = text[text.index(TITLE):]
    chapter = chapter[: chapter.index("\n## ", 1)]
    return re.findall(rf"^```{kind}\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)


def test_the_guide_protects_a_bucket_with_an_identity_provider(tmp_path, minio, oidc):
    bucket = minio.boto()
    bucket.create_bucket(Bucket="guide")
    bucket.put_object(Bucket="guide", Key="cat.jpg", Body=b"a cat")
    provider = oidc(Signer("RS256", "k1"))
    ports = {"127.0.0.1:8080": f"127.0.0.1:{free_port()}", "127.0.0.1:9901": f"127.0.0.1:{free_port()}"}

    def here(text: str) -> str:
        for written, chosen in ports.items():
            text = text.replace(written, chosen)
        return text

    (tmp_path / "build/release").mkdir(parents=True)
    (tmp_path / "build/release/sekisho").symlink_to(BINARY)
    (configuration,) = blocks("yaml")
    (tmp_path / "bucket.yaml").write_text(here(configuration))
    start, ask = blocks("sh")
    exports = [line for line in start.splitlines() if line.startswith("export ")]
    assert set(re.findall(r"(\w+)=", " ".join(exports))) == PLACES
    check, serve = [line for line in start.splitlines() if not line.startswith("export ")]
    environment = os.environ | {
        "ISSUER": provider.issuer, "AUDIENCE": AUDIENCE, "S3_ENDPOINT": minio.endpoint, "BUCKET": "guide",
        "S3_KEY": ACCESS_KEY, "S3_SECRET": SECRET_KEY, "TOKEN": provider.token("RS256")}

    def shell(line: str, **more):
        return subprocess.run(["sh", "-c", here(line)], cwd=tmp_path, env=environment, text=True, capture_output=True,
                              timeout=patience(30), **more)

    done = shell(check)
    assert done.returncode == 0 and "good" in done.stdout, done
    with open(tmp_path / "log", "wb") as log:
        gateway = subprocess.Popen(["sh", "-c", "exec " + here(serve)], cwd=tmp_path, env=environment, stdout=log,
                                   stderr=log)
    try:
        host, _, port = ports["127.0.0.1:9901"].partition(":")

        def ready():
            try:
                return fetch((host, int(port)), "/ready", host="localhost").status == 200
            except OSError:
                return False
        until(ready, 20, "the gateway to be ready")
        said = [shell(line) for line in ask.splitlines()]
        assert shutil.which("curl") and all(one.returncode == 0 for one in said), said
        readiness, why, stranger, known = (one.stdout for one in said)
        assert '"ready":true' in why and "photos" in why
        assert '"ready":true' in readiness and "photos" in readiness and "people" in readiness
        assert stranger.startswith("HTTP/1.1 401 ") and "WWW-Authenticate: Bearer" in stranger
        assert known.startswith("HTTP/1.1 200 ") and known.endswith("a cat") and 'RateLimit: "callers"' in known
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(patience(20)) == 0
    finally:
        if gateway.poll() is None:
            gateway.kill()
            gateway.wait()
    assert '"reason":"no_credential"' in (tmp_path / "audit.jsonl").read_text()
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600
