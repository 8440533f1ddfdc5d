"""ServiceProvider: our side of a connection, its metadata, and the making of its key pair."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """The bridge as one connection's service provider.

    `certificates` are the published ones, PEM, that of `private_key_pem` first; a second one announces the
    next key during a rotation. `clock_skew` is in seconds and applies to every instant of a message.
    `slo_url` None: no single logout.
    """

    entity_id: str
    acs_url: str
    slo_url: str | None
    private_key_pem: str = field(repr=False)
    certificates: tuple[str, ...]
    clock_skew: int = 60
