"""Looking for people and groups, by index and by cursor (RFC 7644 3.4.2, RFC 9865): a query in, a list out."""

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from bridge.domain.directory import DirectoryGroup, ShownUser
from bridge.flows import provision_groups, provision_users
from bridge.flows.walk_directory import Sought, walk_directory
from bridge.web.scim_operations import Caller
from bridge.web.scim_resources import Answered, select_of_user, shown_group, shown_user
from scim.errors import TooMany
from scim.filters import parse_filter
from scim.messages import ListResponse, SearchQuery
from scim.resources import select_attributes, wants_attribute
from scim.schemas import GROUP, RESOURCE_TYPES, USER, ResourceType
from scim.sorting import NOWHERE, sort_key

#: So many at most of each type are read for one page of both, in order.
MAX_MERGED = 5_000


def search(caller: Caller, query: SearchQuery, kinds: Sequence[ResourceType]) -> dict[str, Any]:
    """The page that a query asks for, of resources of these types.

    Of several types one comes after the other, or all in one order where one is asked for (RFC 7644 3.4.2.1).
    """
    sought = _sought(query, kinds)
    if len(sought) > 1:  # their time is that of one request
        context = replace(caller.context, search_limit=caller.context.limit_of_search())
        caller = replace(caller, context=context)
    if query.cursor is not None:
        return _by_cursor(caller, query, sought).render()
    in_order = query.sort_by is not None and len(sought) > 1
    found, total = (_in_order if in_order else _in_turn)(caller, query, sought)
    base = caller.base_url
    shown = [_shown(base, each, query) for each in found]
    return ListResponse(shown, total, query.paging.start_index).render()


def _sought(query: SearchQuery, kinds: Sequence[ResourceType]) -> list[Sought]:
    """What to look for of each type. An attribute of another one only is one without a value (RFC 7644 3.4.2.1)."""
    others = RESOURCE_TYPES if len(kinds) > 1 else ()
    filters = [parse_filter(query.filter, kind, others) if query.filter else None for kind in kinds]
    orders = query.orders(tuple(kinds))
    members = wants_attribute("members", query.attributes, query.excluded_attributes, GROUP)
    return [
        Sought(kind, filter_, orders[kind], kind is GROUP and members)
        for kind, filter_ in zip(kinds, filters, strict=True)
    ]


# -- By index ----------------------------------------------------------------------------------------

_Found = Sequence[ShownUser | DirectoryGroup]


def _in_turn(caller: Caller, query: SearchQuery, sought: Sequence[Sought]) -> tuple[_Found, int]:
    page: list[ShownUser | DirectoryGroup] = []
    total = 0
    for each in sought:
        offset, count = max(query.paging.offset - total, 0), query.paging.count - len(page)
        found, matching = _find(caller, each, offset, count)
        page += found
        total += matching
    return page, total


def _in_order(caller: Caller, query: SearchQuery, sought: Sequence[Sought]) -> tuple[_Found, int]:
    """The page out of the first of each type, merged. Raises TooMany where it begins too far back."""
    end = query.paging.offset + query.paging.count
    if end > MAX_MERGED:
        raise TooMany(f"People and groups together are in order up to {MAX_MERGED}; apart, any number.")
    merged: list[tuple[Any, ShownUser | DirectoryGroup]] = []
    total = 0
    for each in sought:
        found, matching = _find(caller, each, 0, end)
        for one in found:
            key = NOWHERE if each.order is None else sort_key(each.order.path, _whole(caller.base_url, one))
            merged.append((key, one))
        total += matching
    merged.sort(key=itemgetter(0), reverse=query.descending)
    return [one for _, one in merged[query.paging.offset : end]], total


def _find(caller: Caller, sought: Sought, offset: int, count: int) -> tuple[_Found, int]:
    asked = (caller.context, caller.connection, sought.filter, sought.order)
    if sought.resource_type is USER:
        return provision_users.search_users(*asked, offset=offset, count=count)
    return provision_groups.search_groups(*asked, offset=offset, count=count, with_members=sought.with_members)


def _whole(base: str, resource: ShownUser | DirectoryGroup) -> dict[str, Any]:
    return shown_user(resource, base) if isinstance(resource, ShownUser) else shown_group(resource, base)


# -- By cursor ---------------------------------------------------------------------------------------


def _by_cursor(caller: Caller, query: SearchQuery, sought: Sequence[Sought]) -> ListResponse:
    same = f"{[each.resource_type.name for each in sought]} {query.fingerprint}"
    page = walk_directory(
        caller.context, caller.connection, sought, same, query.cursor or "", query.paging.count, caller.now
    )
    base = caller.base_url
    shown = [_shown(base, resource, query) for resource in page.found]
    return ListResponse(shown, page.total, None, page.next, page.previous)


def _shown(base: str, resource: ShownUser | DirectoryGroup, query: SearchQuery) -> Answered:
    selection = (query.attributes, query.excluded_attributes)
    if isinstance(resource, ShownUser):
        return select_of_user(resource, base, selection)
    return select_attributes(shown_group(resource, base), *selection, GROUP)
