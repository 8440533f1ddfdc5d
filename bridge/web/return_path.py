"""Where to go after a login: only ever a path of this site (properties.md 9)."""

from urllib.parse import urlsplit

from flask import Response

HOME = "/"
_LONGEST = 2000  # octets: it is kept in a cookie, of which browsers take 4096


def safe_path(asked: str | None) -> str:
    """`asked` if every browser reads it as a path of this site, else the start page.

    Browsers drop tabs and line breaks, take a backslash for a slash, and read `//host` as another site.
    """
    if not asked or len(asked) > _LONGEST or not asked.startswith("/") or asked.startswith("//"):
        return HOME
    if "\\" in asked or any(character <= " " or character == "\x7f" for character in asked):
        return HOME
    try:
        parts = urlsplit(asked)
        is_too_long = len(asked.encode()) > _LONGEST
    except ValueError:
        return HOME
    return HOME if is_too_long or parts.scheme or parts.netloc else asked


def go(url: str, status: int = 303) -> Response:
    """Send the browser on. 303: it comes by GET, whatever it came by here."""
    return Response(status=status, headers={"Location": url})
