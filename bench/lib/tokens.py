"""Tokens and keys for the bench, from the standard library and the openssl command: an HS256 and an ES256 pair
with the claims of a person's ordinary access token."""

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

    def jwks(self):
        point = _openssl("ec", "-in", self._private, "-pubout", "-outform", "DER")[-64:]
        return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench",
                                     "x": _b64(point[:32]), "y": _b64(point[32:])}]})


def _openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=20).stdout


def _raw_signature(der):
    """SEQUENCE { INTEGER r, INTEGER s } to r || s, 32 bytes each (RFC 7518, 3.4)."""
    r_end = 4 + der[3]
    r, s = der[4:r_end], der[r_end + 2:]
    return b"".join(int.from_bytes(n, "big").to_bytes(32, "big") for n in (r, s))
