"""Real servers: MinIO and versitygw for `s3` (scripts/peers builds them), nginx for `http`, Redis.

Each runs on free loopback ports with its data in a temporary folder, as whoever runs the tests. One that
is not installed is skipped by name; under SEKISHO_REQUIRE_PEERS=1 (CI) that is a failure.
"""
import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
from pathlib import Path

import boto3
import botocore.config
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .deadline import patience, until
from .wire import fetch

PEERS = Path(os.environ.get("SEKISHO_PEERS", Path.home() / ".cache/sekisho/peers"))

ACCESS_KEY = "TESTACCESSKEY"
SECRET_KEY = "test/secret+key/with=odd/characters"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(name: str) -> str:
    """The peer's program, or a skip (a failure where peers are required)."""
    found = PEERS / name
    program = str(found) if os.access(found, os.X_OK) else shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if program:
        return program
    missing(name)


def missing(name: str):
    """Ends the test, for want of a peer."""
    if os.environ.get("SEKISHO_REQUIRE_PEERS") == "1":
        pytest.fail(f"the peer {name} is required but not installed: scripts/peers {name}", pytrace=False)
    pytest.skip(f"the peer {name} is not installed: scripts/peers {name}")


def needs_the_real_time(name: str):
    """Ends the test where the suite runs in another year (`make test-year-ahead`), which this peer would not see."""
    if "FAKETIME" in os.environ:
        pytest.skip(f"{name} knows no clock but the real one")


class Peer:
    """A server process; stopped by its own id. It runs by the real clock, wherever in time the suite is."""

    def __init__(self, directory: Path, arguments: list, env=None, port: int | None = None):
        self.directory, self.arguments, self.env = directory, arguments, env
        self.port = port or free_port()
        self.process = None
        directory.mkdir(parents=True, exist_ok=True)

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=os.environ | {"LD_PRELOAD": ""} | (self.env or {}), cwd=self.directory)
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(patience(10))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def answers(self, path: str = "/") -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.arguments[0]} ended:\n{(self.directory / 'log').read_text()[-2000:]}")
        try:
            return fetch(("127.0.0.1", self.port), path, timeout=2).status > 0
        except OSError:
            return False


class S3Peer(Peer):
    name = ""
    scheme = "http"

    def start(self):
        needs_the_real_time(self.name)
        return super().start()

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def boto(self, **more):
        return boto3.client("s3",
                            endpoint_url=self.endpoint,
                            region_name="us-east-1",
                            aws_access_key_id=ACCESS_KEY,
                            aws_secret_access_key=SECRET_KEY,
                            config=botocore.config.Config(s3={"addressing_style": "path"},
                                                          retries={"max_attempts": 2}),
                            **more)

    def origin(self, **changes) -> dict:
        """The configuration of an origin for this peer; a change to None takes a key out."""
        result = {"type": "s3", "bucket": "photos", "endpoint": self.endpoint, "access_key_id": ACCESS_KEY,
                  "secret_access_key": SECRET_KEY} | changes
        return {key: value for key, value in result.items() if value is not None}


class Minio(S3Peer):
    name = "minio"

    def __init__(self, directory: Path, certificate=None, port: int | None = None):
        super().__init__(directory, [], port=port)
        self.env = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_DOMAIN": "s3.test",
                    "MINIO_UPDATE": "off", "MINIO_BROWSER": "off", "HOME": str(directory)}
        certs = directory / "certs"
        certs.mkdir(exist_ok=True)
        if certificate:
            self.scheme = "https"
            shutil.copy(certificate.cert, certs / "public.crt")
            shutil.copy(certificate.key, certs / "private.key")
        self.arguments = [find("minio"), "server", "--quiet", "--certs-dir", str(certs), "--address",
                          f"127.0.0.1:{self.port}", str(directory / "data")]

    def wait(self):
        if self.scheme == "https":
            def accepts():
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", self.port)) == 0
            until(accepts, 30, "minio to listen")
        else:
            until(lambda: self.answers("/minio/health/ready"), 30, "minio to answer")
        return self


class VersityGw(S3Peer):
    name = "versitygw"

    def __init__(self, directory: Path):
        super().__init__(directory, [])
        data, meta = directory / "data", directory / "meta"
        data.mkdir(exist_ok=True)
        meta.mkdir(exist_ok=True)
        self.arguments = [find("versitygw"), "--port", f"127.0.0.1:{self.port}", "--access", ACCESS_KEY, "--secret",
                          SECRET_KEY, "--quiet", "posix", "--sidecar", str(meta), str(data)]

    def wait(self):
        until(self.answers, 30, "versitygw to answer")
        return self


class Nginx(Peer):
    """nginx with a configuration of the test's; `servers` is the text inside its http block, where
    @PORT@ stands for the port and @DIR@ for the folder."""

    def __init__(self, directory: Path, servers: str):
        super().__init__(directory, [])
        user = "user root;" if os.getuid() == 0 else ""
        text = f"""
            {user} daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; client_max_body_size 0; default_type application/octet-stream;
              client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
              uwsgi_temp_path uwsgi; scgi_temp_path scgi;
              {servers.replace("@PORT@", str(self.port)).replace("@DIR@", str(directory))}
            }}"""
        (directory / "nginx.conf").write_text(text)
        self.arguments = [find("nginx"), "-e", "stderr", "-p", str(directory), "-c", str(directory / "nginx.conf")]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self):
        until(self.answers, 20, "nginx to answer")
        return self


class Redis(Peer):
    """A Redis server with nothing on disk."""

    def __init__(self, directory: Path, *options: str, port: int | None = None):
        super().__init__(directory, [], port=port)
        self.arguments = [find("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                          "--appendonly", "no", *options]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def wait(self):
        def accepts():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(accepts, 20, "Redis to listen")
        return self

    def kill(self) -> None:
        """Without a word to its clients' requests."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def client(self):
        import redis  # only where it is used: the other tests do without
        return redis.Redis(port=self.port)


class Certificate:
    """A throw-away authority and a server certificate of it, for 127.0.0.1 and `names`."""

    def __init__(self, directory: Path, names=("localhost", "photos.s3.test")):
        directory.mkdir(parents=True, exist_ok=True)
        self.ca, self.cert, self.key = directory / "ca.pem", directory / "cert.pem", directory / "key.pem"
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority of the tests")])
        ca = self.build(issuer, issuer, ca_key.public_key(), ca_key, [(x509.BasicConstraints(True, None), True)])
        alternatives = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.DNSName, names)]
        cert = self.build(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])]), issuer,
                          key.public_key(), ca_key, [(x509.SubjectAlternativeName(alternatives), False)])
        self.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        self.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))

    @staticmethod
    def build(subject, issuer, public, signer, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())
