"""The application opened: all its parts in one value, which the pages find in the application."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from flask import current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from simulated.google.accounts import SCHEMA, Accounts
from simulated.openid_provider.clients import Client
from simulated.openid_provider.grants import Authentication, Waiting
from simulated.openid_provider.provider import Host, Provider, open_provider
from simulated.openid_provider.tables import PROVIDER_SCHEMA
from simulated.state_file import StateFile

EXTENSION = "google"
SESSION_COOKIE = "google_session"
FORM_COOKIE = "google_forms"


@dataclass(frozen=True, slots=True)
class Site:
    """The parts. `public_url`, the issuer, has no slash at its end."""

    public_url: str
    accounts: Accounts
    provider: Provider
    #: Closes the file; the last thing to call.
    close: Callable[[], None]


class GoogleHost(Host):
    """What the provider asks this application."""

    def find_authentication(self) -> Authentication | None:
        """The session of the present browser."""
        return this_site().accounts.find_authentication(request.cookies.get(SESSION_COOKIE))

    def ask_to_log_in(self, waiting: Waiting, client: Client) -> Response:
        """The chooser, which names the client."""
        return redirect(f"/choose?continue={waiting.id}", 303)

    def find_claims(self, subject: str, scopes: Iterable[str]) -> Mapping[str, Any] | None:
        """Core 5.4."""
        account = this_site().accounts.find(subject)
        if account is None:
            return None
        profile = {"name": account.name, "given_name": account.given_name, "family_name": account.family_name}
        email = {"email": account.email, "email_verified": True}
        claims: dict[str, dict[str, Any]] = {"profile": profile, "email": email}
        return {name: value for scope in scopes for name, value in claims.get(scope, {}).items()}

    def end_session(self, sid: str) -> None:
        """Here and at every client."""
        this_site().provider.sessions_ended([sid])
        this_site().accounts.end(sid)

    def discovery_extras(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def render_logout(self, client: Client | None, state: Mapping[str, str]) -> str:
        """Whether to sign out."""
        return render_template("sign_out.html", client=client, state=state)

    def render_logged_out(self) -> str:
        """Done."""
        return render_template(
            "message.html", title="You signed out", message="Of Google, and of all you entered by it."
        )

    def render_refusal(self, reason: str) -> str:
        """Why there is nothing to be seen."""
        return render_template("message.html", title="Access blocked", message=reason)


def open_site(state: Path, public_url: str, clock: Callable[[], float], *, durable: bool = True) -> Site:
    """Opens the state folder (made with mode 0700)."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = StateFile(state / "google.sqlite3", SCHEMA + PROVIDER_SCHEMA, durable=durable)
    provider = open_provider(public_url, file, GoogleHost(), clock)
    return Site(public_url, Accounts(file, clock), provider, file.close)


def this_site() -> Site:
    """The site whose application answers the present request."""
    return cast(Site, current_app.extensions[EXTENSION])
