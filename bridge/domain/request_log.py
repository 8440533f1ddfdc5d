"""The request log of SCIM: each call of a connection, its answer, and what it did, in one plain sentence
(product.md 4.6).

`Okta removed Tomás Herrera from eng-mobile; Source Admin on iOS Prod is lost.` A sentence names a few people and roles,
then counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.people import fold
from bridge.domain.roles import RESOURCE_TYPES
from bridge.domain.sentences import counted, listed

#: changed: rows of the directory are others now. unchanged: asked for what is so already. read: nothing was to change.
Outcome = Literal["changed", "unchanged", "read", "refused"]

#: "": whatever came of it. every_change: what was changed, and what was refused.
RequestsFilter = Outcome | Literal["", "every_change"]

_MOST_NAMED = 3
_LONGEST_NAME = 80
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class ProvisioningRequest:
    """One SCIM call. `id` is good for looking at it again and for going on after it.

    `request` and `answer` are JSON without secrets, long parts cut; None where there was none, or none was kept.
    """

    id: str
    at: datetime
    connection_id: str
    connection: str
    method: str
    path: str
    status: int
    outcome: Outcome
    sentence: str
    request: Any = None
    answer: Any = None


@dataclass(frozen=True, slots=True)
class RequestsQuery:
    """Which calls: of one connection's id, with an outcome, about a person or thing; older than the call `before`."""

    connection_id: str = ""
    outcome: RequestsFilter = ""
    about: str = ""
    before: str = ""


class Event(NamedTuple):
    """One audit event of the change that a call made, with the people and things as it names them."""

    type: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change did to access: `people` of those whom it moved gain or lose `what`.

    `people` None: it moved too many to ask about each, or none (a renaming), and `what` is what comes by the group.
    `still_out`: whom the change would let in stays out, for the reason in `what`.
    """

    kind: Literal["gain", "lose", "still_out"]
    what: str
    people: int | None
    moved: int


# -- What a change did -------------------------------------------------------------------------------


def tell_change(who: str, events: Sequence[Event], effects: Sequence[Effect] = ()) -> str:
    """What a change did, by its audit events and what followed for access."""
    deeds = [deed for event in events for deed in _deed(event, events)]
    if not deeds:
        return f"{who} changed {listed([event.type for event in events[:_MOST_NAMED]]) or 'nothing'}."
    return f"{who} {'; '.join((_some(deeds, 'change'), *_tell_effects(effects)))}."


def _deed(event: Event, every: Sequence[Event]) -> list[str]:
    tell = _DEEDS.get(event.type)
    return [tell(event, every)] if tell else []


def _created(event: Event, every: Sequence[Event]) -> str:
    again = ", who is a member again" if any(one.type == "membership.revived" for one in every) else ""
    inactive = "" if event.after.get("active", True) else ", as inactive"
    return f"added {_name(event.after)}{again}{inactive}{_without_account(event.after)}"


def _without_account(said: Mapping[str, Any]) -> str:
    """A record without an address of its own is linked to nobody (product.md 4.8)."""
    if said.get("linked", True):
        return ""
    return f", without an account since {'another record has its' if said.get('email') else 'it has no'} email address"


def _changed(event: Event, every: Sequence[Event]) -> str:
    words = {"user_name": "user name", "name": "name", "email": "email", "external_id": "external id"}
    others = [word for key, word in words.items() if event.before.get(key) != event.after.get(key)]
    if others == ["name"]:
        return f"renamed {_name(event.before)} to {_name(event.after)}"
    if not others and _is_linked_now(event):
        return f"linked {_name(event.after)} with their account{_that_follows(every)}"
    return f"changed {listed(others) or 'details'} of {_name(event.after)}{_that_follows(every)}"


def _is_linked_now(event: Event) -> bool:
    """A record that had to wait has got its person."""
    return not event.before.get("linked", True) and event.after.get("linked", True) is True


def _deleted(event: Event, every: Sequence[Event]) -> str:
    if any(one.type == "directory_user.changed" and _is_linked_now(one) for one in every):
        return f"deleted one of two records of {_name(event.before)}"
    return f"deleted {_name(event.before)}{_out(event.before, 'for good')}"


def _that_follows(every: Sequence[Event]) -> str:
    """What a record's new address does beyond the record."""
    kinds = {one.type for one in every}
    if kinds & {"membership.created", "membership.revived"}:
        return ", who is a member now"
    return ", and with it the address of the account" if "user.email_changed" in kinds else ""


