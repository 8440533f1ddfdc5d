"""Which addresses there are under `/scim/v2`, what may be done at each, and how else they may be written."""

import re
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from flask import Flask

PREFIX = "/scim/v2"

#: What RFC 7644 3.8 lets a client end an address with, to say which format it wants.
SUFFIX = ".scim"

#: What may be done to each collection, and to one of its things.
METHODS = {
    ("", False): "GET, HEAD",
    (".search", False): "POST",
    ("Bulk", False): "POST",
    ("Users", False): "GET, HEAD, POST",
    ("Users", True): "GET, HEAD, PUT, PATCH, DELETE",
    ("Groups", False): "GET, HEAD, POST",
    ("Groups", True): "GET, HEAD, PUT, PATCH, DELETE",
    ("Schemas", False): "GET, HEAD",
    ("Schemas", True): "GET, HEAD",
    ("ResourceTypes", False): "GET, HEAD",
    ("ResourceTypes", True): "GET, HEAD",
    ("ServiceProviderConfig", False): "GET, HEAD",
    ("openapi.json", False): "GET, HEAD",
}

_SLASHES = re.compile("/{2,}")


def methods_of(path: str) -> str | None:
    """What may be done at an address below PREFIX, as `Allow` has it; None where there is nothing."""
    collection, _, rest = path.strip("/").partition("/")
    if rest == ".search":
        return METHODS[".search", False] if collection in ("Users", "Groups") else None
    return None if "/" in rest else METHODS.get((collection, bool(rest)))


def install(app: Flask) -> None:
    """Take several slashes for one, as IdPs send where an admin ended the base address with one.

    Before routing, which would answer a redirect: few clients send a body and a token after that.
    """
    app.wsgi_app = _with_single_slashes(app.wsgi_app)  # type: ignore[method-assign, assignment]


def _with_single_slashes(wsgi: WSGIApplication) -> WSGIApplication:
    def call(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(f"{PREFIX}/") and "//" in path:
            environ["PATH_INFO"] = _SLASHES.sub("/", path)
        return wsgi(environ, start_response)

    return call
