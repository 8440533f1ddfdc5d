"""Who gains and who loses between two moments of a change, worked out for many who hold alike at once."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.access import ResourceRef, RoleInScope, Scope, fits, left_over
from bridge.domain.held import Moment, Terms, moved
from bridge.domain.labels import Label
from bridge.domain.moves import strongest
from tests.domain.test_access import carried, grants

Labels = Mapping[ResourceRef, frozenset[Label]]
everybody = st.dictionaries(st.integers(1, 4), st.frozensets(grants, max_size=4))


def reached(held: frozenset[RoleInScope], labels: Labels, others: Labels) -> set[RoleInScope]:
    """What somebody holds, with each resource that carries something else at the other moment."""
    refs = [ref for ref in labels.keys() & others.keys() if labels[ref] != others[ref]]
    by_label = [one for one in held if one.scope.kind == "labels" and one.role.resource_type == "source"]
    return {
        *held,
        *(
            RoleInScope(one.role, Scope("list", resources=frozenset([ref])))
            for one in by_label
            for ref in refs
            if fits(one.scope, ref, labels[ref])
        ),
    }


def beyond(held: set[RoleInScope], others: set[RoleInScope], labels: Labels) -> set[RoleInScope]:
    left = (left_over(one, others, labels) for one in held)
    return set(strongest(one for one in left if one is not None))


@given(had=everybody, has=everybody, labels=carried, after=carried)
def test_of_each_person_what_they_hold_beyond_what_they_hold_at_the_other_moment(
    had: dict[int, frozenset[RoleInScope]], has: dict[int, frozenset[RoleInScope]], labels: Labels, after: Labels
) -> None:
    terms = Terms()
    bits = [{who: sum(map(terms.bit, held)) for who, held in one.items()} for one in (had, has)]
    found = {
        member: (set(gains), set(loses))
        for member, gains, loses in moved(terms, Moment(bits[0], labels), Moment(bits[1], after))
    }
    for member in had.keys() | has.keys():
        before = reached(had.get(member, frozenset()), labels, after)
        now = reached(has.get(member, frozenset()), after, labels)
        meant = beyond(now, before, labels), beyond(before, now, after)
        assert found.get(member, (set(), set())) == meant
    assert found.keys() <= had.keys() | has.keys()
