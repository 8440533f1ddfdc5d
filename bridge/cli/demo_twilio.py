"""The simulated Twilio of the demo: what it is told of the bridge, and the bridge of it."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CLIENT_ID = "segment"


@dataclass(frozen=True, slots=True)
class DemoTwilio:
    """Twilio at `url`, its state and the bridge's registration in `folder`; `people` have accounts there."""

    url: str
    folder: Path
    people: Path

    def arguments(self, bridge: str) -> list[str]:
        """The program that serves it, which knows the bridge at its address; the secret stands in a file."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = ["--port", self.url.rpartition(":")[2]]
        files = ["--clients", str(self._register(bridge)), "--people", str(self.people)]
        return ["simulated.twilio", "serve", *port, "--state", str(self.folder), *files]

    def settings(self) -> Mapping[str, str]:
        """What the bridge is told, by its environment; after `arguments`."""
        client = json.loads(self._registration.read_text())[0]
        own = {"ISSUER": self.url, "CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}
        return {f"BRIDGE_TWILIO_{name}": value for name, value in own.items()}

    def logins(self) -> list[dict[str, Any]]:
        """Who can log in there."""
        person = json.loads(self.people.read_text(encoding="utf-8"))[0]
        what = "Twilio login; its code arrives at /simulated/phone there"
        return [{"at": self.url, "email": person["email"], "password": person["password"], "what": what}]

    @property
    def _registration(self) -> Path:
        return self.folder / "clients.json"

    def _register(self, bridge: str) -> Path:
        """The bridge as Twilio's client, wherever it is today, with the secret that it had."""
        own = f"{bridge}/twilio"
        client = {
            "client_id": _CLIENT_ID,
            "client_secret": self._secret(),
            "client_name": "Segment",
            "redirect_uris": [f"{own}/callback"],
            "post_logout_redirect_uris": [f"{bridge}/login"],
            "initiate_login_uri": f"{own}/login",
            "target_link_uri": f"{bridge}/",
            "backchannel_logout_uri": f"{own}/backchannel-logout",
            "event_endpoint": f"{own}/events",
            "event_token": secrets.token_urlsafe(32),
        }
        draft = self._registration.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump([client], file)
        draft.replace(self._registration)
        return self._registration

    def _secret(self) -> str:
        if self._registration.exists():
            return str(json.loads(self._registration.read_text())[0]["client_secret"])
        return secrets.token_urlsafe(32)
