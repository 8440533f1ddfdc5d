"""Checks out of JSON, and answers into it. Whatever isn't a check is refused with the place where it isn't one.

A check names a subject, an action and a resource as OpenID AuthZEN's Authorization API 1.0 does (5.1 to 5.3); each may
also be written as the command line has it: `"ana@acme.example"`, `"edit"`, `"source:web"`.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.domain.access_checks import MOST_CHECKS, Check, CheckAnswer, Checked
from bridge.domain.errors import Invalid
from bridge.domain.roles import find_area
from bridge.flows.access_checks import ExplainedCheck
from bridge.flows.access_json import wire_paths, wire_why_not
from bridge.flows.explain import ask

_PARTS = ("subject", "action", "resource")
_LONGEST = 400


def parse_checks(body: bytes) -> tuple[tuple[Check, ...], bool]:
    """One check, or those of a batch, in order; and whether it is a batch. Raises Invalid, `field` a path in the JSON.

    In a batch, what the checks have in common may stand once beside `checks` (AuthZEN 7.1.1).
    """
    said = _parse_json(body)
    if "checks" not in said:
        return (parse_check(said),), False
    common, checks = {name: said[name] for name in _PARTS if name in said}, said["checks"]
    _refuse_others(said, (*_PARTS, "checks"), "")
    if not isinstance(checks, list) or not checks:
        raise Invalid("checks is a list of at least one check.", field="checks")
    if len(checks) > MOST_CHECKS:
        raise Invalid(f"One call may ask at most {MOST_CHECKS:,} checks; these are {len(checks):,}.", field="checks")
    return tuple(
        parse_check(_object(one, f"checks[{n}]"), f"checks[{n}].", common) for n, one in enumerate(checks)
    ), True


def parse_one(body: bytes) -> Check:
    """One check. Raises Invalid."""
    return parse_check(_parse_json(body))


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is no JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from error
    if not isinstance(said, dict):
        raise Invalid("The body is a JSON object: a check, or checks.")
    return said


def parse_check(said: Mapping[str, Any], where: str = "", common: Mapping[str, Any] = {}) -> Check:
    """One check; `common` has what it doesn't say itself, `where` is its place. Raises Invalid."""
    _refuse_others(said, _PARTS, where)
    whole = {**common, **said}
    for name in _PARTS:
        if name not in whole:
            raise Invalid(f"A check has a {name}.", field=f"{where}{name}")
    subject = _parse_subject(whole["subject"], f"{where}subject")
    action = _parse_action(whole["action"], f"{where}action")
    target = _parse_resource(whole["resource"], action, f"{where}resource")
    try:
        question = ask(action, target)
    except Invalid as error:
        place = "action" if error.field == "action" else "resource"
        raise Invalid(error.text, field=f"{where}{place}") from error
    return Check(subject, question.action, question.type, question.resource)


def _parse_subject(said: Any, where: str) -> str:
    if isinstance(said, dict):
        _refuse_others(said, ("type", "id"), f"{where}.")
        if said.get("type", "user") != "user":
            raise Invalid("A subject is of the type user.", field=f"{where}.type")
        said, where = said.get("id"), f"{where}.id"
    return _text(said, "A subject is somebody's id or e-mail address.", where)


def _parse_action(said: Any, where: str) -> str:
    if isinstance(said, dict):
        _refuse_others(said, ("name",), f"{where}.")
        said, where = said.get("name"), f"{where}.name"
    return _text(said, "An action is read, edit or create.", where)


def _parse_resource(said: Any, action: str, where: str) -> str:
    """As the command line has it: `TYPE:ID`, or `TYPE` of what is to be created, or an area."""
    if not isinstance(said, dict):
        return _text(said, "A resource has a type and an id.", where)
    _refuse_others(said, ("type", "id"), f"{where}.")
    kind = _text(said.get("type"), "A resource has a type, such as source.", f"{where}.type")
    if action == "create":
        if said.get("id") is not None:
            raise Invalid("What is to be created has a type, and no id yet.", field=f"{where}.id")
        return kind
    if said.get("id") is None and find_area(kind):
        return kind
    return f"{kind}:{_text(said.get('id'), 'A resource has an id.', f'{where}.id')}"


def _object(said: Any, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Invalid("A check is an object of subject, action and resource.", field=where)
    return said


def _text(said: Any, otherwise: str, where: str) -> str:
    if not isinstance(said, str) or not said.strip() or len(said) > _LONGEST or "\0" in said:
        raise Invalid(otherwise, field=where)
    return said


def _refuse_others(said: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """What isn't understood is refused: a name with a slip in it would else change what is asked."""
    for name in said:
        if name not in known:
            raise Invalid(f"{name[:40]!r} is nothing to say here: {', '.join(known)}.", field=f"{where}{name[:40]}")


# -- Answers -------------------------------------------------------------------------------------------------------


def render_checked(checked: Checked, *, is_batch: bool) -> dict[str, Any]:
    """The answer to one check, or to a batch in its order."""
    answers = [render_answer(one) for one in checked.answers]
    return ({"checks": answers} if is_batch else answers[0]) | {"revision": checked.revision}


def render_answer(answer: CheckAnswer) -> dict[str, Any]:
    """Yes or no; `unknown` only where the workspace has no such person or resource."""
    return {"allowed": answer.allowed} | ({"unknown": answer.unknown} if answer.unknown else {})


def render_explained(explained: ExplainedCheck) -> dict[str, Any]:
    """The answer with every path that gives it; where it is no, with what stands in the way and what would give it."""
    reasons = {} if explained.why_not is None else wire_why_not(explained.why_not)
    because = {"because": wire_paths(explained.given)}
    return render_answer(explained.check) | because | reasons | {"revision": explained.revision}


def render_refusal(code: str, text: str, field: str | None = None) -> dict[str, Any]:
    """A refusal, in the form that `bridge --json` gives it too; `field` is where in the request the fault is."""
    return {"error": {"code": code, "message": text} | ({"field": field} if field else {})}
