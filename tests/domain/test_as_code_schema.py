"""The JSON Schema and the page of reference are those of the definition, and say what the reader does."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bridge.domain.as_code_reading import read_file
from bridge.domain.as_code_schema import json_schema, reference_page
from bridge.domain.as_code_yaml import BadFile
from tests.domain.test_as_code_reading import FAULTS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
#: What only the domain knows, or only the world: a schema takes it.
BEYOND = {
    *(
        "a name of spaces",
        "an id with a space",
        "one resource twice",
        "no label",
        "no label in keys",
        "one label twice",
        "a label for too much",
        "two values of one label",
        "no such role",
    ),
    *("a scope that the role hasn't", "no address", "one member twice", "one User Group twice", "people in a mirror"),
    *(
        "everybody's domain",
        "two ways to one IdP",
        "half an IdP",
        "a rule that gives nothing",
        "ownership by a pattern",
    ),
    *("a link that gives more", "a group of a name that no database keeps"),
}


def test_the_schema_in_the_reference_is_current() -> None:
    assert json.loads((REFERENCE / "workspace.schema.json").read_text()) == json_schema()


def test_the_page_of_reference_is_current() -> None:
    assert (REFERENCE / "workspace-file.md").read_text() == reference_page()


@pytest.mark.parametrize("name", FAULTS)
def test_the_schema_refuses_what_the_reader_refuses_of_shape(name: str) -> None:
    body = f"version: 1\nworkspace: kicks\n{FAULTS[name][0]}"
    with pytest.raises(BadFile):
        read_file(body.encode())
    # `yes` is true to this reader of YAML 1.1, and a text to editors, which read 1.2.
    plain = yaml.safe_load(body.replace("yes", "'yes'"))
    assert jsonschema_rs.is_valid(json_schema(), plain) is (name in BEYOND)


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(json_schema())
