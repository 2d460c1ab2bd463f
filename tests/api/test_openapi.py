"""The OpenAPI document says what the routes do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from chalicelib.api.table import ROUTES
from tests.api.client import Api
from tests.world import form


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    document: dict[str, Any] = Api().get("/v1/openapi.json", "").json
    return document


def test_it_describes_every_route_and_no_other(described: dict[str, Any]) -> None:
    named = {f"{m.upper()} {path}" for path, ops in described["paths"].items() for m in ops}
    assert named == {route.name for route in ROUTES}
    assert described["openapi"].startswith("3.1")


def test_every_operation_is_told_apart_and_explained(described: dict[str, Any]) -> None:
    operations = [op for ops in described["paths"].values() for op in ops.values()]
    assert len({op["operationId"] for op in operations}) == len(operations)
    assert all(op["summary"] and op["responses"]["2XX"]["description"] for op in operations)


def test_every_reference_leads_somewhere_and_every_schema_is_one(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name in references(described):
        assert name in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/components/schemas/")
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_parameters_of_each_path_are_described(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path))


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/v1/leads",
        "/v1/leads/{lead_id}",
        "/v1/leads/{lead_id}/timeline",
        "/v1/leads/{lead_id}/why",
        "/v1/deliveries",
        "/v1/deliveries/{delivery_id}",
        "/v1/sources",
        "/v1/owners",
        "/v1/pools/{pool_id}/statement",
        "/v1/effects",
        "/v1/config/versions",
    ],
)
def test_answers_are_as_described(described: dict[str, Any], path: str) -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com", name="X Y", seats=200))
    api.world.drain()
    delivery = api.get("/v1/deliveries").json["deliveries"][0]
    got = api.get(
        path.format(
            lead_id=api.world.lead().lead_id, delivery_id=delivery["delivery_id"], pool_id="large"
        )
    )
    schema = described["paths"][path]["get"]["responses"]["2XX"]["content"]["application/json"]
    whole = {**schema["schema"], "components": described["components"]}
    Draft202012Validator(whole).validate(got.json)


def test_it_says_who_may_call_what(described: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = described["paths"][route.path][route.method.lower()]
        assert operation["security"] == ([{"token": []}] if route.roles else [])
        for role in route.roles:
            assert role in operation["description"]


def test_it_gives_nothing_away(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    assert "arn:" not in text
    assert str(Path(__file__).parent.parent.parent) not in text
