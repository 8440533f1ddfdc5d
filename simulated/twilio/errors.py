"""What can go wrong here, a class a reason; `app` alone turns them into status codes."""


class TwilioError(Exception):
    """The base. `str()` is a sentence that people may read."""


class Invalid(TwilioError):
    """What was typed can't be used, and why."""


class Expired(TwilioError):
    """A link or a step that was used, or waited too long."""


class TooManyTries(TwilioError):
    """Guessing is slowed down."""


class GoogleRefused(TwilioError):
    """Google, or who answers in its name, signed nobody in."""
