"""Strict reading of what a caller sends: JSON bodies and query parameters into models."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from chalicelib.config.document import load_document
from chalicelib.config.model import Config
from chalicelib.errors import Invalid, Malformed, TooLarge
from chalicelib.lead.model import Model

M = TypeVar("M", bound=Model)

MOST_BYTES = 1_048_576


def read_body(kind: type[Model], body: bytes) -> Model:
    """Read a JSON body; an empty one is an empty object.

    Raises:
        TooLarge: over 1 MiB.
        Malformed: not JSON, a key said twice, NaN or Infinity.
        Invalid: the fields are not those of the model.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(f"a body is at most {MOST_BYTES} bytes")
    values = _read_json(body) if body.strip() else {}
    if not isinstance(values, dict):
        raise Invalid("the body does not fit", ("expected a JSON object",))
    if issubclass(kind, Config):
        return load_document(values)
    return _validated(kind, values, "the body does not fit")


def read_query(kind: type[M], given: Mapping[str, Sequence[str]]) -> M:
    """Read query parameters, each at most once.

    Raises:
        Invalid: unknown, said twice, or not what is expected.
    """
    twice = sorted(name for name, values in given.items() if len(values) != 1)
    if twice:
        problems = tuple(f"{name[:40]}: expected once" for name in twice)
        raise Invalid("the query does not fit", problems)
    values = {name: values[0] for name, values in given.items()}
    return _validated(kind, values, "the query does not fit")


def _validated(kind: type[M], values: Mapping[str, Any], message: str) -> M:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        problems = dict.fromkeys(f"{_place(each['loc'])}: {_words(each['msg'])}" for each in found)
        raise Invalid(message, tuple(problems)) from None


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part)[:40] for part in location) or "body"


def _words(message: str) -> str:
    return message.replace("Extra inputs are not permitted", "unknown field").replace(
        "Input should be", "expected"
    )


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode(),
            parse_constant=_refuse,
            object_pairs_hook=_without_repeats,
        )
    except UnicodeDecodeError as error:
        raise Malformed("JSON: expected UTF-8") from error
    except RecursionError as error:
        raise Malformed("JSON: nested too deep") from error
    except json.JSONDecodeError as error:
        # The message is one of a fixed list; none quotes the text.
        raise Malformed(f"JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise Malformed("JSON: a number is too long") from error


def _refuse(name: str) -> NoReturn:
    raise Malformed(f"JSON: {name} is not a number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise Malformed("JSON: an object says a key twice")
    return values
