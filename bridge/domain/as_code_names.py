"""What holds a file and a workspace together: names, without case, and those that change (`was`)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.domain.as_code import CodedWorkspace
from bridge.domain.people import fold


@dataclass(frozen=True, slots=True)
class Index:
    """What stands, by folded name."""

    by_name: Mapping[str, Any]

    def find(self, one: Any) -> Any:
        """What stands under the name of `one`, or under the name it had; or None."""
        return self.by_name.get(fold(one.name)) or (self.by_name.get(fold(one.was)) if one.was else None)


def index_of(present: Iterable[Any] | None) -> Index:
    """Connections or User Groups, to be found by name."""
    return Index({fold(one.name): one for one in present or ()})


def renamed(present: CodedWorkspace, wanted: CodedWorkspace) -> CodedWorkspace:
    """What stands, under the names that it has once it is renamed."""
    links = _new_names(present.connections, wanted.connections)
    groups = _new_names(present.user_groups, wanted.user_groups)
    return replace(
        present,
        connections=tuple(replace(one, name=links(one.name)) for one in present.connections or ()),
        domains=tuple(
            replace(one, connection=one.connection and links(one.connection)) for one in present.domains or ()
        ),
        user_groups=tuple(replace(one, name=groups(one.name)) for one in present.user_groups or ()),
        mappings=tuple(
            replace(one, connection=links(one.connection), user_groups=tuple(map(groups, one.user_groups)))
            for one in present.mappings or ()
        ),
    )


def new_names(present: Iterable[Any] | None, wanted: Iterable[Any] | None) -> list[tuple[str, str]]:
    """What is called otherwise from now on: the former name and the new one, of all that is there and in the file."""
    index = index_of(present)
    return [(found.name, one.name) for one in wanted or () if (found := index.find(one))]


def _new_names(present: Iterable[Any] | None, wanted: Iterable[Any] | None) -> Callable[[str], str]:
    names = {fold(old): new for old, new in new_names(present, wanted)}
    return lambda name: names.get(fold(name), name)
