"""Mail leaves as a file or by SMTP, whole, dated, and without ever sending a password in the clear."""

import base64
import email
import email.policy
import re
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from io import BufferedReader
from pathlib import Path

import pytest

from bridge.domain.mail import Mail
from bridge.outside.mail import FolderMailer, MailNotSent, SmtpMailer, make_mailer
from tests.certificate import Certificate

SENDER = "bridge@bridge.example"
LINK = "https://bridge.example/invites/" + "a" * 120
INVITATION = Mail("ana@example.com", "Come in", f"Open {LINK}\n", f'<p><a href="{LINK}">Open</a></p>\n')


def read(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body([kind])
    assert part is not None
    return str(part.get_content())


# -- Into a folder -------------------------------------------------------------------------------------------------


def test_a_message_is_kept_as_a_file(tmp_path: Path, now: datetime) -> None:
    FolderMailer(tmp_path / "mail", SENDER, lambda: now).send(INVITATION)
    [path] = (tmp_path / "mail").iterdir()
    message = read(path)
    assert path.name.startswith("20261120T090000")
    assert path.suffix == ".eml"
    assert (message["To"], message["From"]) == ("ana@example.com", "The bridge <bridge@bridge.example>")
    assert message["Subject"] == "Come in"
    assert message["Date"].datetime == now
    assert message["Message-ID"].endswith("@bridge.example>")
    assert text_of(message, "plain") == INVITATION.text
    assert text_of(message, "html") == INVITATION.html


def test_a_link_stays_in_one_piece_in_the_file(tmp_path: Path) -> None:
    FolderMailer(tmp_path, SENDER).send(INVITATION)
    [path] = tmp_path.iterdir()
    assert path.read_text().count(LINK) == 2


def test_a_message_may_have_no_html(tmp_path: Path) -> None:
    FolderMailer(tmp_path, SENDER).send(replace(INVITATION, html=None))
    [path] = tmp_path.iterdir()
    assert read(path).get_content_type() == "text/plain"


def test_names_and_texts_of_all_scripts_arrive(tmp_path: Path) -> None:
    FolderMailer(tmp_path, SENDER).send(Mail("ana@example.com", "Привет, Zoë 👋", "日本語\n"))
    [path] = tmp_path.iterdir()
    assert read(path)["Subject"] == "Привет, Zoë 👋"
    assert text_of(read(path), "plain") == "日本語\n"


def test_messages_of_one_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path, SENDER)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: mailer.send(INVITATION), range(50)))
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".eml"]) == len(list(tmp_path.iterdir())) == 50


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    FolderMailer(tmp_path / "mail", SENDER).send(INVITATION)
    [path] = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "mail").touch()
    with pytest.raises(MailNotSent, match="can't be kept"):
        FolderMailer(tmp_path / "mail", SENDER).send(INVITATION)


@pytest.mark.parametrize(
    "mail",
    [
        Mail("ana@example.com", "Hello\nBcc: everybody@example.com", ""),
        Mail("ana@example.com\r\nBcc: everybody@example.com", "Hello", ""),
        Mail("nobody", "Hello", ""),
        Mail("ana@example.com, everybody@example.com", "Hello", ""),
        Mail("", "Hello", ""),
    ],
)
def test_no_header_is_smuggled_in(mail: Mail, tmp_path: Path) -> None:
    with pytest.raises(MailNotSent, match="address or a subject"):
        FolderMailer(tmp_path, SENDER).send(mail)
    assert not list(tmp_path.iterdir())


