"""Changes the directory, pushes the change in the vendor's dialect, and writes down what came back.

A change here always stands, as in a real IdP; when the push fails, the person or group keeps the reason (`problem`)
and the next "push everything" tries again. Only a deletion waits for the other side: who can't be deleted there stays.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from threading import Lock

from simulated.company_idp.directory import Directory, Group, Person
from simulated.company_idp.journal import Journal, Push
from simulated.company_idp.settings import SettingsStore, Target
from simulated.dialects import speaking
from simulated.dialects.dialect import Dialect
from simulated.dialects.scim_client import Exchange, ScimError, ScimRefused, ScimUnreachable

Connect = Callable[[Target, Callable[[Exchange], None]], Dialect]
NOT_CONNECTED = "No bridge is connected yet, so nothing was pushed."
NOT_ASSIGNED = "Not assigned to provisioning, so nothing was pushed."


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a push of everything is: `done` of `total` in `phase`, the last one's name, and its problem if any."""

    phase: str
    done: int
    total: int
    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Somebody or some group that couldn't be pushed, and why."""

    name: str
    problem: str


def connect(target: Target, on_exchange: Callable[[Exchange], None]) -> Dialect:
    """The dialect that a target asks for, over real HTTP."""
    return speaking.connect(target.dialect, target.url, target.token, on_exchange)


