"""A message to one person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """What is sent: `to` is one address, `html` an alternative to the same `text`."""

    to: str
    subject: str
    text: str
    html: str | None = None
