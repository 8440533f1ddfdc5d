"""One examination under way: who was made, what was asked last, and what was found wrong."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulated.dialects.dialect import Dialect
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Exchange, Resource, ScimMalformed, ScimRefused, ScimUnreachable, quote
from simulated.examiner.answers import check_answer
from simulated.examiner.careful_client import CarefulClient, NotOurs
from simulated.examiner.comparing import OPTIONAL, member_ids, person_differences
from simulated.examiner.findings import Fault, Outcome, Step

ENTRA_COMPATIBILITY = "Entra ID: application-provisioning-config-problem-scim-compatibility"
_SHOWN = 300
_ONE = {"Users": "person", "Groups": "group"}


class Skipped(Exception):
    """A step that can't be tried, or that this vendor doesn't have; says why."""


@dataclass(slots=True)
class Examination:
    """`people` and `groups` are those that are there, with their ids; `others` were made for one step only. `not_kept`:
    what the server has no place for. `refused`: kinds (`Users`) that the vendor can't make there.
    """

    dialect: Dialect
    client: CarefulClient
    on_start: Callable[[str], None] = lambda _: None
    people: list[Person] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    others: list[Person] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    not_kept: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    calls: int = 0
    _step: str = ""
    _is_wrong: bool = False
    _answered: bool = False
    _asked: Exchange | None = None
    _change: Exchange | None = None
    _told: set[str] = field(default_factory=set)
    _known_wrong: set[tuple[str, str, str]] = field(default_factory=set)

    # -- steps --------------------------------------------------------------------------------------------------

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Runs a block as one step. What the block appends to the list is said with it.

        A refusal, an answer that can't be read and a change of somebody else's are faults, and end the step. Whatever
        else is raised goes on.
        """
        self._step, self._is_wrong, self._asked, self._change = title, False, None, None
        self.on_start(title)
        calls, says, was_skipped = self.calls, list[str](), False
        try:
            yield says
        except Skipped as reason:
            says.append(str(reason))
            was_skipped = True
        except (ScimRefused, ScimMalformed, NotOurs) as error:
            self.blame(error)
        except ScimUnreachable as error:
            says.append(str(error))
            was_skipped = not self._blame_silence(str(error))
            raise
        except BaseException as error:
            says.append(str(error) or "Broken off.")
            was_skipped = True
            raise
        finally:
            outcome: Outcome = "wrong" if self._is_wrong else "skipped" if was_skipped else "right"
            self.steps.append(Step(title, outcome, self.calls - calls, " ".join(says)))

    def tell_progress(self, number: int, of: int) -> None:
        """Within a long step."""
        self.on_start(f"{self._step}, {number} of {of}")

    @property
    def asked(self) -> Exchange | None:
        """The step's last call."""
        return self._asked

    def hear(self, exchange: Exchange) -> None:
        """Every answer comes by here, and is judged by itself."""
        self.calls += 1
        self._asked = exchange
        self._answered |= exchange.status is not None
        if exchange.method != "GET":
            self._change = exchange
        for one in check_answer(exchange):
            self._write_down(exchange, one.expected, one.got, one.why, one.standard)

    def expect(self, holds: bool, *, expected: str, got: str, why: str, standard: str) -> bool:
        """Writes a fault down unless it `holds`; about this step's last change, or else its last question."""
        if not holds:
            self._write_down(self._change or self._asked, expected, got, why, standard)
        return holds

    def after_change(self) -> tuple[str, str]:
        """How a sentence about the last change begins, and the paragraph that it stands under."""
        return render_change(self._change) if self._change else ("", "RFC 7644 3.4")

    def expect_new(self, kind: str, remote_id: str, known: Sequence[Person | Group]) -> bool:
        """A new one has an id of its own; else the look-up before it found another, which has now been changed."""
        why = f"{self.dialect.name} looked up a new {_ONE[kind]}, was told of another, and changed that one instead."
        is_new = remote_id not in {one.remote_id for one in known}
        return self.expect(is_new, expected="another id", got=remote_id, why=why, standard="RFC 7644 3.4.2.2")

    def make(self, kind: str, push: Callable[[], str], plain: Resource) -> str:
        """Pushes as the vendor does. One who is refused is a fault, and made in the standard's words instead, so that
        the steps after this have somebody. Answers the id; raises the vendor's refusal where that is refused too.
        """
        try:
            return push()
        except ScimRefused as refusal:
            self.blame(refusal)
            self.refused.add(kind)
            try:
                return self.client.create(kind, plain)
            except ScimRefused:
                raise refusal from None

    def forget_change(self) -> None:
        """What is found wrong from here on is about questions."""
        self._change = None

    def _write_down(self, about: Exchange | None, expected: str, got: str, why: str, standard: str) -> None:
        """The same sentence is told once; each step that it holds of is wrong all the same."""
        self._is_wrong = True
        if why not in self._told:
            self._told.add(why)
            self.faults.append(Fault(self._step, render_request(about) if about else "", expected, got, why, standard))

    # -- look-ups and comparisons -------------------------------------------------------------------------------

    def find(self, kind: str, filter_: str, **parameters: str) -> list[Resource]:
        """All that a filter finds on the first page. Raises ScimMalformed where the answer is no list."""
        listed = self.client.call("GET", kind, parameters={"filter": filter_, **parameters}).get("Resources", [])
        if not isinstance(listed, list) or any(not isinstance(one, dict) for one in listed):
            raise ScimMalformed("Resources isn't a list of objects.")
        return listed

    def expect_found(self, kind: str, filter_: str, remote_ids: Sequence[str], why: str) -> bool:
        """Looks up; exactly these must be found. `why`: what it means when they aren't."""
        self.forget_change()
        found = [str(one.get("id")) for one in self.find(kind, filter_)]
        if set(found) - set(remote_ids) and remote_ids:
            why = f"The filter {filter_} also answered what doesn't match it."
        shown, wanted = ", ".join(found[:5]) or "an empty list", ", ".join(remote_ids) or "an empty list"
        holds = found == list(remote_ids)
        return self.expect(holds, expected=wanted, got=shown, why=why, standard="RFC 7644 3.4.2.2")

    def expect_person(self, person: Person, *, new: bool = False) -> None:
        """Reads somebody back; what was sent must be there. `new`: what a server has no place for is noted.

        What was found wrong before isn't told again until it changes.
        """
        resource = self.client.call("GET", f"Users/{person.remote_id}")
        found = list(person_differences(person, resource, self.dialect.unsent))
        if new:
            self.not_kept |= {one.attribute for one in found if one.is_missing and one.attribute in OPTIONAL}
        wrong = [one for one in found if one.attribute not in self.not_kept]
        fresh = [one for one in wrong if (person.id, one.attribute, one.expected) not in self._known_wrong]
        self._known_wrong |= {(person.id, one.attribute, one.expected) for one in wrong}
        self._is_wrong |= bool(wrong)
        after, standard = self.after_change()
        for one in fresh:
            expected, got = f"{one.attribute}: {one.expected}", f"{one.attribute}: {one.got}"
            self.expect(False, expected=expected, got=got, why=f"{after}{one.why}", standard=one.standard or standard)

    def read_members(self, group: Group) -> list[str]:
        """Reads a group back; answers its members' ids."""
        return member_ids(self.client.call("GET", f"Groups/{group.remote_id}"))

    def expect_gone(self, path: str, filter_: str | None) -> None:
        """After a DELETE that succeeded: neither read nor, if there is a filter, found (RFC 7644 3.6)."""
        kind = path.partition("/")[0]
        there = self.client.read(path) is not None
        found = self.find(kind, filter_) if filter_ and not there else []
        got = "still read" if there else "still found by a filter" if found else ""
        why = f"The DELETE of a {_ONE[kind]} was answered as done, and the {_ONE[kind]} is still there."
        if not self.expect(not got, expected="404, and nothing found", got=got, why=why, standard="RFC 7644 3.6"):
            self.client.made[path] = self.client.deleted.pop(path)

    def keep_person(self, person: Person) -> Person:
        """Notes how somebody is from now on."""
        self.people = [person if one.id == person.id else one for one in self.people]
        return person

    def keep_group(self, group: Group) -> Group:
        """Notes how a group is from now on."""
        self.groups = [group if one.id == group.id else one for one in self.groups]
        return group

    # -- blame --------------------------------------------------------------------------------------------------

    def blame(self, error: Exception) -> None:
        """Writes down what ended a step, or would have; a 5xx has been already."""
        self._is_wrong = True
        who = self.dialect.name
        if isinstance(error, NotOurs):
            why = (
                f"{who} looked up its own, was told of somebody else ({error.path}), and would now have overwritten "
                "them. Nothing was sent."
            )
            self._blame_last("nobody, or who was looked up", error.path, why, "RFC 7644 3.4.2.2")
        elif isinstance(error, ScimRefused) and error.status < 500:
            reason = f"{error.status} {error.scim_type or ''}".strip()
            detail = " ".join(error.detail.split())[:_SHOWN].rstrip(".")
            said = f": {detail}" if detail else ""
            why = f"What {who} sends every day was refused with {reason}{said}."
            self._blame_last("a success", reason, why, self.dialect.document)
        elif not isinstance(error, ScimRefused):
            self._blame_last("an answer that an IdP can go on with", str(error), str(error), "RFC 7644 3")

    def _blame_silence(self, why: str) -> bool:
        """Whether it is a fault: nobody is there at all where nothing was ever answered."""
        if self._answered:
            self._blame_last("an answer", "none", why, "RFC 9110 3.4")
        return self._answered

    def _blame_last(self, expected: str, got: str, why: str, standard: str) -> None:
        self._write_down(self._asked, expected, got, why, standard)


