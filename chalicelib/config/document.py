"""The configuration document as text: read with the line of each value, written, and hashed."""

import hashlib
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.config.model import ID_PATTERN, Config
from chalicelib.config.source import COUNTRY_PATTERN, NAME_PATTERN
from chalicelib.errors import Invalid

MAX_BYTES = 1_048_576
MAX_DEPTH = 40

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings and places in lists, from the top."""

SHAPES = {
    ID_PATTERN: "an id: lower-case letters, digits, _ and -, a letter first",
    NAME_PATTERN: "the name of a secret, never the secret itself",
    COUNTRY_PATTERN: "a country as two capital letters, such as DE",
}
"""What a pattern of the models asks for, in words; the others are spans of hours."""

CONDITION_KEYS = {
    "(test)": ("field", "op", "value"),
    "(all)": ("all",),
    "(any)": ("any",),
    "(not)": ("not",),
}
"""Keys of each kind of condition, by the tag that pydantic puts into the place of an error."""


@dataclass(frozen=True)
class Lines:
    """Which line of the text each value stands on; empty for a document that was never text."""

    by_path: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """Give the line of a value, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.by_path:
                return self.by_path[path[:length]]
        return None


def load(text: str) -> Config:
    """Read a configuration from YAML; JSON is YAML too.

    Raises:
        Invalid: each problem names the line, the place and what was expected.
    """
    document, lines = parse_yaml(text)
    return load_document(document, lines)


def load_document(document: Mapping[str, Any], lines: Lines | None = None) -> Config:
    """Make a configuration of plain values, as JSON gives them.

    Raises:
        Invalid: each problem names the place and what was expected, and the line if known.
    """
    lines = lines or Lines()
    _refuse_odd_values(document, (), lines)
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        details.sort(key=lambda each: lines.line(_path(each)) or 0)
        problems = dict.fromkeys(_in_words(each, lines) for each in details)
        raise Invalid("the configuration does not fit its model", tuple(problems)) from None


def parse_yaml(text: str) -> tuple[dict[str, Any], Lines]:
    """Read YAML into plain values and the line of each, without a look at what they mean.

    Raises:
        Invalid: too large, not YAML, a key said twice, or not a mapping; says on which line.
    """
    from chalicelib.config.yaml_text import read_yaml  # PyYAML is not in the Lambda

    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _invalid(f"the document is larger than {MAX_BYTES} bytes")
    values, lines = read_yaml(text)
    if not isinstance(values, dict):
        raise _invalid("line 1: expected keys such as sources, owners, pools, routing")
    return values, Lines(lines)


def dump_yaml(config: Config) -> str:
    """Write a configuration as YAML, leaving out what is as by default."""
    from chalicelib.config.yaml_text import write_yaml  # PyYAML is not in the Lambda

    return write_yaml(plain(config))


def canonical(config: Config) -> str:
    """Write a configuration in the one way that its hash is made of: JSON, sorted, no defaults.

    Field maps keep their order, for where several answers go to one field the first counts.
    """
    document = _sorted(plain(config))
    for source_id, source in config.sources.items():
        if source.fields:
            document["sources"][source_id]["fields"] = dict(source.fields)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def config_hash(config: Config) -> str:
    """Hash what a configuration says, however it was written: SHA-256 in hexadecimal."""
    return hashlib.sha256(canonical(config).encode()).hexdigest()


def plain(config: BaseModel) -> dict[str, Any]:
    """Lay a configuration, or a part, out as plain values without what is as by default."""
    return config.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(part) for part in value] if isinstance(value, list) else value


def path_text(path: Path) -> str:
    """Write a place for people: `routing[2].when.all[0].field`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word: `; did you mean x?`, or nothing when none is near."""
    by_folded = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[near[0]]}?" if near else ""


def locate(path: Path, lines: Lines | None) -> str:
    """Write where something stands: its line if known, and its place."""
    line = lines.line(path) if lines else None
    return ": ".join(filter(None, (f"line {line}" if line else "", path_text(path))))


