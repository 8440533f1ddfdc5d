"""The company's people and groups, and what of them the other side is known to have."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from simulated.company_idp.database import Database
from simulated.company_idp.errors import Conflict, Invalid, NotFound
from simulated.dialects import people

_PERSON_FIELDS = ("email", "given_name", "family_name", "title", "department")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Person(people.Person):
    """One of the company's people.

    `provisioned`: whether they are pushed; who isn't may still sign in. `problem`: why the last push of them failed.
    """

    provisioned: bool = True
    featured: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Group(people.Group):
    """One of the company's groups; `problem` as a person's."""

    description: str = ""
    member_count: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list of people: `total` counts all that were found."""

    people: tuple[Person, ...]
    total: int


class Directory:
    """Queries and changes. Every change is one transaction; nothing here talks to the other side."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- people -------------------------------------------------------------------------------------------------

    def search(self, text: str = "", *, group_id: str | None = None, offset: int = 0, limit: int = 50) -> Page:
        """People whose name or email contains `text`, by name; only a group's members if it is given."""
        pattern = f"%{_escape_like(text.strip())}%"
        where = "(given_name || ' ' || family_name LIKE ? ESCAPE '!' OR email LIKE ? ESCAPE '!')"
        values: list[object] = [pattern, pattern]
        if group_id is not None:
            where += " AND id IN (SELECT person_id FROM members WHERE group_id = ?)"
            values.append(group_id)
        with self._database.transaction() as db:
            total = db.execute(f"SELECT count(*) FROM people WHERE {where}", values).fetchone()[0]  # noqa: S608
            rows = db.execute(
                f"SELECT * FROM people WHERE {where} ORDER BY given_name, family_name, id LIMIT ? OFFSET ?",  # noqa: S608
                [*values, limit, offset],
            ).fetchall()
        return Page(tuple(_person(row) for row in rows), total)

    def people(self) -> tuple[Person, ...]:
        """Everybody, by name."""
        return self.search(limit=-1).people

    def featured(self) -> tuple[Person, ...]:
        """Those whom the login page offers, in the story's order."""
        with self._database.transaction() as db:
            rows = db.execute("SELECT * FROM people WHERE featured != '' ORDER BY rowid").fetchall()
        return tuple(_person(row) for row in rows)

    def find_person(self, id_or_email: str) -> Person | None:
        """The person with that id, or that email without case."""
        with self._database.transaction() as db:
            row = db.execute("SELECT * FROM people WHERE id = ? OR email = ?", (id_or_email, id_or_email)).fetchone()
        return _person(row) if row else None

    def get_person(self, id_or_email: str) -> Person:
        """As `find_person`; raises NotFound."""
        person = self.find_person(id_or_email)
        if person is None:
            raise NotFound(f"Nobody here is {id_or_email[:100]}.")
        return person

    def add_person(self, person: Person) -> Person:
        """Adds somebody. Raises Conflict if the email is taken, Invalid if a field can't be used."""
        _check_person(person)
        with self._database.transaction() as db:
            try:
                _insert_person(db, person)
            except sqlite3.IntegrityError as error:
                raise Conflict(f"{person.email} is taken.") from error
        return person

    def change_person(self, person: Person) -> Person:
        """Stores the profile (email, names, title, department) of somebody who exists."""
        _check_person(person)
        sets = ", ".join(f"{name} = ?" for name in _PERSON_FIELDS)
        values = [getattr(person, name) for name in _PERSON_FIELDS]
        with self._database.transaction() as db:
            try:
                db.execute(f"UPDATE people SET {sets} WHERE id = ?", [*values, person.id])  # noqa: S608
            except sqlite3.IntegrityError as error:
                raise Conflict(f"{person.email} is taken.") from error
        return self.get_person(person.id)

    def set_active(self, person_id: str, active: bool) -> Person:
        """Deactivates or reactivates; whoever is inactive can't sign in, and the sessions they have end."""
        with self._database.transaction() as db:
            db.execute("UPDATE people SET active = ? WHERE id = ?", (active, person_id))
            if not active:
                db.execute("DELETE FROM sessions WHERE person_id = ?", (person_id,))
        return self.get_person(person_id)

    def remove_person(self, person_id: str) -> None:
        """Forgets a person, and their place in groups."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE person_id = ?", (person_id,))
            db.execute(
                "DELETE FROM pushed_members WHERE remote_id = (SELECT remote_id FROM people WHERE id = ?)", (person_id,)
            )
            db.execute("DELETE FROM people WHERE id = ?", (person_id,))

    def groups_of(self, person_id: str) -> tuple[Group, ...]:
        """The groups somebody is in, by name."""
        return self._groups("WHERE g.id IN (SELECT group_id FROM members WHERE person_id = ?)", person_id)

    # -- groups -------------------------------------------------------------------------------------------------

    def groups(self) -> tuple[Group, ...]:
        """Every group, by name."""
        return self._groups("")

    def find_group(self, id_or_name: str) -> Group | None:
        """The group with that id, or that name without case."""
        return next(iter(self._groups("WHERE g.id = ? OR g.name = ?", id_or_name, id_or_name)), None)

    def get_group(self, id_or_name: str) -> Group:
        """As `find_group`; raises NotFound."""
        group = self.find_group(id_or_name)
        if group is None:
            raise NotFound(f"There is no group {id_or_name[:100]}.")
        return group

    def add_group(self, group: Group) -> Group:
        """Adds an empty group. Raises Conflict if the name is taken."""
        name = _check_text("The name of a group", group.name)
        with self._database.transaction() as db:
            try:
                db.execute(
                    "INSERT INTO groups (id, name, description) VALUES (?, ?, ?)", (group.id, name, group.description)
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(f"There is a group {name} already.") from error
        return self.get_group(group.id)

    def rename_group(self, group_id: str, name: str) -> Group:
        """Raises Conflict if another group has that name."""
        name = _check_text("The name of a group", name)
        with self._database.transaction() as db:
            try:
                db.execute("UPDATE groups SET name = ? WHERE id = ?", (name, group_id))
            except sqlite3.IntegrityError as error:
                raise Conflict(f"There is a group {name} already.") from error
        return self.get_group(group_id)

    def remove_group(self, group_id: str) -> None:
        """Forgets a group; its people stay."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM groups WHERE id = ?", (group_id,))

    def members(self, group_id: str) -> tuple[Person, ...]:
        """A group's people, by name."""
        return self.search(group_id=group_id, limit=-1).people

    def add_members(self, group_id: str, person_ids: Collection[str]) -> tuple[str, ...]:
        """Adds people to a group; answers the ids that weren't in it."""
        return self._change_members(
            "INSERT OR IGNORE INTO members (group_id, person_id) VALUES (?, ?)", group_id, person_ids
        )

    def remove_members(self, group_id: str, person_ids: Collection[str]) -> tuple[str, ...]:
        """Removes people from a group; answers the ids that were in it."""
        return self._change_members("DELETE FROM members WHERE group_id = ? AND person_id = ?", group_id, person_ids)

    # -- what the other side has --------------------------------------------------------------------------------

    def note_person(self, person_id: str, *, remote_id: str | None, problem: str | None = None) -> None:
        """Writes down somebody's id at the other side, and what went wrong, if anything did."""
        with self._database.transaction() as db:
            db.execute("UPDATE people SET remote_id = ?, problem = ? WHERE id = ?", (remote_id, problem, person_id))

    def note_group(self, group_id: str, *, remote_id: str | None, problem: str | None = None) -> None:
        """The same for a group; without an id, its members are unknown there too."""
        with self._database.transaction() as db:
            db.execute("UPDATE groups SET remote_id = ?, problem = ? WHERE id = ?", (remote_id, problem, group_id))
            if remote_id is None:
                db.execute("DELETE FROM pushed_members WHERE group_id = ?", (group_id,))

    def pushed_members(self, group_id: str) -> frozenset[str]:
        """The members the other side is known to have, by its ids."""
        with self._database.transaction() as db:
            rows = db.execute("SELECT remote_id FROM pushed_members WHERE group_id = ?", (group_id,)).fetchall()
        return frozenset(row["remote_id"] for row in rows)

    def note_members(self, group_id: str, *, added: Collection[str] = (), removed: Collection[str] = ()) -> None:
        """Writes down members that the other side took or let go, by its ids."""
        with self._database.transaction() as db:
            db.executemany(
                "DELETE FROM pushed_members WHERE group_id = ? AND remote_id = ?", [(group_id, one) for one in removed]
            )
            db.executemany("INSERT OR IGNORE INTO pushed_members VALUES (?, ?)", [(group_id, one) for one in added])

    def forget_links(self) -> None:
        """Forgets all ids of the other side: it is another one now."""
        with self._database.transaction() as db:
            for statement in (
                "UPDATE people SET remote_id = NULL, problem = NULL",
                "UPDATE groups SET remote_id = NULL, problem = NULL",
                "DELETE FROM pushed_members",
            ):
                db.execute(statement)

    def _groups(self, where: str, *values: str) -> tuple[Group, ...]:
        with self._database.transaction() as db:
            rows = db.execute(
                "SELECT g.*, (SELECT count(*) FROM members WHERE group_id = g.id) AS member_count "  # noqa: S608
                f"FROM groups g {where} ORDER BY g.name",
                values,
            ).fetchall()
        return tuple(
            Group(
                row["id"],
                row["name"],
                row["remote_id"],
                description=row["description"],
                member_count=row["member_count"],
                problem=row["problem"],
            )
            for row in rows
        )

    def _change_members(self, statement: str, group_id: str, person_ids: Collection[str]) -> tuple[str, ...]:
        with self._database.transaction() as db:
            return tuple(one for one in person_ids if db.execute(statement, (group_id, one)).rowcount)


