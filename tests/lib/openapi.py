"""Whether a document is OpenAPI 3.1, as far as it can be said without the network."""
import json
import re

from jsonschema import Draft202012Validator

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        assert node["$ref"].startswith("#/"), node
        found = document
        for step in node["$ref"][2:].split("/"):
            found = found[step]
        node = found
    return node


def check(document) -> list[tuple[str, str, dict]]:
    """Fails where the document is none; the operations as (method, path, operation)."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"] and document["info"]["version"]
    schemes = document.get("components", {}).get("securitySchemes", {})
    operations, shapes, ids = [], set(), set()
    for path, item in document["paths"].items():
        assert path.startswith("/")
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        assert shape not in shapes, f"{path} differs from another path in its parameters alone"
        shapes.add(shape)
        assert item.keys() <= METHODS, path
        for method, operation in item.items():
            assert operation["operationId"] not in ids
            ids.add(operation["operationId"])
            parameters = [resolve(document, one) for one in operation.get("parameters", [])]
            assert [one["name"] for one in parameters if one["in"] == "path"] == re.findall(r"\{([^}]*)\}", path)
            contents = [operation["requestBody"]] if "requestBody" in operation else []
            assert operation["responses"]
            for status, response in operation["responses"].items():
                assert re.fullmatch(r"[1-5]\d\d|default", status)
                response = resolve(document, response)
                assert response["description"]
                contents.append(response)
            for content in contents:
                for media in content.get("content", {}).values():
                    if "schema" in media:
                        Draft202012Validator.check_schema(media["schema"])
            for each in parameters:
                Draft202012Validator.check_schema(each["schema"])
            for requirement in operation["security"]:
                assert requirement.keys() <= schemes.keys()
            operations.append((method.upper(), path, operation))
    return operations


def check_reply(document, operation, reply) -> None:
    """That a reply is what the document promises."""
    responses = operation["responses"]
    media = resolve(document, responses.get(str(reply.status), responses.get("default")))["content"]
    kind = reply["Content-Type"]
    assert kind in media, (kind, list(media))
    if "schema" in media[kind]:
        Draft202012Validator(media[kind]["schema"]).validate(json.loads(reply.body))
