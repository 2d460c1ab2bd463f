"""Errors as RFC 9457 problem details: what was expected, and nothing of our insides."""

from collections.abc import Sequence
from typing import Any

from chalicelib.errors import (
    Conflict,
    Erased,
    Forbidden,
    HubError,
    Invalid,
    Malformed,
    Misconfigured,
    NotFound,
    Stale,
    TooLarge,
    Unavailable,
    Unconditional,
    Unverified,
)

CONTENT_TYPE = "application/problem+json"

STATUS: dict[type[HubError], int] = {
    Malformed: 400,
    Unverified: 401,
    Forbidden: 403,
    NotFound: 404,
    Erased: 410,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    Invalid: 422,
    Unconditional: 428,
    Misconfigured: 500,
    Unavailable: 503,
}

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    428: "Precondition Required",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="hub"'},
    503: {"Retry-After": "5"},
}


def status_of(error: HubError) -> int:
    """Give the status of an error; 500 for one that no route is meant to raise."""
    return STATUS.get(type(error), 500)


def details_of(error: HubError, request_id: str = "") -> dict[str, Any]:
    """Describe an error; what our own storage said stays with us."""
    status = status_of(error)
    if status == 503:
        detail = "The hub is busy or its storage is down. Try again in a moment."
    elif status == 500 and not isinstance(error, Misconfigured):
        detail = "An error of ours. It has been logged."
    else:
        detail = str(error)
    problems = error.problems if isinstance(error, Invalid) else ()
    return details(status, detail, request_id, problems)


def details(
    status: int, detail: str = "", request_id: str = "", problems: Sequence[str] = ()
) -> dict[str, Any]:
    """Make the body of a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if problems:
        body["problems"] = list(problems)
    if request_id:
        body["instance"] = f"urn:request:{request_id}"
    return body
