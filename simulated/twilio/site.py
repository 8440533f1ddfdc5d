"""The application opened: all its parts in one value, which the pages find in the application."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from flask import current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from simulated.openid_provider.clients import Client
from simulated.openid_provider.grants import Authentication, Waiting
from simulated.openid_provider.provider import Host, Provider, open_provider
from simulated.openid_provider.tables import PROVIDER_SCHEMA
from simulated.state_file import StateFile
from simulated.twilio.accounts import Account, Accounts
from simulated.twilio.attempts import Attempts
from simulated.twilio.google import Google
from simulated.twilio.messages import Messages
from simulated.twilio.request_log import RequestLog
from simulated.twilio.sessions import Session, Sessions
from simulated.twilio.tables import SCHEMA

EXTENSION = "twilio"
SESSION_COOKIE = "twilio_session"
STEP_COOKIE = "twilio_step"
FORM_COOKIE = "twilio_forms"
#: The products that are pages of this application: name, and what it is for.
PRODUCTS = {"messaging": ("Messaging", "SMS, MMS and WhatsApp"), "sendgrid": ("SendGrid", "Email delivery")}


@dataclass(frozen=True, slots=True)
class Site:
    """The parts. `public_url`, the issuer, has no slash at its end; `clock` answers seconds since 1970."""

    public_url: str
    file: StateFile
    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    messages: Messages
    request_log: RequestLog
    provider: Provider
    google: Google | None
    #: What forms are signed with.
    form_key: str
    clock: Callable[[], float]

    def find_session(self) -> Session | None:
        """The session of the browser that sent the present request."""
        return self.sessions.find(request.cookies.get(SESSION_COOKIE))

    def find_person(self) -> tuple[Account, Session] | None:
        """Who is logged in in that browser."""
        session = self.find_session()
        account = self.accounts.find(session.account_id) if session else None
        return (account, session) if account and session and account.active else None

    def end_sessions(self, sids: Iterable[str]) -> None:
        """Ends sessions, and will tell each client that they signed in to."""
        with self.file.transaction():
            self.provider.sessions_ended(ended := list(sids))
            self.sessions.end(ended)

    def close(self) -> None:
        """Closes the files; the last thing to call."""
        self.request_log.close()
        self.file.close()


class TwilioHost(Host):
    """What the provider asks this application."""

    def find_authentication(self) -> Authentication | None:
        """The session of the present browser."""
        person = this_site().find_person()
        return person[1].authentication if person else None

    def ask_to_log_in(self, waiting: Waiting, client: Client) -> Response:
        """The login page, or the one to sign up, which names the client."""
        return redirect(f"/{'sign-up' if waiting.wants_sign_up else 'login'}?continue={waiting.id}", 303)

    def find_claims(self, subject: str, scopes: Iterable[str]) -> Mapping[str, Any] | None:
        """Core 5.4. Every address here was proved by a mailed link, or by Google."""
        account = this_site().accounts.find(subject)
        if account is None or not account.active:
            return None
        profile = {"name": account.name, "given_name": account.given_name, "family_name": account.family_name}
        claims: dict[str, dict[str, Any]] = {
            "profile": profile,
            "email": {"email": account.email, "email_verified": True},
        }
        return {name: value for scope in scopes for name, value in claims.get(scope, {}).items()}

    def end_session(self, sid: str) -> None:
        """Here and at every client."""
        this_site().end_sessions([sid])

    def discovery_extras(self) -> Mapping[str, Any]:
        """Where a product's own header can lead: to the Console, the account's settings, and the products here."""
        url = this_site().public_url
        products = [{"name": name, "url": f"{url}/products/{key}"} for key, (name, _) in PRODUCTS.items()]
        return {
            "twilio_console": f"{url}/console",
            "twilio_account": {"profile": f"{url}/console/profile", "security": f"{url}/console/security"},
            "twilio_products": products,
        }

    def render_logout(self, client: Client | None, state: Mapping[str, str]) -> str:
        """Whether to log out."""
        return render_template("log_out.html", client=client, state=state)

    def render_logged_out(self) -> str:
        """Done."""
        return render_template("logged_out.html")

    def render_refusal(self, reason: str) -> str:
        """Why there is nothing to be seen."""
        return render_template("error.html", title="This request can’t be answered", message=reason)


def open_site(
    state: Path, public_url: str, clock: Callable[[], float], google: Google | None = None, *, durable: bool = True
) -> Site:
    """Opens the state folder (made with mode 0700). A command beside a site leaves `public_url` empty."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = StateFile(state / "twilio.sqlite3", SCHEMA + PROVIDER_SCHEMA, durable=durable)
    public_url = _address(file, public_url)
    return Site(
        public_url=public_url,
        file=file,
        accounts=Accounts(file, clock),
        sessions=Sessions(file, clock),
        attempts=Attempts(file, clock),
        messages=Messages(file, clock),
        request_log=RequestLog(state / "requests.jsonl"),
        provider=open_provider(public_url, file, TwilioHost(), clock),
        google=google,
        form_key=_form_key(file),
        clock=clock,
    )


def this_site() -> Site:
    """The site whose application answers the present request."""
    return cast(Site, current_app.extensions[EXTENSION])


def _address(file: StateFile, public_url: str) -> str:
    """Where the site is; for a command beside it, where it was at its last start ("" before the first)."""
    with file.transaction() as db:
        if public_url:
            db.execute("INSERT OR REPLACE INTO settings VALUES ('address', ?)", (public_url,))
        row = db.execute("SELECT value FROM settings WHERE name = 'address'").fetchone()
    return str(row["value"]) if row else ""


def _form_key(file: StateFile) -> str:
    with file.transaction() as db:
        db.execute("INSERT OR IGNORE INTO settings VALUES ('form_key', ?)", (secrets.token_hex(32),))
        return str(db.execute("SELECT value FROM settings WHERE name = 'form_key'").fetchone()["value"])
