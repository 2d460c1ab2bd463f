"""YAML, as far as a configuration needs it: text in, plain values and their lines out.

Only what means the same in JSON is read: mappings with text keys, lists, text, numbers, true,
false and null. Tags, dates, sexagesimal numbers and yes/no/on/off are not: `NO` is Norway here.
This module imports PyYAML, which the Lambda does not have; see document.parse_yaml.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from chalicelib.config.document import MAX_DEPTH, Path
from chalicelib.errors import Invalid

MAX_ALIASES = 100
MAX_VALUES = 50_000

_PLAIN = {
    "tag:yaml.org,2002:null": re.compile(r"^(?:null|~|)$"),
    "tag:yaml.org,2002:bool": re.compile(r"^(?:true|false)$"),
    "tag:yaml.org,2002:int": re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$"),
    "tag:yaml.org,2002:float": re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}$"),
}
"""How text without quotes is understood; what fits none of these is text."""


class _Loader(yaml.SafeLoader):
    """A safe loader that only composes, and gives up on documents made to exhaust it."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012, as the base class has it

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.aliases = 0
        self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            self.aliases += 1
            if self.aliases > MAX_ALIASES:
                raise _problem(line, f"more than {MAX_ALIASES} aliases")
        self.nodes += 1
        if self.nodes > MAX_VALUES:
            raise _problem(line, f"more than {MAX_VALUES} values")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _problem(line, f"more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Turns composed nodes into plain values, and notes the line of each."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.open: set[int] = set()
        self.values = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > MAX_VALUES:
            raise _problem(line, f"more than {MAX_VALUES} values, aliases counted each time")
        if id(node) in self.open:
            raise _problem(line, "an alias inside of what it names")
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._read_mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                _refuse_tag(node, "tag:yaml.org,2002:seq")
                return [self.read(each, (*path, index)) for index, each in enumerate(node.value)]
            return _read_scalar(node)
        finally:
            self.open.discard(id(node))

    def _read_mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        _refuse_tag(node, "tag:yaml.org,2002:map")
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _problem(line, "a key is text")
            key = str(key_node.value)
            if key == "<<":
                raise _problem(line, "merging by << is not supported; write the keys out")
            here = (*path, key)
            if key in result:
                raise _problem(
                    line, f"the key {key} stands here again, first on line {self.lines[here]}"
                )
            self.lines[here] = line
            result[key] = self.read(value_node, here)
        return result


def read_yaml(text: str) -> tuple[Any, dict[Path, int]]:
    """Read one YAML document into plain values and the line of each.

    Raises:
        Invalid: not YAML, not plain, or made to exhaust the reader; says on which line.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(filter(None, (error.context, error.problem))) or "cannot be read"
        raise _problem(mark.line + 1 if mark else 1, reason) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _problem(line, "a character that YAML does not allow") from error
    except yaml.YAMLError as error:
        raise _problem(1, "cannot be read") from error
    if node is None:
        return {}, {}
    reader = _Reader()
    return reader.read(node, ()), reader.lines


def write_yaml(values: Mapping[str, Any]) -> str:
    """Write plain values as YAML that read_yaml reads back the same."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)


def _read_scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:str" and node.style is not None:  # type: ignore[attr-defined]
        return text
    if node.tag not in ("tag:yaml.org,2002:str", *_PLAIN):
        raise _problem(node.start_mark.line + 1, "a tag; only plain values are read")
    tag = next((tag for tag, shape in _PLAIN.items() if shape.match(text)), "")
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text


def _refuse_tag(node: yaml.Node, expected: str) -> None:
    if node.tag != expected:
        raise _problem(node.start_mark.line + 1, "a tag; only plain values are read")


def _problem(line: int, reason: str) -> Invalid:
    return Invalid("the configuration cannot be read", (f"line {line}: {reason}",))
