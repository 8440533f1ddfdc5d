"""The steps about groups: a change of members changes those members, and nothing else."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from simulated.dialects.people import Group, Person
from simulated.examiner import cast
from simulated.examiner.comparing import member_ids
from simulated.examiner.examination import Examination, Skipped, by_name


def create_groups(exam: Examination, wanted: Sequence[Group]) -> None:
    """Each is looked for, made, given all people but the last, and read back."""
    if len(exam.people) < 3:
        raise Skipped("Too few people could be made.")
    for group in wanted:
        pushed = exam.make("Groups", partial(exam.dialect.push_group, group), cast.plain_group(group))
        made = replace(group, remote_id=pushed)
        if not exam.expect_new("Groups", str(made.remote_id), exam.groups):
            return
        exam.groups.append(made)
        exam.dialect.set_members(made, exam.people[:-1], known=[])
        _expect_group(exam, made, _ids(exam.people[:-1]), "a new group hasn't the members that were sent.")


def look_up_group(exam: Examination) -> None:
    """By name, without members, though there are some."""
    group = _group(exam)
    exam.forget_change()
    found = exam.find("Groups", by_name(group), excludedAttributes="members")
    ids = [str(one.get("id")) for one in found]
    why = f"{by_name(group)} doesn't find the group that was made, or finds others."
    exam.expect(
        ids == [group.remote_id], expected=str(group.remote_id), got=str(ids), why=why, standard="RFC 7644 3.4.2.2"
    )
    why = "Members were answered, though excludedAttributes=members asked for none: a large group costs seconds."
    listed = any("members" in one for one in found)
    exam.expect(not listed, expected="no members", got="members", why=why, standard="RFC 7644 3.4.2.5, 3.9")


def add_members(exam: Examination) -> None:
    """One who is new and one who is there already, in one request: all the others stay, nobody is there twice."""
    group = _group(exam)
    exam.dialect.add_members(group, [exam.people[-1], exam.people[0]])
    members = exam.read_members(group)
    wanted = _ids(exam.people)
    if set(members) < set(wanted):
        why = f"the group has {len(members)} members, not {len(wanted)}: adding replaced the others."
    elif len(set(members)) < len(members):
        why = "a member who was there already is there twice."
    else:
        why = "the group has other members than those it had and those who were added."
    _expect_members(exam, members, wanted, why)


def remove_members(exam: Examination) -> None:
    """Two of them leave; all others stay."""
    group = _group(exam)
    leaving = _ids(exam.people[:2])
    exam.dialect.remove_members(group, leaving)
    members = exam.read_members(group)
    staying = _ids(exam.people[2:])
    if set(members) >= set(leaving):
        why = "those who were removed are still members."
    elif not members:
        why = f"the group lost all {len(exam.people)} members, not those two."
    else:
        why = "the group lost other members than those two."
    _expect_members(exam, members, staying, why)


def ask_membership(exam: Examination) -> None:
    """The vendor's own question: who is in is found, who isn't is not."""
    group = _group(exam)
    if exam.dialect.membership_filter(group, "") is None:
        raise Skipped(f"{exam.dialect.name} never asks.")
    members = exam.read_members(group)
    somebody = next((one for one in members if one in _ids(exam.people)), None)
    stranger = next((one for one in _ids([*exam.people, *exam.others]) if one not in members), None)
    if somebody is None or stranger is None:
        raise Skipped("The group has nobody, or everybody.")
    inside, outside = _ask(exam, group, somebody), _ask(exam, group, stranger)
    standard = f"{exam.dialect.document}; RFC 7644 3.4.2.2"
    why = "A group isn't found by its id and one of its members."
    exam.expect(inside == [group.remote_id], expected=str(group.remote_id), got=str(inside), why=why, standard=standard)
    why = "A group is found by its id and somebody who isn't a member."
    exam.expect(not outside, expected="an empty list", got=str(outside), why=why, standard=standard)


def _ask(exam: Examination, group: Group, remote_id: str) -> list[str]:
    found = exam.find("Groups", exam.dialect.membership_filter(group, remote_id) or "")
    return [str(one.get("id")) for one in found]


def rename_group(exam: Examination) -> None:
    """Only the name changes."""
    group = _group(exam)
    renamed = exam.keep_group(replace(group, name=f"{group.name} (new)"))
    before = exam.read_members(group)
    exam.dialect.rename_group(renamed)
    _expect_group(exam, renamed, before, "a group that was renamed has other members.")


def empty_group(exam: Examination) -> None:
    """A push of a group without members takes out everybody."""
    group = exam.groups[-1] if exam.groups else _group(exam)
    known = exam.read_members(group)
    exam.dialect.set_members(group, [], known=known)
    _expect_members(exam, exam.read_members(group), [], "a group that was emptied still has members.")


def delete_group(exam: Examination) -> None:
    """Gone, and its people are not."""
    group = _group(exam)
    if not exam.dialect.deletes_groups:
        raise Skipped(f"{exam.dialect.name} deletes no groups.")
    exam.dialect.delete_group(group)
    exam.groups.remove(group)
    exam.expect_gone(f"Groups/{group.remote_id}", by_name(group))
    exam.expect_person(exam.people[0])


def _expect_group(exam: Examination, group: Group, members: Collection[str], why: str) -> None:
    """Reads a group back: its name, its externalId where the vendor gives one, its members."""
    resource = exam.client.call("GET", f"Groups/{group.remote_id}")
    after, standard = exam.after_change()
    wanted = {"displayName": group.name} | ({"externalId": group.id} if exam.dialect.names_groups else {})
    for name, value in wanted.items():
        got = str(resource.get(name, "nothing"))
        told = f"{after}{name} of the group isn't what was sent."
        exam.expect(got == value, expected=f"{name}: {value}", got=f"{name}: {got}", why=told, standard=standard)
    _expect_members(exam, member_ids(resource), members, why)


def _expect_members(exam: Examination, got: Collection[str], wanted: Collection[str], why: str) -> None:
    after, standard = exam.after_change()
    why = f"{after}{why}" if after else why.capitalize()
    exam.expect(sorted(got) == sorted(wanted), expected=_shown(wanted), got=_shown(got), why=why, standard=standard)


def _shown(ids: Collection[str]) -> str:
    some = ", ".join(sorted(ids)[:5])
    return f"{len(ids)} members" + (f": {some}{' …' if len(ids) > 5 else ''}" if some else "")


def _ids(people: Sequence[Person]) -> list[str]:
    return [str(person.remote_id) for person in people]


def _group(exam: Examination) -> Group:
    if not exam.groups:
        raise Skipped("No group could be made.")
    return exam.groups[0]
