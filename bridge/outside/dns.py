"""DNS: the texts that a name's TXT records hold, within a time limit.

The resolver is the system's, as /etc/resolv.conf names it; a test hands in its own. It follows CNAMEs itself.
"""

from collections.abc import Callable

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

SECONDS = 4.0
_MOST_TEXTS = 200

#: A name to the texts of its TXT records, each joined from its strings. Raises NoTexts, LookUpFailed.
FindTexts = Callable[[str], tuple[str, ...]]


class LookUpFailed(Exception):
    """Nobody knows what the name holds; the text says why."""


class NoTexts(Exception):
    """DNS was asked and answered: there are none; the text says so."""


def find_texts(
    name: str, *, resolver: dns.resolver.Resolver | None = None, seconds: float = SECONDS
) -> tuple[str, ...]:
    """The TXT records of `name`, at most 200, each with its strings joined (RFC 7208 3.3 has the custom).

    `seconds` is for all of it, other name servers included. Raises NoTexts (no such name, or none at it), LookUpFailed.
    """
    try:
        asked = resolver or dns.resolver.Resolver()
        answer = asked.resolve(dns.name.from_text(name), "TXT", lifetime=seconds, search=False)
    except dns.resolver.NXDOMAIN as error:
        raise NoTexts(f"There is no name {name} in DNS.") from error
    except dns.resolver.NoAnswer as error:
        raise NoTexts(f"{name} has no TXT record.") from error
    except dns.resolver.LifetimeTimeout as error:
        raise LookUpFailed(f"The name servers of {name} didn’t answer within {seconds:g} seconds.") from error
    except dns.resolver.NoNameservers as error:
        raise LookUpFailed(f"The name servers of {name} answered with an error.") from error
    except dns.resolver.NoResolverConfiguration as error:
        raise LookUpFailed("The bridge’s machine has no name server set.") from error
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise LookUpFailed(f"{name} can’t be looked up: {type(error).__name__}.") from error
    texts = [b"".join(record.strings) for record in list(answer)[:_MOST_TEXTS]]
    return tuple(text.decode("utf-8", "replace") for text in texts)
