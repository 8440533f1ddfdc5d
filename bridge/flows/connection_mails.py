"""Mails to owners about connections: metadata that changed, what ends, tokens too. Their look: `mail_theme`."""

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.mail import Mail
from bridge.flows.mail_theme import date_of, minute_of, write


def metadata_changed(to: str, connection: str, workspace: str, changes: Sequence[str]) -> Mail:
    """Owners learn that their IdP's metadata says something else than before, and is trusted as it is now."""
    return write(
        to,
        f"{connection} has changed how it signs people in to {workspace}",
        (
            f"The metadata of {connection} has changed, and the bridge goes by it from now on: {'; '.join(changes)}.",
            "If nobody at your company knows of a change there, switch the connection off and ask them.",
        ),
    )


def metadata_failing(to: str, connection: str, workspace: str, reasons: Sequence[str]) -> Mail:
    """Owners learn that their IdP's metadata can't be read any more, and what that means."""
    return write(
        to,
        f"The metadata of {connection} can’t be read",
        (
            f"The bridge reads the metadata of {connection}, through which people sign in to {workspace}, again and "
            f"again. Several times in a row it couldn’t: {' '.join(reasons)}",
            "What it last read well stays in force, so nothing changes now. But when the identity provider changes its "
            "certificate or its addresses, sign-in will fail until the metadata can be read, or is given by hand.",
        ),
    )


def idp_certificate_ends(to: str, connection: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: after this day no signing certificate of their IdP's that we know is good."""
    ends = "ended" if is_over else "ends"
    return write(
        to,
        f"The certificate of {connection} {ends} on {date_of(ends_at)}",
        (
            f"{connection} signs people in to {workspace} with a certificate that {ends} on {minute_of(ends_at)}, and "
            "the bridge knows of no other that is good for longer.",
            "Identity providers change to another certificate by then. Where the bridge reads their metadata from an "
            "address, it takes the new one over by itself; otherwise give it the new metadata before the change. "
            "A sign-in with a certificate that the bridge doesn’t know is refused.",
        ),
    )


def our_certificate_ends(to: str, connection: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: the certificate by which the IdP knows the bridge ends."""
    ends = "ended" if is_over else "ends"
    return write(
        to,
        f"The bridge’s certificate for {connection} {ends} on {date_of(ends_at)}",
        (
            f"The certificate by which {connection} knows the bridge, when people sign in to {workspace}, {ends} on "
            f"{minute_of(ends_at)}. Some identity providers refuse requests whose certificate is over.",
            "Rotate the connection’s key: the bridge makes the next one, you give its certificate to the identity "
            "provider, then you finish the rotation.",
        ),
    )


def token_ends(to: str, name: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: a SCIM or API token ends, and what uses it stops."""
    ends, stops = ("ended", "stopped") if is_over else ("ends", "stops")
    return write(
        to,
        f"A token of {workspace} {ends} on {date_of(ends_at)}: {name}",
        (
            f"The token {name} of {workspace} {ends} on {minute_of(ends_at)}. What uses it {stops} then: an identity "
            "provider that pushes people and groups, or a program.",
            "If it is still needed, make a new token and put it in the old one’s place.",
        ),
    )