def by_user_name(email: str) -> str:
    """The filter that every vendor looks people up with."""
    return f"userName eq {quote(email)}"


def by_name(group: Group) -> str:
    """The filter that vendors look groups up with."""
    return f"displayName eq {quote(group.name)}"


def render_request(exchange: Exchange) -> str:
    """A request in a line, its body cut, without the password."""
    body = dict(exchange.sent) if exchange.sent else None
    if body and "password" in body:
        body["password"] = "…"  # noqa: S105 - this hides one
    text = f"{exchange.method} {exchange.address} {json.dumps(body, ensure_ascii=False) if body else ''}".strip()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def render_change(exchange: Exchange) -> tuple[str, str]:
    """("After `remove members[value eq …]` ", "RFC 7644 3.5.2.2"): the first operation of a PATCH stands for all."""
    if exchange.method != "PATCH":
        paragraph = {"POST": "3.3", "PUT": "3.5.1"}.get(exchange.method, "3.6")
        return f"After a {exchange.method} ", f"RFC 7644 {paragraph}"
    first = exchange.sent["Operations"][0]
    paragraph = {"add": "1", "remove": "2"}.get(first["op"].lower(), "3")
    if "path" not in first:
        return f"After `{first['op']}` without a path ", f"RFC 7644 3.5.2.{paragraph}"
    path = re.sub(r'"[^"]*"', "…", first["path"])
    if first["op"].lower() == "remove" and "value" in first:
        # The RFC knows no such removal; Entra sends it, and says what it means.
        return f"After `{first['op']} {path}` with an array of values ", ENTRA_COMPATIBILITY
    return f"After `{first['op']} {path}` ", f"RFC 7644 3.5.2.{paragraph}"
