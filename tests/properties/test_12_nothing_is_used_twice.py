"""12. A replayed assertion, code, state, invite, recovery code or reset link is refused, also in another browser, in
another process and after a restart.

What can be used is used once, and tried again: at once, later, by another browser, and by a process that was started
since (a `Database` of its own on the same rows).

Beside: tests/flows/test_sign_in.py (of parallel replays one signs in), test_invite.py, test_link_account.py.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from bridge.domain.errors import DomainError, Expired
from bridge.domain.sign_in_refusals import ProofExpired, Replayed, SignInRefused, UnknownRequest
from bridge.flows.accept_invitation import accept_as, accept_with_password, open_invitation
from bridge.flows.context import Context
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.link_account import follow_link, mail_link
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sessions import find_session, sweep_expired
from bridge.flows.sign_in import complete
from bridge.storage.database import open_database
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    answer,
    attempt,
    fetch_result,
    set_config,
    sign_in,
    start,
)
from tests.properties.ways import mailed_secret
from tests.world import World

ANN, BEN = "ann@acme.example", "ben@mail.example"
Use = Callable[[Context, Browser, timedelta], object]
KINDS = ("assertion", "unasked assertion", "handle", "mailed proof", "proof by password", "invitation", "invitation as")
_serial = count(1)


def usable(world: World, kind: str, mine: Browser) -> Use:
    """Something that works once, as a function of process, browser and time."""
    now = world.now
    if kind in ("assertion", "unasked assertion"):
        set_config(world, allow_idp_initiated=True)
        said = answer(world, ANN, to=start(world, mine) if kind == "assertion" else None)
        return lambda context, _, later: complete(context, "saml", said, now + later)
    if kind == "handle":
        handle = complete(world.context, "saml", answer(world, ANN, to=start(world, mine)), now)
        return lambda context, browser, later: fetch_result(context, handle, browser, now + later)
    if kind.startswith("invitation"):
        return invitation(world, kind)
    key = account(world, BEN, password=PASSWORD)
    assert key
    asked = attempt(world, BEN, mine)
    assert isinstance(asked, ProofNeeded)
    if kind == "mailed proof":
        mail_link(world.context, asked.token, mine.secret, now)
        link = mailed_secret(world.context, now)
        return lambda context, browser, later: follow_link(context, link, browser.secret, CLIENT, now + later)
    return lambda context, browser, later: sign_in_with_password(
        context, Credentials(BEN, PASSWORD, (asked.token, browser.secret)), CLIENT, now + later
    )


def invitation(world: World, kind: str) -> Use:
    email = f"new{next(_serial)}@mail.example"
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((email,)), world.now)
    link = mailed_secret(world.context, world.now)
    if kind == "invitation":
        return lambda context, _, later: accept_with_password(context, link, "New", PASSWORD, world.now + later)
    account(world, email, password=PASSWORD)
    signed_in = find_session(
        world.context,
        sign_in_with_password(world.context, Credentials(email, PASSWORD), CLIENT, world.now).cookie,
        world.now,
    )
    assert signed_in is not None
    return lambda context, _, later: accept_as(context, link, signed_in.user.id, world.now + later)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", ["at once", "later", "in another browser", "in another process", "after a sweep"])
def test_what_was_used_is_refused(acme: World, database_url: str, kind: str, again: str) -> None:
    mine = Browser()
    use = usable(acme, kind, mine)
    assert use(acme.context, mine, timedelta(0))
    context, browser, later = acme.context, mine, timedelta(seconds=30 if again == "later" else 0)
    if again == "in another browser":
        browser = Browser()
    if again == "after a sweep":
        sweep_expired(acme.context, acme.now)
    if again == "in another process":
        context = replace(acme.context, database=open_database(database_url, synchronous="NORMAL"))
    with pytest.raises((Replayed, UnknownRequest, ProofExpired, Expired)):
        use(context, browser, later)
    if context is not acme.context:
        context.database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_at_once_one_is_let_through(acme: World, kind: str) -> None:
    mine = Browser()
    use = usable(acme, kind, mine)

    def passes(_: int) -> bool:
        try:
            return bool(use(acme.context, mine, timedelta(0)))
        except DomainError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(passes, range(4))) == 1


def test_a_used_assertion_is_remembered_as_long_as_it_could_be_valid(acme: World) -> None:
    set_config(acme, allow_idp_initiated=True)
    said = answer(acme, ANN, to=None)
    complete(acme.context, "saml", said, acme.now)
    for moment in (timedelta(minutes=1), timedelta(minutes=9, seconds=59)):
        sweep_expired(acme.context, acme.now + moment)
        with pytest.raises(Replayed):
            complete(acme.context, "saml", said, acme.now + moment)


def test_an_assertion_answers_no_second_request(acme: World) -> None:
    first, second = Browser(), Browser()
    said = answer(acme, ANN, to=start(acme, first), key="a-1")
    complete(acme.context, "saml", said, acme.now)
    with pytest.raises(Replayed):
        complete(acme.context, "saml", replace(said, in_response_to=start(acme, second)), acme.now)


def test_what_was_refused_is_spent_too(acme: World) -> None:
    set_config(acme, jit=False, allow_idp_initiated=True)
    said = answer(acme, "stranger@mail.example", to=None)
    with pytest.raises(SignInRefused):
        complete(acme.context, "saml", said, acme.now)
    set_config(acme, jit=True, allow_idp_initiated=True)
    with pytest.raises(Replayed):
        complete(acme.context, "saml", said, acme.now)


def test_a_signed_out_session_is_not_there_any_more(acme: World) -> None:
    browser = sign_in(acme, ANN)
    old = replace(browser)
    sign_in(acme, ANN, browser)
    assert browser.reaches(acme) == ["acme"]
    assert old.reaches(acme) == []


def test_a_used_invitation_opens_no_page(acme: World) -> None:
    invite(acme.context, f"user:{acme.owner.id}", "acme", InviteDraft((BEN,)), acme.now)
    link = mailed_secret(acme.context, acme.now)
    accept_with_password(acme.context, link, "Ben", PASSWORD, acme.now)
    with pytest.raises(Expired):
        open_invitation(acme.context, link, None, acme.now)
