"""Product.md 2.6: an IdP's person proves that an account is theirs, before the two are linked."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bridge.domain import sign_in_refusals as refused
from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import LastOwner, TooManyTries
from bridge.domain.roles import OWNER
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.link_account import find_proof, follow_link, mail_link
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.provision_users import change_user, create_user
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sign_in import complete
from bridge.flows.twilio_account import Said, follow
from bridge.storage import people, twilio
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.tables import identities, sessions
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    answer,
    attempt,
    join,
    prove_domain,
    set_config,
    sign_in,
    start,
)
from tests.flows.mailer import KeptMail
from tests.world import World, another_connection, make_world, pushed

ANN = "ann@acme.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def ask(world: World, browser: Browser, email: str = ANN) -> str:
    """A login that ends before the question whether the account is theirs. Returns its token."""
    asked = attempt(world, email, browser, subject="s1", groups=("eng",))
    assert isinstance(asked, ProofNeeded)
    return asked.token


def mailed(world: World, token: str, browser: Browser) -> str:
    """The secret in the link that is mailed."""
    mail_link(world.context, token, browser.secret, world.now)
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now)
    (mail,) = mailer.sent
    assert mail.to == ANN
    _, _, secret = mail.text.partition("/prove/link/")
    return secret.split()[0]


def links(world: World) -> list[str]:
    with world.context.database.reading() as rows:
        return list(rows.execute(select(identities.c.subject)).scalars())


def by_password(world: World, token: str, browser: Browser, email: str = ANN) -> str | None:
    """Prove by signing in as usual. Returns where the browser goes on to."""
    credentials = Credentials(email, PASSWORD, (token, browser.secret))
    told = sign_in_with_password(world.context, credentials, CLIENT, world.now, old=browser.session)
    browser.session = told.cookie
    return told.return_to


def test_the_question_names_the_connection_the_workspace_and_both_addresses(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    proof = find_proof(world.context, ask(world, browser, "Ann@ACME.example"), browser.secret, world.now)
    assert (proof.connection, proof.workspace) == ("Okta", "Acme")
    assert (proof.email, proof.account_email) == ("Ann@acme.example", ANN)


def test_signing_in_as_usual_links_and_opens_the_workspace(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    browser = Browser()
    assert by_password(world, ask(world, browser), browser) == "/"
    current = browser.look(world)
    assert current is not None
    assert [one.kind for one in current.authentications] == ["password", "saml"]
    assert browser.reaches(world) == ["acme"]
    assert links(world) == ["s1"]
    assert sign_in(world, ANN, subject="s1").reaches(world) == ["acme"]


def test_the_mailed_link_links_and_opens_the_workspace(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    browser.session = follow_link(world.context, secret, browser.secret, CLIENT, world.now).cookie
    assert browser.reaches(world) == ["acme"]
    assert links(world) == ["s1"]


@pytest.mark.parametrize("by", ["Twilio", "a push", "a sign-in"])
def test_a_link_that_the_former_address_was_mailed_links_nothing(world: World, by: str) -> None:
    """Who reads that mailbox now need not be its person."""
    account(world, ANN)
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    {"Twilio": move_at_twilio, "a push": move_by_push, "a sign-in": move_by_sign_in}[by](world, "ann@acme.test")
    with pytest.raises(refused.ProofExpired):
        follow_link(world.context, secret, browser.secret, CLIENT, world.now)
    assert "s1" not in links(world)


def move_by_push(world: World, email: str) -> None:
    """An IdP gives the account another address of its proved domains."""
    for domain in ("acme.example", "acme.test"):
        prove_domain(world, domain)
    user = create_user(world.context, world.connection, pushed(ANN), world.now)
    change_user(world.context, world.connection, user.id, lambda _: pushed(email), world.now)


def move_by_sign_in(world: World, email: str) -> None:
    """The same by what it says at a sign-in."""
    for domain in ("acme.example", "acme.test"):
        prove_domain(world, domain)
    for told in (ANN, email):
        sign_in(world, told, subject="s2")


def move_at_twilio(world: World, email: str) -> None:
    """The account is linked, and Twilio names another address."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = people.find_user_by_email(change.connection, ANN)
        assert user is not None
        assert twilio.link(change, user.key, "mei")
        link = twilio.find_by_user(change.connection, user.key)
        assert link is not None
        follow(world.context, change, link, Said(world.now, email=email))


