"""The admin's actions as JSON, for seeding and tests. Bodies and answers are objects; a refusal is `{"error": …}`.

| call | body → answer |
|---|---|
| GET `/api/state` | → `company`, `people` (a count), `groups`, `settings` (no token), `pushes`, `failures` |
| PUT `/api/settings` | any of `service_provider`, `sign_in`, `provisioning` (see `settings.change`) → `settings` |
| GET `/api/people` `?q=&group=&offset=&limit=` | → `people`, `total` |
| POST `/api/people` | `email`, `given_name`, `family_name`, `title`?, `department`?, `provisioned`? → `person`, … |
| GET, PATCH, DELETE `/api/people/<id or email>` | PATCH: any of the same, or `active` → `person`, `push` |
| GET, POST `/api/groups` | POST: `name` → `group`, `push` |
| PATCH, DELETE `/api/groups/<id or name>` | PATCH: `name` → `group`, `push` |
| GET, POST `/api/groups/<id or name>/members` | POST: `add`, `remove`: ids or emails → `pushes` |
| POST `/api/push` | → a line of JSON for each person and group, and `{"finished": true, "failures": […]}` |
| POST `/api/test` | what the vendor's "Test connection" sends → `push` |
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, jsonify, request, stream_with_context
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from simulated.company_idp.company import Company, this_company
from simulated.company_idp.directory import Group, Person
from simulated.company_idp.errors import Invalid
from simulated.company_idp.journal import Push
from simulated.company_idp.settings import shown
from simulated.dialects.people import new_outside_id
from simulated.dialects.scim_client import ScimError

blueprint = Blueprint("json_api", __name__, url_prefix="/api")


@blueprint.get("/state")
def state() -> Response:
    """Everything at a glance."""
    company = this_company()
    settings = company.settings.read()
    return jsonify(
        company=settings.company,
        people=company.directory.search(limit=1).total,
        groups=[asdict(group) for group in company.directory.groups()],
        settings=shown(settings),
        pushes=[_shown_push(push) for push in company.journal.latest(20)],
        failures=[asdict(failure) for failure in company.provisioner.failures()],
    )


@blueprint.put("/settings")
def put_settings() -> Response:
    """Changes the parts that are named."""
    return jsonify(settings=shown(this_company().change_settings(_body())))


@blueprint.get("/people")
def list_people() -> Response:
    """A page of people."""
    company = this_company()
    group = request.args.get("group")
    page = company.directory.search(
        request.args.get("q", ""),
        group_id=company.directory.get_group(group).id if group else None,
        offset=request.args.get("offset", 0, type=int),
        limit=request.args.get("limit", 50, type=int),
    )
    return jsonify(people=[asdict(person) for person in page.people], total=page.total)


@blueprint.post("/people")
def create_person() -> tuple[Response, int]:
    """Adds somebody, and pushes them."""
    body = _body()
    nobody = Person(new_outside_id("00u"), "", "", "", provisioned=_flag(body, "provisioned", True))
    person = _with_profile(nobody, body)
    push = this_company().provisioner.create_person(person)
    return _with_person(person.id, push), 201


@blueprint.get("/people/<person_id>")
def get_person(person_id: str) -> Response:
    """One person, with the names of their groups."""
    company = this_company()
    person = company.directory.get_person(person_id)
    return jsonify(person=asdict(person), groups=[group.name for group in company.directory.groups_of(person.id)])


@blueprint.patch("/people/<person_id>")
def change_person(person_id: str) -> Response:
    """Changes the profile, or (de)activates; each is a push of its own, and the last one is answered."""
    company, body = this_company(), _body()
    person = company.directory.get_person(person_id)
    wanted = _with_profile(person, body)
    push = None
    if wanted != person:
        push = company.provisioner.change_person(wanted)
    if "active" in body:
        push = company.provisioner.set_active(person.id, _flag(body, "active", True))
    if push is None:
        raise Invalid("Nothing to change; say any of email, given_name, family_name, title, department, active.")
    return _with_person(person.id, push)


@blueprint.delete("/people/<person_id>")
def delete_person(person_id: str) -> Response:
    """Deletes somebody, there and here."""
    return jsonify(push=_shown_push(this_company().provisioner.delete_person(person_id)))


@blueprint.get("/groups")
def list_groups() -> Response:
    """Every group."""
    return jsonify(groups=[asdict(group) for group in this_company().directory.groups()])


@blueprint.post("/groups")
def create_group() -> tuple[Response, int]:
    """Adds an empty group, and pushes it."""
    body = _body()
    group = Group(new_outside_id("00g"), _text(body, "name"), description=_text(body, "description", ""))
    push = this_company().provisioner.create_group(group)
    return _with_group(group.id, push), 201


@blueprint.patch("/groups/<group_id>")
def rename_group(group_id: str) -> Response:
    """Renames a group."""
    company = this_company()
    group = company.directory.get_group(group_id)
    return _with_group(group.id, company.provisioner.rename_group(group.id, _text(_body(), "name")))


@blueprint.delete("/groups/<group_id>")
def delete_group(group_id: str) -> Response:
    """Deletes a group, there and here."""
    return jsonify(push=_shown_push(this_company().provisioner.delete_group(group_id)))


@blueprint.get("/groups/<group_id>/members")
def list_members(group_id: str) -> Response:
    """A group's people."""
    company = this_company()
    members = company.directory.members(company.directory.get_group(group_id).id)
    return jsonify(people=[asdict(person) for person in members], total=len(members))


