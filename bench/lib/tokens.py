"""Tokens and keys for the bench, from the standard library and the openssl command: of HS256, RS256 and ES256, with
the claims of a person's ordinary access token."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import time

ISSUER = "https://id.example.com"
AUDIENCE = "sekisho"
P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unsigned(algorithm):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "3f1c9a52-6c3e-4d0b-9a57-0c3b6f0e8d11", "iat": now,
              "exp": now + 86400, "jti": secrets.token_hex(16), "scope": "photos:read photos:list",
              "email": "someone@example.com"}
    head = {"alg": algorithm, "typ": "JWT", "kid": "bench"}
    return ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))


class HS256:
    def __init__(self, folder):
        self.algorithm = "HS256"
        self.secret = secrets.token_hex(32)
        self.key_file = os.path.join(folder, "hs256.key")
        with open(self.key_file, "w") as f:
            f.write(self.secret)

    def token(self):
        text = _unsigned(self.algorithm)
        return text + "." + _b64(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest())

    def tokens(self, count):
        return [self.token() for _ in range(count)]

    def forged(self):
        return _unsigned(self.algorithm) + "." + _b64(secrets.token_bytes(32))


class RS256:
    def __init__(self, folder):
        self.algorithm = "RS256"
        self._private = os.path.join(folder, "rs256.private.pem")
        self.key_file = os.path.join(folder, "rs256.pem")
        _openssl("genrsa", "-out", self._private, "2048")
        _openssl("rsa", "-in", self._private, "-pubout", "-out", self.key_file)

    def token(self):
        text = _unsigned(self.algorithm)
        return text + "." + _b64(_openssl("dgst", "-sha256", "-sign", self._private, data=text.encode()))

    def tokens(self, count):
        """None: each would take a process of openssl."""
        return []

    def forged(self):
        return _unsigned(self.algorithm) + "." + _b64(bytes(1) + secrets.token_bytes(255))


class ES256:
    def __init__(self, folder):
        self.algorithm = "ES256"
        self._private = os.path.join(folder, "es256.private.pem")
        self.key_file = os.path.join(folder, "es256.pem")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self._private)
        _openssl("ec", "-in", self._private, "-pubout", "-out", self.key_file)

    def token(self):
        text = _unsigned(self.algorithm)
        der = _openssl("dgst", "-sha256", "-sign", self._private, data=text.encode())
        return text + "." + _b64(_raw_signature(der))

    def tokens(self, count):
        """Thousands a second. All have the nonce of one signature that openssl made, which gives the key away: to
        whoever verifies them they are as good as any, and the key opens nothing but the bench."""
        text = _unsigned(self.algorithm)
        signature = _raw_signature(_openssl("dgst", "-sha256", "-sign", self._private, data=text.encode()))
        private = int.from_bytes(_openssl("ec", "-in", self._private, "-outform", "DER")[7:39], "big")
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
        inverse = s * pow(_digest(text) + r * private, -1, P256_ORDER) % P256_ORDER  # of the nonce
        result = []
        for _ in range(count):
            text = _unsigned(self.algorithm)
            s = inverse * (_digest(text) + r * private) % P256_ORDER
            result.append(text + "." + _b64(signature[:32] + s.to_bytes(32, "big")))
        return result

    def forged(self):
        return _unsigned(self.algorithm) + "." + _b64(bytes(1) + secrets.token_bytes(31) + bytes(1) +
                                                      secrets.token_bytes(31))

    def jwks(self):
        point = _openssl("ec", "-in", self._private, "-pubout", "-outform", "DER")[-64:]
        return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench",
                                     "x": _b64(point[:32]), "y": _b64(point[32:])}]})


def _openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=20).stdout


def _digest(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def _raw_signature(der):
    """SEQUENCE { INTEGER r, INTEGER s } to r || s, 32 bytes each (RFC 7518, 3.4)."""
    r_end = 4 + der[3]
    r, s = der[4:r_end], der[r_end + 2:]
    return b"".join(int.from_bytes(n, "big").to_bytes(32, "big") for n in (r, s))
