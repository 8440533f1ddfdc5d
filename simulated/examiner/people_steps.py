"""The steps about people. Each does what the vendor does, then reads back what a conformant server must now hold."""

import uuid
from dataclasses import replace
from functools import partial

from simulated.dialects.people import Person
from simulated.dialects.scim_client import ScimMalformed, ScimRefused
from simulated.examiner import cast
from simulated.examiner.answers import not_by_scim
from simulated.examiner.examination import Examination, Skipped, by_user_name

_PAGE = 2


class NothingToExamine(Exception):
    """The first call showed that nothing can be examined; `str()` is a sentence that says why."""


class TokenRefused(NothingToExamine):
    """Not with this token."""


class NoScimServer(NothingToExamine):
    """Not at this address."""


def check_connection(exam: Examination) -> None:
    """What the vendor's test button sends. Raises TokenRefused, NoScimServer."""
    try:
        exam.dialect.check_connection()
    except (ScimRefused, ScimMalformed) as error:
        if isinstance(error, ScimRefused) and error.status in (401, 403):
            reason = f": {error.detail}" if error.detail else "."
            raise TokenRefused(f"The server doesn't take the token ({error.status}){reason}") from None
        first = exam.asked
        odd = not_by_scim(first) if first and exam.calls == 1 else None
        if first and odd:
            raise NoScimServer(f"There is no SCIM server: {first.method} {first.address} {odd}.") from None
        raise


def look_up_nobody(exam: Examination) -> None:
    """An empty list, not a 404 and not everybody."""
    _is_nobody_found(exam)


def _is_nobody_found(exam: Examination) -> bool:
    nobody = by_user_name(f"{uuid.uuid4()}@{cast.DOMAIN}")
    why = f"A look-up of a userName that nobody has found somebody: {exam.dialect.name} would now overwrite them."
    return exam.expect_found("Users", nobody, [], why)


def create_people(exam: Examination, wanted: list[Person]) -> str:
    """Each is looked for, made and read back. After the first, somebody who isn't there is looked up again."""
    for number, person in enumerate(wanted, start=1):
        exam.tell_progress(number, len(wanted))
        pushed = exam.make("Users", partial(exam.dialect.push_person, person), cast.plain_person(person))
        made = replace(person, remote_id=pushed)
        if not exam.expect_new("Users", str(made.remote_id), exam.people):
            return "No others were made: look-ups can't be relied on."
        exam.people.append(made)
        exam.expect_person(made, new=True)
        if len(exam.people) == 1 and not _is_nobody_found(exam):
            return "No others were made: look-ups can't be relied on."
    return f"The server keeps no {', '.join(sorted(exam.not_kept))}, as it may (RFC 7643 4)." if exam.not_kept else ""


def look_up_people(exam: Examination) -> None:
    """By user name as it is, and in capitals: it has no case."""
    person = _people(exam)[1]
    plain, loud = by_user_name(person.email), by_user_name(person.email.upper())
    exam.expect_found("Users", plain, [str(person.remote_id)], f"Who has just been made isn't found by {plain}.")
    why = f"{loud} finds nobody, though userName has no case (RFC 7643 4.1.1): an IdP would make a second person."
    exam.expect_found("Users", loud, [str(person.remote_id)], why)


def create_again(exam: Examination) -> None:
    """A POST of a taken user name is 409; a push finds the person and makes no second one."""
    person = _people(exam)[0]
    if "Users" not in exam.refused:
        _post_again(exam, person)
    again = exam.dialect.push_person(replace(person, remote_id=None))
    why = "A person who is there was pushed again, and made a second time."
    exam.expect(again == person.remote_id, expected=str(person.remote_id), got=again, why=why, standard="RFC 7644 3.3")
    exam.expect_person(person)


def _post_again(exam: Examination, person: Person) -> None:
    """A second person that comes of it is deleted again, so that the other steps find one."""
    status, second = "201, as if it were free", None
    try:
        second = exam.dialect.create_person(replace(person, remote_id=None))
    except ScimRefused as refusal:
        status = f"{refusal.status} {refusal.scim_type or ''}".strip()
    why = f"A POST of a userName that is taken was answered {status}, not 409 with scimType uniqueness."
    holds, wanted = status == "409 uniqueness", "409 uniqueness"
    exam.expect(holds, expected=wanted, got=status, why=why, standard="RFC 7644 3.3, 3.12")
    if second not in (None, person.remote_id):
        exam.client.call("DELETE", f"Users/{second}")
        exam.expect_gone(f"Users/{second}", None)


