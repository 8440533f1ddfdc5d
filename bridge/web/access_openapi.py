"""The OpenAPI 3.1 document of the access API. What comes in and what goes out is described exactly."""

from typing import Any

from bridge.domain.access_checks import KEPT_FOR, MOST_CHECKS
from bridge.domain.roles import AREAS, RESOURCE_TYPES

Json = dict[str, Any]

VERSION = "1.0"
_TEXT: Json = {"type": "string"}
_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 400}
_BOOL: Json = {"type": "boolean"}
_REVISION: Json = {"type": "integer", "minimum": 0, "description": "Of the workspace; rises with each change in it."}


def render_openapi(public_url: str) -> Json:
    """The document. `public_url` is the bridge's own address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Access",
            "version": VERSION,
            "description": "May this person do this to that resource? For applications, by a workspace's API token.",
        },
        "servers": [{"url": f"{public_url}/access"}],
        "security": [{"bearer": []}],
        "paths": {
            "/check": {"post": _check()},
            "/explain": {"post": _explain()},
            "/openapi.json": {"get": _openapi()},
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "An API token."}},
            "schemas": _SCHEMAS,
            "responses": {status: _said(text, "Refusal") for status, text in _REFUSALS.items()},
        },
    }


_REFUSALS = {
    "400": "The request is no check. `field` says where.",
    "401": "No API token that works now.",
    "403": "The token has no role that lets it ask this.",
    "404": "There is nothing at this address, or what was asked about has just gone.",
    "405": "There is nothing to do here by this method.",
    "413": "The body is larger than 1 MiB.",
    "415": "The body is not said to be application/json.",
    "429": "Too much at once; `Retry-After` says when to come again.",
    "503": "The database is away for a moment; `Retry-After` says when to come again.",
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _said(text: str, schema: str, headers: Json | None = None) -> Json:
    said: Json = {"description": text, "content": {"application/json": {"schema": _ref(schema)}}}
    return said | ({"headers": headers} if headers else {})


def _asked(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _refusals() -> Json:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}


_KEPT: Json = {
    "ETag": {"schema": _TEXT, "description": "The version of this answer, to this question, for this token."},
    "Cache-Control": {
        "schema": _TEXT,
        "description": (
            f"private, max-age: at most {int(KEPT_FOR.total_seconds())} seconds from when you asked, and never "
            "past the moment at which time alone takes access from somebody who was asked about."
        ),
    },
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "schema": _TEXT,
    "description": "The ETag of the answer that you have: 304 says that it still stands, and for how long to keep it.",
}


def _check() -> Json:
    whole = _said("The answer to the check, or to each of them in their order.", "Answers", _KEPT)
    standing = {"description": "The answer that you have still stands.", "headers": _KEPT}
    return {
        "operationId": "check",
        "summary": f"May they? One check, or up to {MOST_CHECKS:,} of one moment.",
        "parameters": [_IF_NONE_MATCH],
        "requestBody": _asked({"oneOf": [_ref("Check"), _ref("Checks")]}),
        "responses": {"200": whole, "304": standing, **_refusals()},
    }


def _explain() -> Json:
    return {
        "operationId": "explain",
        "summary": "Why, or why not: by a token with the role Workspace Owner.",
        "requestBody": _asked(_ref("Check")),
        "responses": {"200": _said("The answer with its reasons.", "Explained"), **_refusals()},
    }


def _openapi() -> Json:
    said = {"description": "It.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"operationId": "openapi", "summary": "This document.", "security": [], "responses": {"200": said}}


def _object(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_ACTIONS = ["read", "edit", "create"]
_CREATED: Json = {"enum": ["create", {"name": "create"}]}
_DONE: Json = {
    "oneOf": [{"enum": ["read", "edit"]}, _object(["name"], name={"enum": ["read", "edit"]})],
    "description": "What they would do.",
}
_TYPE: Json = {"enum": list(RESOURCE_TYPES)}
_ID: Json = {"type": "string", "minLength": 1, "maxLength": 200}
_RESOURCE: Json = {
    "oneOf": [
        {"type": "string", "pattern": f"^({'|'.join(RESOURCE_TYPES)}):[!-~]{{1,200}}$"},
        _object(["type", "id"], type=_TYPE, id={**_ID, "pattern": "^[!-~]+$"}),
    ],
    "description": "As TYPE:ID, or by type and id.",
}
_AREA: Json = {
    "oneOf": [{"enum": list(AREAS)}, _object(["type"], type={"enum": list(AREAS)})],
    "description": "An area that has no resources: "
    + "; ".join(f"{area}, {words}" for area, words in AREAS.items())
    + ".",
}
_RESOURCE_TYPE: Json = {"oneOf": [_TYPE, _object(["type"], type=_TYPE)], "description": "The type of what is new."}
_SUBJECT: Json = {
    "oneOf": [
        {**_NAME, "pattern": "^[!-~]+$"},
        _object(["id"], type={"const": "user"}, id={**_NAME, "pattern": "^[!-~]+$"}),
    ],
    "description": "A person: the id of their account (as `/session` has it), or their e-mail address.",
}
_ANSWER: Json = _object(
    ["allowed"],
    allowed=_BOOL,
    unknown={
        "enum": ["subject", "resource"],
        "description": "What the workspace doesn't have, as far as the token sees: then it isn't allowed.",
    },
)


def _with_revision(schema: Json) -> Json:
    properties = {**schema["properties"], "revision": _REVISION}
    return {**schema, "required": [*schema["required"], "revision"], "properties": properties}


_NAMED = _object(["id", "name"], id=_TEXT, name=_TEXT)
_SCOPE: Json = {"type": "array", "items": _TEXT, "description": "`all`, or TYPE:ID and label:k:v terms."}
_PATH: Json = {
    "type": "object",
    "required": ["kind", "grant", "given_by", "since", "role", "scope"],
    "properties": {
        "kind": {"enum": ["individual", "user_group", "mapping"]},
        "grant": _TEXT,
        "given_by": {**_TEXT, "description": "An actor: user:ID, connection:ID, token:ID, operator, system."},
        "since": _TEXT,
        "role": _TEXT,
        "scope": _SCOPE,
        "user_group": _NAMED,
        "mapping": _NAMED,
        "idp_group": {"type": "object", "required": ["id", "name", "source"], "properties": {"id": _TEXT}},
        "connection": _NAMED,
        "in_group_since": _TEXT,
    },
}
_WAY: Json = {
    "type": "object",
    "required": ["kind", "role", "scope"],
    "properties": {"kind": {"enum": ["user_group", "idp_group", "role"]}, "role": _TEXT, "scope": _SCOPE},
}
_SCHEMAS: Json = {
    "Check": {
        "oneOf": [
            _object(["subject", "action", "resource"], subject=_SUBJECT, action=_DONE, resource=_RESOURCE),
            _object(["subject", "action", "resource"], subject=_SUBJECT, action=_DONE, resource=_AREA),
            _object(["subject", "action", "resource"], subject=_SUBJECT, action=_CREATED, resource=_RESOURCE_TYPE),
        ],
        "description": "May this subject do this to that resource?",
    },
    "Checks": {
        **_object(["checks"], checks={"type": "array", "minItems": 1, "maxItems": MOST_CHECKS, "items": _ref("Check")}),
        "description": "Many at once. What they have in common may stand once beside `checks`, and not in each.",
    },
    "Answers": {"oneOf": [_ref("Answer"), _ref("AnswersToChecks")]},
    "Answer": _with_revision(_ANSWER),
    "AnswersToChecks": _object(["checks", "revision"], checks={"type": "array", "items": _ANSWER}, revision=_REVISION),
    "Explained": {
        "type": "object",
        "required": ["allowed", "because", "revision"],
        "properties": {
            "allowed": _BOOL,
            "unknown": _ANSWER["properties"]["unknown"],
            "because": {
                "type": "array",
                "items": _PATH,
                "description": "Every path that gives it; none where it is no.",
            },
            "why_not": {
                "type": "object",
                "description": "What stands in the way of the person, and of what nearly gives it.",
            },
            "what_would_give": {"type": "array", "items": _WAY, "description": "Where it is no."},
            "revision": _REVISION,
        },
    },
    "Refusal": _object(["error"], error=_object(["code", "message"], code=_TEXT, message=_TEXT, field=_TEXT)),
}
