"""Tokens minted with PyJWT, so that the gateway's verifier is checked against another implementation, and
tokens that PyJWT would never mint: any bytes at all under a signature that is right.

    key = Signer("ES384", kid="2026")
    key.token(sub="eve")                                   PyJWT's
    key.sign({"alg": "ES384", "crit": ["x"]}, b'{"a":1}x')  by hand: a dict, JSON text as bytes, or a part as str
"""
import base64
import functools
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

SECRET = "a secret of the tests, 48 bytes long, never real"
LONG_SECRET = "a secret of the tests, of 64 bytes, for hashes up to 512 bits ok"
ISSUER = "https://id.test"
AUDIENCE = "sekisho"

HMAC = ("HS256", "HS384", "HS512")
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
PUBLIC = (*RSA, "ES256", "ES384", "EdDSA")
ALGORITHMS = (*HMAC, *PUBLIC)


def claims(**changes) -> dict:
    """Claims that verify; a change to None takes the claim out."""
    now = int(time.time())
    result = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600} | changes
    return {name: value for name, value in result.items() if value is not None}


def hs256(secret=SECRET, headers=None, **changes) -> str:
    return jwt.encode(claims(**changes), secret, algorithm="HS256", headers=headers)


def public_pem(private) -> str:
    return private.public_key().public_bytes(serialization.Encoding.PEM,
                                             serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class EcKey:
    """A P-256 key pair (or another curve's, for refusals)."""

    def __init__(self, curve=ec.SECP256R1()):
        self.private = ec.generate_private_key(curve)

    @property
    def public_pem(self) -> str:
        return public_pem(self.private)

    def token(self, headers=None, **changes) -> str:
        return jwt.encode(claims(**changes), self.private, algorithm="ES256", headers=headers)


class Signer:
    """A key of one algorithm: a secret, or a pair. `private` takes a key that exists, for one used twice."""

    def __init__(self, algorithm: str, kid: str | None = None, private=None):
        self.algorithm, self.kid = algorithm, kid
        self.private = self.generate(algorithm) if private is None else private
        self.by = get_default_algorithms()[algorithm]

    @staticmethod
    def generate(algorithm: str):
        if algorithm in HMAC:
            return LONG_SECRET
        if algorithm in RSA:
            return rsa.generate_private_key(65537, 2048)
        if algorithm == "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        return ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}[algorithm])

    # ---- tokens

    def token(self, headers=None, **changes) -> str:
        headers = ({"kid": self.kid} if self.kid else {}) | (headers or {})
        headers = {name: value for name, value in headers.items() if value is not None}
        return jwt.encode(claims(**changes), self.private, algorithm=self.algorithm, headers=headers)

    def sign(self, header=None, payload=None) -> str:
        """Signs what it is given; by default what verifies."""
        head = part(self.header() if header is None else header)
        body = part(claims() if payload is None else payload)
        return f"{head}.{body}.{b64(self.signature(f'{head}.{body}'.encode()))}"

    def header(self, **changes) -> dict:
        return {"alg": self.algorithm} | ({"kid": self.kid} if self.kid else {}) | changes

    def signature(self, data: bytes) -> bytes:
        return self.by.sign(data, self.by.prepare_key(self.private))

    # ---- what a verifier needs of it

    @property
    def public_pem(self) -> str:
        return public_pem(self.private)

    @property
    def material(self) -> str:
        return self.private if self.algorithm in HMAC else self.public_pem

    def key(self, **changes) -> dict:
        """An item of an identity's `keys`; a change to None takes a key out."""
        result = {"inline": self.material, "kid": self.kid, "algorithm": self.algorithm} | changes
        return {name: value for name, value in result.items() if value is not None}

    def jwk(self, private: bool = False, **changes) -> dict:
        """RFC 7517; a change to None takes a member out."""
        of = self.private if private or self.algorithm in HMAC else self.private.public_key()
        made = json.loads(self.by.to_jwk(of)) if self.algorithm not in HMAC else {"kty": "oct", "k": b64(of.encode())}
        made.pop("key_ops", None)
        if made["kty"] == "EC":  # at their full size (RFC 7518 section 6.2.1.2): PyJWT drops zeros, one time in 128
            size = (of.curve.key_size + 7) // 8
            made |= {name: b64(unb64(made[name]).rjust(size, b"\0")) for name in ("x", "y", "d") if name in made}
        result = made | {"use": "sig", "alg": self.algorithm, "kid": self.kid} | changes
        return {name: value for name, value in result.items() if value is not None}


@functools.cache
def signer(algorithm: str) -> Signer:
    """One for each algorithm in the whole session, since making an RSA key takes its time."""
    return Signer(algorithm)


def jwks(*keys) -> bytes:
    """A JWK Set of signers, or of JWKs as they are."""
    return json.dumps({"keys": [key if isinstance(key, dict) else key.jwk() for key in keys]}).encode()


def part(value) -> str:
    return value if isinstance(value, str) else b64(value)


def b64(data) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def bearer(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"}
