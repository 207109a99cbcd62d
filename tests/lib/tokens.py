"""Tokens minted with PyJWT, so that the gateway's verifier is checked against another implementation."""
import base64
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET = "a secret of the tests, 48 bytes long, never real"
ISSUER = "https://id.test"
AUDIENCE = "sekisho"


def claims(**changes) -> dict:
    """Claims that verify; a change to None takes the claim out."""
    now = int(time.time())
    result = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600} | changes
    return {name: value for name, value in result.items() if value is not None}


def hs256(secret=SECRET, headers=None, **changes) -> str:
    return jwt.encode(claims(**changes), secret, algorithm="HS256", headers=headers)


class EcKey:
    """A P-256 key pair (or another curve's, for refusals)."""

    def __init__(self, curve=ec.SECP256R1()):
        self.private = ec.generate_private_key(curve)

    @property
    def public_pem(self) -> str:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, headers=None, **changes) -> str:
        return jwt.encode(claims(**changes), self.private, algorithm="ES256", headers=headers)


def b64(data) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bearer(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"}
