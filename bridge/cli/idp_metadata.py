"""An IdP's metadata as a command names it: a file or an address, which of its IdPs, and by whom it must be signed."""

from pathlib import Path

import click

from bridge.cli.terminal import House
from bridge.domain.errors import Invalid
from bridge.flows import trusted_idp
from bridge.outside.web import FetchFailed, fetch
from bridge.settings import Settings

_METADATA_SECONDS, _METADATA_BYTES = 15.0, 4 * 2**20


def check_chosen(idp_metadata: str | None, idp_entity_id: str | None) -> None:
    """Refuse a choice where there is nothing to choose in."""
    if idp_entity_id and idp_metadata is None:
        raise click.UsageError("--idp-entity-id chooses in what --idp-metadata names.")


def signers_in(file: str | None) -> list[str] | None:
    """The certificates in a file; none of an empty name; None where no file was named."""
    if file is None:
        return None
    return trusted_idp.parse_signers(_text_of(file) if file else "")


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise click.UsageError(f"--metadata-certificate: {file}: {error.strerror}.") from error


def is_url(file_or_url: str) -> bool:
    """Whether it is read anew later, from where it was."""
    return file_or_url.startswith(("http://", "https://"))


def read_metadata(house: House, file_or_url: str) -> bytes:
    """What is in the file, or at the address. Raises Invalid for an address that can't be read."""
    if is_url(file_or_url):
        return _fetch(house.settings, file_or_url)
    try:
        return Path(file_or_url).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--idp-metadata: {file_or_url}: {error.strerror}.") from error


def _fetch(settings: Settings, url: str) -> bytes:
    """An IdP's metadata from where an admin says it is, within limits. Raises Invalid, saying why."""
    try:
        return fetch(
            url,
            timeout=_METADATA_SECONDS,
            max_bytes=_METADATA_BYTES,
            allow_private=settings.fetch_private_addresses,
        )
    except FetchFailed as error:
        raise Invalid(str(error), field="idp_metadata") from error
