"""Fixtures of the black-box suite. What they hand out is described in tests/README.md."""
import itertools
import ssl
from pathlib import Path

import pytest

from lib.gateway import BINARY, Gateway, raise_descriptor_limit
from lib.oidc import OidcProvider
from lib.origin import Origin
from lib.peers import Certificate, Minio, Nginx, Redis, VersityGw


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; still part of the default run")
    raise_descriptor_limit()


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not BINARY.exists():
        pytest.exit(f"no binary at {BINARY}: `make build`, or set SEKISHO_BIN", returncode=2)


def pytest_report_header(config):
    return f"binary under test: {BINARY}"


def gateways(directory: Path):
    """A maker of gateways that are all stopped, and checked, at the end."""
    made, numbers = [], itertools.count()

    def make(config, *, start: bool = True, wait: str = "ready", **more) -> Gateway:
        gateway = Gateway(directory / f"gateway{next(numbers)}", config, **more)
        made.append(gateway)
        return gateway.start(wait) if start else gateway

    def finish():
        failures = []
        for gateway in made:
            try:
                gateway.stop()
            except AssertionError as failure:
                failures.append(str(failure))
        assert not failures, "\n".join(failures)

    return make, finish


@pytest.fixture
def gateway(tmp_path):
    """gateway(config) starts one; it is stopped and checked after the test."""
    make, finish = gateways(tmp_path)
    yield make
    finish()


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory):
    """The same for gateways that the tests of a module share."""
    make, finish = gateways(tmp_path_factory.mktemp("gateways"))
    yield make
    finish()


def origins():
    made = []

    def make(**more) -> Origin:
        made.append(Origin(**more))
        return made[-1]

    def finish():
        for origin in made:
            origin.stop()

    return make, finish


@pytest.fixture
def origin():
    make, finish = origins()
    yield make()
    finish()


@pytest.fixture
def another_origin():
    make, finish = origins()
    yield make
    finish()


@pytest.fixture(scope="module")
def module_origin():
    make, finish = origins()
    yield make()
    finish()


@pytest.fixture
def tls_origin(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    make, finish = origins()
    yield make(tls=context)
    finish()


@pytest.fixture
def folder(tmp_path):
    """An empty folder for a `dir` origin."""
    path = tmp_path / "objects"
    path.mkdir()
    return path


# ---- peers, one of each a session


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def minio(tmp_path_factory):
    peer = Minio(tmp_path_factory.mktemp("minio")).start()
    try:
        yield peer.wait()
    finally:
        peer.stop()


@pytest.fixture(scope="session")
def minio_tls(tmp_path_factory, certificate):
    peer = Minio(tmp_path_factory.mktemp("minio-tls"), certificate).start()
    try:
        yield peer.wait()
    finally:
        peer.stop()


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory):
    peer = VersityGw(tmp_path_factory.mktemp("versitygw")).start()
    try:
        yield peer.wait()
    finally:
        peer.stop()


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    """nginx serving a folder `html` at /, echoing at /echo, taking uploads at /upload/, 204 at /none."""
    directory = tmp_path_factory.mktemp("nginx")
    (directory / "html").mkdir()
    (directory / "uploads").mkdir()
    peer = Nginx(directory, """
        server { listen 127.0.0.1:@PORT@; root @DIR@/html; chunked_transfer_encoding on;
                 location /upload/ { alias @DIR@/uploads/; dav_methods PUT DELETE; create_full_put_path on; }
                 location /none { return 204; }
                 location /echo { return 200 "$request_method $request_uri $http_x_probe"; } }""").start()
    try:
        yield peer.wait()
    finally:
        peer.stop()


@pytest.fixture
def oidc(tmp_path):
    """oidc(key, …) starts a real OpenID provider that publishes these."""
    made = []

    def make(*keys) -> OidcProvider:
        made.append(OidcProvider(tmp_path / f"oidc{len(made)}").start())
        return made[-1].wait(*keys)

    yield make
    for provider in made:
        provider.stop()


@pytest.fixture
def redis(tmp_path):
    peer = Redis(tmp_path / "redis").start()
    try:
        yield peer.wait()
    finally:
        peer.stop()
