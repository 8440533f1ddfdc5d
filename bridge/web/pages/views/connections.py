"""Connections to IdPs: the list, making one, and one of them by its tabs."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.presets import ConsoleClaim
from bridge.web.pages.views.form_parts import Choice, Field, Option
from bridge.web.pages.views.mapping import PreviewPanel
from bridge.web.pages.views.parts import Consequence, Fact, Link, Note, Post, Status, Tab


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection in the list. `certificate` None: it has none to run out."""

    name: str
    href: str
    speaks: str
    status: Status
    people: int
    last_sign_in: datetime | None
    certificate: Status | None
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    """`connections.html`. `new_href` None: the plan has no connections, which `note` says."""

    rows: tuple[ConnectionRow, ...]
    new_href: str | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class PresetLink:
    """A vendor to choose, and by which protocol."""

    name: str
    help: str
    href: str


@dataclass(frozen=True, slots=True)
class ConnectionChoosePage:
    """`connection_choose.html`: with what kind of IdP; each group a protocol and its vendors."""

    crumbs: tuple[Link, ...]
    groups: tuple[tuple[str, str, tuple[PresetLink, ...]], ...]


@dataclass(frozen=True, slots=True)
class ConsoleValue:
    """A field of the IdP's console: what to copy into it, or a word of what to choose there."""

    id: str
    label: str
    copy: str = ""
    text: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing to do at the IdP."""

    title: str
    text: str
    values: tuple[ConsoleValue, ...] = ()
    claims: tuple[ConsoleClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class IdpForm:
    """How an IdP is described: by the address of its metadata, by a file or its text, or by fields. Posts `way`.

    `choice`: which of several IdPs of the metadata; `signer`: by which certificate it must be signed.
    """

    way: str
    url: Field
    xml: Field
    entity_id: Field
    sso_url: Field
    certificates: Field
    slo_url: Field
    signer: Field
    by_post: bool = False
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class ConnectionFormPage:
    """`connection_form.html`: what to do at the IdP, then what it gave. With `saml` or with `oidc` fields.

    `button` says what happens; `hidden` carries what isn't typed, such as the id that is promised.
    """

    title: str
    text: str
    crumbs: tuple[Link, ...]
    vendor: str
    steps: tuple[SetupStep, ...]
    bring: str
    action: str
    cancel_href: str
    button: str
    hidden: tuple[tuple[str, str], ...] = ()
    saml: IdpForm | None = None
    oidc: tuple[Field, ...] = ()
    name: Field | None = None
    idp_initiated: Option | None = None
    others_href: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionHead:
    """What the tabs of one connection have in common. What is None can't be done, or not yet."""

    name: str
    speaks: str
    status: Status
    crumbs: tuple[Link, ...]
    tabs: tuple[Tab, ...]
    test_href: str | None = None
    enable_href: str | None = None
    disable_href: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """`connection.html`: our addresses in the words of the IdP's console, and what hangs on the connection."""

    head: ConnectionHead
    vendor: str
    steps: tuple[SetupStep, ...]
    addresses: tuple[ConsoleValue, ...]
    facts: tuple[Fact, ...]
    links: tuple[Link, ...]
    delete_href: str
    metadata_href: str | None = None
    is_used: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate, theirs or ours. `pem` is there for ours: to be copied."""

    title: str
    status: Status
    facts: tuple[Fact, ...]
    fingerprint: str
    pem: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class CertificatesPage:
    """`connection_certificates.html`: what we trust of the IdP, and our own keys."""

    head: ConnectionHead
    vendor: str
    idp_facts: tuple[Fact, ...]
    theirs: tuple[CertificateRow, ...]
    ours: tuple[CertificateRow, ...]
    replace_href: str
    source: Note
    refresh: Post | None = None
    begin: Post | None = None
    finish_href: str | None = None
    cancel_href: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    """Settings that belong together: switches, fields and choices."""

    title: str
    text: str = ""
    switches: tuple[tuple[str, Option], ...] = ()
    fields: tuple[Field, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionSettingsPage:
    """`connection_settings.html`. Posts every setting, and `version`, at which the form was shown."""

    head: ConnectionHead
    action: str
    groups: tuple[SettingsGroup, ...]
    hidden: tuple[tuple[str, str], ...]
    cancel_href: str


@dataclass(frozen=True, slots=True)
class ConnectionDeletePage:
    """`connection_delete.html`: what goes, then its name to type."""

    name: str
    crumbs: tuple[Link, ...]
    action: str
    consequences: tuple[Consequence, ...]
    typed: Field
    button: str
    cancel_href: str
    hidden: tuple[tuple[str, str], ...] = ()
    panel: PreviewPanel | None = None
