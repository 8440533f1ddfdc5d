"""Mail: by SMTP, or into a folder, where whoever tries the bridge finds it."""

import os
import secrets
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from bridge.domain.mail import Mail
from bridge.outside.web import Door, FetchFailed, Resolve, resolve_by_dns

SENDER_NAME = "The bridge"
_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
# In a file a long line, such as a link, stays one line; by SMTP, what isn't ASCII is encoded.
_IN_A_FILE = SMTP.clone(linesep="\n", max_line_length=998)
_BY_SMTP = SMTP.clone(cte_type="7bit")


Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailNotSent(Exception):
    """A message that didn't leave; the text says why and holds no password."""


class Mailer(Protocol):
    """A way for mail to leave."""

    def send(self, mail: Mail) -> None:
        """Send one message. Raises MailNotSent."""


def make_mailer(url: str, sender: str) -> Mailer:
    """The mailer that `smtp://`, `smtps://` or `file:///FOLDER` names (BRIDGE_MAIL_URL). Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderMailer(Path(unquote(parts.path)), sender)
    if parts.scheme in ("smtp", "smtps") and parts.hostname:
        return _smtp_mailer(parts, sender)
    raise ValueError("Mail leaves by smtp://HOST, smtps://HOST or into file:///FOLDER.")


def _smtp_mailer(parts: SplitResult, sender: str) -> "SmtpMailer":
    is_encrypted = parts.scheme == "smtps"
    login = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    port = parts.port or (465 if is_encrypted else 587 if login else 25)
    return SmtpMailer(parts.hostname or "", port, sender, login=login, is_encrypted=is_encrypted)


@dataclass(frozen=True, slots=True)
class FolderMailer:
    """Keeps each message as a file `TIME-RANDOM.eml` in `folder`, which is made when first needed."""

    folder: Path
    sender: str
    clock: Clock = _utc_now

    def send(self, mail: Mail) -> None:
        """Write one message; a reader of the folder sees it whole or not at all. Raises MailNotSent."""
        now = self.clock()
        message = _render(mail, self.sender, now, _IN_A_FILE)
        name = f"{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self.folder / f".{name}.new"
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may hold a link that signs in
            with os.fdopen(handle, "wb") as file:
                file.write(message.as_bytes())
            draft.rename(self.folder / f"{name}.eml")
        except OSError as error:
            raise MailNotSent(f"Mail can't be kept in {self.folder}: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Hands messages to a mail server. The connection is encrypted from the start, or once the server offers it.

    A password is only sent encrypted, or inside this machine. `timeout` is in seconds, for each step; `longest` for all
    of them together, since a server that says a word now and then never misses a step's.
    """

    host: str
    port: int
    sender: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    is_encrypted: bool = False
    timeout: float = 15.0
    longest: float = 30.0
    make_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    clock: Clock = _utc_now
    resolve: Resolve = resolve_by_dns

    def send(self, mail: Mail) -> None:
        """Hand over one message. Raises MailNotSent."""
        message = _render(mail, self.sender, self.clock(), _BY_SMTP)
        with Door(True, self.longest, self.resolve) as door:
            try:
                with self._connect(door) as server:
                    server.send_message(message)
            except (OSError, smtplib.SMTPException, FetchFailed) as error:
                why = f"it took longer than {self.longest:g} seconds" if door.is_shut() else _explain(error)
                raise MailNotSent(f"The mail server {self.host}:{self.port} didn't take it: {why}") from error

    def _connect(self, door: Door) -> smtplib.SMTP:
        if self.is_encrypted:
            server: smtplib.SMTP = _encrypted(door)(
                self.host, self.port, timeout=self.timeout, context=self.make_context()
            )
        else:
            server = _plain(door)(self.host, self.port, timeout=self.timeout)
        try:
            self._introduce(server)
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if not self.is_encrypted and server.has_extn("starttls"):
            server.starttls(context=self.make_context())
            server.ehlo()
        elif not self.is_encrypted and self.login and self.host not in _ON_THIS_MACHINE:
            raise MailNotSent(
                f"The mail server {self.host}:{self.port} offers no encryption: no password is sent to it."
            )
        if self.login:
            server.login(*self.login)


def _plain(door: Door) -> type[smtplib.SMTP]:
    class Plain(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            return _open(door, host, port, timeout)

    return Plain


def _encrypted(door: Door) -> type[smtplib.SMTP_SSL]:
    class Encrypted(smtplib.SMTP_SSL):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            opened = _open(door, host, port, timeout)
            return self.context.wrap_socket(opened, server_hostname=host)

    return Encrypted


def _open(door: Door, host: str, port: int, timeout: float) -> socket.socket:
    """A connection that the door cuts when the time for all is over."""
    opened = door.open(host, port)
    opened.settimeout(timeout)
    return opened


def _render(mail: Mail, sender: str, now: datetime, policy: "EmailPolicy[EmailMessage]") -> EmailMessage:
    try:
        message = EmailMessage(policy)
        message["From"] = Address(SENDER_NAME, addr_spec=sender)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = now
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: no out-of-office reply, please
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
    except (ValueError, IndexError) as error:  # a line break in a header, an address that is none
        raise MailNotSent("The message has an address or a subject that mail can't carry.") from error
    return message


def _explain(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(_answer(code, reason) for code, reason in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return str(error) or type(error).__name__


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
