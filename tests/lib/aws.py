"""S3 as AWS documents its answers ("Error responses", "Request redirection"), over a scripted origin.

    aws = Aws(origin, region="eu-central-1")
    aws.refusal = Refusal(403, "SignatureDoesNotMatch")
    ...
    assert aws.regions() == ["us-east-1", "eu-central-1"]

It verifies no signature: what a request claims (key, region, bucket) is held against what the test says is right.
A HEAD has no body, as there.
"""
import re
from dataclasses import dataclass, field

from .origin import Ask, Origin

SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/\d{8}/([^/]+)/s3/aws4_request,")
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@dataclass
class Refusal:
    status: int
    code: str
    more: str = ""  # elements of the document
    fields: dict = field(default_factory=dict)
    document: bool = True


class Aws:
    def __init__(self, origin: Origin, region: str = "us-east-1", bucket: str = "photos", key: str = KEY,
                 redirects: bool = False, tells_in_field: bool = True):
        self.origin, self.region, self.bucket, self.key = origin, region, bucket, key
        self.redirects = redirects  # a path-style host of another region, rather than the region's own
        self.tells_in_field = tells_in_field  # x-amz-bucket-region
        self.refusal: Refusal | None = None
        self.may_list = True
        self.objects = {"cat.jpg": b"a cat"}
        origin.otherwise(self.answer)

    def configuration(self, **changes) -> dict:
        made = {"type": "s3", "bucket": self.bucket, "endpoint": self.origin.url, "access_key_id": KEY,
                "secret_access_key": SECRET} | changes
        return {key: value for key, value in made.items() if value is not None}

    def scopes(self) -> list:
        """(key, region) of each request so far; None where it is not signed."""
        with self.origin.lock:
            found = [SCOPE.match(ask.get("Authorization", "")) for ask in self.origin.requests]
        return [match and match.groups() for match in found]

    def regions(self) -> list:
        return [scope[1] for scope in self.scopes() if scope]

    def refuse(self, ask: Ask, refusal: Refusal) -> None:
        text = f"<?xml version=\"1.0\"?><Error><Code>{refusal.code}</Code><Message>no</Message>{refusal.more}</Error>"
        told = {"x-amz-bucket-region": self.region} if self.tells_in_field else {}
        fields = {"Content-Type": "application/xml"} | told | refusal.fields
        ask.reply(text.encode() if refusal.document else b"", refusal.status, fields)

    def answer(self, ask: Ask) -> None:
        match = SCOPE.match(ask.get("Authorization", ""))
        bucket, _, key = ask.path.lstrip("/").partition("/")
        if ask.get("Host").startswith(self.bucket + "."):
            bucket, key = self.bucket, ask.path.lstrip("/")
        if self.refusal:
            return self.refuse(ask, self.refusal)
        if match and match[1] != self.key:
            return self.refuse(ask, Refusal(403, "InvalidAccessKeyId", f"<AWSAccessKeyId>{match[1]}</AWSAccessKeyId>"))
        if bucket != self.bucket:
            return self.refuse(ask, Refusal(404, "NoSuchBucket"))
        if match and match[2] != self.region:
            if self.redirects:
                return self.refuse(ask, Refusal(301, "PermanentRedirect", "<Endpoint>elsewhere</Endpoint>"))
            return self.refuse(ask, Refusal(400, "AuthorizationHeaderMalformed", f"<Region>{self.region}</Region>"))
        if not key:
            if not self.may_list:
                return self.refuse(ask, Refusal(403, "AccessDenied"))
            return ask.reply(b"<ListBucketResult/>", fields={"x-amz-bucket-region": self.region})
        if key not in self.objects:
            return self.refuse(ask, Refusal(404, "NoSuchKey") if self.may_list else Refusal(403, "AccessDenied"))
        ask.reply(self.objects[key], fields={"ETag": '"1"'})
