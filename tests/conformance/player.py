"""Plays what an IdP said to a SCIM server, from a file in `transcripts/`, and says where the answer was another one.

A file is one whole conversation: `calls` in their order, `headers` that go with each, `source`, whence it is known.
A call has `what` happens, the `request` (method and address, as they were sent), perhaps a `body` and `headers` of its
own, and the `answer`:

- `status`; `headers` of that value; `body`, of which every name given must be there with that value, lists whole
- `absent`: names, or ways such as `name/familyName`, that must not be there
- `keep`: values of the answer under names, by such ways: `{"ann": "id"}`

`${ann}` stands for what was kept, in every later text and in the answer itself; `${base}` for the server's address;
`${any}`, in an answer, for whatever there is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import orjson

FOLDER = Path(__file__).parent / "transcripts"
ANYTHING = "${any}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; `body` is None where it said nothing."""

    status: int
    headers: Mapping[str, str]
    body: Any


Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""Method, address under the server's own, headers, body."""


def names() -> list[str]:
    """The transcripts there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """One transcript."""
    transcript: dict[str, Any] = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return transcript


def faults(transcript: Mapping[str, Any], send: Send, base: str) -> list[str]:
    """Play all of it. Returns what came back otherwise than expected, up to the first call that did so."""
    kept = {"base": base, "any": ANYTHING}
    for call in transcript["calls"]:
        found = _Call(call, kept).play(send, transcript.get("headers", {}))
        if found:
            return [f"{call['what']}: {fault}" for fault in found]
    return []


@dataclass(frozen=True, slots=True)
class _Call:
    said: Mapping[str, Any]
    kept: dict[str, str]
    expected: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expected", self.said["answer"])

    def play(self, send: Send, headers: Mapping[str, str]) -> list[str]:
        method, address = self._filled(self.said["request"]).split(" ", 1)
        body = orjson.dumps(self._filled(self.said["body"])) if "body" in self.said else None
        answer = send(method, address, {**headers, **self.said.get("headers", {})}, body)
        if answer.status != self.expected["status"]:
            return [f"{answer.status}, not {self.expected['status']}: {answer.body}"]
        self.kept.update({name: str(_at(answer.body, way)) for name, way in self.expected.get("keep", {}).items()})
        return list(self._faults(answer))

    def _faults(self, answer: Answer) -> Iterator[str]:
        for name, value in self._filled(self.expected.get("headers", {})).items():
            if answer.headers.get(name) != value:
                yield f"{name} is {answer.headers.get(name)!r}, not {value!r}"
        yield from _differences(self._filled(self.expected.get("body", {})), answer.body or {}, "the answer")
        for way in self.expected.get("absent", ()):
            if _at(answer.body, way) is not None:
                yield f"{way} is there"

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        return Template(value).substitute(self.kept) if isinstance(value, str) and "${" in value else value


def _differences(expected: Any, found: Any, where: str) -> Iterator[str]:
    """What of the expected is not there so. Numbers and booleans are told apart."""
    if expected == ANYTHING:
        if found in (None, "", [], {}):
            yield f"{where} says nothing"
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from _differences(value, found.get(name), f"{where}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for n, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{where}/{n}")
    elif expected != found or type(expected) is not type(found):
        yield f"{where} is {found!r}, not {expected!r}"


def _at(body: Any, way: str) -> Any:
    for name in way.split("/"):
        body = body.get(name) if isinstance(body, dict) else None
    return body
