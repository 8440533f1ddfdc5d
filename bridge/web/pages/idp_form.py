"""The part of a form that says who the IdP is, shown and read back: by address, as a file, or by fields."""

from dataclasses import dataclass, field
from typing import Literal

from flask import request

from bridge.domain.errors import DomainError, Invalid, OutsideFailed
from bridge.domain.presets import Preset
from bridge.domain.workspace import Connection
from bridge.flows.trusted_idp import IdpFields, SeveralIdps, parse_signers, signers_of
from bridge.web.current import current_outside
from bridge.web.pages.forms import error_at, typed, typed_text
from bridge.web.pages.views import Choice, Field, IdpForm, Option

Way = Literal["url", "file", "fields"]
_WAYS: tuple[Way, ...] = ("url", "file", "fields")
_SECONDS, _LARGEST = 15.0, 4 * 2**20
_LONGEST_URL, _LONGEST_CERTIFICATES = 2_000, 100_000
_NO_FIELDS = IdpFields("", "", "")
#: What refusals of the flow, and of the fetching before it, are about: fields of this part.
FIELDS = (
    "idp_choice",
    "metadata_certificate",
    "idp_metadata",
    "metadata_url",
    "entity_id",
    "sso_url",
    "certificates",
    "slo_url",
)


@dataclass(frozen=True, slots=True)
class TypedIdp:
    """What this part of the form was left at."""

    way: Way
    url: str = ""
    xml: str = ""
    fields: IdpFields = field(default=_NO_FIELDS)
    file: bytes = b""
    choice: str = ""
    signer: str = ""


@dataclass(frozen=True, slots=True)
class GivenIdp:
    """What flows take: metadata, where it came from, which IdP of several is meant, and by which certificates (PEM) it
    must be signed; or fields.
    """

    metadata: bytes | None = None
    fields: IdpFields | None = None
    url: str | None = None
    entity_id: str | None = None
    signed_by: tuple[str, ...] = ()


def blank(preset: Preset) -> TypedIdp:
    """The part before anybody typed: by the way that this vendor offers."""
    return TypedIdp("url" if preset.example else "file")


def of_connection(found: Connection) -> TypedIdp:
    """The part as it stands for a connection."""
    idp, url = found.config["idp"], found.config.get("metadata_url", "")
    fields = IdpFields(
        entity_id=idp["entity_id"],
        sso_url=idp["sso_redirect_url"] or idp["sso_post_url"] or "",
        certificates="\n".join(one.strip() for one in idp["certificates"]),
        slo_url=idp["slo_url"] or "",
        by_post=not idp["sso_redirect_url"],
    )
    return TypedIdp("url" if url else "file", url=url, fields=fields, signer="".join(signers_of(found.config)))


def typed_idp() -> TypedIdp:
    """The part of the form that was sent."""
    way = request.form.get("way", "")
    file = request.files.get("metadata_file")
    content = file.read(_LARGEST + 1) if file else b""
    return TypedIdp(
        way=next((one for one in _WAYS if one == way), "url"),
        url=typed("metadata_url", _LONGEST_URL),
        xml=_as_text(content) or typed_text("metadata_xml", _LARGEST),
        fields=IdpFields(
            entity_id=typed("entity_id", _LONGEST_URL),
            sso_url=typed("sso_url", _LONGEST_URL),
            certificates=typed_text("certificates", _LONGEST_CERTIFICATES),
            slo_url=typed("slo_url", _LONGEST_URL),
            by_post=bool(typed("by_post")),
        ),
        file=content,
        choice=typed("idp_choice", _LONGEST_URL),
        signer=typed_text("metadata_certificate", _LONGEST_CERTIFICATES),
    )


