"""An OpenAPI document of ours, taken at its word by schemathesis, and all that is asked of each answer."""

import schemathesis
from flask import Flask
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

_read: dict[tuple[Flask, str], BaseSchema] = {}


def described(app: Flask, document: str, headers: dict[str, str]) -> BaseSchema:
    """The document at an address of the app, read once: with it goes a search of our code for telling constants, which
    takes longer than a test.
    """
    if (app, document) not in _read:
        _read[app, document] = schemathesis.openapi.from_wsgi(document, app, headers=headers)
    return _read[app, document]
