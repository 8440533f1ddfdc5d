"""A person's account at the simulated Twilio: sign-up, login, forgotten password, settings, closing."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pyotp
import pytest

from simulated.twilio import changes
from simulated.twilio.accounts import Account
from simulated.twilio.messages import Link
from simulated.twilio.passwords import check_rule
from simulated.twilio.people import load_people_once
from simulated.twilio.site import SESSION_COOKIE, Site
from tests.simulated.twilio.browser import PASSWORD, URL, Browser
from tests.simulated.twilio.conftest import PERSON, Clock
from tests.simulated.twilio.relying_party import RelyingParty

LogIn = Callable[[Browser], Browser]
MEI = {"given_name": "Mei", "family_name": "Tanaka", "email": "mei@kicks.example", "password": "eight little mice ran"}


def priya(site: Site) -> Account:
    found = site.accounts.find_by_email(PERSON["email"])
    assert found
    return found


def mailed(site: Site) -> str:
    """The link of the last mail."""
    return site.messages.latest("mail")[0].link


def texted(site: Site) -> str:
    """The code of the last SMS."""
    return site.messages.latest("sms")[0].text[:6]


def totp(visitor: Browser, clock: Clock) -> str:
    """The code that an app shows which has the key on the page."""
    key = visitor.page.text.partition('class="key">')[2].partition("<")[0].replace(" ", "")
    return pyotp.TOTP(key).at(int(clock.now))


@pytest.fixture
def inside(visitor: Browser, log_in: LogIn) -> Browser:
    """A browser Priya is logged in with."""
    return log_in(visitor)


# -- Signing up --------------------------------------------------------------------------------------------------


def test_signing_up_with_an_app_ends_in_the_console(visitor: Browser, site: Site, clock: Clock) -> None:
    visitor.get("/sign-up").send("/sign-up", **MEI)
    assert site.accounts.find_by_email(MEI["email"]) is None
    visitor.get(mailed(site)).send("")
    assert site.accounts.find_by_email(MEI["email"]) is None
    picture = visitor.client.get("/second-factor/set-up/picture.svg", base_url=URL)
    assert picture.mimetype == "image/svg+xml"
    visitor.send("/second-factor/set-up/app", code=totp(visitor, clock))
    assert visitor.shows("Welcome, Mei")


def test_signing_up_for_a_client_ends_there(visitor: Browser, site: Site, rp: RelyingParty) -> None:
    visitor.get(rp.request())
    visitor.get(visitor.link("/sign-up")).send("/sign-up", **MEI)
    visitor.get(mailed(site)).send("")
    visitor.send("/second-factor/set-up/phone", phone="+44 20 7946 0000")
    visitor.send("/second-factor/set-up/code", code=texted(site))
    claims = rp.read(rp.tokens(visitor.get(visitor.link("/oauth2/authorize")))["id_token"]).claims
    assert (claims["email"], claims["amr"]) == (MEI["email"], ["pwd", "sms", "mfa"])


def test_an_address_that_has_an_account_is_told_by_mail_alone(visitor: Browser, site: Site) -> None:
    new = visitor.get("/sign-up").send("/sign-up", **MEI).text
    known = visitor.get("/sign-up").send("/sign-up", **{**MEI, "email": PERSON["email"].upper()}).text
    assert (
        known.replace(PERSON["email"].upper(), MEI["email"]).replace("PRIYA.RAMAN@kicks.example", MEI["email"]) == new
    )
    assert mailed(site) == "/login"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "needs 16"),
        ("aaabcdefghijklmnop", "three times"),
        ("i love Tw1l1o so much", "Twilio"),
        ("5endGr1d is my friend", "SendGrid"),
        ("ab" * 129, "longer"),
    ],
    ids=["short", "thrice", "twilio", "sendgrid", "long"],
)
def test_twilio_s_rule_for_passwords(visitor: Browser, site: Site, password: str, fault: str) -> None:
    visitor.get("/sign-up").send("/sign-up", **{**MEI, "password": password})
    assert (visitor.status, visitor.shows(fault)) == (422, True)
    assert site.messages.latest("mail") == []
    check_rule(PASSWORD)


@pytest.mark.parametrize(
    "wrong",
    [{"email": "mei"}, {"email": "a@b@c.example"}, {"given_name": " "}, {"family_name": "x" * 61}],
    ids=["no-at", "two-at", "no-name", "long-name"],
)
def test_what_can_t_be_used_is_said(visitor: Browser, wrong: dict[str, str]) -> None:
    assert visitor.get("/sign-up").send("/sign-up", **(MEI | wrong)).status == 422


def test_a_link_works_once(visitor: Browser, site: Site) -> None:
    visitor.get("/sign-up").send("/sign-up", **MEI)
    link = mailed(site)
    visitor.get(link).send("")
    assert visitor.get(link).status == 410


def test_a_link_is_over_after_an_hour(visitor: Browser, site: Site, clock: Clock) -> None:
    visitor.get("/sign-up").send("/sign-up", **MEI)
    clock.now += 3600
    assert visitor.get(mailed(site)).status == 410


def test_a_wrong_first_code_sets_nothing_up(visitor: Browser, site: Site) -> None:
    visitor.get("/sign-up").send("/sign-up", **MEI)
    visitor.get(mailed(site)).send("").send("/second-factor/set-up/app", code="000000")
    assert visitor.status == 422
    assert site.accounts.find_by_email(MEI["email"]) is None


@pytest.fixture
def at_the_phone(visitor: Browser, site: Site) -> Browser:
    """A browser that signs up and was sent a code."""
    visitor.get("/sign-up").send("/sign-up", **MEI)
    visitor.get(mailed(site)).send("")
    return visitor.send("/second-factor/set-up/phone", phone="+44 20 7946 0000")


def test_a_phone_s_first_code_is_over_after_five_minutes(at_the_phone: Browser, site: Site, clock: Clock) -> None:
    clock.now += 300
    assert at_the_phone.send("/second-factor/set-up/code", code=texted(site)).status == 422


def test_a_phone_s_first_codes_are_counted(at_the_phone: Browser, site: Site) -> None:
    for _ in range(5):
        assert at_the_phone.send("/second-factor/set-up/code", code="x").status == 422
    assert at_the_phone.send("/second-factor/set-up/code", code=texted(site)).status == 429


@pytest.mark.parametrize(
    "phone", ["4155550100", "+0123456789", "+1 555", "+1415555010012345", "+१४१५५५५०१००"], ids=ascii
)
def test_a_phone_s_number_is_an_international_one(visitor: Browser, site: Site, phone: str) -> None:
    visitor.get("/sign-up").send("/sign-up", **MEI)
    visitor.get(mailed(site)).send("").send("/second-factor/set-up/phone", phone=phone)
    assert visitor.status == 422
    assert site.messages.latest("sms") == []


# -- Logging in --------------------------------------------------------------------------------------------------


def test_password_and_sms_log_in(visitor: Browser, type_in: LogIn) -> None:
    inside = type_in(visitor.get("/login"))
    assert inside.shows("Welcome, Priya")


def test_the_password_alone_opens_nothing(visitor: Browser) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    assert urlsplit(visitor.get("/console").way[-1]).path == "/login"


def test_a_wrong_password_and_an_unknown_address_look_the_same(visitor: Browser) -> None:
    pages = []
    for email in (PERSON["email"], "nobody@kicks.example"):
        visitor.get("/login").send("/login", email=email, password="wrong wrong wrong!")
        assert visitor.status == 403
        pages.append(visitor.text.replace(email, ""))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("email", [PERSON["email"], "nobody@kicks.example"], ids=["known", "unknown"])
def test_guessing_passwords_is_slowed_down(visitor: Browser, site: Site, clock: Clock, email: str) -> None:
    for _ in range(10):
        site.attempts.count("password", priya(site).id if email == PERSON["email"] else email)
    visitor.get("/login").send("/login", email=email, password=PASSWORD)
    assert visitor.status == 429
    clock.now += 15 * 60
    assert visitor.get("/login").send("/login", email=email, password=PASSWORD).status != 429


def test_codes_are_counted(visitor: Browser, site: Site) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    right = texted(site)
    for _ in range(5):
        assert visitor.send("/second-factor", code="x").status == 403
    assert visitor.send("/second-factor", code=right).status == 429


def test_a_new_sms_replaces_the_last(visitor: Browser, site: Site) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    first = texted(site)
    visitor.send("/second-factor/again")
    if texted(site) != first:
        assert visitor.send("/second-factor", code=first).status == 403
    assert visitor.send("/second-factor", code=texted(site)).shows("Welcome, Priya")


def test_an_sms_is_over_after_five_minutes(visitor: Browser, site: Site, clock: Clock) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    clock.now += 300
    assert visitor.send("/second-factor", code=texted(site)).status == 403


def test_a_code_of_the_app_works_once_and_never_an_older_one(visitor: Browser, site: Site, clock: Clock) -> None:
    secret = pyotp.random_base32()
    site.accounts.change(priya(site).id, factor="app", totp_secret=secret, phone=None)
    now = pyotp.TOTP(secret).at(int(clock.now))
    before = pyotp.TOTP(secret).at(int(clock.now) - 30)
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    assert visitor.send("/second-factor", code=f"{now[:3]} {now[3:]}").shows("Welcome, Priya")
    for code in (now, before):
        visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
        assert visitor.send("/second-factor", code=code).status == 403


def test_who_owes_a_second_factor_can_t_set_up_another_one(visitor: Browser) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    assert visitor.get("/second-factor/set-up").status == 410
    assert visitor.get("/second-factor").status == 200


def test_a_login_half_done_is_over_after_a_quarter_of_an_hour(visitor: Browser, clock: Clock) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    clock.now += 15 * 60
    assert visitor.get("/second-factor").status == 410


def test_a_session_is_over_after_twelve_hours(inside: Browser, clock: Clock) -> None:
    clock.now += 12 * 3600 - 1
    assert not inside.get("/console").way
    clock.now += 1
    assert inside.get("/console").way


def test_a_disabled_account_doesn_t_log_in(visitor: Browser, site: Site) -> None:
    site.accounts.change(priya(site).id, active=0)
    assert visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD).shows("disabled")


# -- Forgotten passwords -----------------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_by_mail_and_the_second_factor_stays(
    visitor: Browser, site: Site, new_browser: Callable[[], Browser], log_in: LogIn
) -> None:
    elsewhere = log_in(new_browser())
    visitor.get("/forgotten-password").send("/forgotten-password", email=PERSON["email"])
    visitor.get(mailed(site)).send("", password="another good phrase")
    assert urlsplit(elsewhere.get("/console").way[-1]).path == "/login"
    visitor.send("/login", email=PERSON["email"], password="another good phrase")
    assert visitor.send("/second-factor", code=texted(site)).shows("Welcome, Priya")


def test_a_forgotten_password_on_the_way_to_a_client_ends_there(visitor: Browser, site: Site, rp: RelyingParty) -> None:
    visitor.get(rp.request())
    visitor.get(visitor.link("/forgotten-password")).send("/forgotten-password", email=PERSON["email"])
    visitor.get(mailed(site)).send("", password="another good phrase")
    visitor.send("/login", email=PERSON["email"], password="another good phrase")
    visitor.get(visitor.link("/login"))
    visitor.send("/login", email=PERSON["email"], password="another good phrase")
    visitor.send("/second-factor", code=texted(site))
    assert "code" in visitor.get(visitor.link("/oauth2/authorize")).arrived


def test_a_forgotten_password_tells_no_stranger_who_has_an_account(visitor: Browser, site: Site) -> None:
    pages = []
    for email in (PERSON["email"], "nobody@kicks.example"):
        visitor.get("/forgotten-password").send("/forgotten-password", email=email)
        pages.append(visitor.text.replace(email, ""))
    assert pages[0] == pages[1]
    assert mailed(site) == "/sign-up"


def test_a_later_link_replaces_the_one_before(visitor: Browser, site: Site) -> None:
    visitor.get("/forgotten-password").send("/forgotten-password", email=PERSON["email"])
    first = mailed(site)
    visitor.get("/forgotten-password").send("/forgotten-password", email=PERSON["email"])
    assert visitor.get(first).status == 410
    assert visitor.get(mailed(site)).send("", password=PASSWORD).shows("the password you have")


@pytest.mark.parametrize("by", ["password", "factor"])
def test_what_was_begun_before_a_change_of_password_or_factor_is_over(
    visitor: Browser, site: Site, new_browser: Callable[[], Browser], log_in: LogIn, by: str
) -> None:
    thief = log_in(new_browser()).get("/console/profile")
    thief.send("/console/profile/email", email="thief@evil.example", password=PASSWORD)
    link = mailed(site)
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    if by == "password":
        secret = site.messages.new_link(Link("reset", priya(site).id, {}))
        changes.reset_password(site, secret, "another good phrase")
    else:
        changes.set_factor(site, priya(site), "phone", "+442079460000")
    assert thief.get(link).status == 410
    assert visitor.send("/second-factor", code=texted(site)).status == 410


# -- Settings ----------------------------------------------------------------------------------------------------


def test_an_email_changes_when_its_link_is_opened(inside: Browser, site: Site) -> None:
    inside.get("/console/profile").send("/console/profile/email", email="priya@new.example", password=PASSWORD)
    assert priya(site)
    inside.get(mailed(site)).send("")
    assert inside.shows("priya@new.example")
    notice = site.messages.latest("mail")[0]
    assert notice.recipient == PERSON["email"]


def test_an_email_of_somebody_else_gets_a_mail_without_a_link(inside: Browser, site: Site) -> None:
    site.accounts.create("mei@kicks.example", "Mei", "Tanaka", google_subject="1")
    inside.get("/console/profile").send("/console/profile/email", email="MEI@kicks.example", password=PASSWORD)
    assert mailed(site) == ""


@pytest.mark.parametrize(("age", "status"), [(600, 200), (601, 422)], ids=["fresh", "old"])
def test_without_a_password_a_fresh_login_is_the_proof(
    visitor: Browser, site: Site, clock: Clock, age: int, status: int
) -> None:
    mei = site.accounts.create("mei@kicks.example", "Mei", "Tanaka", google_subject="1")
    visitor.client.set_cookie(SESSION_COOKIE, site.sessions.begin(mei.id, (), "", ""), domain="127.0.0.1")
    clock.now = int(clock.now) + age
    visitor.get("/console/profile").send("/console/profile/email", email="mei@new.example")
    assert visitor.status == status
    assert (site.messages.latest("mail") == []) == (status == 422)


def test_an_email_that_is_taken_meanwhile_stays_with_who_took_it(inside: Browser, site: Site) -> None:
    inside.get("/console/profile").send("/console/profile/email", email="mei@kicks.example", password=PASSWORD)
    site.accounts.create("mei@kicks.example", "Mei", "Tanaka", google_subject="1")
    assert inside.get(mailed(site)).send("").status == 422
    assert priya(site)


CHANGES = {
    "email": ("/console/profile", "/console/profile/email", {"email": "p@new.example"}),
    "password": ("/console/security", "/console/security/password", {"new_password": "another good phrase"}),
    "factor": ("/console/security", "/console/security/factor", {}),
    "close": ("/console/security", "/console/close", {"email": PERSON["email"]}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_who_can_log_in_wants_the_password(inside: Browser, site: Site, what: str) -> None:
    page, action, typed = CHANGES[what]
    before = priya(site)
    inside.get(page).send(action, **typed, password="wrong")
    assert inside.status in (403, 422)
    assert inside.shows("That isn’t your password.")
    assert priya(site) == before


def test_a_new_password_ends_the_other_sessions(
    inside: Browser, new_browser: Callable[[], Browser], log_in: LogIn
) -> None:
    elsewhere = log_in(new_browser())
    inside.get("/console/security")
    inside.send("/console/security/password", password=PASSWORD, new_password="another good phrase")
    assert inside.shows("Your password is changed")
    assert elsewhere.get("/console").way


def test_another_second_factor_is_set_up(inside: Browser, site: Site, clock: Clock) -> None:
    inside.get("/console/security").send("/console/security/factor", password=PASSWORD)
    inside.send("/second-factor/set-up/app", code=totp(inside, clock))
    assert inside.shows("An authenticator app.")
    assert priya(site).phone is None


def test_a_session_of_one_s_own_can_be_ended(
    inside: Browser, site: Site, new_browser: Callable[[], Browser], log_in: LogIn
) -> None:
    elsewhere = log_in(new_browser())
    inside.get("/console/security").send("/console/security/sessions/end")
    assert elsewhere.get("/console").way
    assert not inside.get("/console").way


def test_nobody_ends_somebody_else_s_session(inside: Browser, site: Site) -> None:
    mei = site.accounts.create("mei@kicks.example", "Mei", "Tanaka", google_subject="1")
    site.sessions.begin(mei.id, (), "", "")
    site.sessions.begin(priya(site).id, (), "", "")
    (session,) = site.sessions.of(mei.id)
    inside.get("/console/security").send("/console/security/sessions/end", sid=session.sid)
    assert site.sessions.of(mei.id)


def test_closing_leaves_nothing(inside: Browser, site: Site) -> None:
    inside.get("/console/security").send("/console/close", email=PERSON["email"], password=PASSWORD)
    assert inside.shows("Your account is closed")
    assert site.accounts.find_by_email(PERSON["email"]) is None
    assert inside.get("/console").way


def test_who_closed_an_account_isn_t_given_another_at_the_next_start(site: Site) -> None:
    newcomer = {**PERSON, "email": "new@kicks.example"}
    load_people_once(site, [newcomer])
    made = site.accounts.find_by_email("new@kicks.example")
    assert made
    changes.close(site, made)
    load_people_once(site, [newcomer])
    assert site.accounts.find_by_email("new@kicks.example") is None


def test_closing_wants_the_address_typed(inside: Browser, site: Site) -> None:
    inside.get("/console/security").send("/console/close", email="x", password=PASSWORD)
    assert inside.status == 403
    assert priya(site)


# -- At the door -------------------------------------------------------------------------------------------------


def test_a_session_s_cookie_is_for_this_site_s_pages_alone(visitor: Browser, site: Site) -> None:
    visitor.get("/login").send("/login", email=PERSON["email"], password=PASSWORD)
    fields = {"csrf_token": visitor.page.text.partition('name="csrf_token" value="')[2].partition('"')[0]}
    answer = visitor.client.post("/second-factor", data=fields | {"code": texted(site)}, base_url=URL)
    cookies = answer.headers.getlist("Set-Cookie")
    assert any("twilio_session=" in cookie for cookie in cookies)
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies if "Max-Age=0" not in cookie)


def test_a_form_without_its_token_is_refused(inside: Browser, site: Site) -> None:
    answer = inside.client.post("/console/profile/name", data={"given_name": "X", "family_name": "Y"}, base_url=URL)
    assert answer.status_code == 400
    assert priya(site).given_name == "Priya"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1:8001"}],
    ids=["cross-site", "same-site", "other-port"],
)
def test_a_form_from_another_site_is_refused(inside: Browser, headers: dict[str, str]) -> None:
    token = inside.get("/console/profile").page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "given_name": "X", "family_name": "Y"}
    answer = inside.client.post("/console/profile/name", data=form, headers=headers, base_url=URL)
    assert answer.status_code == 403


def test_another_host_isn_t_served(visitor: Browser) -> None:
    assert visitor.client.get("/login", base_url="http://evil.example").status_code == 421


def test_the_way_on_is_never_an_address_that_was_given(visitor: Browser, type_in: LogIn) -> None:
    type_in(visitor.get("/login?continue=https://evil.example/"))
    assert visitor.shows("Welcome, Priya")


def test_the_log_of_requests_shows_what_was_asked_and_no_secret(
    visitor: Browser, site: Site, rp: RelyingParty, type_in: LogIn
) -> None:
    inside = type_in(visitor.get("/login"))
    rp.tokens(inside.get(rp.request()))
    inside.get("/forgotten-password").send("/forgotten-password", email=PERSON["email"])
    inside.get(mailed(site))
    lines = site.request_log.latest()
    assert next(line for line in lines if line["method"] == "POST" and line["route"] == "/login")["fields"] == [
        "email",
        "password",
    ]
    token = next(line for line in lines if line["route"] == "/oauth2/token")
    assert (token["client"], token["account"]) == ("segment", None)
    authorize = next(line for line in lines if line["route"] == "/oauth2/authorize")
    assert (authorize["status"], authorize["fields"], authorize["account"]) == (302, [], priya(site).id)
    written = repr(lines)
    for secret in (PASSWORD, mailed(site), texted(site), PERSON["email"]):
        assert secret not in written
