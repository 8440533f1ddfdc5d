"""`/twilio/…`: "Log in with Twilio" (product.md 3), by the rules of any OpenID provider.

GET  login               to Twilio; also where its Product Switcher leads (OpenID Connect Core 4)
GET  callback            its answer, brought by the browser that asked: who is linked is signed in
GET  welcome/<token>     the first arrival: link the account that one has, or make one
GET  link/<token>        who has signed in as usual, says that the two belong together
GET  linked/<secret>     the same by a mailed link; POST does it
GET  email/<secret>      an address that was changed at Twilio, confirmed by whoever reads its mail
"""

from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import Conflict, DomainError, Expired, TooManyTries
from bridge.domain.people import fold_letters
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.login_requests import name_of, read_request
from bridge.flows.sessions import SignedIn
from bridge.flows.twilio import Twilio, load_twilio
from bridge.flows.twilio_account import confirm_email, find_confirmation
from bridge.flows.twilio_link import (
    LINK_LASTS,
    Arrived,
    create_account,
    find_arrival,
    find_link,
    follow_link,
    link_own,
    mail_link,
    may_link,
)
from bridge.flows.twilio_login import Welcome, arrive, ask_who, claim, start
from bridge.web import provider_login
from bridge.web.cookies import (
    browser_secret,
    drop_login,
    keep_browser,
    keep_session,
    login_begun,
    session_secret,
)
from bridge.web.current import current_client, current_context, current_outside, current_session, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import (
    AgreePage,
    Field,
    Link,
    Note,
    RefusedPage,
    TwilioEmailPage,
    TwilioLinkPage,
    TwilioWelcomePage,
)
from bridge.web.provider_login import asked_by, asked_hint, begin_by_get, is_initiated, send_away, ticking
from bridge.web.refusals import note_login, trail
from bridge.web.return_path import go, safe_path
from bridge.web.statuses import status_of
from oidc import authorization_answer
from oidc.errors import ProviderSaidNo

blueprint = Blueprint("twilio", __name__, url_prefix="/twilio")
provider_login.install(blueprint)

_AT_TWILIO = "Its name, address, password and second factor are then managed at Twilio."


@blueprint.before_request
def begin() -> None:
    """Whatever is refused here is a login with Twilio, and begins there anew."""
    note_login(kind="twilio", again=url_for("twilio.login"))


def twilio_of_request() -> Twilio:
    """Twilio as it describes itself. Raises NotFound where the operator hasn't set it up, OutsideFailed."""
    return load_twilio(current_context(), ask_twilio, current_time())


def ask_twilio(call: WebCall) -> WebReply:
    """A turn for this one call; it rests where Twilio was silent."""
    with _turn() as ask:
        return ask(call)


def _turn() -> AbstractContextManager[Ask]:
    return current_outside().twilio.turn(provider="twilio")


# -- There and back ----------------------------------------------------------------------------------


@blueprint.get("/login")
def login() -> Response:
    """Send the browser to Twilio, remembering that it was this one, and where it wanted to go; with `sign_up=1`, to
    make an account there, with `fresh=1`, to log in anew. With `iss` it is Twilio, or somebody else, who sends it here
    (Core 4).
    """
    ours = twilio_of_request()
    return_to = asked_by(ours) if is_initiated() else safe_path(request.args.get("return_to"))
    url, keepsake = start(
        current_context(),
        ours,
        return_to,
        current_time(),
        login_hint=asked_hint(),
        sign_up=request.args.get("sign_up") == "1",
        fresh=request.args.get("fresh") == "1",
    )
    return send_away(url, keepsake)


@blueprint.post("/login")
def login_by_post() -> Response:
    """The same where Twilio begins by POST (Core 4): by a GET of ours, which brings our cookie."""
    return begin_by_get(url_for("twilio.login"))


@blueprint.get("/callback")
def callback() -> Response:
    """Take Twilio's answer (Core 3.1.2.5), ask Twilio itself, and sign the browser in."""
    ours, context, now = twilio_of_request(), current_context(), current_time()
    browser, name = browser_secret() or new_secret(), _login_name(now)
    trail().note("received", "By the browser, with a code or a refusal.")
    try:
        code, state = authorization_answer.parse(list(request.args.items(multi=True)), ours.provider)
    except ProviderSaidNo as error:
        claim(context, error.state or "", login_begun(name), now)  # a stranger's link would say anything
        raise
    if login_begun(name) is None:
        claim(context, state, None, now)  # refuses: a stranger is to wait in nobody's way
    with _turn() as ask:
        claimed = claim(context, state, login_begun(name), now)
        arrival = ask_who(context, ours, claimed, code, ask, ticking(now), trail())
    note_login(email=arrival.email)
    told = arrive(context, arrival, claimed.return_to, browser, current_client(), trail(), now, old=session_secret())
    response = go(url_for("twilio.welcome", token=told.token)) if isinstance(told, Welcome) else _go_in(told)
    keep_browser(response, browser)
    drop_login(response, name)
    return response


def _login_name(now: datetime) -> str:
    """What the login that is answered has among its browser's."""
    asked = read_request(current_context(), "twilio", "", request.args.get("state", ""), now)
    return name_of(asked.browser_hash) if asked else ""


def _go_in(told: SignedIn) -> Response:
    response = go(safe_path(told.return_to))
    keep_session(response, told.cookie, current_context().session_lifetime)
    return response


# -- The first time ----------------------------------------------------------------------------------


@blueprint.get("/welcome/<token>")
def welcome(token: str) -> Response:
    """Link the account that one has, or make one."""
    return _welcome(token, _arrived(token))


def _arrived(token: str) -> Arrived:
    return find_arrival(current_context(), token, browser_secret() or "", current_time())


