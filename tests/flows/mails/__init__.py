"""Every mail of the bridge, rendered into files: `python -m tests.flows.mails` writes them anew, to be read and kept.

A mail is a public function of one of `MODULES`; its sample is made of the names and types it takes.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

from bridge.domain.domains import Domain
from bridge.domain.mail import Mail
from bridge.flows import account_mails, connection_mails, workspace_mails

MODULES = (account_mails, connection_mails, workspace_mails)
FOLDER = Path(__file__).parent
_DAY = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
_DOMAIN = Domain("kicks.example", None, "3fJ0-token", _DAY, _DAY, None, missing_since=_DAY, problem="No TXT record.")
_TEXTS = {
    "to": "lucia@kicks.example",
    "workspace": "Kicks Co",
    "connection": "Kicks Okta",
    "inviter": "Marcus Lindqvist",
    "person": "Lucía Ferreiro",
    "owner": "Mei Tanaka",
    "email": "mei@kicks.example",
    "name": "Nightly export",
    "link": "https://bridge.example/invitations/x7Qh-secret_part",
    "code": "482 913",
}
_LISTS = {"gives": ("get Source Admin on all sources", "join Data Guild")}
_KINDS: Mapping[Any, Any] = {datetime: _DAY, int: 2, bool: False, Domain: _DOMAIN}


def all_mails() -> dict[str, Callable[..., Mail]]:
    """The functions that make a mail, by name."""
    found = [each for module in MODULES for each in inspect.getmembers(module, inspect.isfunction)]
    own = {module.__name__ for module in MODULES}
    return {name: make for name, make in sorted(found) if make.__module__ in own and not name.startswith("_")}


def sample(make: Callable[..., Mail], text: str | None = None) -> Mail:
    """A mail made of plausible values; with `text`, that stands for each name in it (its address stays)."""
    return make(**{name: _value(name, kind, text) for name, kind in get_type_hints(make).items() if name != "return"})


def _value(name: str, kind: Any, text: str | None) -> Any:
    if kind in _KINDS:
        return _KINDS[kind]
    if name in ("to", "link"):
        return _TEXTS[name]
    if getattr(kind, "__origin__", None) is Sequence:
        return _LISTS.get(name, (f"the first of {name}", f"the second of {name}")) if text is None else (text,)
    return text if text is not None else _TEXTS.get(name, f"[{name}]")


def write_all() -> None:
    """Write the files anew, and only those of mails that there are."""
    for old in (*FOLDER.glob("*.txt"), *FOLDER.glob("*.html")):
        old.unlink()
    for name, make in all_mails().items():
        mail = sample(make)
        (FOLDER / f"{name}.txt").write_text(f"Subject: {mail.subject}\n\n{mail.text}", "utf-8")
        (FOLDER / f"{name}.html").write_text(mail.html or "", "utf-8")
