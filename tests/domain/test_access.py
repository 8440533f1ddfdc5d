"""What is left of a grant beside others."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, fits, left_over
from bridge.domain.labels import Label
from bridge.domain.roles import covers, get_role

SOURCES = [ResourceRef("source", name) for name in ("api", "ios", "web")]
PROD, DEV = Label("environment", "prod"), Label("environment", "dev")
ROLES = [get_role(name) for name in ("Source Admin", "Source Read-only", "Warehouse Admin")]

some_sources = st.frozensets(st.sampled_from(SOURCES), min_size=1)
lists = st.builds(lambda refs: Scope("list", resources=refs), some_sources)
labelled = st.builds(lambda label: Scope("labels", labels=frozenset([label])), st.sampled_from([PROD, DEV]))
scopes = lists | labelled | st.just(EVERYWHERE)
grants = st.builds(RoleInScope, st.sampled_from(ROLES), scopes)
carried = st.dictionaries(st.sampled_from(SOURCES), st.sampled_from([frozenset([PROD]), frozenset([DEV])]))


@given(refs=some_sources, others=st.lists(grants, max_size=3), labels=carried)
def test_of_a_list_that_is_left_which_no_other_grant_reaches(
    refs: frozenset[ResourceRef], others: list[RoleInScope], labels: dict[ResourceRef, frozenset[Label]]
) -> None:
    role = get_role("Source Read-only")
    reached = {
        ref
        for ref in refs
        for other in others
        if covers(other.role, role) and fits(other.scope, ref, labels.get(ref, frozenset()))
    }
    left = left_over(RoleInScope(role, Scope("list", resources=refs)), others, labels)
    assert (left.scope.resources if left else frozenset()) == refs - reached


def test_what_reaches_further_than_any_other_grant_is_left_whole() -> None:
    admin = get_role("Source Admin")
    everywhere = RoleInScope(admin, EVERYWHERE)
    in_prod = RoleInScope(admin, Scope("labels", labels=frozenset([PROD])))
    listed = RoleInScope(admin, Scope("list", resources=frozenset(SOURCES)))
    assert left_over(everywhere, [in_prod, listed], {}) == everywhere
    assert left_over(in_prod, [listed], {ref: frozenset([PROD]) for ref in SOURCES}) == in_prod
    assert left_over(in_prod, [everywhere], {}) is None
