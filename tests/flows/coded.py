"""A workspace's files in tests: read, planned and applied as the command does, with a small world outside."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from textwrap import dedent

from bridge.domain.as_code_reading import read_file
from bridge.domain.as_code_writing import write_file
from bridge.domain.errors import Invalid, OutsideFailed
from bridge.domain.web_calls import WebCall, WebReply
from bridge.flows.as_code import Plan, apply_file, export_workspace, plan_file
from bridge.flows.as_code_outside import Ways, find_outside
from bridge.flows.context import OPERATOR, Context

ISSUER = "https://login.kicks.example"


@dataclass(slots=True)
class Outside:
    """Variables, files beside the workspace's, and pages on the web; `asked` are the addresses that were called."""

    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def ways(self) -> Ways:
        """How flows reach it."""
        return Ways(self.environment, self._read, self._fetch, self._turn)

    def _read(self, name: str) -> bytes:
        if name not in self.files:
            raise Invalid(f"{name}: No such file or directory.")
        return self.files[name]

    def _fetch(self, url: str, *, timeout: float, max_bytes: int) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise OutsideFailed("Nobody answers there.")
        return self.pages[url]

    @contextmanager
    def _turn(self) -> Iterator[Callable[[WebCall], WebReply]]:
        yield lambda call: WebReply(200, "application/json", self._fetch(call.url, timeout=1, max_bytes=1))


def a_provider() -> Outside:
    """A world in which ISSUER answers."""
    found = {"issuer": ISSUER, "response_types_supported": ["code"], "subject_types_supported": ["public"]}
    found |= {name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    found |= {"id_token_signing_alg_values_supported": ["RS256"]}
    return Outside(pages={f"{ISSUER}/.well-known/openid-configuration": json.dumps(found).encode()})


def export(context: Context, slug: str = "kicks") -> str:
    """The workspace's file."""
    return write_file(export_workspace(context, slug))


def full(text: str, slug: str = "kicks") -> bytes:
    """A file of which only the interesting part is written."""
    return text.encode() if text.startswith("version") else f"version: 1\nworkspace: {slug}\n{dedent(text)}".encode()


def planned(context: Context, text: str, now: datetime, *, prune: bool = False, outside: Outside | None = None) -> Plan:
    """What `bridge plan` finds."""
    read = read_file(full(text))
    found = find_outside(context, read.workspace.slug, read, (outside or Outside()).ways, now)
    return plan_file(context, OPERATOR, found, read, now, prune=prune)


def applied(
    context: Context,
    text: str,
    now: datetime,
    *,
    prune: bool = False,
    agreed: bool = True,
    expect: str | None = None,
    outside: Outside | None = None,
) -> Plan:
    """What `bridge apply` does."""
    read = read_file(full(text))
    found = find_outside(context, read.workspace.slug, read, (outside or Outside()).ways, now)
    return apply_file(context, OPERATOR, found, read, now, prune=prune, agreed=agreed, expect=expect)


def steps(plan: Plan) -> list[str]:
    """The steps in short: `+ label team:growth`."""
    signs: Mapping[str, str] = {"create": "+", "change": "~", "delete": "-"}
    return [f"{signs[one.step.action]} {one.step.what} {one.step.name}" for one in plan.steps]


def moved(plan: Plan) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Who gains and who loses what: terms by address."""
    sides = (
        {one.email: [f"{given.role.id} {','.join(given.scope.render())}" for given in one.roles] for one in side.people}
        for side in (plan.gains, plan.loses)
    )
    gains, loses = sides
    return gains, loses