@blueprint.post("/groups/<group_id>/members")
def change_members(group_id: str) -> Response:
    """Removes, then adds, each as one push."""
    company, body = this_company(), _body()
    pushes = []
    if remove := _texts(body, "remove"):
        pushes.append(company.provisioner.remove_members(group_id, remove))
    if add := _texts(body, "add"):
        pushes.append(company.provisioner.add_members(group_id, add))
    if not pushes:
        raise Invalid("Say whom to add or remove.")
    return jsonify(pushes=[_shown_push(push) for push in pushes])


@blueprint.post("/push")
def push_everything() -> Response:
    """Pushes everything; one line of JSON as each person and group is done."""
    company = this_company()
    return Response(stream_with_context(_progress_lines(company)), mimetype="application/x-ndjson")


@blueprint.post("/test")
def check_connection() -> Response:
    """Sends what the vendor's test button sends."""
    return jsonify(push=_shown_push(this_company().provisioner.check_connection()))


def _progress_lines(company: Company) -> Iterator[str]:
    stopped = None
    try:
        for progress in company.provisioner.push_everything():
            yield json.dumps(asdict(progress)) + "\n"
    except ScimError as error:
        stopped = str(error)
    failures = [asdict(failure) for failure in company.provisioner.failures()]
    said = company.journal.latest(1)[0].said
    yield json.dumps({"finished": stopped is None, "stopped": stopped, "failures": failures, "said": said}) + "\n"


def _with_profile(person: Person, body: dict[str, Any]) -> Person:
    """The person with what `body` says of them; what it doesn't say stays."""
    return replace(
        person,
        email=_text(body, "email", person.email),
        given_name=_text(body, "given_name", person.given_name),
        family_name=_text(body, "family_name", person.family_name),
        title=_text(body, "title", person.title),
        department=_text(body, "department", person.department),
    )


def _shown_push(push: Push) -> dict[str, Any]:
    return asdict(push) | {"at": push.at.isoformat()}


def _with_person(person_id: str, push: Push) -> Response:
    return jsonify(person=asdict(this_company().directory.get_person(person_id)), push=_shown_push(push))


def _with_group(group_id: str, push: Push) -> Response:
    return jsonify(group=asdict(this_company().directory.get_group(group_id)), push=_shown_push(push))


def _body() -> dict[str, Any]:
    if not request.is_json:
        raise UnsupportedMediaType("Send application/json.")
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest("Send a JSON object.")
    return body


def _text(body: dict[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise Invalid(f"{key} is missing, or isn't text.")
    return value.strip()


def _texts(body: dict[str, Any], key: str) -> list[str]:
    value = body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Invalid(f"{key} isn't a list of ids or emails.")
    return value


def _flag(body: dict[str, Any], key: str, default: bool) -> bool:
    value = body.get(key, default)
    if not isinstance(value, bool):
        raise Invalid(f"{key} is true or false.")
    return value
