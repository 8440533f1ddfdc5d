"""Ways out for tests: a mailer that keeps what it is given, one that is down, and a net in which nobody answers."""

import re
from datetime import datetime

from bridge.domain.errors import OutsideFailed
from bridge.domain.mail import Mail
from bridge.flows.context import Context
from bridge.flows.deliver import deliver_due


class KeptMail:
    """Sends nothing, remembers all."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Remember."""
        self.sent.append(mail)


class MailServerDown:
    """A mail server that doesn't answer."""

    def __init__(self) -> None:
        self.tries = 0

    def send(self, mail: Mail) -> None:
        """Count, and fail."""
        self.tries += 1
        raise ConnectionRefusedError(f"nobody answers (mail to {mail.to})")


def link_of(context: Context, now: datetime) -> str:
    """Deliver what is due and return the secret in the last invitation's link."""
    mailer = KeptMail()
    deliver_due(context, mailer, now)
    links = re.findall(r"/invitations/(\S+)", mailer.sent[-1].text)
    return str(links[-1])


def nothing_there(url: str, *, timeout: float, max_bytes: int) -> bytes:
    """Fetch from a net in which nobody answers."""
    raise OutsideFailed(f"{url} can't be read.")
