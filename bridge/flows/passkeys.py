"""Passkeys (Web Authentication Level 3): the questions that browsers put to them, and the proofs that come back.

A question is good once, for five minutes, and for what it was asked for. Anybody may be asked for a passkey to sign in
by, so of that question nothing is kept here: it names itself, and belongs to the browser that keeps the rest of it
(`login_requests`). Attestation isn't asked for: nobody here decides by the make of a device.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bridge.domain.second_factors import WrongFactor
from bridge.domain.workspace import User
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.flows.login_requests import Keepsake, is_kept_by, name_request, read_request, spend_request
from bridge.storage import pending, people
from bridge.storage import second_factors as kept
from bridge.storage.changes import Change
from bridge.storage.own_account import hold_account
from bridge.storage.pending import Pending
from bridge.storage.second_factors import KeptPasskey

#: What a question to somebody is asked for: to add a passkey, or as second factor after a password.
Use = Literal["add", "factor"]
QUESTION_LASTS = timedelta(minutes=5)
LONGEST_ANSWER = 20_000
_PURPOSE = "second_factors.data_enc"


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was just made: its id, its public key (COSE), its counter."""

    credential: bytes
    public_key: bytes
    counter: int


# -- Questions ---------------------------------------------------------------------------------------


def ask_to_add(context: Context, change: Change, user: User) -> str:
    """The options of `navigator.credentials.create`, as JSON (WebAuthn 5.4)."""
    options = webauthn.generate_registration_options(
        rp_id=_party(context)[0],
        rp_name="bridge",
        user_id=user.id.encode(),
        user_name=user.email,
        user_display_name=user.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(change, user),
    )
    _remember(change, options.challenge, "add", user)
    return webauthn.options_to_json(options)


