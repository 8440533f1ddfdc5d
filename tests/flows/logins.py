"""Logins as flows see them: an IdP's verified answer, from request to session, without any protocol."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pyotp
import pytest
from sqlalchemy import insert, update

from bridge.domain.identity import AssertedIdentity, Replay
from bridge.domain.people import fold
from bridge.domain.second_factors import Answer as ShownFactor
from bridge.domain.second_factors import FactorNeeded
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_log import Outcome
from bridge.flows.context import OPERATOR, Context
from bridge.flows.login_requests import Keepsake, new_keepsake
from bridge.flows.password_login import Credentials, finish_with_factor, sign_in_with_password
from bridge.flows.passwords import hash_password
from bridge.flows.resume_login import AnotherIsSignedIn, ProofNeeded, Tested, resume
from bridge.flows.second_factors import seal_secret
from bridge.flows.sessions import CurrentSession, SignedIn, find_session
from bridge.flows.sign_in import Answer, begin, complete
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from bridge.storage.second_factors import insert_factor
from bridge.storage.sign_in_attempts import Attempt, insert_attempt
from bridge.storage.tables import domains, workspaces
from tests.world import World

CLIENT = Client("192.0.2.7", "Firefox")
PASSWORD = "correct horse battery"
_serial = count(1)


@dataclass
class Browser:
    """A browser with its cookies; `kept` is what it keeps of logins under way, by name."""

    secret: str = field(default_factory=lambda: f"browser-{next(_serial)}")
    session: str | None = None
    kept: dict[str, Keepsake] = field(default_factory=dict)

    def keep(self, return_to: str) -> Keepsake:
        """Something by which one more login is known again."""
        keepsake = new_keepsake(return_to)
        self.kept[keepsake.name] = keepsake
        return keepsake

    def look(self, world: World, now: datetime | None = None) -> CurrentSession | None:
        """What the session reaches at `now`."""
        return find_session(world.context, self.session, now or world.now)

    def reaches(self, world: World, now: datetime | None = None) -> list[str]:
        """The slugs of the workspaces the session opens; none when signed out."""
        current = self.look(world, now)
        return [reached.workspace.slug for reached in current.workspaces] if current else []


def identity(world: World, email: str, **said: Any) -> AssertedIdentity:
    """What the world's IdP says of somebody; the subject is the email unless said otherwise."""
    values = {"subject": email, "name": email.partition("@")[0], "groups": ()} | said
    return AssertedIdentity(connection_id=world.connection.id, email=email, **values)


def answer(
    world: World, email: str, *, to: str | None, key: str | None = None, by: Keepsake | None = None, **said: Any
) -> Answer:
    """A verified answer to the request `to`, None for one that came unasked, brought by the browser that keeps `by`."""
    replay = Replay(key or f"assertion-{next(_serial)}", world.now + timedelta(minutes=10))
    return Answer(identity(world, email, **said), to, replay, unasked=by)


def start(
    world: World, browser: Browser, *, return_to: str = "/", now: datetime | None = None, fresh: bool = False
) -> str:
    """Send the browser to the IdP; `fresh`: to be asked anew. Returns the request's id."""
    kept, moment = browser.keep(return_to), now or world.now
    return begin(world.context, "saml", world.connection.id, kept, moment, fresh=fresh)


def fetch_result(
    context: Context, handle: str, browser: Browser, now: datetime, *, old: str | None = None
) -> SignedIn | ProofNeeded | AnotherIsSignedIn | Tested:
    """The browser fetches the result of a login, with what it kept of it."""
    return resume(context, handle, browser.kept.get(handle.partition(".")[0]), browser.secret, CLIENT, now, old=old)


