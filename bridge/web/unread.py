"""What the server refuses before the application sees it: in the form of the protocol whose address was asked for.

A request whose head can't be read, or is too long, has no token that could be looked at: so the words say nothing but
what is wrong with it.
"""

import orjson

from scim.errors import ERROR_SCHEMA
from scim.messages import MEDIA_TYPE


def render_unread(target: str, status: int, text: str) -> tuple[str, bytes]:
    """The type and the body of a refusal. `target` is the request's, as far as it was understood; it may be ""."""
    if target.startswith("/scim/oauth2/"):
        return "application/json", orjson.dumps({"error": "invalid_request", "error_description": text})
    if target.startswith("/access/"):
        return "application/json", orjson.dumps({"error": {"code": "unread", "message": text}})
    if target.startswith("/scim/"):
        form = {"schemas": [ERROR_SCHEMA], "status": str(status), "detail": text}  # RFC 7644 3.12
        return MEDIA_TYPE, orjson.dumps(form)
    return "text/plain; charset=utf-8", f"{text}\n".encode()