def _group_changed(event: Event, _: Sequence[Event]) -> str:
    before, after = _name(event.before), _name(event.after)
    return f"renamed the IdP group {before} to {after}" if before != after else f"changed the external id of {after}"


def _group_deleted(event: Event, _: Sequence[Event]) -> str:
    had, gave = counted(event.before.get("members", 0), "person", "people"), event.before.get("gave") or ()
    given = f" and gave {_some(gave, 'role')}" if gave else ""
    return f"deleted the IdP group {_name(event.before)}, which had {had}{given}"


def _moved(verb: str, word: str) -> Any:
    def tell(event: Event, _: Sequence[Event]) -> str:
        names = [_cut(person["name"]) for person in event.after.get("people", ())]
        people = _some(names, "person", "people", int(event.after.get("count", len(names))))
        return f"{verb} {people} {word} {_cut(event.after.get('group', ''))}"

    return tell


def _out(said: Mapping[str, Any], how: str) -> str:
    """A record that is linked to nobody takes nobody out."""
    return f", who is out {how}" if said.get("linked", True) else ""


_DEEDS: Mapping[str, Any] = {
    "directory_user.created": _created,
    "directory_user.changed": _changed,
    "directory_user.deactivated": lambda event, _: f"deactivated {_name(event.after)}{_out(event.after, 'at once')}",
    "directory_user.reactivated": lambda event, _: f"activated {_name(event.after)} again",
    "directory_user.deleted": _deleted,
    "idp_group.created": lambda event, _: f"made the IdP group {_name(event.after)}",
    "idp_group.changed": _group_changed,
    "idp_group.deleted": _group_deleted,
    "idp_group.members_added": _moved("added", "to"),
    "idp_group.members_removed": _moved("removed", "from"),
}


def _tell_effects(effects: Sequence[Effect]) -> list[str]:
    by_kind = {kind: [one for one in effects if one.kind == kind] for kind in ("lose", "gain", "still_out")}
    return [part for kind, found in by_kind.items() if found for part in _tell_effect(kind, found)]


def _tell_effect(kind: str, effects: Sequence[Effect]) -> list[str]:
    """One person: what; several, all alike: once; else how many of them."""
    if kind == "still_out":
        return [f"still out: {effects[0].what}"]
    what = _some([one.what for one in effects], "role")
    numbers = {(one.people, one.moved) for one in effects}
    if numbers == {(1, 1)}:
        return [f"{what} {'is' if len(effects) == 1 else 'are'} {'lost' if kind == 'lose' else 'gained'}"]
    if len(numbers) > 1:
        return [f"some of them {kind} {what}"]
    people, moved = numbers.pop()
    if moved == 0:
        verb = "comes" if len(effects) == 1 else "come"
        return [f"{what} {verb} by it {'no more' if kind == 'lose' else 'now'}"]
    if people is None:
        return [f"what comes by it: {what}"]
    if people == 1:
        return [f"1 of {moved} {kind}s {what}"]
    return [f"{f'all {moved}' if people == moved else f'{people} of {moved}'} {kind} {what}"]


def _some(words: Sequence[str], singular: str, plural: str | None = None, count: int | None = None) -> str:
    """A few by name, then how many more."""
    count = len(words) if count is None else count
    named = list(words[:_MOST_NAMED] if count <= _MOST_NAMED else words[: _MOST_NAMED - 1])
    if not named:
        return counted(count, singular, plural)
    more = count - len(named)
    return listed([*named, counted(more, f"more {singular}", f"more {plural or singular + 's'}")] if more else named)


def _name(said: Mapping[str, Any]) -> str:
    return _cut(said.get("name") or said.get("user_name") or "somebody")


def _cut(text: Any) -> str:
    plain = " ".join(str(text).split())
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}…"


def about_change(events: Iterable[Event]) -> str:
    """Whom and what a change names, folded, to search in."""
    words: list[str] = []
    for event in events:
        for said in (event.before, event.after):
            words += [str(said[key]) for key in ("name", "user_name", "email", "external_id", "group") if said.get(key)]
            words += [person["name"] for person in said.get("people", ())]
    return fold(" ".join(dict.fromkeys(words)))


