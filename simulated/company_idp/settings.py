"""What this company IdP was told: whom it answers, how it signs people in, and where it pushes to."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from simulated.company_idp.database import Database
from simulated.company_idp.errors import Invalid
from simulated.company_idp.service_provider import ServiceProvider, parse_metadata
from simulated.dialects.speaking import DialectName

NameId = Literal["persistent", "emailAddress"]
Signs = Literal["both", "assertion", "response"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """How assertions are made. `signs`: which of Response and Assertion carry a signature."""

    name_id: NameId = "persistent"
    send_groups: bool = True
    encrypt_assertions: bool = False
    signs: Signs = "both"


@dataclass(frozen=True, slots=True)
class Target:
    """The SCIM server to push to: its base address, the bearer token, and the dialect to speak."""

    url: str
    token: str
    dialect: DialectName = "okta"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. `password` is everybody's, since nobody here is real. `entity_id`: None, where its metadata is."""

    company: str = "A company"
    password: str = "demo"  # noqa: S105 - the default of a simulation, shown on its login page
    dialect: DialectName = "okta"
    service_provider: ServiceProvider | None = None
    sign_in: SignIn = SignIn()
    provisioning: Target | None = None
    entity_id: str | None = None


class SettingsStore:
    """The settings as they stand now; another process's change is seen at the next read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Settings:
        """The settings now."""
        with self._database.transaction() as db:
            row = db.execute("SELECT value FROM settings WHERE key = 'settings'").fetchone()
        return _from_stored(json.loads(row["value"])) if row else Settings()

    def write(self, settings: Settings) -> None:
        """Replaces them."""
        value = json.dumps(asdict(settings))
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES ('settings', ?)", (value,))


def change(settings: Settings, wanted: Mapping[str, Any]) -> Settings:
    """The settings with the parts that `wanted` names. Raises Invalid, naming the part.

    `service_provider`: `{"metadata": XML}` or `{"entity_id", "acs_url", "signing_certificate"?,
    "encryption_certificate"?}`, or null; `sign_in`: any of its fields; `provisioning`: `{"url", "token"?,
    "dialect"?}`, or null.
    """
    unknown = set(wanted) - {"service_provider", "sign_in", "provisioning", "company", "password", "entity_id"}
    if unknown:
        raise Invalid(f"Not a setting: {', '.join(sorted(unknown))}.")
    if "company" in wanted:
        settings = replace(settings, company=_text(wanted, "company"))
    if "password" in wanted:
        settings = replace(settings, password=_text(wanted, "password"))
    if "entity_id" in wanted:
        settings = replace(settings, entity_id=_text(wanted, "entity_id"))
    if "service_provider" in wanted:
        settings = replace(settings, service_provider=_service_provider(wanted["service_provider"]))
    if "sign_in" in wanted:
        settings = replace(settings, sign_in=_sign_in(settings.sign_in, _mapping(wanted["sign_in"], "sign_in")))
    if "provisioning" in wanted:
        settings = replace(settings, provisioning=_target(settings, wanted["provisioning"]))
    return settings


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as JSON, without the token."""
    out = asdict(settings)
    out["service_provider"] = asdict(settings.service_provider) if settings.service_provider else None
    if settings.provisioning:
        out["provisioning"] = {"url": settings.provisioning.url, "dialect": settings.provisioning.dialect}
    return out


def _from_stored(stored: dict[str, Any]) -> Settings:
    sp, target = stored["service_provider"], stored["provisioning"]
    return Settings(
        company=stored["company"],
        password=stored["password"],
        dialect=stored["dialect"],
        service_provider=ServiceProvider(**sp) if sp else None,
        sign_in=SignIn(**stored["sign_in"]),
        provisioning=Target(**target) if target else None,
        entity_id=stored.get("entity_id"),
    )


def _service_provider(wanted: Any) -> ServiceProvider | None:
    if wanted is None:
        return None
    wanted = _mapping(wanted, "service_provider")
    if "metadata" in wanted:
        return parse_metadata(_text(wanted, "metadata").encode())
    return ServiceProvider(
        entity_id=_text(wanted, "entity_id"),
        acs_url=_address(wanted, "acs_url"),
        signing_certificate=wanted.get("signing_certificate"),
        encryption_certificate=wanted.get("encryption_certificate"),
    )


def _sign_in(now: SignIn, wanted: Mapping[str, Any]) -> SignIn:
    allowed: dict[str, tuple[object, ...]] = {
        "name_id": get_args(NameId),
        "signs": get_args(Signs),
        "send_groups": (True, False),
        "encrypt_assertions": (True, False),
    }
    for key, value in wanted.items():
        if key not in allowed or value not in allowed[key]:
            raise Invalid(f"sign_in.{key} can't be {value!r}.")
    return replace(now, **wanted)


def _target(settings: Settings, wanted: Any) -> Target | None:
    if wanted is None:
        return None
    wanted = _mapping(wanted, "provisioning")
    old = settings.provisioning
    token = wanted.get("token") or (old.token if old else "")
    dialect = wanted.get("dialect") or (old.dialect if old else settings.dialect)
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise Invalid("provisioning.token is missing, or isn't printable ASCII.")
    if dialect not in get_args(DialectName):
        raise Invalid(f"provisioning.dialect is one of {', '.join(get_args(DialectName))}.")
    return Target(url=_address(wanted, "url").rstrip("/"), token=token, dialect=dialect)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{name} is an object.")
    return value


def _text(wanted: Mapping[str, Any], key: str) -> str:
    value = wanted.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{key} is missing, or isn't text.")
    return value.strip()


def _address(wanted: Mapping[str, Any], key: str) -> str:
    value = _text(wanted, key)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{key} isn't an http or https address.")
    return value