class Provisioner:
    """The admin's actions. One push at a time: the next waits until the one before is answered."""

    def __init__(
        self,
        directory: Directory,
        settings: SettingsStore,
        journal: Journal,
        clock: Callable[[], datetime],
        connect: Connect = connect,
    ) -> None:
        self._directory, self._settings, self._journal = directory, settings, journal
        self._clock, self._connect = clock, connect
        self._one_at_a_time = Lock()
        #: Where the push of everything that is under way stands, if one is.
        self.progress: Progress | None = None

    # -- people -------------------------------------------------------------------------------------------------

    def create_person(self, person: Person) -> Push:
        """Adds somebody, and pushes them. Raises Conflict, Invalid."""
        person = self._directory.add_person(person)
        return self._push_one(person, f"Created {person.name}", lambda dialect: self._send_person(dialect, person))

    def change_person(self, person: Person) -> Push:
        """Stores a changed profile, and pushes it. Raises Conflict, Invalid."""
        person = self._directory.change_person(person)

        def send(dialect: Dialect) -> None:
            if person.remote_id:
                dialect.change_person(person)
            else:
                self._send_person(dialect, person)

        return self._push_one(person, f"Changed {person.name}", send)

    def set_active(self, person_id: str, active: bool) -> Push:
        """Deactivates or reactivates. Raises NotFound."""
        person = self._directory.set_active(self._directory.get_person(person_id).id, active)

        def send(dialect: Dialect) -> None:
            if person.remote_id:
                dialect.set_active(person)
            else:
                self._send_person(dialect, person)

        verb = "Reactivated" if active else "Deactivated"
        return self._push_one(person, f"{verb} {person.name}", send)

    def delete_person(self, person_id: str) -> Push:
        """Deletes there first, as the vendor does, then here. Raises NotFound."""
        person = self._directory.get_person(person_id)

        def send(dialect: Dialect) -> None:
            if person.remote_id:
                if not dialect.deletes_people:
                    self._take_from_groups(dialect, person.remote_id)
                _ignoring_gone(lambda: dialect.delete_person(person))

        push = self._push_one(person, f"Deleted {person.name}", send)
        if push.outcome != "refused":
            self._directory.remove_person(person.id)
        return push

    # -- groups -------------------------------------------------------------------------------------------------

    def create_group(self, group: Group) -> Push:
        """Adds an empty group, and pushes it. Raises Conflict, Invalid."""
        group = self._directory.add_group(group)
        return self._push(f"Created the group {group.name}", lambda d: self._send_group(d, group), group=group)

    def rename_group(self, group_id: str, name: str) -> Push:
        """Renames here and there. Raises NotFound, Conflict, Invalid."""
        before = self._directory.get_group(group_id)
        group = self._directory.rename_group(before.id, name)

        def send(dialect: Dialect) -> None:
            if group.remote_id:
                dialect.rename_group(group)
            else:
                self._send_group(dialect, group)

        return self._push(f"Renamed the group {before.name} to {group.name}", send, group=group)

    def delete_group(self, group_id: str) -> Push:
        """Deletes there first, then here. Raises NotFound."""
        group = self._directory.get_group(group_id)

        def send(dialect: Dialect) -> None:
            if group.remote_id:
                _ignoring_gone(lambda: dialect.delete_group(group))

        push = self._push(f"Deleted the group {group.name}", send, group=group)
        if push.outcome != "refused":
            self._directory.remove_group(group.id)
        return push

    def add_members(self, group_id: str, person_ids: Collection[str]) -> Push:
        """Adds people (by id or email) to a group. Raises NotFound."""
        group = self._directory.get_group(group_id)
        people = [self._directory.get_person(one) for one in person_ids]
        self._directory.add_members(group.id, [person.id for person in people])

        def send(dialect: Dialect) -> None:
            if group.remote_id is None:
                self._send_group(dialect, group)
                return
            there = [self._sent(dialect, person) for person in people if person.provisioned]
            dialect.add_members(group, there)
            self._directory.note_members(group.id, added=[str(person.remote_id) for person in there])

        return self._push(f"Added {_names(people)} to {group.name}", send, group=group)

    def remove_members(self, group_id: str, person_ids: Collection[str]) -> Push:
        """Removes people (by id or email) from a group. Raises NotFound."""
        group = self._directory.get_group(group_id)
        people = [self._directory.get_person(one) for one in person_ids]
        self._directory.remove_members(group.id, [person.id for person in people])

        def send(dialect: Dialect) -> None:
            gone = [person.remote_id for person in people if person.remote_id]
            if group.remote_id and gone:
                dialect.remove_members(group, gone)
                self._directory.note_members(group.id, removed=gone)

        return self._push(f"Removed {_names(people)} from {group.name}", send, group=group)

    # -- everything ---------------------------------------------------------------------------------------------

    def check_connection(self) -> Push:
        """Sends what the vendor's test button sends."""
        return self._push("Tested the connection", lambda dialect: dialect.check_connection())

    def push_everything(self) -> Iterator[Progress]:
        """Pushes everybody, then every group with its members; goes on after a refusal, stops when nobody answers.

        Yields a Progress after each; ends in a journal entry. Raises ScimError where nothing more can be tried.
        """
        target = self._settings.read().provisioning
        if target is None:
            self._journal.write(self._clock(), "Pushed everything", "not sent", NOT_CONNECTED)
            return
        failures: list[Failure] = []
        people = [person for person in self._directory.people() if person.provisioned]
        groups = self._directory.groups()
        with self._one_at_a_time:
            dialect = self._connect(target, lambda _: None)
            try:
                for progress in chain(
                    self._push_people(dialect, people, failures), self._push_groups(dialect, groups, failures)
                ):
                    self.progress = progress
                    yield progress
            except ScimError as error:
                self._journal.write(self._clock(), "Pushed everything", "refused", f"Stopped. {error}")
                raise
            finally:
                self.progress = None
        said = f"{len(people)} people and {len(groups)} groups, {len(failures)} refused."
        first = f" First: {failures[0].name}. {failures[0].problem}" if failures else ""
        self._journal.write(self._clock(), "Pushed everything", "refused" if failures else "accepted", said + first)

    def failures(self) -> list[Failure]:
        """Everybody and every group whose last push failed."""
        people = [Failure(person.name, person.problem) for person in self._directory.people() if person.problem]
        groups = [Failure(group.name, group.problem) for group in self._directory.groups() if group.problem]
        return people + groups

    def _push_people(self, dialect: Dialect, people: Sequence[Person], failures: list[Failure]) -> Iterator[Progress]:
        for done, person in enumerate(people, start=1):
            problem = self._attempt(partial(self._send_person, dialect, person))
            if problem:
                self._directory.note_person(person.id, remote_id=person.remote_id, problem=problem)
                failures.append(Failure(person.name, problem))
            yield Progress("people", done, len(people), person.name, problem)

    def _push_groups(self, dialect: Dialect, groups: Sequence[Group], failures: list[Failure]) -> Iterator[Progress]:
        for done, group in enumerate(groups, start=1):
            problem = self._attempt(partial(self._send_group, dialect, group))
            if problem:
                self._directory.note_group(group.id, remote_id=group.remote_id, problem=problem)
                failures.append(Failure(group.name, problem))
            yield Progress("groups", done, len(groups), group.name, problem)

    def _attempt(self, send: Callable[[], object]) -> str | None:
        """Sends; answers why it failed. What would fail for everybody is raised."""
        try:
            send()
        except ScimUnreachable:
            raise
        except ScimError as error:
            if isinstance(error, ScimRefused) and error.status in (401, 403):
                raise
            return str(error)
        return None

    def _send_person(self, dialect: Dialect, person: Person) -> Person:
        remote_id = dialect.push_person(person)
        self._directory.note_person(person.id, remote_id=remote_id)
        return replace(person, remote_id=remote_id)

    def _sent(self, dialect: Dialect, person: Person) -> Person:
        return person if person.remote_id else self._send_person(dialect, person)

    def _send_group(self, dialect: Dialect, group: Group) -> None:
        """The group, then all its members whom the other side has."""
        remote_id = dialect.push_group(group)
        if remote_id != group.remote_id:
            self._directory.note_group(group.id, remote_id=None)
        self._directory.note_group(group.id, remote_id=remote_id)
        there = [person for person in self._directory.members(group.id) if person.remote_id]
        known = self._directory.pushed_members(group.id)
        dialect.set_members(replace(group, remote_id=remote_id), there, known)
        now = {str(person.remote_id) for person in there}
        self._directory.note_members(group.id, added=now - known, removed=known - now)

    def _take_from_groups(self, dialect: Dialect, remote_id: str) -> None:
        for group in self._directory.groups():
            if group.remote_id and remote_id in self._directory.pushed_members(group.id):
                dialect.remove_members(group, [remote_id])
                self._directory.note_members(group.id, removed=[remote_id])

    def _push_one(self, person: Person, what: str, send: Callable[[Dialect], object]) -> Push:
        if not person.provisioned:
            return self._journal.write(self._clock(), what, "not sent", NOT_ASSIGNED)
        return self._push(what, send, person=person)

    def _push(
        self,
        what: str,
        send: Callable[[Dialect], object],
        *,
        person: Person | None = None,
        group: Group | None = None,
    ) -> Push:
        """Sends one change, notes on the person or group how it ended, and writes it down."""
        target = self._settings.read().provisioning
        if target is None:
            return self._journal.write(self._clock(), what, "not sent", NOT_CONNECTED)
        exchanges: list[Exchange] = []
        problem = None
        with self._one_at_a_time:
            try:
                send(self._connect(target, exchanges.append))
            except ScimError as error:
                problem = str(error)
            self._note(person, group, problem)
        said = problem or _accepted(exchanges)
        return self._journal.write(self._clock(), what, "refused" if problem else "accepted", said, exchanges)

    def _note(self, person: Person | None, group: Group | None, problem: str | None) -> None:
        """Writes down how it ended; their ids there may have changed on the way, so both are read again."""
        if person and (someone := self._directory.find_person(person.id)):
            self._directory.note_person(someone.id, remote_id=someone.remote_id, problem=problem)
        if group and (some := self._directory.find_group(group.id)):
            self._directory.note_group(some.id, remote_id=some.remote_id, problem=problem)


def _ignoring_gone(send: Callable[[], object]) -> None:
    """What isn't there any more needn't be deleted."""
    try:
        send()
    except ScimRefused as refusal:
        if refusal.status != 404:
            raise


def _accepted(exchanges: Sequence[Exchange]) -> str:
    if not exchanges:
        return "There was nothing to send."
    last = exchanges[-1]
    calls = "1 call" if len(exchanges) == 1 else f"{len(exchanges)} calls"
    return f"The bridge accepted it: {last.status} to {last.method} {last.address.split('?')[0]}, {calls}."


def _names(people: Sequence[Person]) -> str:
    if len(people) > 3:
        return f"{people[0].name} and {len(people) - 1} others"
    return ", ".join(person.name for person in people) or "nobody"