def _as_text(content: bytes) -> str:
    """A file's text, to be shown again if something else is wrong: a browser doesn't keep the file."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""


def given_idp(left_at: TypedIdp) -> GivenIdp:
    """What it says, an address fetched. Raises Invalid, about a field of this part."""
    if left_at.way == "fields":
        return GivenIdp(fields=left_at.fields)
    signers, chosen = tuple(parse_signers(left_at.signer)), left_at.choice or None
    if left_at.way == "file":
        metadata = left_at.file or left_at.xml.encode()
        if not metadata.strip():
            raise Invalid("Choose the metadata file, or paste its text.", field="idp_metadata")
        return GivenIdp(metadata, entity_id=chosen, signed_by=signers)
    if not left_at.url:
        raise Invalid("Paste the address of the metadata.", field="metadata_url")
    return GivenIdp(_fetched(left_at.url), url=left_at.url, entity_id=chosen, signed_by=signers)


def _fetched(url: str) -> bytes:
    outside = current_outside()
    try:
        with outside.errands.turn():
            return outside.fetch(url, timeout=_SECONDS, max_bytes=_LARGEST)
    except OutsideFailed as error:
        raise Invalid(error.text, field="metadata_url") from error


def idp_form(left_at: TypedIdp, preset: Preset, error: DomainError | None = None) -> IdpForm:
    """The part, shown as it was left, with what is wrong beside its field."""
    bad = error_at(error, "idp_metadata")
    given = left_at.fields
    return IdpForm(
        way=left_at.way,
        url=Field(
            "metadata_url",
            "Address of the metadata",
            left_at.url,
            kind="url",
            required=False,
            depends=True,
            placeholder=preset.example or None,
            help="It is read again each day, so that a new certificate is trusted in time.",
            error=error_at(error, "metadata_url") or (bad if left_at.way == "url" else None),
        ),
        xml=Field(
            "metadata_xml",
            "Or paste its text",
            left_at.xml,
            kind="textarea",
            required=False,
            depends=True,
            placeholder="<EntityDescriptor …",
            error=bad if left_at.way == "file" else None,
        ),
        entity_id=_field("entity_id", "Entity ID, or issuer", given.entity_id, error),
        sso_url=_field("sso_url", "Single sign-on address", given.sso_url, error, kind="url"),
        certificates=_field(
            "certificates",
            "Signing certificate",
            given.certificates,
            error,
            kind="textarea",
            help="With its BEGIN and END lines, or as base64. Several, one after the other, are all trusted.",
        ),
        slo_url=_field(
            "slo_url",
            "Single logout address",
            given.slo_url,
            error,
            kind="url",
            help="Only if people who sign out here should be signed out there.",
        ),
        by_post=given.by_post,
        choice=_choice(left_at, error),
        signer=Field(
            "metadata_certificate",
            "Certificate that signs the metadata",
            left_at.signer,
            kind="textarea",
            required=False,
            help="Federations publish theirs. With it, metadata that isn’t signed so is refused, now and whenever it "
            "is read again. Empty: it is taken signed or not.",
            error=error_at(error, "metadata_certificate"),
        ),
    )


def _choice(left_at: TypedIdp, error: DomainError | None) -> Choice | None:
    """Which IdP of the metadata is meant: asked where it has several; kept where something else was wrong."""
    if isinstance(error, SeveralIdps):
        every = tuple(
            Option(uid, f"{name} ({uid})" if name else uid, selected=uid == left_at.choice)
            for uid, name in error.choices
        )
        text = f"This metadata has {len(every):,} identity providers. Choose the one whose people sign in here."
        return Choice("idp_choice", "Which of them", (Option("", "Choose one"), *every), error=text)
    if left_at.choice and error is not None and error_at(error, "idp_metadata") is None:
        kept = (Option("", "Another one"), Option(left_at.choice, left_at.choice, selected=True))
        return Choice("idp_choice", "Which of them", kept)
    return None


def _field(
    name: str,
    label: str,
    value: str,
    error: DomainError | None,
    kind: Literal["text", "url", "textarea"] = "text",
    help: str | None = None,  # noqa: A002 - as the field calls it
) -> Field:
    at = error_at(error, name)
    return Field(name, label, value, kind=kind, required=False, depends=name != "slo_url", help=help, error=at)
