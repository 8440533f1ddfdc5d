"""The people of an imported file: told apart in bulk, and written in bulk where that means what a push means.

A push of a person looks at accounts, identities, memberships and holds. Whatever it finds can be looked up for
hundreds at a time, and what follows written for hundreds, as long as no other row is about the same address or account
(then the order decides) and no owner is suspended (then the last one is counted). Those rows, and a few rare cases (a
second record about one person, a record that gets its person late, an account that was closed, two logins), go through
`provision_users`, one at a time, in the file's order. The two don't touch each other: a plain row's address and account
are no other row's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.domain.directory import PushedUser, usable_email
from bridge.domain.errors import LastOwner
from bridge.domain.imports import ImportReport
from bridge.domain.people import email_domain, fold_letters
from bridge.domain.workspace import Connection
from bridge.flows.account_settings import forget_under_way
from bridge.flows.everywhere import record_everywhere
from bridge.flows.provision_users import add_user, event_of, rewrite_user, told
from bridge.flows.pushed_person import end_strangers
from bridge.storage import directory_many
from bridge.storage.changes import Change, write_audit
from bridge.storage.directory_many import KnownAccount, NewPerson
from bridge.storage.directory_people import StoredUser

#: How many people are looked at, and written, at a time.
BATCH = 500

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

Wanted = Callable[[PushedUser | None], PushedUser]
Item = TypeVar("Item")


class LastOwnerInFile(LastOwner):
    """LastOwner, of a `person` of the file."""

    def __init__(self, person: PushedUser, text: str) -> None:
        super().__init__(f"{person.name}: {text}")
        self.person = person


@dataclass(frozen=True, slots=True)
class Importing:
    """An import under way, in one change."""

    change: Change
    connection: Connection
    report: ImportReport
    progress: Progress


@dataclass(frozen=True, slots=True)
class Row:
    """What the file wants of one person: `key` is of the record that there is; `number` their place in the file.

    A new record gets the outside id `uid` where somebody of the file has them as manager.
    """

    number: int
    key: int | None
    wanted: Wanted
    uid: str | None = None


#: A row, its address, the account that may follow it, and the account that has the address.
_Leading = tuple[Row, str | None, KnownAccount, KnownAccount | None]


@dataclass(slots=True)
class _Looked:
    """Rows that want something, each with its address and account, so that rows which meet are seen."""

    new: list[tuple[Row, str | None, KnownAccount | None]] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    #: Rows whose account may follow what they say.
    leading: list[_Leading] = field(default_factory=list)
    odd: list[Row] = field(default_factory=list)
    addresses: Counter[str] = field(default_factory=Counter)
    accounts: Counter[int] = field(default_factory=Counter)


def import_people(importing: Importing, rows: Sequence[Row]) -> None:
    """Bring everybody to what the file says. Raises LastOwnerInFile, Conflict."""
    owners = directory_many.owners_by_hand(importing.change.connection, importing.connection.workspace_key)
    looked = _Looked()
    for done, batch in batches(rows):
        importing.progress("people looked at", done, len(rows))
        _look_at_new(importing, looked, [row for row in batch if row.key is None], owners)
        _look_at_known(importing, looked, [row for row in batch if row.key is not None], owners)
    _write_new(importing, looked)
    _write_changed(importing, looked.changed)
    _write_leading(importing, looked)
    _write_odd(importing, looked)


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[tuple[int, Sequence[Item]]]:
    """The items in pieces, each with how many came before it."""
    for start in range(0, len(items), size):
        yield start, items[start : start + size]


# -- Looking -----------------------------------------------------------------------------------------


def _look_at_new(importing: Importing, looked: _Looked, rows: Sequence[Row], owners: set[int]) -> None:
    connection, people = importing.change.connection, [(row, row.wanted(None)) for row in rows]
    emails = {row.number: usable_email(wanted) for row, wanted in people}
    known = directory_many.accounts_by_email(connection, importing.connection, [e for e in emails.values() if e])
    subjects = [name for _, wanted in people for name in _subjects(wanted)]
    linked = directory_many.linked_subjects(connection, importing.connection.key, subjects)
    by_login = directory_many.accounts_by_key(connection, importing.connection, linked.values())
    for row, wanted in people:
        email = emails[row.number]
        account = known.get(fold_letters(email)) if email else None
        signed_in = {linked[name] for name in _subjects(wanted) if name in linked}
        _note_touched(looked, email, [*signed_in, *([account.key] if account else [])])
        if len(signed_in) == 1:
            account = by_login[next(iter(signed_in))]
        if len(signed_in) > 1 or (account and not _takes_a_record(account, wanted, owners)):
            looked.odd.append(row)
        else:
            looked.new.append((row, email, account))


def _subjects(wanted: PushedUser) -> list[str]:
    return [name for name in (wanted.external_id, wanted.user_name) if name]


def _note_touched(looked: _Looked, email: str | None, accounts: Iterable[int]) -> None:
    if email:
        looked.addresses[fold_letters(email)] += 1
    looked.accounts.update(set(accounts))


def _takes_a_record(account: KnownAccount, wanted: PushedUser, owners: set[int]) -> bool:
    """Whether a push of this person does what can be done to many: give a record, and a membership, or that back."""
    if account.closed or account.pushed:
        return False
    return wanted.active or account.membership_key not in owners


def _look_at_known(importing: Importing, looked: _Looked, rows: Sequence[Row], owners: set[int]) -> None:
    connection = importing.change.connection
    changed = list(_differing(importing, rows))
    memberships = [stored.membership_key for _, stored, _ in changed if stored.membership_key]
    accounts = directory_many.accounts_by_membership(connection, importing.connection, memberships)
    emails = [email for _, _, wanted in changed if (email := usable_email(wanted))]
    meant = directory_many.accounts_by_email(connection, importing.connection, emails)
    subjects = [name for _, _, wanted in changed for name in _subjects(wanted)]
    linked = directory_many.linked_subjects(connection, importing.connection.key, subjects)
    for row, stored, wanted in changed:
        own, email = accounts.get(stored.membership_key or 0), usable_email(wanted)
        named = meant.get(fold_letters(email)) if email else None
        touched = {linked[name] for name in _subjects(wanted) if name in linked}
        _note_touched(looked, email, touched | {account.key for account in (own, named) if account})
        if stored.membership_key in owners and _holds_out(stored, wanted):
            looked.odd.append(row)
        elif _is_the_records_own(stored, wanted, own):
            looked.changed.append(row)
        elif own is None or (named and named.closed):
            looked.odd.append(row)
        else:
            looked.leading.append((row, email, own, named))


def _differing(importing: Importing, rows: Sequence[Row]) -> Iterator[tuple[Row, StoredUser, PushedUser]]:
    """The rows that want something else than there is; the others are counted."""
    by_key = {row.key: row for row in rows}
    for stored in directory_many.stored_users(importing.change.connection, [key for key in by_key if key]):
        row = by_key[stored.key]
        wanted = row.wanted(stored.user.pushed)
        if wanted == stored.user.pushed:
            importing.report.people_unchanged += 1
        else:
            yield row, stored, wanted


def _is_the_records_own(stored: StoredUser, wanted: PushedUser, account: KnownAccount | None) -> bool:
    """Whether nothing but the record changes: no account follows it, and it comes to no person by its address."""
    email = usable_email(wanted)
    email_ci = None if email is None else fold_letters(email)
    if stored.membership_key is None:
        return email_ci is None
    if account is None or account.closed:
        return True
    return account.name == wanted.name and email_ci in (None, account.email_ci)


def _holds_out(stored: StoredUser, wanted: PushedUser) -> bool:
    """As `provision_users.rewrite_user` has it: a hold that an owner lifted stays so until the IdP changes its mind."""
    return stored.holds_out if stored.user.pushed.active == wanted.active else not wanted.active


# -- Writing -----------------------------------------------------------------------------------------


def _write_new(importing: Importing, looked: _Looked) -> None:
    change, connection = importing.change, importing.connection
    proved = directory_many.proved_domains(change.connection, connection.workspace_key)
    plain = [one for one in looked.new if not _meets(looked, one[1], one[2])]
    looked.odd += [row for row, email, account in looked.new if _meets(looked, email, account)]
    for done, batch in batches(plain):
        importing.progress("people written", done, len(plain))
        people = [_new_person(row, email, account, proved) for row, email, account in batch]
        written = directory_many.insert_people(change, connection, people)
        end_strangers(change, connection, {one.account.key: one.pushed for one in people if one.account})
        for person, ids in zip(people, written, strict=True):
            _record_new(importing, person, ids)
        write_audit(change)


def _meets(looked: _Looked, email: str | None, account: KnownAccount | None) -> bool:
    """Whether another row of the file is about the same address or account."""
    return bool((email and looked.addresses[fold_letters(email)] > 1) or (account and looked.accounts[account.key] > 1))


def _new_person(row: Row, email: str | None, account: KnownAccount | None, proved: set[str]) -> NewPerson:
    known = account.email if account else email
    is_proved = bool(known and email_domain(known) in proved)
    return NewPerson(row.wanted(None), email, account, is_proved, row.uid)


def _record_new(importing: Importing, person: NewPerson, ids: directory_many.WrittenPerson) -> None:
    change, workspace, pushed = importing.change, importing.connection.workspace_key, person.pushed
    if ids.account_id:
        change.record(workspace, "user.created", ids.account_id, after={"email": person.email, "name": pushed.name})
    if ids.membership_id:
        event = "membership.revived" if person.returns else "membership.created"
        change.record(workspace, event, ids.membership_id, after=dict(directory_many.JOINED))
    said = told(pushed, linked=person.linked, email=person.email)
    change.record(workspace, "directory_user.created", ids.record_id, after=said)
    importing.report.people_created.note(pushed.name)


def _write_changed(importing: Importing, rows: Sequence[Row]) -> None:
    by_key: Mapping[int, Row] = {row.key: row for row in rows if row.key}
    for done, batch in batches(sorted(by_key)):
        importing.progress("people changed", done, len(by_key))
        _rewrite(importing, {key: by_key[key] for key in batch})
        write_audit(importing.change)


def _rewrite(importing: Importing, rows: Mapping[int, Row]) -> None:
    change, workspace = importing.change, importing.connection.workspace_key
    rewritten = [
        (stored, wanted := rows[stored.key].wanted(stored.user.pushed), _holds_out(stored, wanted))
        for stored in directory_many.stored_users(change.connection, rows)
    ]
    directory_many.rewrite_records(change, rewritten)
    for stored, wanted, _ in rewritten:
        before, linked = stored.user.pushed, stored.membership_key is not None
        said = {"before": told(before, linked=linked), "after": told(wanted, linked=linked)}
        change.record(workspace, event_of(before, wanted), stored.user.id, **said)
        _count_changed(importing, before, wanted)


def _write_leading(importing: Importing, looked: _Looked) -> None:
    proved = directory_many.proved_domains(importing.change.connection, importing.connection.workspace_key)
    alone = [each for each in looked.leading if not _leads_another(looked, each)]
    looked.odd += [each[0] for each in looked.leading if _leads_another(looked, each)]
    for done, batch in batches(alone):
        importing.progress("people and accounts changed", done, len(alone))
        by_key = {leading[0].key: leading for leading in batch if leading[0].key}
        _follow(importing, by_key, proved)
        _rewrite(importing, {key: row for key, (row, *_) in by_key.items()})
        write_audit(importing.change)


def _leads_another(looked: _Looked, leading: _Leading) -> bool:
    _, email, own, named = leading
    return _meets(looked, email, own) or _meets(looked, email, named)


def _follow(importing: Importing, rows: Mapping[int, _Leading], proved: set[str]) -> None:
    """The accounts follow what these rows say, as `provision_users` has it: names where they are nobody else's,
    addresses where both domains are proved and the new one is free.
    """
    names: dict[int, str] = {}
    emails: dict[int, str] = {}
    change = importing.change
    for stored in directory_many.stored_users(change.connection, rows):
        row, email, own, named = rows[stored.key]
        wanted = row.wanted(stored.user.pushed)
        if own.name != wanted.name:
            names[own.key] = wanted.name
        if email and named is None and {email_domain(own.email), email_domain(email)} <= proved:
            emails[own.key] = email
            forget_under_way(change, own.key)
            said = {"before": {"email": own.email}, "after": {"email": email}}
            record_everywhere(change, own, "user.email_changed", here=importing.connection.workspace_key, **said)
    others = directory_many.with_other_lives(change.connection, importing.connection, names)
    directory_many.rename_accounts(change, {key: name for key, name in names.items() if key not in others})
    directory_many.move_accounts(change, emails)


def _count_changed(importing: Importing, before: PushedUser, after: PushedUser) -> None:
    report = importing.report
    counted = {
        "directory_user.changed": report.people_changed,
        "directory_user.deactivated": report.people_deactivated,
        "directory_user.reactivated": report.people_reactivated,
    }
    counted[event_of(before, after)].note(after.name)


def _write_odd(importing: Importing, looked: _Looked) -> None:
    odd = sorted(looked.odd, key=lambda row: row.number)
    for done, row in enumerate(odd):
        importing.progress("people with a history", done, len(odd))
        _push(importing, row)
        if done % BATCH == 0:
            write_audit(importing.change)


def _push(importing: Importing, row: Row) -> None:
    """One person, as their IdP would push them."""
    change, connection = importing.change, importing.connection
    stored = next(directory_many.stored_users(change.connection, [row.key]), None) if row.key else None
    before = stored.user.pushed if stored else None
    wanted = row.wanted(before)
    try:
        if stored is None or before is None:
            add_user(change, connection, wanted, row.uid)
            importing.report.people_created.note(wanted.name)
        else:
            rewrite_user(change, connection, stored, wanted)
            _count_changed(importing, before, wanted)
    except LastOwner as refused:
        raise LastOwnerInFile(before or wanted, refused.text) from refused