def load(database: Database, people: Sequence[Person], groups: Sequence[Group], members: dict[str, list[str]]) -> None:
    """Fills an empty directory at once; `members` are person ids by group id."""
    with database.transaction() as db:
        for person in people:
            _insert_person(db, person)
        db.executemany(
            "INSERT INTO groups (id, name, description) VALUES (?, ?, ?)",
            [(group.id, group.name, group.description) for group in groups],
        )
        db.executemany(
            "INSERT INTO members (group_id, person_id) VALUES (?, ?)",
            [(group_id, person_id) for group_id, ids in members.items() for person_id in ids],
        )


def _insert_person(db: sqlite3.Connection, person: Person) -> None:
    db.execute(
        "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
        (
            person.id,
            person.email,
            person.given_name,
            person.family_name,
            person.title,
            person.department,
            person.active,
            person.provisioned,
            person.featured,
        ),
    )


def _person(row: sqlite3.Row) -> Person:
    return Person(
        id=row["id"],
        email=row["email"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        title=row["title"],
        department=row["department"],
        active=bool(row["active"]),
        provisioned=bool(row["provisioned"]),
        featured=row["featured"],
        remote_id=row["remote_id"],
        problem=row["problem"],
    )


def _check_person(person: Person) -> None:
    local, _, domain = _check_text("The email", person.email).partition("@")
    if not local or "." not in domain or " " in person.email:
        raise Invalid(f"{person.email} isn't an email address.")
    _check_text("The given name", person.given_name)
    _check_text("The family name", person.family_name)


def _check_text(what: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(f"{what} is empty.")
    if len(text) > _LONGEST or not text.isprintable():
        raise Invalid(f"{what} is longer than {_LONGEST} characters or has characters that can't be shown.")
    return text


def _escape_like(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