def name_grant(given: RoleInScope, names: Mapping[ResourceRef, str]) -> str:
    """A role and where it holds: `Source Admin on iOS Prod`. `names` are those of listed resources, where known."""
    if not given.role.scopable:
        return given.role.name
    plural = RESOURCE_TYPES[given.role.resource_type or "source"][1]
    if given.scope.kind == "all":
        return f"{given.role.name} on all {plural}"
    if given.scope.kind == "labels":
        return f"{given.role.name} on {plural} with {listed([str(label) for label in sorted(given.scope.labels)])}"
    called = sorted((_cut(names.get(ref, ref.id)) for ref in given.scope.resources), key=fold)
    return f"{given.role.name} on {_some(called, 'resource')}"


# -- What was asked for ------------------------------------------------------------------------------

_PLACE = re.compile(r"^(?:/scim/v2)?/(?P<collection>[^/?]*)(?:/(?P<rest>[^?]*))?(?:\?(?P<query>.*))?$", re.DOTALL)
_NOUNS = {"users": ("a person", "people"), "groups": ("an IdP group", "IdP groups")}
_DISCOVERY = frozenset({"serviceproviderconfig", "resourcetypes", "schemas"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, taken apart: what kind of thing it is about, which one by id, and by which filter it looks."""

    method: str
    collection: str
    thing: str
    query: str
    name: str = ""

    @property
    def searches(self) -> bool:
        """Whether it looks for things."""
        return self.thing == ".search" or (self.method in ("GET", "HEAD") and not self.thing)

    @property
    def reads(self) -> bool:
        """Whether it is to change nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS") or self.thing == ".search" or self.collection == ".search"


def take_apart(method: str, path: str, name: str = "") -> Asked:
    """A call by its method and address; `name` is that of the person or IdP group, where it is known."""
    found = _PLACE.match(path)
    parts = found.groupdict("") if found else {"collection": "", "rest": "", "query": ""}
    collection, thing = (parts[part].rstrip("/").removesuffix(".scim") for part in ("collection", "rest"))
    return Asked(method, collection.lower(), thing, parts["query"], _cut(name) if name else "")


def tell_read(who: str, asked: Asked, found: int | None, shown: int | None) -> str:
    """What a call was told that changed nothing. `found` things matched, `shown` of them were in the answer."""
    one, many = _NOUNS.get(asked.collection, ("something", "people and IdP groups"))
    of_one = {"people": "person", "IdP groups": "IdP group"}.get(many)
    if asked.collection in _DISCOVERY:
        return f"{who} asked what the bridge supports."
    if found is None:
        return f"{who} read {asked.name or one}."
    sought = _sought(asked.query)
    if sought:
        return f"{who} looked for {many} with {sought}: found {found or 'none'}."
    return f"{who} read {shown or 'none'} of {counted(found, of_one or many, many)}."


def _sought(query: str) -> str:
    """The filter of a query, as far as it is short."""
    said = re.search(r"(?:^|&)filter=([^&]*)", query)
    if said is None:
        return ""
    return said[1] if len(said[1]) <= 2 * _LONGEST_NAME else f"{said[1][: 2 * _LONGEST_NAME]}…"


def tell_unchanged(who: str, asked: Asked) -> str:
    """A write that asked for what was so already."""
    one, _ = _NOUNS.get(asked.collection, ("something", ""))
    return f"{who} sent what the bridge knew already of {asked.name or one}: nothing changed."


def tell_bulk(who: str, done: int, reasons: Sequence[str]) -> str:
    """Many operations in one call: how many were done, and why others were not (RFC 7644 3.7)."""
    sent = f"{who} sent {counted(done + len(reasons), 'operation')} at once: {done or 'none'} done"
    return f"{sent}, {len(reasons)} refused, the first for: {_reason(reasons[0])}." if reasons else f"{sent}."


def tell_refusal(who: str, asked: Asked, reason: str) -> str:
    """What a call couldn't do, and why."""
    one, many = _NOUNS.get(asked.collection, ("something", "people and IdP groups"))
    if asked.searches or asked.collection == ".search":
        tried = f"look for {many}"
    else:
        tried = f"{_VERBS.get(asked.method, 'call')} {asked.name or one}"
    return f"{who} couldn’t {tried}: {_reason(reason)}."


def _reason(reason: str) -> str:
    why = " ".join(reason.split()).rstrip(".")
    return f"{why[:_LONGEST_REASON]}…" if len(why) > _LONGEST_REASON else why


_VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete", "GET": "read", "HEAD": "read"}
