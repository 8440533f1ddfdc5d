"""`/w/<slug>/gives`: what an IdP group, or a rule, gives: by which rules and User Groups, which roles, to how many."""

from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.people import fold
from bridge.domain.sentences import Inventory, counted, describe_permission
from bridge.flows.what_it_gives import GivenRole, IdpGroupGives, RuleGives, UserGroupGives, idp_group_gives, rule_gives
from bridge.web.pages.forms import load_inventory
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.paths import role_chip, rule_chip
from bridge.web.pages.views import Chip, Fact, GivesPage, GivesRule, Link, Path, PermissionLine

blueprint = Blueprint("gives", __name__, url_prefix="/w/<slug>/gives")


@blueprint.get("/idp-group/<uuid:group>")
def by_idp_group(slug: str, group: UUID) -> Response:
    """Whatever comes of being in an IdP group."""
    visit = enter_as_owner(slug)
    found = idp_group_gives(visit.context, visit.slug, str(group), visit.now)
    own = visit.url("idp_directory.show_group", group=found.id)
    begins = Chip("idp", found.name, own)
    page = GivesPage(
        name=f"What {found.name} gives",
        says=_says(found),
        crumbs=(Link("Directory", visit.url("idp_directory.groups")), Link(found.name, own)),
        facts=(
            Fact("IdP group", found.name, href=own),
            Fact("Connection", found.connection[1]),
            Fact("Told by", "SCIM" if found.source == "scim" else "sign-ins"),
            Fact("Members", f"{found.members:,}"),
        ),
        rules=_rules(visit, found.rules, begins),
    )
    return show(visit, "gives.html", page)


def _says(found: IdpGroupGives) -> str:
    people = counted(found.people, "person has", "people have")
    left = found.members - found.people
    rest = f" {counted(left, 'member', 'members')} more: out, or named too long ago." if left > 0 else ""
    return f"{people} what stands here by being in it.{rest}"


@blueprint.get("/rule/<uuid:rule>")
def by_rule(slug: str, rule: UUID) -> Response:
    """Whatever comes of a rule."""
    visit = enter_as_owner(slug)
    found = rule_gives(visit.context, visit.slug, str(rule), visit.now)
    page = GivesPage(
        name="What this rule gives",
        says=found.rule.sentence,
        crumbs=(Link("Group mapping", visit.url("mapping.index")),),
        facts=(
            Fact("Connection", found.rule.connection),
            Fact("IdP groups", f"{found.rule.matched_groups:,}"),
            Fact("People now", f"{found.people:,}"),
        ),
        rules=_rules(visit, (found,), None),
    )
    return show(visit, "gives.html", page)


def _reach(found: RuleGives, begins: Chip | None) -> str:
    """How many the rule reaches: by all of its groups, also on the page of one of them."""
    people, groups = counted(found.people, "person now", "people now"), found.rule.matched_groups
    return f"{people}, in all {groups:,} IdP groups that it takes" if begins and groups > 1 else people


def _rules(visit: Visit, found: tuple[RuleGives, ...], begins: Chip | None) -> tuple[GivesRule, ...]:
    inventory = load_inventory(visit)
    return tuple(
        GivesRule(
            sentence=one.rule.sentence,
            people=_reach(one, begins),
            href=visit.url("mapping.show_one", rule=one.rule.id),
            obstacles=tuple(each.text for each in one.obstacles),
            lines=_lines(visit, one, begins, inventory),
        )
        for one in found
    )


def _lines(visit: Visit, one: RuleGives, begins: Chip | None, inventory: Inventory) -> tuple[PermissionLine, ...]:
    """What the rule gives itself, then what its User Groups do, each with its path."""
    rule = rule_chip(one.rule.match.value, one.rule.match.kind)
    first = (begins, rule) if begins else (rule,)
    lines = [_line(visit, role, first, inventory) for role in one.roles]
    for group in sorted(one.user_groups, key=lambda each: fold(each.name)):
        chip = _group_chip(visit, group)
        lines += [_line(visit, role, (*first, chip), inventory) for role in group.roles]
        if not group.roles:
            lines.append(PermissionLine(f"{group.name} gives nothing yet", (Path((*first, chip)),)))
    return tuple(lines)


def _group_chip(visit: Visit, group: UserGroupGives) -> Chip:
    href = visit.url("user_groups.show_roles", group=group.id)
    return Chip("group", group.name, href, title=counted(group.people, "person is in it", "people are in it"))


def _line(visit: Visit, role: GivenRole, steps: tuple[Chip, ...], inventory: Inventory) -> PermissionLine:
    text = describe_permission(role.given, inventory)
    if role.obstacle:
        text = f"{text}: not now. {role.obstacle.text}"
    return PermissionLine(text, (Path((*steps, role_chip(visit, role.given.role))),))
