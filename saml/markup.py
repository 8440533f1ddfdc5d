"""XML as this package uses it: names, one safe parser, and instants."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final, cast

from lxml import etree

Element = etree._Element

NAMESPACES: Final[dict[str, str]] = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "mdui": "urn:oasis:names:tc:SAML:metadata:ui",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
    "xenc11": "http://www.w3.org/2009/xmlenc11#",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}

UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
EMAIL_ADDRESS: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
#: Formats that say nothing: of SAML 1.1 (SAML Core 8.3.1), and as some write it.
SAYS_NOTHING: Final = frozenset({UNSPECIFIED, "urn:oasis:names:tc:SAML:2.0:nameid-format:unspecified"})
ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

HTTP_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
HTTP_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,30}))?(?:Z|\+00:00)", re.ASCII)
_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.\d+)?S)?)?",
    re.ASCII,
)
_XML_SPACE = " \t\r\n"


def tag(name: str) -> str:
    """`"saml:Issuer"` as lxml writes it: `"{urn:…:assertion}Issuer"`."""
    prefix, local = name.split(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def finder(expression: str) -> Callable[[Element], list[Element]]:
    """A compiled XPath that gives elements. lxml guards one with a lock, so threads may share it."""
    return cast(Callable[[Element], list[Element]], reader(expression))


def reader(expression: str) -> Callable[[Element], Any]:
    """A compiled XPath that gives a number, a truth value, a string or a list of strings, as the expression
    has it."""
    # Each prefix is declared anew at each call, and a string is told where it is from: only what is needed.
    used = {prefix: uri for prefix, uri in NAMESPACES.items() if f"{prefix}:" in expression}
    return etree.XPath(expression, namespaces=used, smart_strings=False)


def make(name: str, *content: Element | str, **attributes: str) -> Element:
    """A new element, e.g. `make("saml:Issuer", "https://…", Format="…")`. Text is escaped when it is
    written."""
    prefix = name.split(":")[0]
    element = etree.Element(tag(name), attributes, {prefix: NAMESPACES[prefix]})
    for part in content:
        if isinstance(part, str):
            element.text = part
        else:
            element.append(part)
    return element


def parse(octets: bytes) -> Element:
    """The root of `octets`, read without network, without files and with entities left alone.

    Raises `etree.XMLSyntaxError`. Comments and processing instructions stay, so that `saml.gate` sees them.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=False
    )
    return etree.fromstring(octets, parser)


def text(element: Element | None) -> str:
    """The element's own text without the white space around it; "" for None."""
    return "" if element is None else (element.text or "").strip(_XML_SPACE)


def children(element: Element, name: str) -> list[Element]:
    """The direct children of that name, in order; or those at the end of a path (`saml:Subject/saml:NameID`)."""
    return element.findall(_path(name))


@cache
def _path(name: str) -> str:
    # Written out once for each name in our code: lxml would sort all the prefixes at each call.
    return "/".join(tag(part) for part in name.split("/"))


@lru_cache(maxsize=64)  # the times of one message are read by several rules
def parse_instant(written: str) -> datetime:
    """An xs:dateTime in UTC (SAML Core 1.3.3) as an aware datetime; raises ValueError for anything else.

    Digits beyond microseconds are cut. Only `Z` and `+00:00` are taken: SAML allows no other time zone, and
    what two readers may read differently isn't read at all.
    """
    match = _INSTANT.fullmatch(written.strip(_XML_SPACE))
    if match is None:
        raise ValueError("not an instant in UTC")
    whole, fraction = match.groups()
    read = datetime.fromisoformat(f"{whole}+00:00")
    return read.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else read


def parse_duration(written: str) -> timedelta:
    """An xs:duration (`PT6H`, `P1D`), a year being 365 days and a month 30; raises ValueError for anything else, and
    for negative ones."""
    match = _DURATION.fullmatch(written.strip(_XML_SPACE))
    if match is None or not any(match.groups()):
        raise ValueError("not a duration")
    years, months, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds)


def render_instant(instant: datetime) -> str:
    """An aware datetime as SAML writes it, to the second: `2026-11-21T10:58:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
