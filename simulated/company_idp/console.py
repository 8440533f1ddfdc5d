"""The admin's console: pages of plain forms, each change pushed at once, each page saying what the bridge answered.

After a change the browser is sent back with `?push=<id>`, and the page shows that push with the calls it took.
"""

from dataclasses import replace
from threading import Thread

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulated.company_idp.company import Company, this_company
from simulated.company_idp.directory import Group, Page, Person
from simulated.company_idp.journal import Push
from simulated.dialects.people import new_outside_id
from simulated.dialects.scim_client import ScimError
from simulated.dialects.speaking import NAMES

PAGE = 25

blueprint = Blueprint("console", __name__, url_prefix="/console")


@blueprint.get("/", strict_slashes=False)
def start() -> AnyResponse:
    """The console begins with the people."""
    return redirect("/console/people")


@blueprint.get("/people")
def people() -> str:
    """Everybody, searched and paged."""
    found, number = _search(None)
    return _render("people.html", page=found, number=number, pages=_pages(found))


@blueprint.post("/people")
def create_person() -> AnyResponse:
    """Adds somebody; goes to their page."""
    person = Person(
        id=new_outside_id("00u"),
        email=_field("email"),
        given_name=_field("given_name"),
        family_name=_field("family_name"),
        title=_field("title"),
        department=_field("department"),
        provisioned="provisioned" in request.form,
    )
    push = this_company().provisioner.create_person(person)
    return _back(f"/console/people/{person.id}", push)


@blueprint.get("/people/<person_id>")
def person(person_id: str) -> str:
    """One person: profile, groups, and what can be done."""
    company = this_company()
    someone = company.directory.get_person(person_id)
    theirs = company.directory.groups_of(someone.id)
    others = [group for group in company.directory.groups() if group.id not in {one.id for one in theirs}]
    return _render("person.html", person=someone, groups=theirs, others=others)


@blueprint.post("/people/<person_id>")
def change_person(person_id: str) -> AnyResponse:
    """Stores the profile."""
    company = this_company()
    wanted = replace(
        company.directory.get_person(person_id),
        email=_field("email"),
        given_name=_field("given_name"),
        family_name=_field("family_name"),
        title=_field("title"),
        department=_field("department"),
    )
    return _back(f"/console/people/{wanted.id}", company.provisioner.change_person(wanted))


@blueprint.post("/people/<person_id>/deactivate")
def deactivate(person_id: str) -> AnyResponse:
    """They can't sign in any more, here or there."""
    return _back(f"/console/people/{person_id}", this_company().provisioner.set_active(person_id, False))


@blueprint.post("/people/<person_id>/reactivate")
def reactivate(person_id: str) -> AnyResponse:
    """They can again."""
    return _back(f"/console/people/{person_id}", this_company().provisioner.set_active(person_id, True))


@blueprint.post("/people/<person_id>/delete")
def delete_person(person_id: str) -> AnyResponse:
    """Gone, unless the bridge refused: then back to the page that says why."""
    push = this_company().provisioner.delete_person(person_id)
    return _back(f"/console/people/{person_id}" if push.outcome == "refused" else "/console/people", push)


@blueprint.get("/groups")
def groups() -> str:
    """Every group with its size."""
    return _render("groups.html", groups=this_company().directory.groups())


@blueprint.post("/groups")
def create_group() -> AnyResponse:
    """Adds an empty group; goes to its page."""
    group = Group(new_outside_id("00g"), _field("name"), description=_field("description"))
    return _back(f"/console/groups/{group.id}", this_company().provisioner.create_group(group))


@blueprint.get("/groups/<group_id>")
def group(group_id: str) -> str:
    """A group's members, searched and paged."""
    shown = this_company().directory.get_group(group_id)
    found, number = _search(shown.id)
    return _render("group.html", group=shown, page=found, number=number, pages=_pages(found))


@blueprint.post("/groups/<group_id>/rename")
def rename_group(group_id: str) -> AnyResponse:
    """Renames a group."""
    return _back(f"/console/groups/{group_id}", this_company().provisioner.rename_group(group_id, _field("name")))