# -- By SMTP -------------------------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """A mail server for one conversation, and what it was told."""

    port: int
    tls: ssl.SSLContext | None = None
    starts_encrypted: bool = False
    offers_tls: bool = False
    refuses: str = ""
    said: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        with suppress(ssl.SSLError, ConnectionError):  # a client that turns away
            self.converse(listener)

    def converse(self, listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        if self.starts_encrypted and self.tls:
            accepted = self.tls.wrap_socket(accepted, server_side=True)
        accepted.sendall(b"220 mail.example\r\n")
        connection: socket.socket | None = accepted
        while connection is not None:
            connection = self._listen(connection)

    def _listen(self, connection: socket.socket) -> socket.socket | None:
        with connection.makefile("rb") as lines:
            for line in lines:
                command = line.decode().strip()
                (self.encrypted if isinstance(connection, ssl.SSLSocket) else self.said).append(command)
                if command == "STARTTLS" and self.tls:
                    connection.sendall(b"220 go ahead\r\n")
                    lines.close()
                    return self.tls.wrap_socket(connection, server_side=True)
                connection.sendall(self._answer(command.partition(" ")[0].upper(), connection))
                if command.upper() == "DATA" and not self.refuses:
                    self._take_message(lines, connection)
                if command.upper() == "QUIT":
                    break
        connection.close()
        return None

    def _answer(self, verb: str, connection: socket.socket) -> bytes:
        if verb == self.refuses:
            return b"550 no such mailbox\r\n"
        if verb == "EHLO":
            offer = b"250-STARTTLS\r\n" if self.offers_tls and not isinstance(connection, ssl.SSLSocket) else b""
            return b"250-mail.example\r\n" + offer + b"250 AUTH PLAIN\r\n"
        return {"DATA": b"354 go ahead\r\n", "AUTH": b"235 welcome\r\n", "QUIT": b"221 bye\r\n"}.get(
            verb, b"250 ok\r\n"
        )

    def _take_message(self, lines: "BufferedReader", connection: socket.socket) -> None:
        message = []
        while (line := lines.readline()) not in (b".\r\n", b""):
            message.append(line.decode())
        self.said.append("".join(message))
        connection.sendall(b"250 kept\r\n")


@contextmanager
def mail_server(**options: object) -> Iterator[MailServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer(listener.getsockname()[1], **options)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve, args=[listener], daemon=True)
        thread.start()
        yield server
        thread.join(timeout=5)


def test_a_message_is_handed_to_the_server() -> None:
    with mail_server() as server:
        make_mailer(f"smtp://127.0.0.1:{server.port}", SENDER).send(INVITATION)
    assert "mail FROM:<bridge@bridge.example>" in server.said[1]
    assert server.said[2] == "rcpt TO:<ana@example.com>"
    message = email.message_from_string(server.said[4], policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "Come in"
    assert text_of(message, "plain").strip() == INVITATION.text.strip()


def test_encryption_is_used_when_offered(certificate: Certificate) -> None:
    with mail_server(tls=certificate.for_server(), offers_tls=True) as server:
        SmtpMailer("localhost", server.port, SENDER, login=("me", "word"), make_context=certificate.for_client).send(
            INVITATION
        )
    assert [command.split()[0] for command in server.said[:2]] == ["ehlo", "STARTTLS"]
    assert "AUTH PLAIN " + base64.b64encode(b"\0me\0word").decode() in server.encrypted
    assert not any("AUTH" in command for command in server.said)


def test_smtps_is_encrypted_from_the_start(certificate: Certificate) -> None:
    with mail_server(tls=certificate.for_server(), starts_encrypted=True) as server:
        SmtpMailer("localhost", server.port, SENDER, is_encrypted=True, make_context=certificate.for_client).send(
            INVITATION
        )
    assert "rcpt TO:<ana@example.com>" in server.encrypted


def test_a_certificate_that_is_not_trusted_gets_no_mail(certificate: Certificate) -> None:
    with mail_server(tls=certificate.for_server(), starts_encrypted=True) as server:
        mailer = make_mailer(f"smtps://localhost:{server.port}", SENDER)
        with pytest.raises(MailNotSent, match="CERTIFICATE_VERIFY_FAILED"):
            mailer.send(INVITATION)


def test_no_password_is_sent_in_the_clear_to_another_machine() -> None:
    with mail_server() as server:
        mailer = replace(smtp(f"smtp://me:word@mail.example:{server.port}"), resolve=lambda *_: ["127.0.0.1"])
        with pytest.raises(MailNotSent, match="offers no encryption"):
            mailer.send(INVITATION)
    assert not any(command.startswith("AUTH") for command in server.said)


def test_a_refused_mailbox_is_said() -> None:
    with mail_server(refuses="RCPT") as server, pytest.raises(MailNotSent, match="550 no such mailbox"):
        make_mailer(f"smtp://127.0.0.1:{server.port}", SENDER).send(INVITATION)


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(MailNotSent, match=f"127.0.0.1:{port} didn't take it: .*refused") as failure:
        make_mailer(f"smtp://me:hidden@127.0.0.1:{port}", SENDER).send(INVITATION)
    assert "hidden" not in str(failure.value)


def test_a_mute_server_costs_its_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(MailNotSent, match="timed out"):
        SmtpMailer("127.0.0.1", mute.getsockname()[1], SENDER, timeout=0.2).send(INVITATION)


def test_a_server_that_drips_words_costs_the_limit_for_all_steps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_drip, args=[listener], daemon=True).start()
        mailer = SmtpMailer("127.0.0.1", listener.getsockname()[1], SENDER, timeout=0.3, longest=0.5)
        began = time.monotonic()
        with pytest.raises(MailNotSent, match=r"longer than 0\.5 seconds"):
            mailer.send(INVITATION)
        assert time.monotonic() - began < 5


def _drip(listener: socket.socket) -> None:
    accepted, _ = listener.accept()
    with accepted, suppress(OSError):
        while True:
            accepted.sendall(b"220-still there\r\n")
            time.sleep(0.05)


# -- Which of them -------------------------------------------------------------------------------------------------


def smtp(url: str) -> SmtpMailer:
    mailer = make_mailer(url, SENDER)
    assert isinstance(mailer, SmtpMailer)
    return mailer


def test_the_address_says_how_mail_leaves() -> None:
    assert make_mailer("file:///var/my%20mail", SENDER) == FolderMailer(Path("/var/my mail"), SENDER)
    assert smtp("smtp://m%40e:p%2Fw@mail.example").login == ("m@e", "p/w")
    assert [smtp(url).port for url in ("smtp://a", "smtp://me:pw@a", "smtps://a", "smtp://a:2525")] == [
        25,
        587,
        465,
        2525,
    ]
    assert (smtp("smtps://a").is_encrypted, smtp("smtp://a").is_encrypted) == (True, False)


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "", "mail.example:25"])
def test_an_address_that_mail_does_not_know_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("smtp://HOST")):
        make_mailer(url, SENDER)


def test_passwords_are_not_shown() -> None:
    assert "hidden" not in repr(make_mailer("smtp://me:hidden@mail.example", SENDER))
