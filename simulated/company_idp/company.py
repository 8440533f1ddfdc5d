"""One company's IdP, opened: all its parts in one value, which the pages find in the application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from flask import current_app

from simulated.company_idp.database import Database
from simulated.company_idp.directory import Directory
from simulated.company_idp.journal import Journal
from simulated.company_idp.provisioning import Connect, Provisioner, connect
from simulated.company_idp.saml_response import IdentityProvider
from simulated.company_idp.sessions import Sessions
from simulated.company_idp.settings import Settings, SettingsStore, change
from simulated.company_idp.signing_key import SigningKey, load_or_make
from simulated.company_idp.story import load_story

EXTENSION = "company_idp"


@dataclass(frozen=True, slots=True)
class Company:
    """The parts. `public_url` has no slash at its end; `clock` answers the time in UTC."""

    public_url: str
    directory: Directory
    settings: SettingsStore
    sessions: Sessions
    journal: Journal
    provisioner: Provisioner
    key: SigningKey
    clock: Callable[[], datetime]
    #: Closes the database; the last thing to call.
    close: Callable[[], None]

    @property
    def sso_url(self) -> str:
        """Where sign-in requests go."""
        return f"{self.public_url}/sso"

    @property
    def slo_url(self) -> str:
        """Where logout messages go."""
        return f"{self.public_url}/slo"

    def change_settings(self, wanted: Mapping[str, Any]) -> Settings:
        """Changes the settings that `wanted` names. Another SCIM server knows nobody by the ids of the last one.

        Raises Invalid.
        """
        before = self.settings.read()
        after = change(before, wanted)
        self.settings.write(after)
        if before.provisioning and after.provisioning and before.provisioning.url != after.provisioning.url:
            self.directory.forget_links()
        return after

    def identity_provider(self) -> IdentityProvider:
        """This IdP as SAML sees it; its entity id is where its metadata is, unless it was given one to keep."""
        settings = self.settings.read()
        return IdentityProvider(settings.entity_id or f"{self.public_url}/metadata", self.key, settings.sign_in)


def open_company(
    state: Path, public_url: str, clock: Callable[[], datetime], story: Path | None = None, connect: Connect = connect
) -> Company:
    """Opens the state folder (made with mode 0700), filling it from the story at the first start."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(state / "company-idp.sqlite3")
    if story is not None:
        load_story(database, story)
    directory, settings, journal = Directory(database), SettingsStore(database), Journal(database)
    return Company(
        public_url=public_url.rstrip("/"),
        directory=directory,
        settings=settings,
        sessions=Sessions(database),
        journal=journal,
        provisioner=Provisioner(directory, settings, journal, clock, connect),
        key=load_or_make(state, settings.read().company, clock()),
        clock=clock,
        close=database.close,
    )


def this_company() -> Company:
    """The company whose application answers the present request."""
    return cast(Company, current_app.extensions[EXTENSION])
