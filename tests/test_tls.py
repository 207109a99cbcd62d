"""Whom we believe to be the server, whoever it is: origins, issuers of keys, Redis. And that sessions are resumed."""
import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.deadline import holds, until
from lib.tokens import AUDIENCE

NAME = "localhost"
NOW = datetime.datetime.now(datetime.timezone.utc)


def certify(directory, common_name: str, names: list | None, days=(-2, 800)):
    """A self-signed certificate and its key, in one file, which is its own authority; good from and to these days."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(NOW + datetime.timedelta(days=days[0]))
               .not_valid_after(NOW + datetime.timedelta(days=days[1])))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    certificate = directory / "certificate.pem"
    certificate.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate


class Listener:
    """Takes TLS from anybody, notes what was sent within and whether the session was resumed, and says `reply`."""

    def __init__(self, certificate, reply=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                 version=ssl.TLSVersion.TLSv1_3):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.minimum_version = self.context.maximum_version = version
        self.reply, self.got, self.tried, self.resumed = reply, [], 0, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @classmethod
    def speaking(cls, say):
        """One that knows no TLS: say(connection), and it is closed."""
        made = cls.__new__(cls)
        made.tried, made.serve = 0, lambda connection: (say(connection), connection.close())
        made.listening = socket.create_server(("127.0.0.1", 0))
        made.port = made.listening.getsockname()[1]
        threading.Thread(target=made.accept, daemon=True).start()
        return made

    def accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        self.tried += 1
        connection.settimeout(10)
        try:
            with self.context.wrap_socket(connection, server_side=True) as tls:
                if request := tls.recv(65536):
                    self.got.append(request)
                    self.resumed.append(tls.session_reused)
                    tls.sendall(self.reply)
        except (OSError, ssl.SSLError):
            pass

    def close(self):
        self.listening.close()


@pytest.fixture
def listener():
    made = []

    def make(*arguments, **more):
        made.append(Listener(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def as_http_origin(url, tls, redis_url):
    return {"origins": {"app": {"type": "http", "url": url, "tls": tls}},
            "routes": [{"path": "/", "origin": "app", "cache": "off"}]}


def as_s3_origin(url, tls, redis_url):
    return {"origins": {"app": {"type": "s3", "bucket": "b", "endpoint": url, "tls": tls}},
            "routes": [{"path": "/", "origin": "app", "cache": "off"}]}


def as_issuer(url, tls, redis_url):
    return {"identities": {"staff": {"type": "jwt", "issuer": url, "audience": AUDIENCE, "algorithms": ["ES256"],
                                     "jwks": {"url": url + "/keys", "tls": tls}}},
            "apps": {"status": {"type": "status"}},
            "routes": [{"path": "/", "app": "status", "identity": "staff"}]}


def as_redis(url, tls, redis_url):
    return {"redis": {"url": redis_url, "tls": tls},
            "rates": {"few": {"requests": "100/s", "per": "address", "shared": True}},
            "apps": {"status": {"type": "status"}},
            "routes": [{"path": "/", "app": "status", "rates": ["few"]}]}


PEERS = [as_http_origin, as_s3_origin, as_issuer, as_redis]
COMMON_NAMES_ONLY = {
    "no alternative names": (NAME, None),
    "an address only": (NAME, [x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]),
    "a mail address only": (NAME, [x509.RFC822Name("a@localhost")]),
    "another name": (NAME, [x509.DNSName("other.test")]),
}


def started(gateway, peer, listening, certificate):
    return gateway(peer(f"https://{NAME}:{listening.port}", {"ca_file": str(certificate)},
                        f"rediss://{NAME}:{listening.port}"), wait="listening")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("kind", COMMON_NAMES_ONLY)
def test_a_common_name_is_no_name(gateway, listener, tmp_path, peer, kind):
    certificate = certify(tmp_path, *COMMON_NAMES_ONLY[kind])
    listening = listener(certificate)
    gw = started(gateway, peer, listening, certificate)
    gw.get("/key")
    until(lambda: listening.tried > 0, 10, "a handshake")
    assert gw.get("/x").status != 200 or peer is as_redis
    assert holds(lambda: not listening.got, 0.5), "something was sent to a server that nobody vouches for"


@pytest.mark.parametrize("peer", PEERS)
def test_an_alternative_name_is_one(gateway, listener, tmp_path, peer):
    certificate = certify(tmp_path, "whatever", [x509.DNSName(NAME)])
    listening = listener(certificate)
    gw = started(gateway, peer, listening, certificate)
    gw.get("/key")
    until(lambda: listening.got, 10, "a request within TLS")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_to_an_origin_are_resumed(gateway, listener, tmp_path, version):
    certificate = certify(tmp_path, "whatever", [x509.DNSName(NAME)])
    listening = listener(certificate, version=version)
    gw = gateway(as_http_origin(f"https://{NAME}:{listening.port}", {"ca_file": str(certificate)}, "") | {"workers": 1},
                 wait="listening")
    for _ in range(20):  # each on a connection of its own
        assert gw.get("/").body == b"ok"
    until(lambda: len(listening.resumed) >= 20, 5, "all of them")
    assert listening.resumed.count(False) <= 2, listening.resumed  # the worker's first and a probe's


def test_no_session_goes_from_one_origin_to_another(gateway, listener, tmp_path):
    """Two origins on one server, of which one does not verify it."""
    certificate = certify(tmp_path, "whatever", [x509.DNSName(NAME)])
    listening = listener(certificate)
    url = f"https://{NAME}:{listening.port}"
    gw = gateway({"workers": 1,
                  "origins": {"loose": {"type": "http", "url": url, "tls": {"verify": False, "server_name": "other.test"}},
                              "strict": {"type": "http", "url": url,
                                         "tls": {"ca_file": str(certificate), "server_name": "other.test"}}},
                  "routes": [{"path": "/loose/", "origin": "loose", "cache": "off"},
                             {"path": "/strict/", "origin": "strict", "cache": "off"}]}, wait="listening")
    for _ in range(5):
        assert gw.get("/loose/").status == 200
        assert gw.get("/strict/").status == 502


# ---- why it failed is told to the operator


def plain(_certificate):
    return Listener.speaking(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))


def closing(_certificate):
    return Listener.speaking(lambda connection: connection.recv(1))


def ancient(certificate):
    made = Listener(certificate)
    made.context.set_ciphers("ALL:@SECLEVEL=0")
    made.context.minimum_version = ssl.TLSVersion.TLSv1
    made.context.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


LOCAL = [x509.DNSName(NAME)]
FAILURES = {
    "unknown authority": (LOCAL, (-2, 800), Listener, False, "not trusted here"),
    "another name": ([x509.DNSName("other.test")], (-2, 800), Listener, True, "for another name"),
    "expired": (LOCAL, (-9, -1), Listener, True, "has expired"),
    "not valid yet": (LOCAL, (500, 800), Listener, True, "not valid yet"),
    "no TLS": (LOCAL, (-2, 800), plain, True, "does not speak TLS"),
    "closed": (LOCAL, (-2, 800), closing, True, "closed the connection during the TLS handshake"),
    "an old version": (LOCAL, (-2, 800), ancient, True, "no version of TLS from 1.2 on"),
}


@pytest.mark.parametrize("peer", [as_http_origin, as_s3_origin])
@pytest.mark.parametrize("kind", FAILURES)
def test_why_tls_failed_is_told_to_the_operator_alone(gateway, tmp_path, peer, kind):
    names, days, server, trusted, words = FAILURES[kind]
    certificate = certify(tmp_path, "whatever", names, days)
    (tmp_path / "other").mkdir()
    authority = certificate if trusted else certify(tmp_path / "other", "another", LOCAL)
    listening = server(certificate)
    try:
        gw = started(gateway, peer, listening, authority)
        (record,) = until(lambda: gw.logged("dependency is not ready"), 10, "the failure in the log")
        assert record["origin"] == "app" and words in record["reason"]
        assert words in gw.administrate("/ready").text and words not in gw.ready().text
        reply = gw.get("/x")
        assert reply.status == 502 and words not in reply.text
    finally:
        listening.close()


def test_why_tls_to_redis_failed_is_logged(gateway, listener, tmp_path):
    certificate = certify(tmp_path, "whatever", LOCAL, (-9, -1))
    gw = started(gateway, as_redis, listener(certificate), certificate)
    assert "has expired" in until(lambda: gw.logged("redis is not connected"), 10, "the line")[0]["reason"]
