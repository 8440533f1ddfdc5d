"""`/scim/v2/Bulk`: the operations of one request, each done as if it had come alone (RFC 7644 3.7).

Each is a transaction of its own, so that what was answered 2xx is kept whatever comes after it; only people who refer
to each other in a circle are created together, all or none.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from bridge.domain.errors import DomainError
from bridge.flows.provision_users import Fits
from bridge.web import scim_operations as operations
from bridge.web.scim_operations import Caller, Outcome
from bridge.web.scim_resources import Selection, location_of
from scim.bulk import BULK_RESPONSE_SCHEMA, Bulk, BulkOperation, resolve, steps
from scim.errors import ERROR_SCHEMA, ScimError
from scim.schemas import USER
from scim.versions import names_number

log = logging.getLogger(__name__)

Refusal = Mapping[str, object]

_FAILED: Refusal = {"schemas": [ERROR_SCHEMA], "status": "500", "detail": "The server failed. Try again."}


def answer_bulk(caller: Caller, bulk: Bulk) -> dict[str, Any]:
    """Do the operations and tell of each that was done or tried, in the order of the request."""
    run = _Run(caller, bulk)
    for step in steps(bulk):
        if bulk.fail_on_errors is not None and run.failures >= bulk.fail_on_errors:
            break
        run.do(step)
    return {"schemas": [BULK_RESPONSE_SCHEMA], "Operations": [run.answers[n] for n in sorted(run.answers)]}


class _Run:
    """One Bulk under way: what was answered so far, and the ids that its bulkIds stand for."""

    def __init__(self, caller: Caller, bulk: Bulk) -> None:
        self._caller = caller
        self._bulk = bulk
        self._ids: dict[str, str] = {}
        self.answers: dict[int, dict[str, Any]] = {}
        self.failures = 0

    def do(self, step: list[int]) -> None:
        """Do the operations at these positions: one, or a circle."""
        step_of = [self._bulk.operations[n] for n in step]
        try:
            self._done(step, self._perform(step_of))
        except ScimError as error:
            self._refused(step, error.render())
        except DomainError as error:
            self._refused(step, operations.said_in_scim(error).render())
        except Exception as error:  # What was done before stays done, and has to be told.
            log.error("An operation of a SCIM bulk request failed", exc_info=error)
            self._refused(step, _FAILED)

    def _perform(self, step: list[BulkOperation]) -> list[Outcome]:
        if len(step) > 1 or step[0].bulk_id in step[0].needs:
            return self._perform_circle(step)
        if step[0].refusal is not None:
            raise step[0].refusal
        return [_perform_alone(self._caller, resolve(step[0], self._ids))]

    def _perform_circle(self, circle: list[BulkOperation]) -> list[Outcome]:
        ids = {each.bulk_id: str(uuid4()) for each in circle if each.bulk_id is not None}
        resolved = [resolve(each, self._ids | ids) for each in circle]
        return operations.create_circle(self._caller, {ids[each.bulk_id or ""]: each.body or {} for each in resolved})

    def _done(self, step: list[int], outcomes: list[Outcome]) -> None:
        for n, outcome in zip(step, outcomes, strict=True):
            operation = self._bulk.operations[n]
            if operation.bulk_id is not None and operation.method == "POST":
                self._ids[operation.bulk_id] = outcome.location.rpartition("/")[2]
            self.answers[n] = _told(operation, outcome.location, outcome.etag, outcome.status)

    def _refused(self, step: list[int], refusal: Refusal) -> None:
        for n in step:
            operation = self._bulk.operations[n]
            told = _told(operation, self._aimed_at(operation), None, refusal["status"])
            self.answers[n] = {**told, "response": refusal}
            self.failures += 1

    def _aimed_at(self, operation: BulkOperation) -> str | None:
        """The address of what an operation failed to change; a failed POST has none (RFC 7644 3.7.3)."""
        if operation.resource_type is None or operation.resource_id is None:
            return None
        bulk_id = operation.resource_id.removeprefix("bulkId:")
        resource_id = self._ids.get(bulk_id, operation.resource_id)
        return location_of(self._caller.base_url, operation.resource_type.endpoint.strip("/"), quote(resource_id, ""))


def _perform_alone(caller: Caller, operation: BulkOperation) -> Outcome:
    users = operation.resource_type is USER
    body = operation.body or {}
    if operation.resource_id is None:
        return operations.create_user(caller, body) if users else operations.create_group(caller, body, _NO_MEMBERS)
    operations.check_id(operation.resource_id)
    fits = None if operation.version is None else _fits(operation.version)
    target = (caller, operation.resource_id)
    match operation.method:
        case "PUT" if users:
            return operations.put_user(*target, body, if_version=fits)
        case "PUT":
            return operations.put_group(*target, body, _NO_MEMBERS, fits)
        case "PATCH" if users:
            return operations.patch_user(*target, body, if_version=fits)
        case "PATCH":
            return operations.patch_group(*target, body, if_version=fits)
        case _ if users:
            return operations.delete_user(*target, fits)
        case _:
            return operations.delete_group(*target, fits)


#: Nothing is shown of what was done, so a group's members need not be read.
_NO_MEMBERS: Selection = (("id",), ())


def _fits(etags: str) -> Fits:
    return lambda version: names_number(etags, version)


def _told(operation: BulkOperation, location: str | None, version: str | None, status: object) -> dict[str, Any]:
    told = {"method": operation.method, "bulkId": operation.bulk_id, "version": version, "location": location}
    return {name: value for name, value in told.items() if value is not None} | {"status": str(status)}
