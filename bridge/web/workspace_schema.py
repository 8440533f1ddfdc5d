"""`/workspace.schema.json`: what may stand in a workspace's file, for editors."""

from flask import Blueprint, Response, jsonify

from bridge.domain.as_code_schema import json_schema

blueprint = Blueprint("workspace_schema", __name__)


@blueprint.get("/workspace.schema.json")
def show() -> Response:
    """The definition as JSON Schema, for anybody: it says nothing of any workspace. Editors in browsers may read it."""
    answer = jsonify(json_schema())
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