def _welcome(token: str, arrived: Arrived, error: DomainError | None = None, **mailed: str) -> Response:
    session = current_session()
    page = TwilioWelcomePage(
        email=arrived.email,
        name=arrived.name,
        has_account=arrived.has_account,
        link_href=url_for("twilio.link", token=token),
        signed_in_as=session.user.email if session else None,
        mail_action=url_for("twilio.mail", token=token),
        mail_email=Field(
            "email", "Email of your account", request.form.get("email", arrived.email)[:320], kind="email"
        ),
        create_action=url_for("twilio.create", token=token),
        link_minutes=int(LINK_LASTS.total_seconds() // 60),
        notice=Note("bad", error.text, urgent=True) if error else None,
        **mailed,
    )
    return render_bare("twilio_welcome.html", page, status_of(error) if error else 200)


@blueprint.post("/welcome/<token>/mail")
def mail(token: str) -> Response:
    """Send a link to the stored address of the account of that name, if there is one."""
    arrived = _arrived(token)
    try:
        typed = mail_link(
            current_context(), token, browser_secret() or "", request.form.get("email", "")[:320], current_time()
        )
    except TooManyTries as error:
        return _welcome(token, arrived, error)
    return _welcome(token, arrived, mailed_to=typed)


@blueprint.post("/welcome/<token>/create")
def create(token: str) -> Response:
    """Make an account, or mail a link to make one by."""
    arrived = _arrived(token)
    browser, client = browser_secret() or "", current_client()
    try:
        told = create_account(current_context(), token, browser, client, current_time(), old=session_secret())
    except (Conflict, TooManyTries) as error:
        return _welcome(token, arrived, error)
    return _go_in(told) if isinstance(told, SignedIn) else _welcome(token, arrived, confirm_to=told)


@blueprint.get("/link/<token>")
def link(token: str) -> Response:
    """Do the two belong together? To whoever has just signed in to the account as usual; others do that first."""
    arrived, session = _arrived(token), current_session()
    here = url_for("twilio.link", token=token)
    if session is not None and session.may_change_account and not may_link(session, current_time()):
        return go(url_for("account_proof.ask", return_to=here))
    if session is None or not may_link(session, current_time()):
        way = "password" if session else None  # a company's login that doesn't vouch for the account
        return go(url_for("password.login", way=way, return_to=here))
    page = TwilioLinkPage(
        email=arrived.email,
        name=arrived.name,
        account_email=session.user.email,
        address=_address_then(arrived, session.user.email),
        action=url_for("twilio.join", token=token),
        cancel_href=url_for("twilio.welcome", token=token),
    )
    return render_bare("twilio_link.html", page)


def _address_then(arrived: Arrived, present: str) -> str | None:
    """What becomes of the account's address."""
    if fold_letters(arrived.email) == fold_letters(present):
        return None
    if arrived.why_not == "taken":
        return f"The account keeps its address: another account here has {arrived.email}."
    if arrived.why_not == "unconfirmed":
        return f"The account’s address becomes {arrived.email} when you follow a link that we mail to it."
    return f"The account’s address becomes {arrived.email}."


@blueprint.post("/link/<token>")
def join(token: str) -> Response:
    """They do."""
    session, now = current_session(), current_time()
    if session is None or not may_link(session, now):
        return go(url_for("twilio.link", token=token))
    browser, client = browser_secret() or "", current_client()
    return _go_in(link_own(current_context(), session, token, browser, client, session_secret(), now))


@blueprint.get("/linked/<secret>")
def open_link(secret: str) -> Response:
    """What the link would do, in the browser that asked for it: a program that reads mail opens it, too."""
    asked = find_link(current_context(), secret, browser_secret() or "", current_time())
    twilio, own = f"{asked.name}, {asked.email}", asked.account_email
    opens = (("opens this account from now on:", own),) if own else ()
    page = AgreePage(
        title="Link your account?" if own else "Make an account?",
        said=(("This login of Twilio’s", twilio), *opens),
        text=_AT_TWILIO if own else "An account is made for it here.",
        action=url_for("twilio.follow", secret=secret),
        button="Link them" if own else "Make my account",
        cancel=Link("Not these two" if own else "That isn’t me", url_for("password.login")),
    )
    return render_bare("agree.html", page)


@blueprint.post("/linked/<secret>")
def follow(secret: str) -> Response:
    """Yes: linked or made, and signed in."""
    browser, client = browser_secret() or "", current_client()
    return _go_in(follow_link(current_context(), secret, browser, client, current_time(), old=session_secret()))


# -- A changed address -------------------------------------------------------------------------------


@blueprint.get("/email/<secret>")
def ask_email(secret: str) -> Response:
    """Is the address right? Mail programs that follow links change nothing."""
    return _about_email(partial(find_confirmation, current_context(), secret, current_time()), secret, done=False)


@blueprint.post("/email/<secret>")
def change_email(secret: str) -> Response:
    """It is."""
    return _about_email(partial(confirm_email, current_context(), secret, current_time()), secret, done=True)


def _about_email(tell: "partial[str]", secret: str, *, done: bool) -> Response:
    try:
        page = TwilioEmailPage(tell(), url_for("twilio.change_email", secret=secret), done=done)
    except (Expired, Conflict) as error:
        return _not_changed(error)
    return render_bare("twilio_email.html", page)


def _not_changed(error: DomainError) -> Response:
    page = RefusedPage(
        title="The address wasn’t changed",
        text=error.text,
        actions=(Link("Sign in", url_for("password.login"), primary=True),),
        kicker="Link ended",
    )
    return render_bare("refused.html", page, status_of(error))