def sign_in(
    world: World,
    email: str,
    browser: Browser | None = None,
    *,
    now: datetime | None = None,
    fresh: bool = False,
    **said: Any,
) -> Browser:
    """One whole login, which must succeed; `fresh`: the IdP had to ask anew, and did. Returns the browser."""
    browser = browser or Browser()
    outcome = attempt(world, email, browser, now=now, fresh=fresh, **said)
    assert isinstance(outcome, SignedIn)
    browser.session = outcome.cookie
    return browser


def attempt(
    world: World, email: str, browser: Browser, *, now: datetime | None = None, fresh: bool = False, **said: Any
) -> SignedIn | ProofNeeded | AnotherIsSignedIn | Tested:
    """One whole login, whatever comes of it."""
    moment = now or world.now
    request_id = start(world, browser, now=moment, fresh=fresh)
    told = replace(answer(world, email, to=request_id, **said), authenticated_at=moment if fresh else None)
    handle = complete(world.context, "saml", told, moment)
    return fetch_result(world.context, handle, browser, moment, old=browser.session)


def set_config(world: World, **changes: Any) -> None:
    """The connection is set up otherwise."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_connection(change, world.connection.key, config={**world.connection.config, **changes})


def set_workspace(world: World, **values: Any) -> None:
    """Change columns of the workspace."""
    with world.context.database.writing() as connection:
        connection.execute(update(workspaces).where(workspaces.c.id == world.workspace.key).values(**values))


def prove_domain(world: World, name: str) -> None:
    """The workspace has proved this domain."""
    row = {"name": name, "workspace_id": world.workspace.key, "token": "t", "token_expires_at": world.now}
    with world.context.database.writing() as connection:
        connection.execute(insert(domains).values(**row, proved_at=world.now, created_at=world.now))


def account(world: World, email: str, *, proved: bool = True, password: str | None = None) -> int:
    """Somebody has an account already. Returns its key."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = people.insert_user(change, email, fold(email), email_proved_at=world.now if proved else None)
    if password:
        give_password(world, user.key, password)
    return user.key


def give_password(world: World, user_key: int, password: str = PASSWORD) -> None:
    """An account has this password from now on."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, user_key, password_hash=hash_password(password))


def give_app(world: World, user_key: int) -> str:
    """An account has an authenticator app. Returns its secret (Base32)."""
    secret = pyotp.random_base32()
    with changing(world.context.database, OPERATOR, world.now) as change:
        insert_factor(change, user_key, "totp", "Phone", seal_secret(world.context, secret))
    return secret


def enter_with_app(world: World, email: str, secret: str, browser: Browser, now: datetime | None = None) -> Browser:
    """Somebody signs in with their password and a code of their app."""
    moment = now or world.now
    with pytest.raises(FactorNeeded) as needed:
        sign_in_with_password(world.context, Credentials(email, PASSWORD), CLIENT, moment, old=browser.session)
    code = ShownFactor("totp", pyotp.TOTP(secret).at(moment))
    told = finish_with_factor(world.context, needed.value.token, code, CLIENT, moment, old=browser.session)
    browser.session = told.cookie
    return browser


def join(world: World, user_key: int, *, accepted: bool = True) -> int:
    """An account is a member of the workspace. Returns the membership's key."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        return people.insert_membership(change, world.workspace.key, user_key, accepted=accepted).key


def keep_attempt(world: World, ref: str, outcome: Outcome, at: datetime, **values: Any) -> None:
    """A line of the sign-in log, through the world's connection unless said otherwise."""
    kept: dict[str, Any] = {
        "ref": ref,
        "kind": "saml",
        "outcome": outcome,
        "code": "signed_in",
        "text": "",
        "check": "",
        "test": False,
        "address": "192.0.2.7",
        "agent": "",
        "email": "mei@kicks.example",
        "email_ci": "mei@kicks.example",
        "workspace_key": world.workspace.key,
        "connection_key": world.connection.key,
        "user_key": None,
        "steps": (),
        "message": None,
        "would": None,
    }
    with changing(world.context.database, OPERATOR, at) as change:
        insert_attempt(change, Attempt(**{**kept, **values}))
