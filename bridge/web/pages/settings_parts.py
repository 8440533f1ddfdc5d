"""What forms of connections' settings share: the groups of fields that both kinds have, and reading them."""

from bridge.domain.errors import DomainError, Stale
from bridge.domain.sentences import listed
from bridge.flows.connection_settings import MOST_ASSERTED_DAYS, MOST_CLOCK_SKEW, SamlSettings, difference
from bridge.flows.oidc_settings import OidcSettings
from bridge.web.pages.forms import error_at, typed, typed_text
from bridge.web.pages.views import Field, Note, Option, SettingsGroup

_LONGEST_LIST = 4_000
Settings = SamlSettings | OidcSettings


def read_at() -> int:
    """The version of the connection that the form showed; -1, which none has, where it says nothing of the kind."""
    version = typed("version")
    return int(version) if version.isascii() and version.isdecimal() else -1


def lines(name: str) -> tuple[str, ...]:
    """What was typed, a value a line; empty lines don't count."""
    return tuple(line.strip() for line in typed_text(name, _LONGEST_LIST).split("\n") if line.strip())


def number(name: str, standing: int) -> int:
    """The number that was typed, `standing` for none."""
    text = typed(name, 9)
    if not text:
        return standing
    # What is no number is none that is allowed: the flow says which are.
    return int(text) if text.isascii() and text.isdecimal() else -1


def general(settings: Settings, error: DomainError | None, by_tile: str) -> SettingsGroup:
    """Its name, and who may come in. `by_tile` is what sign-in that begins at the IdP means here."""
    return SettingsGroup(
        "People and groups",
        fields=(
            Field(
                "name",
                "Name",
                settings.name,
                help="People read it when they sign in.",
                error=error_at(error, "name"),
            ),
        ),
        switches=(
            switch(
                "jit",
                "Make accounts at the first sign-in",
                settings.jit,
                "Off: only people who are pushed or invited come in.",
            ),
            switch(
                "mirror_groups",
                "Make a User Group for each IdP group that is pushed",
                settings.mirror_groups,
                "Off: groups pushed from now on give something by rules alone. Those that are there stay.",
            ),
            switch(
                "allow_idp_initiated",
                "Let sign-in begin at the IdP",
                settings.allow_idp_initiated,
                by_tile,
            ),
        ),
    )


def names(
    title: str, settings: Settings, usual: tuple[tuple[str, ...], ...], error: DomainError | None
) -> SettingsGroup:
    """Where email, name and groups are; `usual` are the preset's names of each."""
    text = "One a line; the first that has a value counts. Empty: the names that its guide gives, shown in grey."
    lists = (
        ("email", "Email", settings.email),
        ("display_name", "Name of the person", settings.display_name),
        ("groups", "Groups", settings.groups),
    )
    return SettingsGroup(
        title,
        text,
        fields=tuple(
            Field(
                name,
                label,
                "\n".join(chosen),
                kind="textarea",
                required=False,
                placeholder=", ".join(known[:2]),
                error=error_at(error, name),
            )
            for (name, label, chosen), known in zip(lists, usual, strict=True)
        ),
    )


def limits(settings: Settings, error: DomainError | None) -> SettingsGroup:
    """How long and by how much."""
    return SettingsGroup(
        "Limits",
        fields=(
            Field(
                "asserted_days",
                "Days that groups named at a sign-in count",
                shown(error, "asserted_days", settings.asserted_days),
                kind="number",
                help=f"1 to {MOST_ASSERTED_DAYS}. Groups that are pushed have no such limit.",
                error=error_at(error, "asserted_days"),
            ),
            Field(
                "clock_skew",
                "Seconds by which clocks may differ",
                shown(error, "clock_skew", settings.clock_skew),
                kind="number",
                help=f"0 to {MOST_CLOCK_SKEW}; 60 will do.",
                error=error_at(error, "clock_skew"),
            ),
        ),
    )


def stale_note(error: Stale, standing: Settings, wanted: Settings, groups: tuple[SettingsGroup, ...]) -> Note:
    """What stands by now beside what was typed, where they differ."""
    labels = {name: option.text for group in groups for name, option in group.switches}
    labels |= {field.name: field.label for group in groups for field in group.fields}
    labels |= {choice.name: choice.label for group in groups for choice in group.choices}
    differ = difference(standing, wanted).items()
    lines = [f"{labels.get(name, name)}: {_told(now)} now, {_told(mine)} here" for name, (now, mine) in differ]
    text = f"{error.text} {'; '.join(lines)}." if lines else error.text
    return Note("bad", "Not saved yet", text, urgent=True)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return (listed(value) if isinstance(value, tuple) else str(value or "")) or "empty"


def switch(name: str, text: str, on: bool, help_text: str) -> tuple[str, Option]:
    """A checkbox."""
    return name, Option("yes", text, selected=on, help=help_text)


def shown(error: DomainError | None, name: str, standing: int) -> str:
    """A number as it was typed, where it is shown again; otherwise as it stands."""
    return typed(name) if error is not None else str(standing)
