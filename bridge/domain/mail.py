"""A message to one person, before anybody knows how it will travel."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: a plain text that says everything, and the same as HTML."""

    to: str
    subject: str
    text: str
    html: str
