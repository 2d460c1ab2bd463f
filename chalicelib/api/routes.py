"""The JSON routes as a Chalice Blueprint: token, role, input, handler, answer or problem."""

import json
import traceback
import typing
from collections.abc import Callable, Mapping
from typing import Any

from chalice import Blueprint, Response

from chalicelib.api.table import ROUTES, Route
from chalicelib.errors import Forbidden, HubError
from chalicelib.hub import Hub

HARDENING = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
"""On every answer: nothing of it is cached, guessed at, framed or passed on."""


def make_routes(get_hub: Callable[[], Hub]) -> Blueprint:
    """Make the Blueprint of all JSON routes; handlers and models load when first called."""
    blueprint = Blueprint(__name__)
    blueprint.register_middleware(_harden, "http")
    for route in ROUTES:
        register = blueprint.route(route.path, methods=[route.method], name=route.handler)
        register(_view(blueprint, route, get_hub))
    return blueprint


def _view(
    blueprint: Blueprint, route: Route, get_hub: Callable[[], Hub]
) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        from chalicelib.api.problems import details, details_of, status_of

        request = blueprint.current_request
        request_id = str(request.context.get("requestId") or "")
        try:
            return _answer(get_hub(), route, path, request)
        except HubError as error:
            status, body = status_of(error), details_of(error, request_id)
            kind, frames = type(error).__name__, ""
        except Exception as error:  # noqa: BLE001, Chalice would log its message, with what is in it
            status, body = 500, details(500, "An error of ours. It has been logged.", request_id)
            kind, frames = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
        if status >= 500:
            blueprint.log.error("%s: %s %s\n%s", route.name, kind, request_id, frames)
        return _problem(status, body)

    return view


def _answer(hub: Hub, route: Route, path: Mapping[str, str], request: Any) -> Response:
    from pydantic import BaseModel

    from chalicelib.api.calls import Answer, Call
    from chalicelib.api.reading import read_body, read_query
    from chalicelib.flow.tokens import find_caller

    header = request.headers.get("authorization") or ""
    caller = find_caller(hub, header) if route.roles or header else None
    if caller and route.roles and caller.role not in route.roles:
        raise Forbidden(f"the role {caller.role} may not do this")
    handler = route.load()
    takes = typing.get_type_hints(handler)
    given: dict[str, BaseModel] = {}
    query = _query(request)
    if "query" in takes or query:
        given["query"] = read_query(takes.get("query") or _no_fields(), query)
    if "body" in takes:
        given["body"] = read_body(takes["body"], bytes(request.raw_body or b""))
    call = Call(hub, route.name, path, caller, request.headers.get("if-match") or "")
    answer = handler(call, **{name: given[name] for name in takes if name in given})
    if not isinstance(answer, Answer):
        answer = Answer(answer)
    content = answer.content
    body = content.model_dump_json(by_alias=True) if isinstance(content, BaseModel) else content
    return Response(
        body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        status_code=answer.status,
        headers={"Content-Type": "application/json", **answer.headers},
    )


def _query(request: Any) -> dict[str, list[str]]:
    """Give all values of each query parameter."""
    given = request.query_params
    return {name: list(given.getlist(name)) for name in given} if given else {}


def _no_fields() -> Any:
    from chalicelib.lead.model import Model

    return Model


def _problem(status: int, body: Mapping[str, Any]) -> Response:
    from chalicelib.api.problems import CONTENT_TYPE, HEADERS

    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers={"Content-Type": CONTENT_TYPE, **HEADERS.get(status, {})},
    )


def _harden(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Put the same headers on every answer, and make Chalice's own errors problems too."""
    response = get_response(event)
    if response.status_code >= 400 and isinstance(response.body, dict):
        from chalicelib.api.problems import details

        kept = {name: value for name, value in response.headers.items() if name == "Allow"}
        response = _problem(response.status_code, details(response.status_code))
        response.headers.update(kept)
    for name, value in HARDENING.items():
        response.headers.setdefault(name, value)
    return response
