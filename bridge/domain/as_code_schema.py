"""The definition of a workspace's file for editors, as JSON Schema, and for readers, as a page.

python -m bridge.domain.as_code_schema schema > docs/reference/workspace.schema.json
python -m bridge.domain.as_code_schema reference > docs/reference/workspace-file.md
"""

import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from bridge.domain.as_code_keys import (
    WORKSPACE_FILE,
    Key,
    Kind,
    Listed,
    OrNone,
    Record,
    Switch,
    Text,
    TextOr,
    Variants,
    Whole,
    Word,
)

_HEAD = """# What a workspace's file may say

Written of the definition by which files are read. How such files are used: [a workspace as
code](../guides/workspace-as-code.md). Editors that know JSON Schema take
[workspace.schema.json](workspace.schema.json), which every bridge also serves at `/workspace.schema.json`.

What a file doesn't say stays as it is. A list without anything in it is written `[]`, and says that there is nothing;
without its key, a list isn't looked at, with `--prune` neither. Texts are texts however they look: a User Group may be
called `no`.

| key | takes | what it says |
|---|---|---|
"""


@cache
def json_schema() -> dict[str, Any]:
    """The definition as JSON Schema, draft 7, which editors know best."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "A workspace of the bridge, as code"}
    return head | _schema(WORKSPACE_FILE)


def _schema(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text():
            return {"type": "string", "minLength": kind.least, "maxLength": kind.longest}
        case Word():
            return {"type": "string", "enum": list(kind.words)}
        case Switch():
            return {"type": "boolean"}
        case Whole():
            return {"type": "integer", "minimum": kind.least, "maximum": kind.most}
        case OrNone():
            return {"anyOf": [_schema(kind.of), {"type": "null"}]}
        case Listed():
            listed = {"type": "array", "items": _schema(kind.of)}
            return {"anyOf": [_schema(kind.of), listed]} if kind.or_one else listed
        case TextOr():
            return {"anyOf": [_schema(kind.key.kind), _schema(kind.of)]}
        case Variants():
            return {"oneOf": [_record(_with_kind(kind, word, record), word) for word, record in kind.of]}
        case Record():
            return _record(kind)


def _with_kind(kind: Variants, word: str, record: Record) -> Record:
    return Record((Key(kind.by, Word((word,)), "What it is.", required=True), *record.keys), record.one_of)


def _record(record: Record, title: str | None = None) -> dict[str, Any]:
    properties = {key.name: {**_schema(key.kind), "description": key.text} for key in record.keys}
    schema: dict[str, Any] = {"title": title} if title else {}
    schema |= {"type": "object", "additionalProperties": False, "properties": properties}
    required = [key.name for key in record.keys if key.required]
    schema |= {"required": required} if required else {}
    one_of = [{"oneOf": [{"required": [name]} for name in group]} for group in record.one_of]
    return schema | ({"allOf": one_of} if one_of else {})


# -- For readers -------------------------------------------------------------------------------------


def reference_page() -> str:
    """The definition as a page of Markdown."""
    return _HEAD + "\n".join(_rows(WORKSPACE_FILE, "")) + "\n"


def _rows(record: Record, path: str) -> Iterator[str]:
    for key in record.keys:
        needed = " (needed)" if key.required else ""
        yield f"| `{path}{key.name}` | {_words(key.kind)}{needed} | {key.text} |"
        yield from _below(key.kind, f"{path}{key.name}")


def _below(kind: Kind, path: str) -> Iterator[str]:
    inner = kind.of if isinstance(kind, (Listed, OrNone)) else kind
    path = f"{path}[]" if isinstance(kind, Listed) else path
    inner = inner.of if isinstance(inner, TextOr) else inner
    if isinstance(inner, Record):
        yield from _rows(inner, f"{path}.")
    if isinstance(inner, Variants):
        names = " or ".join(f"`{word}`" for word, _ in inner.of)
        yield f"| `{path}.{inner.by}` | {names} (needed) | What it is. |"
        yield from _variants(inner, path)


def _variants(kind: Variants, path: str) -> Iterator[str]:
    """What all have once, then what only one has."""
    every = [set(record.keys) for _, record in kind.of]
    shared = set.intersection(*every)
    first = kind.of[0][1].keys
    yield from _rows(Record(tuple(key for key in first if key in shared)), f"{path}.")
    for word, record in kind.of:
        own = Record(tuple(key for key in record.keys if key not in shared))
        yield from (row.replace("` |", f"`, {word} only |", 1) for row in _rows(own, f"{path}."))


def _words(kind: Kind) -> str:
    match kind:
        case Text():
            return "a text"
        case Word():
            return " or ".join(f"`{word}`" for word in kind.words)
        case Switch():
            return "`true` or `false`"
        case Whole():
            return f"{kind.least}" if kind.least == kind.most else f"{kind.least} to {kind.most}"
        case OrNone():
            return f"{_words(kind.of)}, or `null`"
        case Listed():
            plurals = {"a text": "texts", "keys": "records", "a text or keys": "texts or records"}
            inner = plurals.get(_words(kind.of), _words(kind.of))
            return f"a list of {inner}" + (", or one" if kind.or_one else "")
        case Record() if kind.one_of:
            return f"one of the keys {', '.join(f'`{name}`' for name in kind.one_of[0])}"
        case TextOr():
            return f"{_words(kind.key.kind)} or keys"
        case Record() | Variants():
            return "keys"


if __name__ == "__main__":
    if sys.argv[1:] == ["reference"]:
        sys.stdout.write(reference_page())
    elif sys.argv[1:] == ["schema"]:
        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    else:
        sys.exit(__doc__)
