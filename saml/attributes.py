"""Which attributes of an assertion give email, name and groups: presets as data, and `read`, which applies
one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """For each claim the attribute names that may hold it; the first that has a value wins. Names compare
    exactly."""

    email: tuple[str, ...] = ()
    given_name: tuple[str, ...] = ()
    family_name: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says about a person, free of SAML.

    `subject` is stable within the connection; `email` is well-formed, as written by the IdP; `groups` are
    names or ids as the IdP sends them, in its order, each once. `groups_left_out`: Entra ID had more groups
    than it puts into a token and sent none.
    """

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    groups_left_out: bool = False
