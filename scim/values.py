"""One value of one attribute: from any spelling that is understood to the form that is kept, or refused by name.

`None` means unassigned: null says so, of a text "" too, of a list both "" and [] (RFC 7643 2.5, and what IdPs send to
clear a value).
"""

import re
from collections.abc import Callable
from typing import Any

from scim import dialects
from scim.errors import InvalidValue
from scim.moments import parse_date_time
from scim.schemas import EXTERNAL_ID, GROUP, MANAGER, USER, Attribute, fold_case

MAX_VALUES = 250
"""How many values a multi-valued attribute of a User may have. Members of a Group are not kept in it."""

MAX_IDENTIFIER_BYTES = 2_000
"""What people and groups are looked up by must fit into a database's index."""

MAX_TEXT = 262_144
"""How many characters any text may have: a portrait as a data URI fits, a list of such people stays a list."""

_IDENTIFIERS = frozenset(
    path.leaf
    for path in (
        USER.find("userName"),
        USER.find("emails.value"),
        GROUP.find("displayName"),
    )
    if path is not None
) | {EXTERNAL_ID}

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]*(?:={1,2}\s*)?")
"""With line breaks. Spaces have one place each to go to, or a text of them would be tried in every division."""


def canonical_value(attribute: Attribute, value: object, where: str = "") -> Any:
    """The value in canonical form, None if it is unassigned.

    Names inside it get the schema's case; unknown and readOnly ones are dropped. `where` is how an error names the
    value. Raises InvalidValue.
    """
    where = where or attribute.name
    if not attribute.multi_valued:
        return canonical_element(attribute, value, where)
    value = dialects.onelogin_single_value(value)
    return None if value in (None, "") else _canonical_list(attribute, value, where)


def canonical_element(attribute: Attribute, value: object, where: str = "") -> Any:
    """The same for one value of an attribute that may be multi-valued."""
    if attribute is MANAGER:
        value = dialects.entra_manager(value)
    return None if value is None else _READERS[attribute.type](attribute, value, where or attribute.name)


def canonical_parts(attribute: Attribute, value: object, where: str = "") -> dict[str, Any]:
    """The sub-attributes that a value of a complex attribute speaks of, None for each that it clears.

    Unknown and readOnly ones are dropped. Raises InvalidValue.
    """
    where = where or attribute.name
    if not isinstance(value, dict):
        raise InvalidValue(f"{where} must be an object.")
    found = ((attribute.find(key), given) for key, given in value.items())
    return {
        sub.name: canonical_value(sub, given, f"{where}.{sub.name}")
        for sub, given in found
        if sub is not None and sub.mutability != "readOnly"
    }


def check_text(text: str, where: str) -> None:
    """Refuse what no database and no JSON writer takes: NUL and lone surrogates. Raises InvalidValue."""
    if "\x00" in text:
        raise InvalidValue(f"{where} must not contain NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(f"{where} must be valid Unicode.") from error


def _canonical_list(attribute: Attribute, value: object, where: str) -> list[Any] | None:
    if not isinstance(value, list):
        raise InvalidValue(f"{where} must be a list.")
    if len(value) > MAX_VALUES:
        raise InvalidValue(f"{where} must have at most {MAX_VALUES} values.")
    elements = [canonical_element(attribute, each, where) for each in value]
    kept = without_repeats([each for each in elements if each is not None])
    if sum(each.get("primary", False) for each in kept if isinstance(each, dict)) > 1:
        raise InvalidValue(f"{where} must have at most one primary value.")
    return kept or None


def without_repeats(elements: list[Any]) -> list[Any]:
    """The elements in order, each once (RFC 7643 2.4)."""
    return list({_identity(each): each for each in elements}.values())


def _identity(element: Any) -> Any:
    return frozenset(element.items()) if isinstance(element, dict) else element


def _read_complex(attribute: Attribute, value: object, where: str) -> dict[str, Any] | None:
    parts = canonical_parts(attribute, value, where)
    return {name: part for name, part in parts.items() if part is not None} or None


def _read_string(attribute: Attribute, value: object, where: str) -> str | None:
    if not isinstance(value, str):
        raise InvalidValue(f"{where} must be a string.")
    if len(value) > MAX_TEXT:
        raise InvalidValue(f"{where} must have at most {MAX_TEXT} characters.")
    check_text(value, where)
    if attribute.required and value and not value.strip():
        raise InvalidValue(f"{where} must not be blank.")
    if attribute in _IDENTIFIERS and len(fold_case(value).encode()) > MAX_IDENTIFIER_BYTES:
        raise InvalidValue(f"{where} must have at most {MAX_IDENTIFIER_BYTES} bytes.")
    return value or None


def _read_boolean(attribute: Attribute, value: object, where: str) -> bool:
    value = dialects.entra_boolean(value)
    if not isinstance(value, bool):
        raise InvalidValue(f"{where} must be true or false.")
    return value


def _read_binary(attribute: Attribute, value: object, where: str) -> str | None:
    text = _read_string(attribute, value, where)
    # Padding may be left out (RFC 7643 2.3.6); a letter alone at the end is half an octet.
    if text is not None and (not _BASE64.fullmatch(text) or len("".join(text.split()).rstrip("=")) % 4 == 1):
        raise InvalidValue(f"{where} must be base64.")
    return text


def _read_date_time(attribute: Attribute, value: object, where: str) -> str | None:
    text = _read_string(attribute, value, where)
    if text is not None and parse_date_time(text) is None:
        raise InvalidValue(f"{where} must be a dateTime such as 2026-01-31T12:00:00Z.")
    return text


_READERS: dict[str, Callable[[Attribute, object, str], Any]] = {
    "string": _read_string,
    "reference": _read_string,
    "boolean": _read_boolean,
    "binary": _read_binary,
    "dateTime": _read_date_time,
    "complex": _read_complex,
}
