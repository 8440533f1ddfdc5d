"""What applications are told of a world by `/access/check`, held to what the facts mean: everybody and everything in
one call, some of it in calls of their own, and that each answer stands as long as it says.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import cycle
from typing import Any

from flask import Flask, g

from bridge.domain import access_facts as meaning
from bridge.domain.access import EVERYWHERE, Action, ResourceRef, RoleInScope
from bridge.domain.access_facts import Facts, Person
from bridge.domain.roles import AREAS, OWNER, RESOURCE_TYPES
from bridge.domain.workspace import Workspace
from bridge.flows.context import OPERATOR, Context
from bridge.flows.tokens import create_api_token
from bridge.web import access_api
from bridge.web.access_tags import Tag, parse_tags

#: One in so many is asked alone, too.
_ALONE = 5
#: When all that ends by time alone has ended.
_LONG_AFTER = timedelta(days=400)
_ON_AREAS: tuple[Action, ...] = ("edit", "read")

Asked = tuple[Person, Action, ResourceRef | str]


def targets(refs: Iterable[ResourceRef]) -> list[tuple[Action, ResourceRef | str]]:
    """All that can be asked: read and edit of each resource, create of each type, read or edit of each area."""
    found: list[tuple[Action, ResourceRef | str]] = []
    for ref in refs:
        found += [("read", ref), ("edit", ref)]
    found += [("create", kind) for kind in RESOURCE_TYPES]
    return found + list(zip(cycle(_ON_AREAS), AREAS, strict=False))


@dataclass(frozen=True, slots=True)
class _Application:
    """One that asks about a workspace, at this moment."""

    context: Context
    workspace: Workspace
    now: datetime
    token: str

    def ask(self, body: dict[str, Any]) -> tuple[dict[str, Any], datetime | None]:
        """What is answered, and until when it stands, if time alone ends it."""
        app = _app()
        app.extensions["bridge"], app.extensions["now"] = self.context, self.now
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        said = app.test_client().post("/access/check", data=json.dumps(body), headers=headers)
        assert said.status_code == 200, said.data
        tag: Tag = next(parse_tags(said.headers["ETag"]))
        answer: dict[str, Any] = json.loads(said.data)
        return answer, tag.until

    def check(self, number: int, asked: Asked) -> dict[str, Any]:
        """The person by their address, or by the id of their account."""
        person, action, target = asked
        slug = self.workspace.slug
        subject = f"{slug}-account of {person.id}" if number % 2 else f"{person.id}@{slug}.example"
        return {"subject": subject, "action": action, "resource": str(target)}


@cache
def _app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(access_api.blueprint)

    @app.before_request
    def at_that_moment() -> None:
        g.now = app.extensions["now"]

    return app


def check_api(context: Context, workspace: Workspace, facts: Facts, now: datetime) -> None:
    """It makes a token in the workspace: ask for its facts before."""
    made = create_api_token(context, OPERATOR, workspace.slug, [RoleInScope(OWNER, EVERYWHERE)], None, "", now)
    asking = _Application(context, workspace, now, made.token)
    people, refs = sorted(facts.people, key=repr), sorted(ref for ref, _ in facts.resources)
    asked: list[Asked] = [(person, action, target) for person in people for action, target in targets(refs)]
    checks = [asking.check(number, one) for number, one in enumerate(asked)]
    said, until = asking.ask({"checks": checks})
    _hold(facts, asked, said["checks"], now, until)
    for number in range(0, len(asked), _ALONE):
        alone, until = asking.ask(checks[number])
        assert alone.pop("revision") == said["revision"]
        _hold(facts, [asked[number]], [alone], now, until)


def _hold(
    facts: Facts, asked: list[Asked], answers: list[dict[str, Any]], now: datetime, until: datetime | None
) -> None:
    last = (until or now + _LONG_AFTER) - timedelta(microseconds=1)
    for at in (now, max(now, last)):  # groups of a login count at their last moment, too
        meant = [{"allowed": meaning.may(facts, *one, at)} for one in asked]
        assert answers == meant, f"check_api at {at}: {_first(asked, answers, meant)}"


def _first(asked: list[Asked], answers: list[dict[str, Any]], meant: list[dict[str, Any]]) -> str:
    return next(f"{one}: {said}" for one, said, right in zip(asked, answers, meant, strict=True) if said != right)
