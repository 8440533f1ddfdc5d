"""The sign-in log's values: one attempt, its steps, and what of an answer may be kept (product.md 2.10).

Steps are kept by name; `TITLES` says what each means, with the IdP's name in it where it acts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from bridge.domain.identity import LoginKind

#: What isn’t a login, and stands beside them since it opens the way to one.
AttemptKind = LoginKind | Literal["break_glass", "reset"]
Outcome = Literal["signed_in", "refused", "test_passed", "password_reset"]
OutcomeFilter = Literal["", "signed_in", "refused", "break_glass", "password_reset", "test"]

LONGEST_MESSAGE = 64_000
LONGEST_TEXT = 1_000
LONGEST_EMAIL = 320

#: What a login goes through, in this order; no protocol has all of it. `{idp}` is the connection's name.
TITLES: Mapping[str, str] = {
    "typed": "An email and a password were typed",
    "link_followed": "The link that was mailed to them was followed",
    "password_set": "A new password was chosen",
    "passkey": "A passkey was shown",
    "factor": "They showed their second factor",
    "asked": "We sent them to {idp}",
    "unasked": "{idp} sent them without being asked",
    "received": "{idp} sent them back",
    "shape": "The answer has the shape of one",
    "code_exchanged": "{idp} gave tokens for the code",
    "signature": "The signature is good",
    "opened": "The assertion was decrypted",
    "addressee": "It was made for us",
    "subject": "It names somebody",
    "request": "It answers one request",
    "times": "It is fresh",
    "id_token": "The ID token is good",
    "userinfo": "{idp} said more about them",
    "attributes": "Email, name and groups were found",
    "groups_left_out": "Groups are missing",
    "our_request": "It answers a request of ours, and is new",
    "person": "Whose account it is",
    "groups": "Their groups were noted",
    "browser": "The same browser came back",
    "proof_asked": "They are asked to prove the account",
    "proved": "They proved the account",
    "session": "They are signed in",
    "own_login": "They had signed in by their own login",
    "code": "A break-glass code was typed",
    "glass_broken": "This workspace is open to them",
    "owners_told": "The owners were told by mail",
    "test_over": "Signed in: nobody, this was a test",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a login went through. `at` None: when the attempt was kept. `warning`: passed, but look at it."""

    name: str
    detail: str = ""
    at: datetime | None = None
    warning: bool = False

    def title(self, idp: str) -> str:
        """What it means, in plain words."""
        return TITLES.get(self.name, self.name.replace("_", " ").capitalize()).replace("{idp}", idp)


@dataclass(frozen=True, slots=True)
class WouldHappen:
    """What a test found out: what the IdP said, whom a login would open, what they would get. Nothing was changed."""

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    account: str
    membership: str
    rules: tuple[str, ...] = ()
    access: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One login as its workspace's owners see it. `ref` is what the error page showed.

    `check`: which rule refused it. `times`: how many like it came together, of which this one is kept; `last_at` the
    latest of them. `message` and `would` only where one attempt is asked for.
    """

    ref: str
    at: datetime
    kind: AttemptKind
    outcome: Outcome
    code: str
    text: str
    check: str
    test: bool
    email: str
    address: str
    agent: str
    connection_id: str | None
    connection: str
    preset: str
    times: int
    last_at: datetime
    steps: tuple[Step, ...] = ()
    message: str = ""
    would: WouldHappen | None = None


@dataclass(frozen=True, slots=True)
class AttemptsQuery:
    """Which attempts: of whom (a part of the email, or the reference), how they ended, through which connection,
    since when; `before` is the reference of the last one seen."""

    person: str = ""
    outcome: OutcomeFilter = ""
    connection_id: str = ""
    since: datetime | None = None
    before: str = ""


# -- What of tokens may be kept ----------------------------------------------------------------------

BLACKED_OUT = "[blacked out]"
_SPEAKS_OF_SECRETS = re.compile(
    r"passw|passphrase|secret|token|credential|authorization|apikey|privatekey|accesskey|bearer|cookie|^code$|verifier"
)
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_DEEPEST = 16


def render_claims(**parts: Mapping[str, Any]) -> str:
    """Decoded parts of an OpenID Connect answer (`header`, `claims`, `userinfo`) as indented JSON.

    Never the tokens themselves: whatever stands under a name that speaks of secrets, or looks like a JWT, is blacked
    out. Cut at 64,000 characters.
    """
    kept = {name: _without_secrets(part, 0) for name, part in parts.items()}
    return cut(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def _without_secrets(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            clean(str(name)): BLACKED_OUT if is_secret(str(name)) else _without_secrets(each, depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(each, depth + 1) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return str(value)
    return clean(_TOKEN.sub(BLACKED_OUT, value)) if isinstance(value, str) else value


def is_secret(name: str) -> bool:
    """Whether what stands under that name is never kept."""
    return bool(_SPEAKS_OF_SECRETS.search(re.sub(r"[^a-z]", "", name.lower())))


def cut(text: str, most: int = LONGEST_MESSAGE) -> str:
    """A text of at most so many characters, with a mark where it was longer."""
    return text if len(text) <= most else f"{text[:most]}\n… cut here: {len(text):,} characters"


def clean(text: str) -> str:
    """What every database can hold: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