def test_a_member_whose_membership_waited_has_accepted_it_by_proving(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    join(world, key, accepted=False)
    sign_in(another_connection(world, "Entra"), ANN)
    browser = Browser()
    by_password(world, ask(world, browser), browser)
    with world.context.database.reading() as rows:
        membership = people.find_member(rows, world.workspace.key, key)
    assert membership is not None
    assert membership.accepted


def test_mail_goes_to_the_stored_address_never_the_asserted_one(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    token = ask(world, browser, "ANN@Acme.Example")
    assert mailed(world, token, browser)


def test_a_link_works_once(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    follow_link(world.context, secret, browser.secret, CLIENT, world.now)
    with pytest.raises(refused.ProofExpired):
        follow_link(world.context, secret, browser.secret, CLIENT, world.now)


def test_a_link_works_for_fifteen_minutes(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    with pytest.raises(refused.ProofExpired):
        follow_link(world.context, secret, browser.secret, CLIENT, world.now + 15 * MINUTE)


def test_link_and_question_work_in_the_browser_that_signed_in_only(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    browser, stranger = Browser(), Browser()
    token = ask(world, browser)
    secret = mailed(world, token, browser)
    with pytest.raises(refused.OtherBrowser):
        follow_link(world.context, secret, stranger.secret, CLIENT, world.now)
    with pytest.raises(refused.OtherBrowser):
        find_proof(world.context, token, stranger.secret, world.now)
    with pytest.raises(refused.OtherBrowser):
        by_password(world, token, stranger)
    assert links(world) == []


def test_once_proved_the_question_is_over(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    browser = Browser()
    token = ask(world, browser)
    follow_link(world.context, mailed(world, token, browser), browser.secret, CLIENT, world.now)
    with pytest.raises(refused.ProofExpired):
        by_password(world, token, browser)


@pytest.mark.parametrize("first", ["by another link", "by password"])
def test_once_proved_the_other_links_are_over(world: World, first: str) -> None:
    browser = Browser()
    account(world, ANN, password=PASSWORD)
    token = ask(world, browser)
    link, another = mailed(world, token, browser), mailed(world, token, browser)
    if first == "by password":
        by_password(world, token, browser)
    else:
        follow_link(world.context, another, browser.secret, CLIENT, world.now)
    with pytest.raises(refused.ProofExpired):
        follow_link(world.context, link, browser.secret, CLIENT, world.now)


def test_a_link_that_is_mailed_late_lasts_as_long_as_any(world: World) -> None:
    browser = Browser()
    account(world, ANN, password=PASSWORD)
    token = ask(world, browser)
    late = world.now + 29 * MINUTE
    link = mailed(replace(world, now=late), token, browser)
    follow_link(world.context, link, browser.secret, CLIENT, late + 14 * MINUTE)


def test_five_links_an_hour_and_no_more(world: World) -> None:
    account(world, ANN)
    browser = Browser()
    token = ask(world, browser)
    for _ in range(5):
        mail_link(world.context, token, browser.secret, world.now)
    with pytest.raises(TooManyTries) as told:
        mail_link(world.context, token, browser.secret, world.now)
    assert told.value.retry_after == 3601


def test_proving_another_account_links_nothing(world: World) -> None:
    account(world, ANN)
    account(world, "bob@acme.example", password=PASSWORD)
    browser = Browser()
    with pytest.raises(refused.NotThatAccount):
        by_password(world, ask(world, browser), browser, "bob@acme.example")
    assert links(world) == []


def test_a_password_proves_no_account_whose_address_was_never_proved(world: World) -> None:
    account(world, ANN, proved=False, password=PASSWORD)
    browser = Browser()
    with pytest.raises(refused.NotThatAccount):
        by_password(world, ask(world, browser), browser)
    assert links(world) == []


def test_the_mailed_link_proves_it_and_clears_what_others_left(world: World, database: Database) -> None:
    key = account(world, ANN, proved=False, password=PASSWORD)
    squatter = Browser()
    squatter.session = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now).cookie
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    browser.session = follow_link(world.context, secret, browser.secret, CLIENT, world.now).cookie
    assert squatter.look(world) is None
    with database.reading() as rows:
        user = people.find_user_by_key(rows, key)
    assert user is not None
    assert user.email_proved
    assert not user.has_password
    assert browser.reaches(world) == ["acme"]


def test_clearing_never_takes_a_last_owners_own_way_in(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    member = join(other, account(other, ANN, proved=False, password=PASSWORD))
    with changing(database, OPERATOR, world.now) as change:
        insert_grant(change, other.workspace.key, member, RoleInScope(OWNER, EVERYWHERE), OPERATOR)
        people.set_user(change, other.owner.key, password_hash=None)
    browser = Browser()
    secret = mailed(world, ask(world, browser), browser)
    with pytest.raises(LastOwner):
        follow_link(world.context, secret, browser.secret, CLIENT, world.now)
    assert sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)


def test_an_answer_that_would_is_spent(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    member = join(other, account(other, ANN, proved=False, password=PASSWORD))
    with changing(database, OPERATOR, world.now) as change:
        insert_grant(change, other.workspace.key, member, RoleInScope(OWNER, EVERYWHERE), OPERATOR)
        people.set_user(change, other.owner.key, password_hash=None)
    prove_domain(world, "acme.example")
    said = answer(world, ANN, to=start(world, Browser()))
    for reason in (LastOwner, refused.Replayed):
        with pytest.raises(reason):
            complete(world.context, "saml", said, world.now)


@pytest.mark.parametrize("meanwhile", ["disabled", "pushed elsewhere", "no just-in-time", "linked to another"])
def test_what_changed_meanwhile_is_looked_at_again(world: World, meanwhile: str) -> None:
    account(world, ANN, password=PASSWORD)
    browser = Browser()
    token = ask(world, browser)
    if meanwhile == "disabled":
        set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    if meanwhile == "pushed elsewhere":
        another_connection(world, "Entra").push(ANN)
    if meanwhile == "no just-in-time":
        set_config(world, jit=False)
    if meanwhile == "linked to another":
        sign_in(world, "bob@acme.example", subject="s1")
    with pytest.raises(refused.SignInRefused):
        by_password(world, token, browser)


def test_a_refused_proof_leaves_no_session(world: World) -> None:
    account(world, "bob@acme.example", password=PASSWORD)
    account(world, ANN)
    browser = Browser()
    with pytest.raises(refused.NotThatAccount):
        by_password(world, ask(world, browser), browser, "bob@acme.example")
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(sessions)).scalar() == 0
