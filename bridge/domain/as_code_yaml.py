"""YAML for people who look after a workspace as code: read with the line of everything, within bounds, and written so
that every reader reads the same.

What a scalar means is said by the definition of the file (`as_code_keys`), never guessed from how it looks: a User
Group called `no` stays that. Anchors, aliases, tags and second documents aren't read: they make bombs and surprises,
and a workspace needs none of them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bridge.domain.errors import Invalid

#: A workspace of 100,000 people with 10,000 resources and 5,000 grants is a quarter of it, and read in some seconds.
LARGEST = 16 * 2**20
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, at which line (from 1; 0 for none) and under which key, such as `mappings[2].gives.roles[0]`."""

    line: int
    path: str
    text: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, [f"line {self.line}" if self.line else "", self.path]))
        return f"{where}: {self.text}" if where else self.text


class BadFile(Invalid):
    """A file that can't be taken as it is, with all that is wrong with it."""

    code = "bad_file"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text as it was written, and whether between quotation marks, or as a block."""

    text: str
    quoted: bool
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    nodes: "tuple[Node, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class Fields:
    """Keys with their values, each key once."""

    nodes: "tuple[tuple[Scalar, Node], ...]"
    line: int


Node = Scalar | Items | Fields


# -- Reading -----------------------------------------------------------------------------------------


def read_yaml(body: bytes) -> Node:
    """The one document of a file, in UTF-8. Raises BadFile at the first thing that isn't YAML as it is read here."""
    if len(body) > LARGEST:
        raise BadFile([Fault(0, "", f"The file is over {LARGEST // 2**20} MB.")])
    text = _text(body)
    try:
        return _Reader(iter(yaml.parse(text, Loader=yaml.CSafeLoader))).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        told = f"This isn't YAML: {problem}.{_advice(problem, text[mark.index : mark.index + 1]) if mark else ''}"
        raise BadFile([Fault(mark.line + 1 if mark else 0, "", told)]) from None


def _advice(problem: str, letter: str) -> str:
    """What most people meant who meet this problem, at this letter."""
    if "cannot start any token" in problem:
        if letter == "\t":
            return " That is a tab: YAML is indented by spaces."
        return f" A text that begins with {letter} is written between quotation marks."
    if "mapping values are not allowed" in problem:
        return " A text with a colon and a space in it is written between quotation marks."
    return ""


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BadFile([Fault(line, "", "The file isn't text in UTF-8.")]) from None


_NO_ALIAS = (
    "Anchors (&) and aliases (*) aren't read here. Write it out. A text that begins so, such as a pattern, is written "
    'between quotation marks: "*-prod".'
)


class _Reader:
    """Builds nodes of events without recursion deeper than `_DEEPEST`, and looks at no event past the first fault."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events

    def document(self) -> Node:
        """The only one."""
        first = self._next()
        while isinstance(first, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            first = self._next()
        if isinstance(first, yaml.StreamEndEvent):
            raise BadFile([Fault(1, "", "The file is empty.")])
        found = self._node(first, 1)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise BadFile([Fault(_line(after), "", "There is a second document. A file describes one workspace.")])
        return found

    def _next(self) -> Any:
        return next(self._events)

    def _node(self, event: Any, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise BadFile([Fault(line, "", _NO_ALIAS)])
        if event.tag is not None:
            raise BadFile([Fault(line, "", f"Tags aren't read here: {event.tag[:60]}.")])
        if depth > _DEEPEST:
            raise BadFile([Fault(line, "", "This is nested deeper than anything in such a file.")])
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, bool(event.style), line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self._nodes(yaml.SequenceEndEvent, depth + 1)), line)
        return Fields(tuple(self._pairs(depth + 1)), line)

    def _nodes(self, end: type[Any], depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), end):
            yield self._node(event, depth)

    def _pairs(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: set[str] = set()
        for key in self._nodes(yaml.MappingEndEvent, depth):
            if not isinstance(key, Scalar):
                raise BadFile([Fault(key.line, "", "A key is one word.")])
            if key.text in seen:
                raise BadFile([Fault(key.line, "", f"The key {key.text[:60]!r} is there already.")])
            seen.add(key.text)
            yield key, self._node(self._next(), depth)


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


# -- Writing -----------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*(?: [A-Za-z0-9_./@+-]+)*")
#: What some reader of YAML 1.1 or 1.2 takes for no text.
_TAKEN = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_BLOCK = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n)+[!-~](?:[ -~]*[!-~])?\n?")


def write_text(text: str) -> str:
    """A text as a scalar that every reader of YAML 1.1 and 1.2 takes for just that text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _TAKEN:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def write_yaml(value: Any, indent: int = 0) -> Iterator[str]:
    """Lines of a value made of dicts, lists, texts, numbers, switches and None. Empty lists are written as `[]`."""
    space = " " * indent
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{space}{key}:", inner, indent)
    else:
        for inner in value:
            yield from _item(inner, indent)


def _entry(head: str, inner: Any, indent: int) -> Iterator[str]:
    if isinstance(inner, str) and _BLOCK.fullmatch(inner):
        yield from _block(head, inner, indent + 2)
    elif isinstance(inner, (dict, list)) and inner and not _is_short(inner):
        yield head
        yield from write_yaml(inner, indent + 2)
    else:
        yield f"{head} {_flow(inner)}"


def _item(inner: Any, indent: int) -> Iterator[str]:
    space = " " * indent
    if isinstance(inner, dict) and inner:
        first, *rest = write_yaml(inner, indent + 2)
        yield f"{space}- {first[indent + 2 :]}"
        yield from rest
    else:
        yield from _entry(f"{space}-", inner, indent)


def _block(head: str, text: str, indent: int) -> Iterator[str]:
    yield f"{head} |" if text.endswith("\n") else f"{head} |-"
    yield from (f"{' ' * indent}{line}" for line in text.splitlines())


def _is_short(value: Any) -> bool:
    """A short list of short texts stands on one line."""
    return (
        isinstance(value, list)
        and all(isinstance(one, str) and not _BLOCK.fullmatch(one) for one in value)
        and sum(len(one) + 4 for one in value) < 80
    )


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return write_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
