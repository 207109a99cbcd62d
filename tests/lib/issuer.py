"""An issuer whose endpoints do what a test says: publish keys, lie, stall, break, be away.

    issuer = Issuer()
    issuer.publish(old, new, fields={"Cache-Control": "max-age=60"})
    issuer.answer(says(500, {}, b""))        any handler of lib/origin.py
    issuer.away(); ...; issuer.back()        the same port, nobody there in between
    assert issuer.fetches == 1
"""
import json

from .origin import Origin
from .peers import free_port
from .tokens import jwks

KEYS, DISCOVERY = "/keys", "/.well-known/openid-configuration"


class Issuer:
    def __init__(self, tls=None, present: bool = True, path: str = ""):
        """`path` is that of the issuer's URL: "/realms/x", or "/"."""
        self.tls, self.path = tls, path
        self.handlers = {}
        self.earlier = 0  # fetches before it went away
        self.origin = Origin(tls) if present else None
        self.port = self.origin.port if present else free_port()
        self.discover()
        if present:
            self.welcome()

    @property
    def base(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What stands in `iss`."""
        return self.base + self.path

    @property
    def keys_url(self) -> str:
        return self.base + KEYS

    # ---- what it says

    def on(self, path: str, handler) -> None:
        self.handlers[path] = handler
        if self.origin:
            self.origin.on(path, handler)

    def answer(self, handler) -> None:
        """How the keys are answered from now on."""
        self.on(KEYS, handler)

    def publish(self, *keys, fields=()) -> None:
        """Signers, or JWKs as they are."""
        self.say(jwks(*keys), fields=fields)

    def say(self, body: bytes, status: int = 200, fields=()) -> None:
        fields = {"Content-Type": "application/json"} | dict(fields)
        self.answer(lambda ask: ask.reply(body, status, fields))

    def discover(self, **changes) -> None:
        """The discovery document; a change to None takes a member out."""
        made = {"issuer": self.url, "jwks_uri": self.keys_url, "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                "authorization_endpoint": self.base + "/auth", "token_endpoint": self.base + "/token"} | changes
        body = json.dumps({name: value for name, value in made.items() if value is not None}).encode()
        self.on(self.path.rstrip("/") + DISCOVERY, lambda ask: ask.reply(body, fields={"Content-Type": "application/json"}))

    # ---- whether it is there

    def away(self) -> None:
        self.earlier += self.origin.count(KEYS)
        self.origin.stop()
        self.origin = None

    def back(self) -> None:
        self.origin = Origin(self.tls, self.port)
        self.welcome()

    def welcome(self) -> None:
        self.origin.forgiving = True  # the gateway may leave whenever it likes
        self.origin.otherwise(lambda ask: ask.reply(b"", 404))
        for path, handler in self.handlers.items():
            self.origin.on(path, handler)

    def stop(self) -> None:
        if self.origin:
            self.origin.stop()

    # ---- what it was asked

    @property
    def fetches(self) -> int:
        """How often its keys were asked for."""
        return self.earlier + (self.origin.count(KEYS) if self.origin else 0)
