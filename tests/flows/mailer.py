"""Mailers for tests: one that keeps what it is given, one that is down."""

from bridge.domain.mail import Mail


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
