"""The OpenAPI 3.1 document, made of the endpoints' own declarations."""

from __future__ import annotations

import functools
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.extensions import settings

from .declaring import ENDPOINTS, VARIABLE, Endpoint
from .deprecations import MEMBER
from .problems import MIME, PROBLEMS
from .versions import HEADER, NEWEST, VERSIONS

JSON = "application/json"
References = dict[tuple[type[BaseModel], JsonSchemaMode], Any]
REFERENCE = "#/components/schemas/{model}"
SCHEMAS = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
    "string": {"type": "string", "minLength": 1},
    "external": {"type": "string", "minLength": 1, "maxLength": 200},
}
ABOUT = """
Send WhatsApp messages, read conversations, and keep contacts and templates in step with your own systems.

Authenticate with an API key in the header `Authorization: Bearer sb_live_…`. Keys are made in Settings, API keys.
A key that begins with `sb_test_` only pretends: you get the same answers and webhooks, and nothing reaches WhatsApp.

- Times are RFC 3339 in UTC. Amounts are whole micro-units (`1000000` is one unit) beside their currency.
- Lists have `limit` and `after`; `next` is the cursor of the following page.
- A parameter that takes several values is repeated, or has them with commas: `include=contact,phone_number`.
- Errors are RFC 9457 problems. `code` stays the same for ever; `type` is a page that explains it.
- Every POST takes an `Idempotency-Key`. The same request with the same key is executed once, for 7 days.
- Changes can be made conditional: send the `ETag` that you read in `If-Match`.
- New members may be added to answers at any time; nothing is removed or renamed within a version.
"""


@functools.cache
def document() -> dict[str, Any]:
    """The whole document. Endpoints are declared while the app is made, so it is the same for ever after."""
    references, definitions = schemas()
    paths: dict[str, dict[str, Any]] = {}
    for one in sorted(ENDPOINTS.values(), key=lambda each: (each.tag, each.path, each.method)):
        paths.setdefault(one.path, {})[one.method.lower()] = operation(one, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Switchboard API", "version": NEWEST, "description": ABOUT.strip()},
        "servers": [{"url": f"{settings.public_url}/api/v1"}],
        "tags": [{"name": tag} for tag in sorted({one.tag for one in ENDPOINTS.values()})],
        "paths": paths,
        "security": [{"key": []}],
        "components": {
            "schemas": definitions | {"Problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `sb_live_…`."}},
        },
    }


def schemas() -> tuple[References, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for one in ENDPOINTS.values():
        if one.body:
            wanted[one.body, "validation"] = None
        if one.gives:
            wanted[one.gives, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=REFERENCE)
    return cast("References", references), definitions.get("$defs", {})


def operation(one: Endpoint, references: References) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "parameters": [*path_parameters(one), *query_parameters(one), *header_parameters(one)],
        "responses": {str(one.status if one.gives or one.files else 204): answer(one, references)},
        "security": [{"key": [one.scope] if one.scope else []}],
    }
    if one.deprecated:
        made |= one.deprecated.as_schema()
    if one.description:
        made["description"] = one.description
    if one.body:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": references[one.body, "validation"]}}}
    elif one.takes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        made["requestBody"] = {"required": True, "content": dict.fromkeys(one.takes, binary)}
    if one.files:
        made["responses"] |= OF_FILES
    if one.creates:
        made["responses"]["201"] = answer(one, references) | {"description": "It was made."}
    for status, codes in problems_by_status(one).items():
        words = "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in codes)
        made["responses"][str(status)] = {"description": words, "content": {MIME: {"schema": REFER_TO_PROBLEM}}}
    return made


def answer(one: Endpoint, references: References) -> dict[str, Any]:
    if one.gives:
        return {
            "description": "Done.",
            "content": {JSON: {"schema": references[one.gives, "serialization"]}},
            "headers": {"Request-Id": {"schema": {"type": "string"}}, "RateLimit": {"schema": {"type": "string"}}},
        }
    if one.files:
        binary: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
        content = {media_type: {"schema": {}} if media_type == JSON else binary for media_type in one.files}
        return {"description": "The file.", "content": content}
    return {"description": "Done; there is nothing to say."}


def problems_by_status(one: Endpoint) -> dict[int, list[str]]:
    by_status: dict[int, list[str]] = {}
    for code in one.all_problems:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return by_status


def path_parameters(one: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": SCHEMAS[kind or "string"]}
        for kind, name in VARIABLE.findall(one.rule)
    ]


def query_parameters(one: Endpoint) -> list[dict[str, Any]]:
    if not one.query:
        return []
    schema = one.query.model_json_schema()
    definitions = schema.get("$defs", {})
    parameters = []
    for name, about in schema["properties"].items():
        shape = inlined(
            {key: value for key, value in about.items() if key not in ("title", "description")}, definitions
        )
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        parameter |= {key: shape.pop(key) for key in ("deprecated", MEMBER) if key in shape}
        parameter |= {"schema": without_null(shape)}
        parameters.append(parameter | ({"description": about["description"]} if "description" in about else {}))
    return parameters


def inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to in its place: parameters have no components of their own."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: inlined(value, definitions) for key, value in schema.items()}
    return [inlined(each, definitions) for each in schema] if isinstance(schema, list) else schema


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not given is left out; there is no null in an address."""
    options: list[dict[str, Any]] = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    if len(options) == 1:
        return options[0] | rest
    return schema if schema.get("default", ...) is not None else rest | ({"anyOf": options} if options else {})


def header_parameters(one: Endpoint) -> list[dict[str, Any]]:
    names = [
        (HEADER, "The version of the API to use instead of the key's.", {"type": "string", "enum": list(VERSIONS)})
    ]
    if one.is_repeatable:
        key: dict[str, Any] = {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}
        names.append(("Idempotency-Key", "Makes it safe to send the same request again, for 7 days.", key))
    if one.is_conditional:
        names.append(("If-Match", "The ETag that you read: refuses to change a newer version.", {"type": "string"}))
    if one.creates:
        names.append(("If-None-Match", "`*` creates only: refuses to change what is there.", {"type": "string"}))
    return [
        {"name": name, "in": "header", "required": False, "description": words, "schema": schema}
        for name, words, schema in names
    ]


OF_FILES = {
    "206": {"description": "The part of the file that the Range header asks for."},
    "304": {"description": "The file is the one that If-None-Match names."},
    "416": {"description": "The file has no such part."},
}
REFER_TO_PROBLEM = {"$ref": REFERENCE.format(model="Problem")}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "A page that explains this kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong here, and what to do."},
        "code": {"type": "string", "description": "Stays the same for ever."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "RFC 6901, into the body."},
                    "parameter": {"type": "string", "description": "Of the address."},
                },
            },
        },
        "meta": {
            "type": "object",
            "description": "What Meta said, where Meta refused.",
            "properties": {
                "code": {"type": ["integer", "null"]},
                "fbtrace_id": {"type": ["string", "null"]},
                "kind": {"type": "string"},
                "retry_at": {"type": ["string", "null"], "format": "date-time"},
            },
        },
    },
}
