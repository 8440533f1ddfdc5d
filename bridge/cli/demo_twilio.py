"""The simulated Twilio of the demo, and the Google that it offers: what each, and the client of each, is told."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoGoogle:
    """Google at `url`, its state and Twilio's registration in `folder`; `people` have accounts there."""

    url: str
    folder: Path
    people: Path

    def arguments(self, twilio: str) -> list[str]:
        """The program that serves it, which knows Twilio at its address; the secret stands in a file."""
        client = {
            "client_id": "twilio",
            "client_secret": _secret_kept_in(self._clients),
            "client_name": "Twilio",
            "redirect_uris": [f"{twilio}/google/callback"],
        }
        _write_privately(self._clients, [client])
        return ["simulated.google", *_serving(self.url, self.folder, self._clients, self.people)]

    def registration(self) -> Path:
        """What Twilio is told, as a file; after `arguments`."""
        client = json.loads(self._clients.read_text(encoding="utf-8"))[0]
        file = self.folder / "registration.json"
        own = {name: client[name] for name in ("client_id", "client_secret")}
        _write_privately(file, {"issuer": self.url, **own})
        return file

    def logins(self) -> list[dict[str, Any]]:
        """Who has an account there and nowhere else."""
        person = json.loads(self.people.read_text(encoding="utf-8"))[-1]
        return [{"at": self.url, "email": person["email"], "what": "“Sign up with Google” at Twilio, by a click"}]

    @property
    def _clients(self) -> Path:
        return self.folder / "clients.json"


@dataclass(frozen=True, slots=True)
class DemoTwilio:
    """Twilio at `url`, its state and the bridge's registration in `folder`; `people` have accounts there."""

    url: str
    folder: Path
    people: Path

    def arguments(self, bridge: str, google: Path) -> list[str]:
        """The program that serves it, which knows the bridge at its address, and Google by its registration there; the
        secrets stand in files.
        """
        own = f"{bridge}/twilio"
        client = {
            "client_id": "segment",
            "client_secret": _secret_kept_in(self._clients),
            "client_name": "Segment",
            "redirect_uris": [f"{own}/callback"],
            "post_logout_redirect_uris": [f"{bridge}/login"],
            "initiate_login_uri": f"{own}/login",
            "target_link_uri": f"{bridge}/",
            "backchannel_logout_uri": f"{own}/backchannel-logout",
            "event_endpoint": f"{own}/events",
            "event_token": secrets.token_urlsafe(32),
        }
        _write_privately(self._clients, [client])
        files = _serving(self.url, self.folder, self._clients, self.people)
        return ["simulated.twilio", "serve", *files, "--google", str(google)]

    def settings(self) -> Mapping[str, str]:
        """What the bridge is told, by its environment; after `arguments`."""
        client = json.loads(self._clients.read_text(encoding="utf-8"))[0]
        own = {"ISSUER": self.url, "CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}
        return {f"BRIDGE_TWILIO_{name}": value for name, value in own.items()}

    def logins(self) -> list[dict[str, Any]]:
        """Who can log in there."""
        person = json.loads(self.people.read_text(encoding="utf-8"))[0]
        what = "Twilio login; its code arrives at /simulated/phone there"
        return [{"at": self.url, "email": person["email"], "password": person["password"], "what": what}]

    @property
    def _clients(self) -> Path:
        return self.folder / "clients.json"


def _serving(url: str, folder: Path, clients: Path, people: Path) -> list[str]:
    port = ["--port", url.rpartition(":")[2]]
    return [*port, "--state", str(folder), "--clients", str(clients), "--people", str(people)]


def _secret_kept_in(clients: Path) -> str:
    """The secret that the client had at the last start, or its first."""
    if clients.exists():
        return str(json.loads(clients.read_text(encoding="utf-8"))[0]["client_secret"])
    return secrets.token_urlsafe(32)


def _write_privately(file: Path, document: Any) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        json.dump(document, opened)
    draft.replace(file)
