"""The steps in their order, and the cleaning up after them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from simulated.dialects.scim_client import ScimError, ScimMalformed, ScimRefused, ScimUnreachable, quote
from simulated.examiner import cast, group_steps, people_steps
from simulated.examiner.examination import Examination

Act = Callable[[Examination], str | None]

_TEST = "Test the connection"


def play(exam: Examination, tag: str, users: int, groups: int) -> None:
    """All steps, each whatever became of the one before; then cleans up, also when it was broken off.

    `tag` is part of every name that is made up. Raises NothingToExamine, ScimUnreachable and KeyboardInterrupt.
    """
    try:
        for title, act in _steps(tag, users, groups):
            with exam.step(title) as says:
                says += filter(None, [act(exam)])
            if title == _TEST and exam.steps[-1].outcome == "wrong":
                break
    finally:
        clean_up(exam)


def _steps(tag: str, users: int, groups: int) -> list[tuple[str, Act]]:
    """What an IdP does in the years of a connection, in the order of one morning."""
    people, teams, stranger = cast.people(tag, users), cast.groups(tag, groups), cast.stranger(tag)
    return [
        (_TEST, people_steps.check_connection),
        ("Look up somebody who isn't there", people_steps.look_up_nobody),
        ("Create people", lambda exam: people_steps.create_people(exam, people)),
        ("Look up people", people_steps.look_up_people),
        ("Create somebody again", people_steps.create_again),
        ("Read people page by page", people_steps.read_pages),
        ("Change a profile", people_steps.change_profile),
        ("Deactivate somebody", people_steps.deactivate),
        ("Reactivate somebody", people_steps.reactivate),
        ("Change a userName and address", people_steps.change_address),
        ("Set a manager", people_steps.set_manager),
        ("Send an attribute of the company's own", lambda exam: people_steps.send_unknown_attribute(exam, stranger)),
        ("Create groups with members", lambda exam: group_steps.create_groups(exam, teams)),
        ("Look up a group without its members", group_steps.look_up_group),
        ("Add members", group_steps.add_members),
        ("Remove members", group_steps.remove_members),
        ("Ask whether somebody is a member", group_steps.ask_membership),
        ("Rename a group", group_steps.rename_group),
        ("Empty a group", group_steps.empty_group),
        ("Delete a group", group_steps.delete_group),
        ("Delete somebody", people_steps.delete_person),
    ]


def clean_up(exam: Examination) -> None:
    """Deletes what was made, the last first; says what is left. It is not the vendor's: refusals are no faults."""
    if not (exam.client.made or exam.client.lost):
        return
    with exam.step("Clean up") as says:
        try:
            _find_lost(exam)
            deleted = _delete_all(exam, list(reversed(exam.client.made)))
            for kind in ("Users", "Groups"):
                _expect_last_gone(exam, [path for path in deleted if path.startswith(kind)])
        finally:
            says += _left_behind(exam)


def _find_lost(exam: Examination) -> None:
    """Looks for what may have been made; only the very name, which nobody else has, makes it ours."""
    for name, kind in list(exam.client.lost.items()):
        attribute = "userName" if kind == "Users" else "displayName"
        with suppress(ScimRefused, ScimMalformed):
            for one in exam.find(kind, f"{attribute} eq {quote(name)}"):
                if one.get(attribute) == name and isinstance(one.get("id"), str):
                    exam.client.made[f"{kind}/{one['id']}"] = name
                    exam.client.lost.pop(name, None)


def _delete_all(exam: Examination, paths: list[str]) -> list[str]:
    """Answers those that were deleted now."""
    deleted = []
    for number, path in enumerate(paths, start=1):
        exam.tell_progress(number, len(paths))
        if _delete(exam, path):
            deleted.append(path)
    return deleted


def _delete(exam: Examination, path: str) -> bool:
    """Whether it was deleted now; somebody who can't be is deactivated, so that no account is left open."""
    try:
        exam.client.call("DELETE", path)
    except ScimUnreachable:
        raise
    except ScimRefused as refusal:
        if refusal.status == 404:
            del exam.client.made[path]
        elif path.startswith("Users/"):
            _deactivate(exam, path)
        return False
    except ScimError:
        return False
    return True


def _deactivate(exam: Examination, path: str) -> None:
    for person in (*exam.people, *exam.others):
        if f"Users/{person.remote_id}" == path and person.active:
            try:
                exam.dialect.set_active(replace(person, active=False))
            except ScimRefused:
                return


def _expect_last_gone(exam: Examination, deleted: list[str]) -> None:
    """One stands for all of its kind."""
    if deleted:
        exam.expect_gone(deleted[-1], None)
        if deleted[-1] in exam.client.made:
            exam.client.made |= {path: exam.client.deleted.pop(path) for path in deleted[:-1]}


def _left_behind(exam: Examination) -> list[str]:
    left = [f"{name} ({path})" for path, name in exam.client.made.items()]
    left += [f"{name} (perhaps, under an id that wasn't told)" for name in exam.client.lost]
    return [f"Could not be deleted, and is left there: {', '.join(left)}."] if left else []
