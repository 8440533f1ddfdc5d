"""Reads a company from its file (config/demo/README.md has the shape) into an empty state."""

import json
from pathlib import Path
from typing import Any

from simulated.company_idp.database import Database
from simulated.company_idp.directory import Directory, Group, Person, load
from simulated.company_idp.settings import Settings, SettingsStore, SignIn

_PERSON_KEYS = ("id", "email", "given_name", "family_name", "title", "department", "active", "provisioned", "featured")


def load_story(database: Database, path: Path) -> bool:
    """Fills the state from `path` unless it has people already; says whether it did."""
    if Directory(database).search(limit=1).total:
        return False
    story: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    people = [Person(**{key: row[key] for key in _PERSON_KEYS if key in row}) for row in story["people"]]
    groups = [Group(row["id"], row["name"], description=row.get("description", "")) for row in story["groups"]]
    members = {
        group["id"]: [person["id"] for person in story["people"] if group["name"] in person["groups"]]
        for group in story["groups"]
    }
    load(database, people, groups, members)
    SettingsStore(database).write(
        Settings(
            company=story["company"],
            password=story["password"],
            dialect=story["dialect"],
            sign_in=SignIn(**story["sign_in"]),
        )
    )
    return True
