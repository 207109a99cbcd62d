"""What a reply about identity, claims or limits must look like, whoever asked for it."""
import json
import re

OBJECT = "the object"

CHALLENGE = re.compile(r'Bearer(?: realm="[a-z]+"| (error="[a-z_]+")(?:, error_description="[\x20\x21\x23-\x5b\x5d-\x7e]+")?)'
                       r'(?:, scope="[^"]*")?')


def served(reply) -> None:
    assert (reply.status, reply.text) == (200, OBJECT), (reply, problem_of(reply))


def problem(reply, status: int, kind: str | None = None) -> dict:
    """A problem document (RFC 9457) of this status that no cache may keep and that gives nothing away."""
    assert reply.status == status, (reply, problem_of(reply))
    assert reply["Content-Type"] == "application/problem+json"
    assert reply["Cache-Control"] == "no-store"
    assert OBJECT.encode() not in reply.body
    body = json.loads(reply.body)
    assert body["status"] == status and body["request_id"] == reply["X-Request-Id"], body
    assert kind is None or kind_of(body) == kind, body
    return body


def kind_of(body: dict) -> str:
    """The last part of the problem's type: what our table of errors calls it."""
    return re.split(r"[:/#]", body["type"])[-1]


def problem_of(reply):
    return reply.text[:300] if reply.get("Content-Type") == "application/problem+json" else None


def refused(reply, error: str | None = "invalid_token") -> dict:
    """401, with the challenge of RFC 6750 §3; `error` None: there was no credential to be wrong."""
    body = problem(reply, 401)
    match = CHALLENGE.fullmatch(reply["WWW-Authenticate"])
    assert match, reply["WWW-Authenticate"]
    assert match[1] == (error and f'error="{error}"'), reply["WWW-Authenticate"]
    return body
