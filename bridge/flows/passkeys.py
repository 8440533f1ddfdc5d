"""Passkeys (Web Authentication Level 2): the questions that browsers put to them, and the proofs that come back.

A question is good once, for five minutes, and for what it was asked for. Attestation isn't asked for: nobody here
decides by the make of a device.
"""

import base64
from dataclasses import dataclass
from datetime import timedelta
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
from bridge.storage import pending
from bridge.storage import second_factors as kept
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.second_factors import KeptPasskey

#: What a question is asked for: to add a passkey, as second factor after a password, or to sign in by it alone.
Use = Literal["add", "factor", "login"]
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


def ask_for_login(context: Context, change: Change) -> str:
    """The same for whichever passkey the person has here: it must know them (user verification)."""
    options = webauthn.generate_authentication_options(
        rp_id=_party(context)[0], user_verification=UserVerificationRequirement.REQUIRED
    )
    _remember(change, options.challenge, "login", None)
    return webauthn.options_to_json(options)


def _party(context: Context) -> tuple[str, str]:
    """Our id as relying party, and our origin (WebAuthn 5.1.2)."""
    parts = urlsplit(context.public_url)
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def _descriptors(change: Change, user: User) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in kept.list_credentials(change.connection, user.key)]


def _remember(change: Change, challenge: bytes, use: Use, user: User | None) -> None:
    hashed, until = _hash(bytes_to_base64url(challenge)), change.now + QUESTION_LASTS
    asked = Pending("passkey", None, user.key if user else None, None, "/", {"use": use}, until)
    pending.put_pending(change, hashed, asked)


def _hash(challenge: str) -> bytes:
    return digest(f"passkey:{challenge}")


# -- Answers -----------------------------------------------------------------------------------------


def check_new(context: Context, change: Change, user: User, answer: str) -> NewPasskey:
    """The passkey that was made for this account (WebAuthn 7.1). Raises WrongFactor."""
    read, challenge = _take_question(change, answer, "add", user)
    party, origin = _party(context)
    try:
        made = webauthn.verify_registration_response(
            credential=read, expected_challenge=challenge, expected_rp_id=party, expected_origin=origin
        )
    except Exception as error:  # whatever the library makes of a stranger's bytes is a no
        raise WrongFactor from error
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def check_shown(context: Context, change: Change, answer: str, use: Use, user: User | None = None) -> int:
    """A passkey answered (WebAuthn 7.2): of `user`, or of whoever it belongs to. Returns the key of their account.

    To sign in by it alone, it must have verified its person. Raises WrongFactor.
    """
    read, challenge = _take_question(change, answer, use, user)
    passkey = _passkey_of(change, read)
    if user is not None and passkey.user_key != user.key:
        raise WrongFactor
    counter = _verify(context, passkey, read, challenge, alone=use == "login")
    if not kept.use_passkey(change, passkey.key, counter):
        raise WrongFactor
    return passkey.user_key


def _take_question(change: Change, answer: str, use: Use, user: User | None) -> tuple[dict[str, Any], bytes]:
    """The answer, read; and which question of ours it answers, which is answered with it."""
    try:
        read = orjson.loads(answer[:LONGEST_ANSWER])
        said = orjson.loads(base64url_to_bytes(read["response"]["clientDataJSON"]))["challenge"]
        challenge = base64url_to_bytes(said)
        asked = pending.take_pending(change, _hash(bytes_to_base64url(challenge)), "passkey")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongFactor from error
    if asked is None or asked.result["use"] != use or asked.user_key != (user.key if user else None):
        raise WrongFactor
    return read, challenge


def _passkey_of(change: Change, read: dict[str, Any]) -> KeptPasskey:
    try:
        credential = base64url_to_bytes(read["id"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongFactor from error
    found = kept.find_passkey(change.connection, credential)
    if found is None:
        raise WrongFactor
    return found


def _verify(context: Context, passkey: KeptPasskey, read: dict[str, Any], challenge: bytes, *, alone: bool) -> int:
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
    return shown.new_sign_count


def seal_key(context: Context, public_key: bytes) -> bytes:
    """A passkey's public key, as it is kept."""
    return context.secrets.encrypt(base64.b64encode(public_key), _PURPOSE)


def open_key(context: Context, sealed: bytes) -> bytes:
    """The same, opened."""
    return base64.b64decode(context.secrets.decrypt(sealed, _PURPOSE))
