"""Strict ways to read the body of a webhook: gzip, character sets, JSON and forms.

Whatever a stranger sends, each function gives values or raises Malformed, in bounded time.
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from chalicelib.errors import Malformed

MAX_OPENED_BYTES = 8 * 1024 * 1024
MAX_OPENED_RATIO = 100
MAX_DEPTH = 32
MAX_KEYS = 2_000
VALUES_PER_KEY = 5
MAX_KEY_LENGTH = 256
MAX_TEXT_BYTES = 64 * 1024
MAX_DIGITS = 64
MAX_FIELDS = 1_000

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^\s"\[\]{}:,]+|[\[\]{}:,]', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,200}")

# Any bytes can be read in these, so a body that is also valid UTF-8 is taken as UTF-8.
_SINGLE_BYTE = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "cp1252": "cp1252",
    "iso8859-2": "iso8859-2",
    "iso8859-15": "iso8859-15",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "koi8-r": "koi8-r",
}
_MULTI_BYTE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "shift_jis", "euc_jp", "euc_kr"}) | {
    "gbk",
    "gb18030",
    "gb2312",
    "big5",
}


def open_body(body: bytes, encoding: str) -> bytes:
    """Undo the Content-Encoding, up to 8 MiB and 100 times the size that was sent."""
    if encoding.strip().lower() in {"", "identity"}:
        return body
    if encoding.strip().lower() not in {"gzip", "x-gzip"}:
        raise Malformed("Content-Encoding: expected gzip or none")
    cap = min(MAX_OPENED_BYTES, MAX_OPENED_RATIO * len(body))
    opener = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        opened = opener.decompress(body, cap + 1)
    except zlib.error as error:
        raise Malformed("body: expected gzip as its Content-Encoding says") from error
    if len(opened) > cap:
        raise Malformed(f"body: opens to more than {cap} bytes")
    if not opener.eof or opener.unused_data:
        raise Malformed("body: the gzip stream is cut off or something follows it")
    return opened


def decode(data: bytes, declared: str = "") -> str:
    """Read bytes as text: by byte-order mark, then as declared, then UTF-8, then windows-1252.

    UTF-8 comes before a declared single-byte character set, for that fits any bytes and is often
    a wrong default of the sender. UTF-7 and other unlisted sets are never used.
    """
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    name = _codec(declared)
    for candidate in (name if name in _MULTI_BYTE else "", "utf-8"):
        if candidate:
            try:
                return data.decode(candidate)
            except UnicodeDecodeError:
                continue
    return data.decode(_SINGLE_BYTE.get(name, "cp1252"), "replace")


def read_json(text: str, most_keys: int = MAX_KEYS) -> Any:
    """Read one JSON value, strictly.

    Returns:
        The value: integers exact up to 64 digits and text beyond; other numbers as the text that
        was sent; of a repeated key the last; lone surrogates as U+FFFD; no control characters
        but tab and line ends.

    Raises:
        Malformed: not JSON, NaN or Infinity, or beyond a limit; says where and what was expected.
    """
    _check_size(text, most_keys)
    try:
        value = _decoder(text).decode(text)
    except json.JSONDecodeError as error:
        # The message is one of a fixed list; none quotes the text.
        raise Malformed(f"JSON: {error.msg} at character {error.pos}") from error
    return _cleaned(value)


def read_urlencoded(data: bytes, declared: str = "") -> dict[str, tuple[str, ...]]:
    """Read an urlencoded form; an input named `_charset_` names the character set."""
    if data.count(b"&") >= MAX_FIELDS:
        raise Malformed(f"form: more than {MAX_FIELDS} fields")
    pairs = []
    for part in data.split(b"&"):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        # Twelve: three characters for each of up to four bytes.
        if len(name) > 12 * MAX_KEY_LENGTH or len(value) > 12 * MAX_TEXT_BYTES:
            raise Malformed("form: a name or value is too long")
        if part:
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return _form(pairs, declared)


def read_multipart(data: bytes, boundary: str, declared: str = "") -> dict[str, tuple[str, ...]]:
    """Read a multipart form; of a file only its name is taken, without any folder."""
    from multipart import MultipartError, PushMultipartParser

    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("multipart: the Content-Type names no usable boundary")
    pairs: list[tuple[bytes, bytes]] = []
    try:
        with PushMultipartParser(
            boundary,
            content_length=len(data),
            max_segment_count=MAX_FIELDS,
            header_charset="latin-1",
        ) as parser:
            for name, filename, value in _segments(parser.parse(data)):
                if filename is None:
                    pairs.append((name, value))
                elif filename:
                    pairs.append((name, re.split(rb"[/\\]", filename)[-1]))
    except MultipartError as error:
        raise Malformed(f"multipart: {type(error).__name__} in part {len(pairs) + 1}") from error
    return _form(pairs, declared)


def read_lines(text: str) -> dict[str, tuple[str, ...]]:
    """Read a form sent as text/plain: one `name=value` a line."""
    pairs = [line.partition("=") for line in text.splitlines() if "=" in line]
    if len(pairs) > MAX_FIELDS:
        raise Malformed(f"form: more than {MAX_FIELDS} fields")
    return _gathered((name, value) for name, _, value in pairs)


def flatten(value: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Lay a JSON object out as texts by path: `contact.email`, `items[0].name`.

    Returns:
        Lists of plain values as several texts; null and empty lists are left out.
    """
    return _gathered(_leaves(value, ""))


