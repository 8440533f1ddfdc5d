"""What a file names that isn't in it, found before any transaction: secrets, metadata in files and at addresses, a
provider's own description. What stands already isn't fetched again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bridge.domain.as_code import CodedConnection, CodedSecret, CodedWorkspace
from bridge.domain.as_code_connections import idp_differs
from bridge.domain.as_code_reading import FileRead
from bridge.domain.as_code_yaml import BadFile, Fault
from bridge.domain.domains import parse_domain
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.people import fold
from bridge.domain.workspace import Connection
from bridge.flows.as_code_standing import idp_of
from bridge.flows.connect import NewConnection, SamlDraft, prepare_saml
from bridge.flows.connect_oidc import OidcDraft, clean_client_id, prepare_oidc, read_provider
from bridge.flows.connection_settings import parse_name_id_format
from bridge.flows.context import Context
from bridge.flows.named import get_workspace
from bridge.flows.oidc_settings import with_openid
from bridge.flows.outside import Fetch
from bridge.flows.trusted_idp import (
    Trusted,
    check_metadata_url,
    parse_signers,
    read_facts,
    read_identity_provider,
    signers_of,
)
from bridge.storage import connections

_METADATA_SECONDS, _METADATA_BYTES = 15.0, 4 * 2**20


@dataclass(frozen=True, slots=True)
class Ways:
    """Where what a file only names is found: variables, files as seen from it (`read` raises Invalid), the web."""

    environment: Mapping[str, str] = field(repr=False)
    read: Callable[[str], bytes]
    fetch: Fetch
    ask: Any


@dataclass(frozen=True, slots=True)
class Found:
    """A file's workspace with what it names: of connections, by their places in the file, what is trusted from now on
    where that is said, and those that are new, ready to be made."""

    wanted: CodedWorkspace
    trusted: Mapping[str, Trusted]
    new: Mapping[str, NewConnection]


def find_outside(context: Context, slug: str, read: FileRead, ways: Ways, now: datetime) -> Found:
    """All of that. Raises BadFile with everything that can't be found or taken, NotFound (the workspace)."""
    with context.database.reading() as rows:
        workspace = get_workspace(rows, slug)
        standing = {fold(one.name): one for one in connections.list_connections(rows, workspace.key)}
    search = _Search(context, ways, now, read)
    found = [
        search.connection(one, standing.get(fold(one.name)) or standing.get(fold(one.was or "")))
        for one in read.workspace.connections or ()
    ]
    if search.faults:
        raise BadFile(search.faults)
    listed = None if read.workspace.connections is None else tuple(found)
    return Found(replace(read.workspace, connections=listed), search.trusted, search.new)


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks for what one connection after the other names, and gathers faults."""

    context: Context
    ways: Ways
    now: datetime
    read: FileRead
    trusted: dict[str, Trusted] = field(default_factory=dict)
    new: dict[str, NewConnection] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, path: str, text: str) -> None:
        """Note one fault."""
        self.faults.append(Fault(self.read.line(path), path, text))

    def connection(self, one: CodedConnection, standing: Connection | None) -> CodedConnection:
        """It with its settings as they are kept, and what it names found."""
        before = len(self.faults)
        said = {key: self.setting(one, key, value) for key, value in one.said.items()}
        settled = replace(one, said=said, secret=one.secret and self.secret(one.secret, f"{one.at}.client_secret"))
        settled = self.idp(settled, standing)
        if standing is None and len(self.faults) == before:
            self.prepare(settled)
        return settled

    def setting(self, one: CodedConnection, key: str, value: Any) -> Any:
        """A setting in the form in which it is kept, so that it compares."""
        try:
            if key == "name_id_format" and value is not None:
                return parse_name_id_format(value)
            if key == "hosted_domain" and value is not None:
                return parse_domain(value)
            if key == "client_id":
                return clean_client_id(value)
        except DomainError as error:
            self.refuse(f"{one.at}.{key}", error.text)
        return with_openid(value) if key == "scopes" else value

    def secret(self, secret: CodedSecret, path: str) -> CodedSecret:
        """It with what stands where it says."""
        if secret.by == "env" and secret.name not in self.ways.environment:
            self.refuse(f"{path}.env", f"There is no environment variable {secret.name[:80]!r} where this runs.")
        elif secret.by == "env":
            return replace(secret, value=self.ways.environment[secret.name].strip())
        elif secret.by == "file":
            body = self.file(secret.name, f"{path}.file")
            return secret if body is None else replace(secret, value=body.decode("utf-8", "replace").strip())
        return secret

    def file(self, name: str, path: str) -> bytes | None:
        """A file's bytes."""
        try:
            return self.ways.read(name)
        except DomainError as error:
            self.refuse(path, error.text)
            return None

    # -- SAML ----------------------------------------------------------------------------------------

    def idp(self, one: CodedConnection, standing: Connection | None) -> CodedConnection:
        """It with its IdP as that is kept, or as its address, and what is trusted from now on noted."""
        if one.idp is None:
            return one
        try:
            present = idp_of(standing) if standing is not None else None
            signers = self.signers(one.idp, standing)
            own = {"signed_by": signers} if "signed_by" in one.idp else {}
            if "metadata_url" in one.idp:
                said = {**one.idp, **own}
                if idp_differs(present, said):
                    self.trusted[one.at] = self.fetched(said, signers)
                    said = {**_frozen(self.trusted[one.at].idp), **said}  # so that who agrees sees what is trusted
            else:
                facts = self.facts(one, signers)
                said = _frozen(facts) | own
                self.trusted[one.at] = Trusted(facts, "idp", None, None, signers)
            return replace(one, idp=said)
        except DomainError as error:
            named = f"{one.at}.idp.{getattr(error, 'field', None)}"
            self.refuse(named if named in self.read.lines else f"{one.at}.idp", error.text)
            return one

    def signers(self, idp: Mapping[str, Any], standing: Connection | None) -> tuple[str, ...]:
        """The certificates that metadata is held to: those of the file, or else those that stand."""
        if "signed_by" in idp:
            return tuple(dict.fromkeys(pem for one in idp["signed_by"] for pem in parse_signers(one)))
        return tuple(signers_of(standing.config)) if standing is not None else ()

    def fetched(self, idp: Mapping[str, Any], signers: tuple[str, ...]) -> Trusted:
        """What metadata at an address says now."""
        url = idp["metadata_url"]
        check_metadata_url(url)
        body = self.ways.fetch(url, timeout=_METADATA_SECONDS, max_bytes=_METADATA_BYTES)
        facts = read_identity_provider(body, None, self.now, entity_id=idp.get("entity_id"), signed_by=signers)
        return Trusted(facts, "idp", url, None, signers)

    def facts(self, one: CodedConnection, signers: tuple[str, ...]) -> dict[str, Any]:
        """The IdP by metadata in the file, or in one beside it, or by its own fields."""
        idp = one.idp or {}
        if "metadata_file" in idp:
            body = self.ways.read(idp["metadata_file"])
        elif "metadata" in idp:
            body = idp["metadata"].encode()
        else:
            return read_facts(idp)
        return read_identity_provider(body, None, self.now, entity_id=idp.get("entity_id"), signed_by=signers)

    # -- New ones ------------------------------------------------------------------------------------

    def prepare(self, one: CodedConnection) -> None:
        """Have one ready to be made."""
        try:
            self.new[one.at] = self.oidc(one) if one.kind == "oidc" else self.saml(one)
        except DomainError as error:
            field_name = getattr(error, "field", None)
            self.refuse(f"{one.at}.{field_name}" if field_name else one.at, error.text)

    def saml(self, one: CodedConnection) -> NewConnection:
        """A SAML connection: its IdP has to be said."""
        if one.at not in self.trusted:
            raise Invalid("There is no such connection yet. A new one needs its IdP.", field="idp")
        trusted = self.trusted[one.at]
        draft = SamlDraft(
            name=one.name,
            preset=one.said.get("preset"),
            allow_idp_initiated=one.said.get("allow_idp_initiated", False),
            metadata_url=trusted.url,
            enabled=one.said.get("enabled", True),
            signed_by=trusted.signed_by,
            trusted=trusted.idp,
        )
        return prepare_saml(self.context, draft, self.now)

    def oidc(self, one: CodedConnection) -> NewConnection:
        """An OpenID Connect connection: its provider is asked, and its secret has to be found."""
        is_kept = one.secret is not None and one.secret.by == "keep"
        if is_kept:
            text = "There is no such connection yet, so nothing is kept. Say where its secret is: {env: NAME}."
            raise Invalid(text, field="client_secret")
        with self.ways.ask() as ask:
            provider = read_provider(one.said["issuer"], ask)
        draft = OidcDraft(
            issuer=one.said["issuer"],
            client_id=one.said["client_id"],
            client_secret=one.secret.value if one.secret else None,
            name=one.name,
            preset=one.said.get("preset"),
            allow_idp_initiated=one.said.get("allow_idp_initiated", False),
            token_auth=one.said.get("token_auth"),
            hosted_domain=one.said.get("hosted_domain"),
            scopes=one.said.get("scopes"),
            enabled=one.said.get("enabled", True),
        )
        return prepare_oidc(self.context, draft, provider)


def _frozen(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
