"""What there is already of somebody whom a connection pushes for the first time: one look, mostly for nothing."""

from typing import Any, NamedTuple

from sqlalchemy import Text, bindparam, exists, or_, select

from bridge.domain.directory import PushedUser, usable_email
from bridge.domain.people import email_domain, fold_letters, fold_user_name
from bridge.storage.prepared import Prepared
from bridge.storage.tables import directory_users, domains, identities, users


class Newcomer(NamedTuple):
    """`name_taken`: the connection pushes this user name. `known`: it signs somebody in under one of the record's
    names, or there is an account with its address. `domain_proved`: the workspace has proved the address's domain.
    """

    name_taken: bool
    known: bool
    domain_proved: bool


_LOOK = Prepared(select(
    exists().where(
        directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed,
        directory_users.c.user_name_ci == bindparam("name"),
    ),
    or_(
        exists().where(
            identities.c.connection_id == bindparam("connection"),
            identities.c.subject.in_([bindparam("user_name", type_=Text), bindparam("external_id", type_=Text)]),
        ),
        exists().where(users.c.email_ci == bindparam("email", type_=Text), users.c.closed_at.is_(None)),
    ),
    exists().where(
        domains.c.workspace_id == bindparam("workspace"), domains.c.name == bindparam("domain"),
        domains.c.proved_at.is_not(None),
    ),
))  # fmt: skip


def look_for(connection: Any, connection_key: int, workspace_key: int, pushed: PushedUser) -> Newcomer:
    """What there is of this person. One statement."""
    email = usable_email(pushed)
    taken, known, proved = _LOOK.first(
        connection,
        connection=connection_key,
        workspace=workspace_key,
        name=fold_user_name(pushed.user_name),
        user_name=pushed.user_name,
        external_id=pushed.external_id,
        email=None if email is None else fold_letters(email),
        domain=email_domain(email or ""),
    )
    return Newcomer(bool(taken), bool(known), bool(proved))
