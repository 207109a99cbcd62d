"""A resource server that takes DPoP proofs (RFC 9449) as it should: PyJWT checks signatures, and every claim is looked at.

    origin.on("/x", Verifier(origin.url))
"""
import base64
import hashlib
import json
import threading
import time

import jwt
from jwt.algorithms import get_default_algorithms

from .tokens import SECRET

ALGORITHMS = ("ES256", "ES384", "EdDSA", "RS256", "PS256")
MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


def hashed(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def thumbprint(jwk: dict) -> str:
    """RFC 7638."""
    members = {name: jwk[name] for name in MEMBERS[jwk["kty"]]}
    return hashed(json.dumps(members, sort_keys=True, separators=(",", ":")))


class Refused(Exception):
    pass


def need(holds: bool, why: str) -> None:
    if not holds:
        raise Refused(why)


class Verifier:
    """A handler of an Origin. `verdicts` has what it said to each request: "ok", or what is wrong."""

    def __init__(self, base: str, nonces=None):
        self.base, self.nonces = base, nonces  # nonces: an iterator; a proof must have the last one that was given
        self.nonce = None
        self.seen, self.verdicts, self.keys = set(), [], set()
        self.lock = threading.Lock()

    def __call__(self, ask) -> None:
        with self.lock:
            try:
                self.check(ask)
                verdict = "ok"
            except Refused as refused:
                verdict = str(refused)
            self.verdicts.append(verdict)
            fields = []
            if verdict == "nonce" and self.nonces:
                self.nonce = next(self.nonces)
                fields = [("DPoP-Nonce", self.nonce), ("WWW-Authenticate", 'DPoP error="use_dpop_nonce"')]
        if verdict == "ok":
            ask.reply(b"ok")
        else:
            ask.reply(verdict.encode(), 401, fields or {"WWW-Authenticate": 'DPoP error="invalid_dpop_proof"'})

    def check(self, ask) -> None:
        proofs = ask.all("DPoP")
        need(len(proofs) == 1, f"{len(proofs)} proofs")
        header = jwt.get_unverified_header(proofs[0])
        need(header["typ"] == "dpop+jwt", "typ")
        need(header["alg"] in ALGORITHMS, "alg")
        jwk = header["jwk"]
        need(not {"d", "p", "q", "k"} & set(jwk), "private")
        key = get_default_algorithms()[header["alg"]].from_jwk(json.dumps(jwk))
        try:
            claims = jwt.decode(proofs[0], key, algorithms=[header["alg"]], options={"verify_iat": False})
        except jwt.InvalidSignatureError:
            raise Refused("signature") from None
        need(claims["htm"] == ask.method, "htm")
        host, _, path = claims["htu"].removeprefix("https://").removeprefix("http://").partition("/")
        need(f"/{path}" == ask.path, "htu")
        need(claims["htu"] == self.base + ask.path, f"host {host}")
        need(-300 < time.time() - claims["iat"] < 300, "iat_past" if claims["iat"] < time.time() else "iat_future")
        need("jti" in claims and len(claims["jti"]) >= 16, "jti")
        scheme, _, token = ask.get("Authorization", "").partition(" ")
        if token:
            need(scheme == "DPoP", "scheme")
            need(claims.get("ath") == hashed(token), "ath")
            bound = jwt.decode(token, SECRET, algorithms=["HS256"]).get("cnf")
            need(bound is not None and bound["jkt"] == thumbprint(jwk), "key")
        else:
            need("ath" not in claims, "ath")
        if self.nonces:
            need(claims.get("nonce") == self.nonce and self.nonce is not None, "nonce")
        else:
            need("nonce" not in claims, "nonce")
        need(claims["jti"] not in self.seen, "replay")
        self.seen.add(claims["jti"])
        self.keys.add(thumbprint(jwk))
