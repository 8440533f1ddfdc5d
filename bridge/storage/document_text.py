"""What stands in a person's document, as the text that it is kept as, wherever a filter is true of it.

A condition here is necessary, never sufficient: it keeps away most of those who don't match, at a twentieth of what it
costs to read and ask them. Documents are JSON as orjson writes it: no space between a name and its value, everything in
UTF-8 as it is but for what `_WRITTEN_OTHERWISE` matches, and names in the schema's case.

Of the text that is looked for, ASCII alone is looked at, letters in either case; in place of everything else there may
be anything. Folding makes ASCII of a few other letters too (ß is ss, the Kelvin sign is k): documents that have one
which counts are always among those that are left.
"""

import re
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, and_, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from scim.schemas import AttributePath, fold_case

#: What the bridge itself says in a rendered User, and no document does.
_OURS = frozenset({"schemas", "id", "meta", "groups", "active"})

#: Escaped in JSON, or no ASCII.
_WRITTEN_OTHERWISE = re.compile(r"[^ !#-\[\]-~]+")

#: All letters beyond ASCII of which folding makes some that are ASCII.
FOLDED_TO_ASCII = "ßİŉſǰẖẗẘẙẚẞ\N{KELVIN SIGN}ﬀﬁﬂﬃﬄﬅﬆ"

#: Where the text stands between the quotes of a value.
_BETWEEN_QUOTES = {"eq": "{}", "sw": "{}%", "ew": "%{}", "co": "%{}%"}


def find_text_condition(
    path: AttributePath, op: str, value: Any, document: ColumnElement[str]
) -> ColumnElement[bool] | None:
    """What the document holds wherever this comparison, or `pr` of it, is true; None where nothing is sure."""
    if path.attribute.name in _OURS or (op == "ne" and value is not None) or (op == "eq" and value is None):
        return None
    named = f'%"{path.leaf.name.lower()}":'
    if isinstance(value, str) and op in _BETWEEN_QUOTES:
        return _has_text(path, named, _BETWEEN_QUOTES[op], value, document)
    said = ("true" if value else "false") if isinstance(value, bool) and op == "eq" else ""
    return _Holds(document, literal(f"{named}{said}%", Text))


def _has_text(
    path: AttributePath, named: str, between: str, value: str, document: ColumnElement[str]
) -> ColumnElement[bool]:
    text = value if path.leaf.case_exact else fold_case(value)
    holds = _Holds(document, literal(f'{named}"{between.format(_pattern(text))}"%', Text))
    letters = [] if path.leaf.case_exact else [each for each in FOLDED_TO_ASCII if set(fold_case(each)) & set(text)]
    if not letters:
        return holds
    return or_(holds, and_(_HasNonAscii(document), or_(*(document.contains(letter) for letter in letters))))


def _pattern(text: str) -> str:
    """For LIKE, small letters; a backslash, its escape, is never in the text that is looked at."""
    return _WRITTEN_OTHERWISE.sub("\n", text).replace("%", r"\%").replace("_", r"\_").replace("\n", "%").lower()


class _Holds(FunctionElement[bool]):
    """Whether a text is LIKE a pattern in small letters, ASCII letters in either case."""

    type = Boolean()
    inherit_cache = True


class _HasNonAscii(FunctionElement[bool]):
    """Whether a text holds a character that isn't ASCII."""

    type = Boolean()
    inherit_cache = True


def _said(element: FunctionElement[bool], compiler: SQLCompiler, form: str) -> str:
    return form.format(*(compiler.process(clause) for clause in element.clauses))


@compiles(_Holds, "sqlite")
def _holds_on_sqlite(element: _Holds, compiler: SQLCompiler, **_: Any) -> str:
    return _said(element, compiler, r"({0} LIKE {1} ESCAPE '\')")


@compiles(_Holds, "postgresql")
def _holds_on_postgresql(element: _Holds, compiler: SQLCompiler, **_: Any) -> str:
    # Not ILIKE: what a small letter is would depend on the database's language (in Turkish, I isn't i).
    return _said(element, compiler, r"""(lower({0} COLLATE "C") LIKE {1} ESCAPE '\')""")


@compiles(_HasNonAscii, "sqlite")
def _has_non_ascii_on_sqlite(element: _HasNonAscii, compiler: SQLCompiler, **_: Any) -> str:
    return _said(element, compiler, "(length({0}) <> length(CAST({0} AS BLOB)))")


@compiles(_HasNonAscii, "postgresql")
def _has_non_ascii_on_postgresql(element: _HasNonAscii, compiler: SQLCompiler, **_: Any) -> str:
    return _said(element, compiler, "(length({0}) <> octet_length({0}))")
