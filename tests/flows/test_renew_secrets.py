"""What an older key has encrypted is encrypted anew with the first, so that the older one can go."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bridge.domain.mail import Mail
from bridge.flows import renew_secrets as renewing
from bridge.flows.connect import load_saml, set_enabled
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due, queue_mail
from bridge.flows.oidc_login import open_hint
from bridge.flows.renew_secrets import Renewed, count_outdated, renew_secrets
from bridge.flows.saml_logout import seal_name
from bridge.flows.second_factors import open_secret
from bridge.storage.secret_box import SecretBox
from bridge.storage.tables import PAST, authentications, connections, second_factors
from bridge.worker import JOBS
from saml.logout import SessionName
from tests.flows.logins import account, give_app, sign_in
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


def test_the_worker_does_it(full: World) -> None:
    (old,) = full.context.secrets.keys
    job = next(job for job in JOBS if job.name == "renew-secrets")
    nothing: object = None
    job.run(under(full, NEW, old), nothing, full.now)  # type: ignore[arg-type]
    assert count_outdated(under(full, NEW)) == 0
