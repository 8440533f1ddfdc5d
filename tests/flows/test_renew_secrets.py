"""What an older key has encrypted is encrypted anew with the first, so that the older one can go."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bridge.domain.mail import Mail
from bridge.flows import renew_secrets as renewing
from bridge.flows.account_factors import begin_app
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due, queue_mail
from bridge.flows.oidc_login import open_hint
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.renew_secrets import Renewed, count_ending, count_outdated, renew_secrets
from bridge.flows.saml_connection import load_saml
from bridge.flows.saml_logout import seal_name
from bridge.flows.second_factors import open_secret
from bridge.flows.sessions import find_session
from bridge.flows.sign_in import complete
from bridge.storage.secret_box import SecretBox
from bridge.storage.tables import PAST, authentications, connections, second_factors
from bridge.worker import JOBS
from saml.logout import SessionName
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, answer, fetch_result, give_app, sign_in, start
from tests.flows.mailer import KeptMail
from tests.world import World

NEW = "another key for tests, long enough"


@pytest.fixture
def full(kicks: World) -> World:
    """Each kind of secret there is, once at least, encrypted with the key that was first."""
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, False, kicks.now)  # a row of the past
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, True, kicks.now)
    give_app(kicks, account(kicks, "ann@mail.example"))
    hint = seal_name(kicks.context, SessionName("mei", None, None, None, None))
    sign_in(kicks, "mei@kicks.example", logout_hint=hint)
    sign_in(kicks, "bo@kicks.example", logout_hint=hint)
    with kicks.context.database.writing() as rows:
        hints = select(authentications.c.id).order_by(authentications.c.id).limit(1).scalar_subquery()
        sealed = kicks.context.secrets.encrypt(b"an ID token", "authentications.logout_hint_enc")
        rows.execute(update(authentications).where(authentications.c.id == hints).values(logout_hint_enc=sealed))
    with kicks.context.changing(OPERATOR, kicks.now) as change:
        queue_mail(kicks.context, change, Mail("mei@kicks.example", "Hello", "Hello Mei", "greeting"))
    return kicks


def under(world: World, *keys: str) -> Context:
    """The house after a restart with these keys."""
    return replace(world.context, secrets=SecretBox(keys))


def opens_everything(world: World, context: Context) -> None:
    """Fails where a secret can't be read."""
    assert load_saml(context, world.connection.id).sp.private_key_pem
    with context.database.reading() as rows:
        past = [one for one in rows.execute(select(PAST[connections].c.secrets_enc)).scalars() if one]
        (factor,) = rows.execute(select(second_factors.c.data_enc)).scalars()
        hints = list(rows.execute(select(authentications.c.logout_hint_enc).order_by(authentications.c.id)).scalars())
    assert past
    assert all(context.secrets.decrypt(one, "connections.secrets_enc") for one in past)
    assert open_secret(context, factor)
    assert open_hint(context, hints[0]) == "an ID token"
    assert context.secrets.decrypt(hints[1], "authentications.saml_name")


def test_afterwards_the_older_key_is_needed_for_nothing(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_AT_ONCE", 1)
    (old,) = full.context.secrets.keys
    context = under(full, NEW, old)
    before = count_outdated(context)
    assert before >= 6
    assert renew_secrets(context) == Renewed(before, 0)
    assert count_outdated(context) == 0
    opens_everything(full, under(full, NEW))
    mailer = KeptMail()
    deliver_due(under(full, NEW), mailer, full.now)
    assert "mei@kicks.example" in [mail.to for mail in mailer.sent]
    assert renew_secrets(context) == Renewed(0, 0)


def test_without_another_key_nothing_is_touched(full: World) -> None:
    assert count_outdated(full.context) == 0
    assert renew_secrets(full.context) == Renewed(0, 0)
    opens_everything(full, full.context)


def test_what_no_key_opens_stays_and_is_counted(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_AT_ONCE", 1)
    lost = under(full, NEW)
    before = count_outdated(lost)
    assert renew_secrets(lost) == Renewed(0, before)
    assert count_outdated(lost) == before
    opens_everything(full, full.context)


def test_what_is_under_way_is_waited_for(full: World) -> None:
    """A login whose result waits, and an app that is being set up: each keeps a secret, and is over soon."""
    (old,) = full.context.secrets.keys
    hint = seal_name(full.context, SessionName("cy", None, None, None, None))
    browser = Browser()
    said = answer(full, "cy@kicks.example", to=start(full, browser), logout_hint=hint)
    handle = complete(full.context, "saml", said, full.now)
    renewed = under(full, NEW, old)
    renew_secrets(renewed)
    assert (count_outdated(renewed), count_ending(renewed, full.now)) == (0, 1)
    assert count_ending(renewed, full.now + timedelta(minutes=1)) == 0
    assert count_ending(full.context, full.now) == 0
    fetch_result(renewed, handle, browser, full.now)
    assert count_outdated(renewed) == 1  # it is kept by now, and is renewed with the rest
    assert renew_secrets(renewed) == Renewed(1, 0)


def test_an_app_that_is_being_set_up_is_waited_for(full: World) -> None:
    (old,) = full.context.secrets.keys
    account(full, "dee@mail.example", password=PASSWORD)
    signed_in = sign_in_with_password(full.context, Credentials("dee@mail.example", PASSWORD), CLIENT, full.now)
    session = find_session(full.context, signed_in.cookie, full.now)
    assert session
    begin_app(full.context, session, full.now)
    assert count_ending(under(full, NEW, old), full.now) == 1
    assert count_ending(under(full, NEW, old), full.now + timedelta(minutes=30)) == 0


def test_the_worker_does_it(full: World) -> None:
    (old,) = full.context.secrets.keys
    job = next(job for job in JOBS if job.name == "renew-secrets")
    nothing: object = None
    job.run(under(full, NEW, old), nothing, full.now)  # type: ignore[arg-type]
    assert count_outdated(under(full, NEW)) == 0
