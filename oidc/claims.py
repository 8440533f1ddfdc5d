"""From claims to subject, email, name and groups: presets as data, and `read`, which applies one."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from oidc.errors import EmailNotVerified, MalformedClaim, MalformedEmail, MissingEmail, TooLarge, WrongHostedDomain
from oidc.id_token import IdToken
from oidc.userinfo import Userinfo

MOST_GROUPS = 5_000
_LONGEST_GROUP = 1_024
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class ClaimMapping:
    """For each thing that is asserted the claims that may hold it; the first that has a value wins.

    Names compare exactly; where no claim has the whole name, its parts between dots are members within members
    (`realm_access.roles`). `verified` are the claims that may say whether the email is; any that says no refuses.
    `says_verified`: the provider always says so, hence silence is a no, too. `hosted`: `hd` must be there.
    `groups_in_userinfo`: it may be worth asking there for groups that the ID token doesn't name. `directory_id`: the
    claims that hold the id by which the same directory pushes people (SCIM's externalId). `trusted`: the connection's
    owner says that nobody but the provider's administrators writes addresses there.
    """

    email: tuple[str, ...] = ("email",)
    given_name: tuple[str, ...] = ("given_name",)
    family_name: tuple[str, ...] = ("family_name",)
    display_name: tuple[str, ...] = ("name",)
    groups: tuple[str, ...] = ("groups",)
    verified: tuple[str, ...] = ("email_verified",)
    says_verified: bool = False
    hosted: bool = False
    groups_in_userinfo: bool = True
    directory_id: tuple[str, ...] = ()
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class AssertedNames:
    """What a provider says about a person, free of OpenID Connect: field by field what saml.attributes has.

    `subject` is stable within the connection; `email` is well-formed, as written by the provider; `groups` are names
    or ids as it sends them, in its order, each once. `email_vouched`: the provider says that it verified the address,
    or its owner says so for all. `directory_id`: the person's id in the provider's directory, where that isn't the
    subject. `groups_left_out`: Entra ID had more groups than it puts into a token (200) and sent none.
    """

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    groups_left_out: bool = False
    email_vouched: bool = False
    directory_id: str | None = None


# Each names what that provider sends when its own guide is followed. An admin who chose other names sets a mapping.
PRESETS: Final[Mapping[str, ClaimMapping]] = MappingProxyType(
    {
        "generic": ClaimMapping(groups=("groups", "group", "memberOf", "roles", "cognito:groups")),
        "okta": ClaimMapping(),
        # Entra has no email_verified. `email` is what an administrator, or the guest's own tenant, wrote; xms_edov, an
        # optional claim, says whether its domain is the tenant's. Without `email`, the sign-in name stands in.
        "entra": ClaimMapping(
            email=("email", "preferred_username", "upn"),
            verified=("email_verified", "xms_edov"),
            groups_in_userinfo=False,
            directory_id=("oid",),
        ),
        # Google has no groups to give by OpenID Connect.
        "google": ClaimMapping(groups=(), says_verified=True, hosted=True, groups_in_userinfo=False),
        "onelogin": ClaimMapping(groups=("groups", "memberOf")),
        "ping": ClaimMapping(groups=("groups", "memberOf", "memberOfGroupNames")),
        "jumpcloud": ClaimMapping(groups=("groups", "memberOf")),
        "auth0": ClaimMapping(groups=("groups", "roles"), says_verified=True),
        "keycloak": ClaimMapping(groups=("groups", "realm_access.roles"), says_verified=True),
    }
)

_GOOGLE = "https://accounts.google.com"
_TRUE = (True, "true", 1, "1")  # xms_edov comes in all of them
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    re.ASCII,
)
_LONGEST_EMAIL, _LONGEST_LOCAL_PART = 254, 64  # RFC 5321 4.5.3.1

Source = Mapping[str, Any]


def needs_userinfo(id_token: IdToken, mapping: ClaimMapping) -> bool:
    """Whether the ID token alone lacks the email or the groups, so that userinfo is worth asking."""
    wanted = [mapping.email] + ([mapping.groups] if mapping.groups_in_userinfo else [])
    silent = mapping.says_verified and not any(name in id_token.claims for name in mapping.verified)
    return silent or not all(any(True for _ in _values(id_token.claims, names)) for names in wanted)


def read(id_token: IdToken, userinfo: Userinfo | None, mapping: ClaimMapping) -> AssertedNames:
    """What the ID token says by `mapping`, and the userinfo where the token is silent.

    Raises `MissingEmail`, `MalformedEmail`, `EmailNotVerified`, `WrongHostedDomain`, `MalformedClaim` or `TooLarge`.
    The subject is always `sub`: nothing else is both stable and never given to another person.
    """
    sources = [id_token.claims] + ([userinfo.claims] if userinfo else [])
    # Whoever chose another preset for Google still doesn't let every Google account in.
    if (mapping.hosted or id_token.issuer == _GOOGLE) and not _text(sources[:1], ("hd",)):
        raise WrongHostedDomain(None, None)
    email, vouched = _email(sources, mapping)
    whole = f"{_name(sources, mapping.given_name)} {_name(sources, mapping.family_name)}".strip()
    name = _name(sources, mapping.display_name) or whole or email.partition("@")[0]
    return AssertedNames(
        subject=id_token.subject,
        email=email,
        name=name[:_LONGEST_NAME],
        groups=_groups(sources, mapping.groups),
        groups_left_out=_left_out(sources),
        email_vouched=vouched,
        directory_id=_text(sources[:1], mapping.directory_id) or None,
    )


def is_email(written: str) -> bool:
    """Whether it is an address of plain ASCII with a dot in its domain: what mail systems take without
    exceptions."""
    return (
        len(written) <= _LONGEST_EMAIL
        and _EMAIL.fullmatch(written) is not None
        and len(written.partition("@")[0]) <= _LONGEST_LOCAL_PART
    )


def _email(sources: list[Source], mapping: ClaimMapping) -> tuple[str, bool]:
    """The first email, and whether it is vouched for. Every word about that counts as a no, whoever says it; as a yes
    one about this very address: beside the claim `email`, for no other is meant (Core 5.1)."""
    email = _text(sources, mapping.email)
    if not email:
        raise MissingEmail(mapping.email)
    if not is_email(email):
        raise MalformedEmail(email)
    words = [source[name] for source in sources for name in mapping.verified if name in source]
    if not all(_is_true(word) for word in words) or (mapping.says_verified and not words):
        raise EmailNotVerified
    says_so = (source for source in sources if any(name in source for name in mapping.verified))
    return email, mapping.trusted or any(_text([source], ("email",)) == email for source in says_so)


def _is_true(word: object) -> bool:
    return isinstance(word, bool | str | int) and word in _TRUE


def _groups(sources: list[Source], names: tuple[str, ...]) -> tuple[str, ...]:
    """The values of the first claim of `names` that has any, each once; a lone text is one group."""
    found: object = next((value for source in sources for value in _values(source, names)), [])
    values = found if isinstance(found, list) else [found]
    if len(values) > MOST_GROUPS:
        raise TooLarge
    groups = [one for one in values if isinstance(one, str)]
    if len(groups) < len(values) or any(len(one) > _LONGEST_GROUP or any(map(_is_control, one)) for one in groups):
        raise MalformedClaim(names[0], "a list of texts of one line")
    return tuple(dict.fromkeys(one for one in groups if one.strip()))


def _left_out(sources: list[Source]) -> bool:
    """Entra's words for "more groups than I send": `_claim_names` with groups in it, or `hasgroups`."""
    names = [source.get("_claim_names") for source in sources]
    elsewhere = any(isinstance(one, dict) and "groups" in one for one in names)
    return elsewhere or any(_is_true(source.get("hasgroups")) for source in sources)


def _text(sources: list[Source], names: tuple[str, ...]) -> str:
    """The first value that is there, without spaces around it, "" if none is. Raises `MalformedClaim` if it isn't a
    text."""
    for source in sources:
        for value in _values(source, names):
            if not isinstance(value, str):
                raise MalformedClaim(names[0], "a text")
            if value.strip(" "):
                return value.strip(" ")
    return ""


def _name(sources: list[Source], names: tuple[str, ...]) -> str:
    """The same on one line: directories hold names with tabs and line ends in them."""
    return "".join(letter for letter in " ".join(_text(sources, names).split()) if not _is_control(letter))


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc"


def _values(source: Source, names: tuple[str, ...]) -> Iterator[Any]:
    """The values of the claims `names` that are there and neither null nor empty."""
    for name in names:
        value = source.get(name) if name in source else _member(source, name)
        if value is not None and value != "" and value != []:
            yield value


def _member(source: Source, path: str) -> Any:
    value: Any = source
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
