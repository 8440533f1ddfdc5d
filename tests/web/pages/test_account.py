"""`/account`: one's own account (product.md 2.7, 2.8)."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
from flask import Flask

from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.deliver import deliver_due
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.password_tries import TRIES_BY_ACCOUNT
from bridge.storage.people import find_user_by_email
from tests.flows.logins import PASSWORD, account, give_app, prove_domain
from tests.flows.mailer import KeptMail
from tests.web.browsing import Company, Surfer, at, authn_request_in
from tests.web.pages.conftest import KIM, Acme

NEW = "nine quiet dogs walk"
LATER = timedelta(minutes=12)


def test_who_is_signed_out_is_sent_to_sign_in(acme: Acme) -> None:
    told = Surfer(acme.app).get("/account/password")
    assert told.headers["Location"] == "/login?return_to=/account/password"


def test_the_page_says_who_one_is_and_what_opens_the_account(kim: Surfer) -> None:
    shown = kim.get("/account")
    assert shown.status_code == 200
    for text in (KIM, "Confirmed", "Password", "Change…"):
        assert text in shown.text


def test_a_name_is_changed(kim: Surfer) -> None:
    told = kim.submit("/account/name", kim.get("/account"), name="Kim Possible")
    assert told.status_code == 303
    assert "Kim Possible" in kim.get(told.headers["Location"]).text
    assert kim.session()["user"]["name"] == "Kim Possible"


def test_a_bad_name_is_told_beside_the_field(kim: Surfer) -> None:
    told = kim.submit("/account/name", kim.get("/account"), name="\x00")
    assert told.status_code == 422
    assert "printable characters" in told.text


def test_a_password_is_changed(acme: Acme, kim: Surfer) -> None:
    other = acme.signed_in(KIM)
    told = kim.submit("/account/password", kim.get("/account/password"), password=NEW)
    assert told.headers["Location"] == "/account?done=password"
    assert other.session() is None
    assert kim.session() is not None
    assert Surfer(acme.app).enter_password(KIM, PASSWORD).status_code == 403
    assert Surfer(acme.app).enter_password(KIM, NEW).status_code == 303


@pytest.mark.parametrize("password", ["short", "qwerty123456", KIM])
def test_a_bad_password_is_told_beside_the_field(kim: Surfer, password: str) -> None:
    told = kim.submit("/account/password", kim.get("/account/password"), password=password)
    assert told.status_code == 422
    assert 'aria-invalid="true"' in told.text


def test_ten_minutes_later_the_password_is_asked_for_first(acme: Acme, kim: Surfer) -> None:
    with at(acme.app, acme.world.now + LATER):
        asked = kim.get("/account/password")
        assert asked.headers["Location"] == "/account/prove?return_to=/account/password"
        page = kim.get(asked.headers["Location"])
        wrong = kim.submit("/account/prove", page, password="wrong", return_to="/account/password")
        assert wrong.status_code == 403
        right = kim.submit("/account/prove", wrong, password=PASSWORD, return_to="/account/password")
        assert right.headers["Location"] == "/account/password"
        assert kim.get("/account/password").status_code == 200


def test_strangers_who_guess_at_the_password_keep_nobody_from_showing_it(acme: Acme, kim: Surfer) -> None:
    page, later = kim.get("/account/prove"), acme.world.now + LATER
    for _ in range(TRIES_BY_ACCOUNT):
        with pytest.raises(WrongCredentials):
            sign_in_with_password(acme.world.context, Credentials(KIM, "guessed"), Client("198.51.100.9", ""), later)
    with at(acme.app, later):
        assert kim.submit("/account/prove", page, password=PASSWORD).status_code == 303


def test_a_posted_change_without_a_fresh_proof_changes_nothing(acme: Acme, kim: Surfer) -> None:
    form = kim.get("/account/password")
    with at(acme.app, acme.world.now + LATER):
        told = kim.submit("/account/password", form, password=NEW)
        assert told.headers["Location"].startswith("/account/prove?")
    assert Surfer(acme.app).enter_password(KIM, PASSWORD).status_code == 303


@pytest.mark.parametrize("return_to", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_a_proof_never_leads_to_another_site(kim: Surfer, return_to: str) -> None:
    page = kim.get("/account/prove")
    told = kim.submit("/account/prove", page, password=PASSWORD, return_to=return_to)
    assert told.headers["Location"] == "/account"


def test_what_is_not_linked_cannot_be_unlinked(kim: Surfer) -> None:
    assert kim.get("/account/unlink", connection="x", subject="\x00").status_code == 404
    assert kim.submit("/account/unlink", kim.get("/account")).status_code == 404


def link_mailed(acme: Acme) -> str:
    """The path of the link that leaves now."""
    mailer = KeptMail()
    deliver_due(acme.world.context, mailer, acme.world.now + timedelta(days=1))
    found = [re.search(r"(/account/confirm/\S+)", mail.text) for mail in mailer.sent]
    return next(one[1] for one in found if one)


def test_an_email_is_changed_by_a_link_to_the_new_one(acme: Acme, kim: Surfer) -> None:
    told = kim.submit("/account/email", kim.get("/account/email"), email="kim@else.example")
    assert "Look into your mail" in kim.get(told.headers["Location"]).text
    path = link_mailed(acme)
    shown = kim.get(path)
    assert "Change your email to kim@else.example?" in shown.text
    assert kim.session()["user"]["email"] == KIM
    assert kim.submit(path, shown).headers["Location"] == "/account?done=email"
    assert kim.session()["user"]["email"] == "kim@else.example"
    assert kim.get(path).status_code == 410


def test_its_link_counts_only_where_the_account_is_signed_in(acme: Acme, kim: Surfer, olga: Surfer) -> None:
    kim.submit("/account/email", kim.get("/account/email"), email="kim@else.example")
    path = link_mailed(acme)
    assert Surfer(acme.app).get(path).headers["Location"] == f"/login?return_to={path}"
    assert olga.get(path).status_code == 410
    assert olga.submit(path, olga.get("/account")).status_code == 410
    assert acme.signed_in(KIM).get(path).status_code == 200, "in another browser of theirs it does"


@pytest.mark.parametrize("email", ["", "x", KIM, "\x00"])
def test_a_bad_address_is_told_beside_the_field(kim: Surfer, email: str) -> None:
    told = kim.submit("/account/email", kim.get("/account/email"), email=email)
    assert told.status_code == 422
    assert 'aria-invalid="true"' in told.text


def test_an_address_that_nobody_confirmed_says_so(acme: Acme) -> None:
    account(acme.world, "new@acme.example", proved=False, password=PASSWORD)
    new = acme.signed_in("new@acme.example")
    shown = new.get("/account")
    assert "Not confirmed" in shown.text
    new.submit("/account/email/confirm", shown)
    path = link_mailed(acme)
    assert new.submit(path, new.get(path)).status_code == 303
    assert "Not confirmed" not in new.get("/account").text


def test_who_has_an_app_is_asked_for_its_code(acme: Acme, kim: Surfer) -> None:
    with acme.world.context.database.reading() as rows:
        found = find_user_by_email(rows, KIM)
    assert found
    secret = give_app(acme.world, found.key)
    with at(acme.app, acme.world.now + LATER):
        page = kim.get("/account/prove", return_to="/account/email")
        assert 'name="password"' not in page.text
        assert kim.submit("/account/prove", page, code="x").status_code == 403
        code = pyotp.TOTP(secret).at(acme.world.now + LATER)
        told = kim.submit("/account/prove", page, code=code, return_to="/account/email")
        assert told.headers["Location"] == "/account/email"


def test_who_comes_by_single_sign_on_alone_is_sent_to_be_asked_there_anew(
    acme: Acme, app: Flask, company: Company
) -> None:
    prove_domain(acme.world, "acme.example")
    surfer, said = Surfer(app), {"email": "new@acme.example", "name_id": "new@acme.example"}
    surfer.sign_in(app, company, **said)
    asked = surfer.get(surfer.get("/account/email").headers["Location"])
    [href] = re.findall(r'href="(/saml/[^"]+)"', asked.text)
    assert unescape(href) == f"{company.path('login')}?fresh=1&return_to=/account/email"
    request = authn_request_in(surfer.get(unescape(href)).headers["Location"])
    assert request.get("ForceAuthn") == "true"
    now = datetime.now(UTC).replace(microsecond=0)
    told = surfer.bring(app, company, company.answer(in_response_to=request.get("ID"), authenticated=now, **said))
    assert told.headers["Location"] == "/account/email"
    assert surfer.get("/account/email").status_code == 200


@pytest.mark.parametrize("answer", ["", "{}", "x" * 30_000], ids=["empty", "json", "long"])
def test_what_is_no_passkey_proves_nothing(acme: Acme, kim: Surfer, answer: str) -> None:
    with at(acme.app, acme.world.now + LATER):
        page = kim.get("/account/prove")
        assert kim.submit("/account/prove", page, by="passkey", code=answer).status_code == 403
        assert kim.get("/account/password").status_code == 303


def test_a_workspace_leads_to_ones_account(kim: Surfer) -> None:
    home = kim.get("/w/acme")
    assert 'href="/account"' in kim.get(home.headers["Location"]).text


# -- Closing -----------------------------------------------------------------------------------------


def test_it_is_closed_after_one_has_read_what_goes(acme: Acme, kim: Surfer) -> None:
    assert 'href="/account/close"' in kim.get("/account").text
    asked = kim.get("/account/close")
    assert "You leave Acme, with every role and token" in asked.text
    told = kim.submit("/account/close", asked)
    assert (told.status_code, "Your account is closed" in told.text) == (200, True)
    assert kim.client.get_cookie("bridge_session") is None
    assert Surfer(acme.app).enter_password(KIM, PASSWORD).status_code == 403
    assert acme.told()[-2:] == ["user.closed", "member.removed"]


def test_ten_minutes_later_it_asks_for_a_proof_first(acme: Acme, kim: Surfer) -> None:
    asked = kim.get("/account/close")
    with at(acme.app, acme.world.now + LATER):
        assert kim.submit("/account/close", asked).headers["Location"] == "/account/prove?return_to=/account/close"
        assert kim.session() is not None


def test_a_last_owner_reads_of_which_workspace(acme: Acme, olga: Surfer) -> None:
    for told in (olga.get("/account/close"), olga.submit("/account/close", olga.get("/account"))):
        assert (told.status_code, "A workspace would be without an owner" in told.text) == (409, True)
    assert "the last owner of Acme" in olga.get("/account/close").text
    assert olga.workspaces() == ["acme"]