@blueprint.post("/groups/<group_id>/delete")
def delete_group(group_id: str) -> AnyResponse:
    """Gone, unless the bridge refused."""
    push = this_company().provisioner.delete_group(group_id)
    return _back(f"/console/groups/{group_id}" if push.outcome == "refused" else "/console/groups", push)


@blueprint.post("/groups/<group_id>/add")
def add_member(group_id: str) -> AnyResponse:
    """Adds one person by email, or the person whose page this came from."""
    push = this_company().provisioner.add_members(group_id, [_field("person")])
    return _back(_return_to(f"/console/groups/{group_id}"), push)


@blueprint.post("/groups/<group_id>/remove")
def remove_member(group_id: str) -> AnyResponse:
    """Removes one person."""
    push = this_company().provisioner.remove_members(group_id, [_field("person")])
    return _back(_return_to(f"/console/groups/{group_id}"), push)


@blueprint.get("/provisioning")
def provisioning() -> str:
    """Where pushes go, what the last ones were, what failed, and pushing everything."""
    company = this_company()
    return _render(
        "provisioning.html",
        pushes=company.journal.latest(30),
        failures=company.provisioner.failures(),
        progress=company.provisioner.progress,
    )


@blueprint.post("/provisioning/push")
def push_everything() -> AnyResponse:
    """Starts a push of everything, and shows how it goes."""
    company = this_company()
    if company.provisioner.progress is None:
        Thread(target=_push_all, args=(company,), daemon=True).start()
    return redirect("/console/provisioning?started=1", 303)


@blueprint.post("/provisioning/test")
def check_connection() -> AnyResponse:
    """Sends what the vendor's test button sends."""
    return _back("/console/provisioning", this_company().provisioner.check_connection())


@blueprint.get("/settings")
def settings() -> str:
    """Whom this IdP answers, how it signs people in, and where it pushes to."""
    return _render("settings.html", certificate=this_company().key.certificate_pem.decode())


@blueprint.post("/settings/service-provider")
def set_service_provider() -> AnyResponse:
    """Takes the service provider's metadata."""
    return _set({"service_provider": {"metadata": _field("metadata")}})


@blueprint.post("/settings/sign-in")
def set_sign_in() -> AnyResponse:
    """Takes how assertions are made."""
    flags = {key: key in request.form for key in ("send_groups", "encrypt_assertions")}
    return _set({"sign_in": {"name_id": _field("name_id"), "signs": _field("signs"), **flags}})


@blueprint.post("/settings/provisioning")
def set_provisioning() -> AnyResponse:
    """Takes the SCIM server; an empty token keeps the one that is there."""
    return _set(
        {"provisioning": {"url": _field("url"), "token": _field("token") or None, "dialect": _field("dialect")}}
    )


def _push_all(company: Company) -> None:
    """Runs beside the requests; where it stopped and why is in the journal."""
    try:
        for _ in company.provisioner.push_everything():
            pass
    except ScimError:
        return


def _set(wanted: dict[str, object]) -> AnyResponse:
    this_company().change_settings(wanted)
    return redirect("/console/settings?saved=1", 303)


def _search(group_id: str | None) -> tuple[Page, int]:
    number = max(1, request.args.get("page", 1, type=int))
    found = this_company().directory.search(
        request.args.get("q", ""), group_id=group_id, offset=(number - 1) * PAGE, limit=PAGE
    )
    return found, number


def _pages(found: Page) -> int:
    return max(1, -(-found.total // PAGE))


def _field(name: str) -> str:
    return request.form.get(name, "").strip()


def _return_to(otherwise: str) -> str:
    """Back to the person's page if the form came from there; never anywhere else."""
    person_id = _field("from_person")
    return f"/console/people/{person_id}" if person_id.isalnum() else otherwise


def _back(path: str, push: Push) -> AnyResponse:
    return redirect(f"{path}?push={push.id}", 303)


def _render(template: str, **values: object) -> str:
    company = this_company()
    settings = company.settings.read()
    dialect = settings.provisioning.dialect if settings.provisioning else settings.dialect
    shown = request.args.get("push", type=int)
    return render_template(
        template,
        settings=settings,
        dialect_name=NAMES[dialect],
        company=settings.company,
        public_url=company.public_url,
        push=company.journal.find(shown) if shown else None,
        q=request.args.get("q", ""),
        **values,
    )