def read_pages(exam: Examination) -> None:
    """Two pages of two, and one after the last: nobody twice, the same total, sizes as asked."""
    if len(_people(exam)) <= _PAGE:
        raise Skipped("There are too few people for two pages.")
    first, total = _read_page(exam, 1)
    second, total_again = _read_page(exam, 1 + _PAGE)
    twice = sorted(set(first) & set(second))
    why = "The second page repeats people of the first, so that an import misses others."
    _expect_page(exam, not twice, "other people", ", ".join(twice), why)
    why = "totalResults isn't the same on two pages."
    _expect_page(exam, total == total_again, str(total), str(total_again), why)
    after, _ = _read_page(exam, total + 1)
    why = "A page after the last one isn't empty, so that an import never ends."
    _expect_page(exam, not after, "an empty page", f"{len(after)} people", why)


def _read_page(exam: Examination, start: int) -> tuple[list[str], int]:
    page = exam.client.call("GET", "Users", parameters={"startIndex": str(start), "count": str(_PAGE)})
    listed, total = page.get("Resources", []), page.get("totalResults")
    ids = [str(one.get("id")) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    why = f"A page of {_PAGE} holds more people than were asked for."
    _expect_page(exam, len(ids) <= _PAGE, f"at most {_PAGE}", str(len(ids)), why)
    return ids, total if isinstance(total, int) else len(ids)


def _expect_page(exam: Examination, holds: bool, expected: str, got: str, why: str) -> None:
    exam.expect(holds, expected=expected, got=got, why=why, standard="RFC 7644 3.4.2.4")


def change_profile(exam: Examination) -> None:
    """A new family name and title."""
    _change(exam, replace(_people(exam)[0], family_name="Costa-Núñez", title="Lead"))


def deactivate(exam: Examination) -> None:
    """active is false and a boolean, and the person is still found."""
    person = _set_active(exam, False)
    why = "Who was deactivated isn't found any more: an IdP that brings them back would make a second person."
    exam.expect_found("Users", by_user_name(person.email), [str(person.remote_id)], why)


def reactivate(exam: Examination) -> None:
    """active is true again, and nothing else changed."""
    _set_active(exam, True)


def _set_active(exam: Examination, value: bool) -> Person:
    person = exam.keep_person(replace(_people(exam)[0], active=value))
    exam.dialect.set_active(person)
    exam.expect_person(person)
    return person


def change_address(exam: Examination) -> None:
    """A new userName and e-mail: found by the new one, and by the old one no more."""
    before = _people(exam)[0]
    person = _change(exam, replace(before, email=f"renamed.{before.email}"))
    why = "Somebody isn't found by their new userName."
    exam.expect_found("Users", by_user_name(person.email), [str(person.remote_id)], why)
    exam.expect_found("Users", by_user_name(before.email), [], "Somebody is still found by their former userName.")


def set_manager(exam: Examination) -> None:
    """The second person reports to the first."""
    if "manager" in exam.dialect.unsent:
        raise Skipped(f"{exam.dialect.name} sends no manager.")
    first, second = _people(exam)[:2]
    person = exam.keep_person(replace(second, manager=str(first.remote_id)))
    exam.dialect.change_person(person)
    exam.expect_person(person, new=True)
    if "manager" in exam.not_kept:
        raise Skipped("The server keeps no manager, as it may (RFC 7643 4.3).")


def send_unknown_attribute(exam: Examination, stranger: Person) -> str:
    """Ignored or refused, but never a 5xx; and whoever was made is whole."""
    try:
        made = replace(stranger, remote_id=exam.dialect.create_person(stranger))
    except ScimRefused as refusal:
        if refusal.status >= 500:
            raise
        return f"It refuses what it doesn't know ({refusal.status}); {exam.dialect.name} shows that as an error."
    exam.others.append(made)
    exam.expect_person(made)
    return ""


def delete_person(exam: Examination) -> None:
    """As the vendor does it: gone for good, or deactivated and still there."""
    person = _people(exam)[-1]
    exam.dialect.delete_person(person)
    if exam.dialect.deletes_people:
        exam.people.remove(person)
        exam.expect_gone(f"Users/{person.remote_id}", by_user_name(person.email))
    else:
        exam.expect_person(exam.keep_person(replace(person, active=False)))


def _change(exam: Examination, person: Person) -> Person:
    exam.dialect.change_person(person)
    exam.expect_person(person)
    return exam.keep_person(person)


def _people(exam: Examination) -> list[Person]:
    if len(exam.people) < 2:
        raise Skipped("Too few people could be made.")
    return exam.people