def _refuse_odd_values(value: Any, path: Path, lines: Lines) -> None:
    """Refuse what has no place in a document, such as NaN or half a character."""
    if len(path) > MAX_DEPTH:
        raise _invalid(f"{locate(path[:3], lines)}: more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(key, str):
                raise _invalid(f"{locate(path, lines)}: a key is text")
            _refuse_odd_text(key, path, lines)
            _refuse_odd_values(each, (*path, key), lines)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            _refuse_odd_values(each, (*path, index), lines)
    elif isinstance(value, str):
        _refuse_odd_text(value, path, lines)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _invalid(f"{locate(path, lines)}: expected a finite number")
    elif isinstance(value, int) and abs(value) >= 10**18:
        raise _invalid(f"{locate(path, lines)}: the number is too large")


def _refuse_odd_text(text: str, path: Path, lines: Lines) -> None:
    if any(
        (ord(each) < 32 and each not in "\t\n\r") or "\ud800" <= each <= "\udfff" for each in text
    ):
        raise _invalid(f"{locate(path, lines)}: a control or broken character")


def _invalid(problem: str) -> Invalid:
    return Invalid("the configuration cannot be read", (problem,))


def _in_words(error: ErrorDetails, lines: Lines) -> str:
    """Write one finding of pydantic for people, without quoting what may be a secret."""
    path = _path(error)
    return f"{locate(path, lines) or 'document'}: {_expectation(error, path)}"


def _path(error: ErrorDetails) -> Path:
    """Give the place of an error without what pydantic adds to it."""
    return tuple(part for part in error["loc"] if part not in (*CONDITION_KEYS, "[key]"))


def _expectation(error: ErrorDetails, path: Path) -> str:
    context = error.get("ctx", {})
    known = _known_keys(Config, error["loc"][:-1])
    inside = _known_keys(Config, error["loc"])
    unknown = did_you_mean(str(path[-1]) if path else "", known) or _one_of(known)
    pattern = str(context.get("pattern", ""))
    mapping = f"expected keys and values{_one_of(inside)}"
    words = {
        "missing": "is missing",
        "extra_forbidden": f"unknown key{unknown}",
        "literal_error": f"expected {context.get('expected', '')}".replace("'", ""),
        "string_pattern_mismatch": "expected "
        + SHAPES.get(pattern, "hours such as 09:00-17:30, up to 24:00"),
        "model_type": mapping,
        "model_attributes_type": mapping,
        "mapping_type": mapping,
        "dict_type": mapping,
        "tuple_type": "expected a list",
        "value_error": str(context.get("error", "")),
    }
    given = error["msg"].replace("Input should be", "expected").lower()
    return words.get(error["type"], given)


def _one_of(known: Sequence[str]) -> str:
    return f"; known here: {', '.join(known)}" if known else ""


def _known_keys(model: Any, location: Sequence[str | int]) -> list[str]:
    """Find which keys a model takes at a place that pydantic names; none if any key will do."""
    tags = [index for index, part in enumerate(location) if str(part) in CONDITION_KEYS]
    if tags:
        last = tags[-1]
        return list(CONDITION_KEYS[str(location[last])]) if location[last + 1 :] == () else []
    found = _models_of(model)
    if not location:
        return sorted(
            {info.alias or name for each in found for name, info in each.model_fields.items()}
        )
    part, rest = location[0], location[1:]
    for each in found:
        for name, info in each.model_fields.items():
            if part in (name, info.alias):
                return _known_keys(info.annotation, rest)
    inner = [each for each in typing.get_args(_bare(model)) if each is not ...]
    return _known_keys(inner[-1], rest) if inner and not found else []


def _bare(kind: Any) -> Any:
    """Take Annotated and `| None` off a type."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = [each for each in typing.get_args(kind) if each is not type(None)]
        if len(inner) == 1:
            return _bare(inner[0])
    return kind


def _models_of(kind: Any) -> list[type[BaseModel]]:
    kind = _bare(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [each for part in typing.get_args(kind) for each in _models_of(part)]
    return [kind] if isinstance(kind, type) and issubclass(kind, BaseModel) else []
