"""Accounts' own ways in: what a person can sign in with that belongs to no company's IdP; and who is held out."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import exists, or_, select

from bridge.storage.tables import directory_users, memberships, second_factors, users

_PASSKEY = exists().where(second_factors.c.user_id == users.c.id, second_factors.c.kind == "passkey")
#: Of a row of `users`: it has a password, a Twilio link or a passkey.
WAY_IN = or_(users.c.password_hash.is_not(None), users.c.twilio_sub.is_not(None), _PASSKEY)
#: What an account that isn't linked to Twilio has in the columns of that.
NO_TWILIO: Final[Mapping[str, None]] = {"twilio_sub": None, "twilio_email": None, "twilio_told_at": None}
#: Of a row of `memberships`: the person has a second factor.
HAS_SECOND_FACTOR = exists().where(
    second_factors.c.user_id == memberships.c.user_id, second_factors.c.kind.in_(("totp", "passkey"))
)
#: Of a row of `memberships`: an IdP's record holds the person out.
HELD_OUT = exists().where(directory_users.c.membership_id == memberships.c.id, directory_users.c.holds_out)


def has_way_in(connection: Any, user_key: int) -> bool:
    """Whether the account has a password, a Twilio link or a passkey."""
    return connection.execute(select(users.c.id).where(users.c.id == user_key, WAY_IN)).first() is not None


def has_own_secret(connection: Any, user_key: int) -> bool:
    """Whether the account has anything of its own to show here: a password, or a second factor."""
    password = select(users.c.id).where(users.c.id == user_key, users.c.password_hash.is_not(None))
    return connection.execute(password).first() is not None or has_second_factor(connection, user_key)


def has_second_factor(connection: Any, user_key: int) -> bool:
    """Whether the account has a second factor that logins ask for, or a passkey."""
    kinds = second_factors.c.kind.in_(("totp", "passkey"))
    return connection.execute(select(exists().where(second_factors.c.user_id == user_key, kinds))).scalar() is True


def names_of_actors(connection: Any, actors: set[str]) -> dict[str, str]:
    """The names of the people among these actors (`user:ID`), by actor."""
    uids = [actor.removeprefix("user:") for actor in actors if actor.startswith("user:")]
    found = connection.execute(select(users.c.uid, users.c.name).where(users.c.uid.in_(uids))) if uids else ()
    return {f"user:{uid}": name for uid, name in found}
