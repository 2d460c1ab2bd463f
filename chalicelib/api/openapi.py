"""GET /v1/openapi.json: the routes, described from their table and their handlers' signatures."""

import inspect
import re
import typing
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.api.calls import Answer, Call
from chalicelib.api.problems import CONTENT_TYPE, STATUS
from chalicelib.api.table import CONDITIONAL, ROUTES, Route
from chalicelib.lead.model import Model

REFERENCE = "#/components/schemas/{model}"


class Problem(Model):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    problems: tuple[str, ...] = ()
    instance: str = ""


def show_openapi(call: Call) -> Answer[dict[str, Any]]:
    """Describe this API."""
    return Answer(document(call.hub.code, call.hub.settings.public_url or "/"))


def document(version: str, url: str) -> dict[str, Any]:
    """Make the OpenAPI 3.1 document."""
    wanted: dict[tuple[Any, JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for route in ROUTES:
        takes, gives = _signature(route)
        wanted |= {(kind, "serialization"): None for kind in _models(gives)}
        if "body" in takes:
            wanted[takes["body"], "validation"] = None
    schemas, definitions = models_json_schema(list(wanted), ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, dict(schemas))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lead hub", "version": version},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    takes, gives = _signature(route)
    told = (inspect.getdoc(route.load()) or "").split("\n\n")[0]
    roles = f" For: {', '.join(route.roles)}." if route.roles else " For anybody."
    operation: dict[str, Any] = {
        "operationId": route.handler.replace(".", "_"),
        "summary": told.rstrip("."),
        "description": told + roles,
        "parameters": [*_path_parameters(route), *_query_parameters(takes.get("query"))],
        "responses": {
            "2XX": _content("Done.", _schema(gives, schemas)),
            **{
                str(status): _content(
                    error.__doc__ or "", {"$ref": REFERENCE.format(model="Problem")}, CONTENT_TYPE
                )
                for error, status in STATUS.items()
                if _may_happen(status, route, takes)
            },
        },
        "security": [{"token": []}] if route.roles else [],
    }
    if route.name in CONDITIONAL:
        operation["parameters"].append(_text_parameter("If-Match", "header"))
    if "body" in takes:
        operation["requestBody"] = {
            "required": False,
            "content": {"application/json": {"schema": schemas[takes["body"], "validation"]}},
        }
    return operation


def _signature(route: Route) -> tuple[dict[str, Any], Any]:
    """Give the models that a handler takes, by name, and the type that it gives."""
    takes = typing.get_type_hints(route.load())
    gives = takes.pop("return")
    if typing.get_origin(gives) is Answer:
        (gives,) = typing.get_args(gives)
    return takes, gives


def _models(gives: Any) -> list[Any]:
    parts = typing.get_args(gives) or (gives,)
    return [part for part in parts if isinstance(part, type) and issubclass(part, Model)]


def _schema(gives: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    found = [schemas[kind, "serialization"] for kind in _models(gives)]
    if not found:
        return TypeAdapter(dict[str, Any]).json_schema()
    return dict(found[0]) if len(found) == 1 else {"anyOf": found}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [_text_parameter(name, "path") for name in re.findall(r"{(\w+)}", route.path)]


def _text_parameter(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": {"type": "string"}}


def _query_parameters(query: Any) -> list[dict[str, Any]]:
    if query is None:
        return []
    fields = query.model_json_schema()["properties"]
    parameters = []
    for name, schema in fields.items():
        shown = {key: value for key, value in schema.items() if key not in ("title", "description")}
        parameter = {"name": name, "in": "query", "required": False, "schema": shown}
        if "description" in schema:
            parameter["description"] = schema["description"]
        parameters.append(parameter)
    return parameters


def _content(description: str, schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {
        "description": description.splitlines()[0],
        "content": {kind: {"schema": schema}},
    }


def _may_happen(status: int, route: Route, takes: dict[str, Any]) -> bool:
    """Say whether a route may answer with a status, as far as its place in the table tells."""
    match status:
        case 400 | 422:
            return "body" in takes or "query" in takes
        case 401 | 403:
            return bool(route.roles)
        case 404:
            return "{" in route.path or route.handler in ("config.roll_back", "leads.list_them")
        case 409:
            return route.method != "GET"
        case 410:
            return "{lead_id}" in route.path
        case 412 | 428:
            return route.name in CONDITIONAL
        case 413:
            return "body" in takes
    return True