def as_text(value: Any) -> str:
    """Write a plain JSON value as text; empty for null.

    Raises:
        TypeError: a list or an object.
    """
    if value is None:
        return ""
    if isinstance(value, list | Mapping):
        raise TypeError("expected text, a number or true or false")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def cut_member(text: str, name: str) -> str:
    """Take a member out of the outermost JSON object, leaving all else as it was written.

    Args:
        text: valid JSON.
        name: the member's key, however it is escaped in the text; all its occurrences go.
    """
    depth = 0
    cuts: list[int] = []
    keys: list[str] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if (depth, mark) in {(0, "{"), (1, "}"), (1, ",")}:
            cuts.append(token.start())
        elif depth == 1 and mark[0] == '"' and len(keys) < len(cuts):
            keys.append(clean_text(json.loads(mark, strict=False)))
        depth += (mark in {"[", "{"}) - (mark in {"]", "}"})
    if not keys or not text.lstrip().startswith("{"):
        return text
    members = (text[start + 1 : end] for start, end in pairwise(cuts))
    rest = ",".join(member for key, member in zip(keys, members, strict=True) if key != name)
    return f"{text[: cuts[0]]}{{{rest}}}{text[cuts[-1] + 1 :]}"


def _codec(declared: str) -> str:
    """Give a declared character set the name that Python knows it by; empty if it knows none."""
    try:
        return codecs.lookup(declared.strip("\"' ")[:40]).name if declared else ""
    except (LookupError, ValueError):
        return ""


def _check_size(text: str, most_keys: int) -> None:
    """Refuse JSON that is too deep or too large, before anything is built from it."""
    bare = _STRING.sub("", text)
    if bare.count(":") > most_keys:
        raise Malformed(f"JSON: more than {most_keys} keys")
    most_values = VALUES_PER_KEY * most_keys
    if bare.count(",") + bare.count("[") + bare.count("{") > most_values:
        raise Malformed(f"JSON: more than {most_values} values")
    if _too_deep(bare) is not None:
        raise Malformed(f"JSON: deeper than {MAX_DEPTH} levels at character {_too_deep(text)}")


def _too_deep(text: str) -> int | None:
    """Find where the depth limit is passed."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return token.start()
        elif token[0] in "]}":
            depth -= 1
    return None


def _decoder(text: str) -> json.JSONDecoder:
    """Make a decoder that turns no number into a float, and refuses NaN and the infinities."""

    def refuse(constant: str) -> NoReturn:
        places = (token.start() for token in _TOKEN.finditer(text) if token[0].startswith(constant))
        raise Malformed(
            f"JSON: {constant} at character {next(places)}; expected a number, text or null"
        )

    return json.JSONDecoder(parse_float=str, parse_int=_integer, parse_constant=refuse)


def _integer(digits: str) -> int | str:
    """Read an integer exactly, or keep it as text where it is too long to be one."""
    return int(digits) if len(digits.lstrip("-")) <= MAX_DIGITS else digits


def _cleaned(value: Any) -> Any:
    """Clean all texts and keys of a value and hold them to their limits."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT_BYTES or len(value.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise Malformed(f"JSON: a text is longer than {MAX_TEXT_BYTES} bytes")
        return clean_text(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        if any(len(key) > MAX_KEY_LENGTH for key in value):
            raise Malformed(f"JSON: a key is longer than {MAX_KEY_LENGTH} characters")
        return {clean_text(key): _cleaned(item) for key, item in value.items()}
    return value


def clean_text(text: str) -> str:
    """Replace lone surrogates by U+FFFD and drop control characters except tab and line ends."""
    return _CONTROLS.sub("", _SURROGATES.sub("\ufffd", text))


def _form(pairs: list[tuple[bytes, bytes]], declared: str) -> dict[str, tuple[str, ...]]:
    """Decode the fields of a form, as its `_charset_` input says."""
    charset = next((v.decode("ascii", "replace") for n, v in pairs if n == b"_charset_" and v), "")
    return _gathered(
        (decode(name, charset or declared), decode(value, charset or declared))
        for name, value in pairs
    )


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Gather the values of each name in order, cleaned; fields without a name are dropped."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if len(name) > MAX_KEY_LENGTH:
            raise Malformed(f"form: a name is longer than {MAX_KEY_LENGTH} characters")
        if len(value.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise Malformed(f"form: a value is longer than {MAX_TEXT_BYTES} bytes")
        if clean_text(name):
            values.setdefault(clean_text(name), []).append(clean_text(value))
    return {name: tuple(texts) for name, texts in values.items()}


def _segments(events: Iterator[Any]) -> Iterator[tuple[bytes, bytes | None, bytes]]:
    """Give name, file name and content of each part of a multipart form, as bytes."""
    head: Any = None
    content: list[bytes] = []
    for event in events:
        if event is None:
            filename = None if head.filename is None else head.filename.encode("latin-1")
            yield head.name.encode("latin-1"), filename, b"".join(content)
        elif isinstance(event, bytes | bytearray):
            # The content of a file is not read, so it is not gathered either.
            if head.filename is None:
                content.append(bytes(event))
        else:
            head, content = event, []


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Walk to the plain values below a path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            is_plain = not isinstance(item, list | Mapping)
            yield from _leaves(item, path if is_plain else f"{path}[{index}]")
    elif value is not None:
        yield path, as_text(value)