def ask_for_factor(context: Context, change: Change, user: User) -> str:
    """The options of `navigator.credentials.get` for one of this account's passkeys (WebAuthn 5.5)."""
    options = webauthn.generate_authentication_options(
        rp_id=_party(context)[0],
        allow_credentials=_descriptors(change, user),
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    _remember(change, options.challenge, "factor", user)
    return webauthn.options_to_json(options)


def ask_for_login(context: Context, keepsake: Keepsake, now: datetime) -> str:
    """The same for whichever passkey the person has here: it must know them (user verification). The browser keeps the
    keepsake, and brings it with the answer.
    """
    options = webauthn.generate_authentication_options(
        rp_id=_party(context)[0],
        challenge=name_request(context, "passkey", "", keepsake, now, fresh=False, test=False).encode(),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _party(context: Context) -> tuple[str, str]:
    """Our id as relying party, and our origin (WebAuthn 5.1.2)."""
    parts = urlsplit(context.public_url)
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def _descriptors(change: Change, user: User) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in kept.list_credentials(change.connection, user.key)]


def _remember(change: Change, challenge: bytes, use: Use, user: User) -> None:
    hashed, until = _hash(bytes_to_base64url(challenge)), change.now + QUESTION_LASTS
    asked = Pending("passkey", None, user.key, None, "/", {"use": use}, until)
    pending.put_pending(change, hashed, asked)


def _hash(challenge: str) -> bytes:
    return digest(f"passkey:{challenge}")


# -- Answers -----------------------------------------------------------------------------------------


def check_new(context: Context, change: Change, user: User, answer: str) -> NewPasskey:
    """The passkey that was made for this account (WebAuthn 7.1). Raises WrongFactor."""
    read, challenge = _read(answer)
    _take_question(change, challenge, "add", user)
    party, origin = _party(context)
    try:
        made = webauthn.verify_registration_response(
            credential=read, expected_challenge=challenge, expected_rp_id=party, expected_origin=origin
        )
    except Exception as error:  # whatever the library makes of a stranger's bytes is a no
        raise WrongFactor from error
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def check_shown(context: Context, change: Change, answer: str, user: User) -> bool:
    """One of this account's passkeys answered, after the password (WebAuthn 7.2). Raises WrongFactor."""
    read, challenge = _read(answer)
    _take_question(change, challenge, "factor", user)
    passkey = _passkey_of(change, read)
    if passkey.user_key != user.key or _handle(read) not in (None, user.id):
        raise WrongFactor
    _use(context, change, passkey, read, challenge, alone=False)
    return True


def check_login(context: Context, change: Change, answer: str, keepsake: Keepsake | None) -> tuple[User, str]:
    """A passkey answered by itself: whose it is, and its id. It must have verified its person, and name them (WebAuthn
    7.2, 6). Raises WrongFactor.
    """
    read, challenge = _read(answer)
    _spend_question(context, change, challenge, keepsake)
    passkey = _passkey_of(change, read)
    hold_account(change, passkey.user_key)
    user = people.find_user_by_key(change.connection, passkey.user_key)
    if user is None or _handle(read) != user.id:
        raise WrongFactor
    _use(context, change, passkey, read, challenge, alone=True)
    return user, passkey.id


def _read(answer: str) -> tuple[dict[str, Any], bytes]:
    """The answer, and the question that it is to. Nobody is asked inside of another site's page (7.2, 12)."""
    try:
        read = orjson.loads(answer[:LONGEST_ANSWER])
        said = orjson.loads(base64url_to_bytes(read["response"]["clientDataJSON"]))
        challenge, crossed = base64url_to_bytes(said["challenge"]), said.get("crossOrigin")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongFactor from error
    if crossed not in (None, False):
        raise WrongFactor
    return read, challenge


def _take_question(change: Change, challenge: bytes, use: Use, user: User) -> None:
    asked = pending.take_pending(change, _hash(bytes_to_base64url(challenge)), "passkey")
    if asked is None or asked.result["use"] != use or asked.user_key != user.key:
        raise WrongFactor


def _spend_question(context: Context, change: Change, challenge: bytes, keepsake: Keepsake | None) -> None:
    name = challenge.decode("ascii", "replace")
    asked = read_request(context, "passkey", "", name, change.now)
    if asked is None or change.now >= asked.asked_at + QUESTION_LASTS or not is_kept_by(keepsake, asked.browser_hash):
        raise WrongFactor
    if not spend_request(change, "passkey", "", name, asked):
        raise WrongFactor


def _handle(read: dict[str, Any]) -> str | None:
    """The id of the account that the passkey was made for, where it says so."""
    try:
        said = read["response"].get("userHandle")
        return base64url_to_bytes(said).decode() if said else None
    except (ValueError, TypeError, AttributeError) as error:
        raise WrongFactor from error


def _passkey_of(change: Change, read: dict[str, Any]) -> KeptPasskey:
    try:
        credential = base64url_to_bytes(read["id"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongFactor from error
    found = kept.find_passkey(change.connection, credential)
    if found is None:
        raise WrongFactor
    return found


def _use(
    context: Context, change: Change, passkey: KeptPasskey, read: dict[str, Any], challenge: bytes, *, alone: bool
) -> None:
    """Its signature is good, and it counts on. Raises WrongFactor."""
    party, origin = _party(context)
    try:
        shown = webauthn.verify_authentication_response(
            credential=read,
            expected_challenge=challenge,
            expected_rp_id=party,
            expected_origin=origin,
            credential_public_key=open_key(context, passkey.sealed),
            credential_current_sign_count=passkey.counter,
            require_user_verification=alone,
        )
    except Exception as error:  # whatever the library makes of a stranger's bytes is a no
        raise WrongFactor from error
    if not kept.use_passkey(change, passkey.key, shown.new_sign_count):
        raise WrongFactor


def seal_key(context: Context, public_key: bytes) -> bytes:
    """A passkey's public key, as it is kept."""
    return context.secrets.encrypt(base64.b64encode(public_key), _PURPOSE)


def open_key(context: Context, sealed: bytes) -> bytes:
    """The same, opened."""
    return base64.b64decode(context.secrets.decrypt(sealed, _PURPOSE))
