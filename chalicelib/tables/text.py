"""Rows of a delimited text in whatever encoding: CSV, TSV, what Excel writes in any country."""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.errors import Malformed
from chalicelib.tables.rows import BLOCK, MOST_CELL, MOST_COLUMNS, MOST_ROW, Bytes, Row
from chalicelib.tables.safe import original

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

DELIMITERS = (",", ";", "\t", "|")
MOST_LINES = 1_000
"""Most lines of one row; a row with more has a quotation mark that nothing closes."""

MOST_LINE_BYTES = 1024 * 1024
LOOKED_AT = 256 * 1024
"""Bytes at the start from which encoding and delimiter are told."""

NOT_CLOSED = "a quotation mark in it is not closed"
TOO_LONG = f"it has more than {MOST_ROW} characters"

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEP = re.compile(r"sep=(.)", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LIKELY = (
    "cp1252",
    "mac_roman",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "iso8859_2",
    "koi8_r",
    "shift_jis",
    "gb18030",
    "big5",
    "cp949",
)
"""Encodings that are told apart where a text is not UTF-8; none is stateful, none hides a line
end inside of a character."""


def encoding_of(file: Bytes) -> tuple[str, int]:
    """Tell a text's encoding, and how long its byte-order mark is.

    By the mark, by the NULs that UTF-16 has, then UTF-8 if it fits, then by frequency.

    Raises:
        Malformed: it is no text.
    """
    head = file.read(0, LOOKED_AT)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    nuls = (head[0::2].count(0), head[1::2].count(0))
    if max(nuls) > len(head) // 5:
        if min(nuls) > len(head) // 20:
            raise Malformed("the file is no text: it is full of NUL bytes")
        return ("utf-16-be" if nuls[0] > nuls[1] else "utf-16-le"), 0
    try:
        # The end may be cut within a character.
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(head), 0
    return "utf-8", 0


def _guessed(head: bytes) -> str:
    from charset_normalizer import from_bytes

    # Rows of plain ASCII only blur what the others say.
    telling = b"\n".join(line for line in head.splitlines() if not line.isascii())
    found = from_bytes(telling[: 32 * 1024], cp_isolation=list(_LIKELY), threshold=0.3)
    usual = next((each for each in found if "cp1252" in each.could_be_from_charset), None)
    best = found.best()
    # windows-1252 unless another makes clearly more sense, for short texts fit many.
    if best is None or (usual and best.chaos > usual.chaos - 0.02 and _gain(best, usual) < 0.2):
        return "cp1252"
    return str(best.encoding)


def _gain(best: "CharsetMatch", usual: "CharsetMatch") -> float:
    """Say how much likelier the letters of another encoding are."""
    return float(best.coherence - usual.coherence)


def delimiter_of(file: Bytes, encoding: str, start: int) -> tuple[str, int]:
    """Tell what stands between cells, and how many rows at the start only say so."""
    head = _Head(file, start)
    first = next(_lines(head, encoding, start), None)
    said = _SEP.fullmatch(first.text.strip().strip('"')) if first else None
    if said:
        return said[1], 1
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = islice(read_text(head, encoding, delimiter, start, 0), 50)
        widths = [len(row.cells) for row in rows if not row.is_blank and not row.problem]
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        score = (round(count / len(widths), 1), width) if width > 1 else (0.0, 0)
        if score > best_score:
            best, best_score = delimiter, score
    return best, 0


@dataclass(frozen=True)
class _Head:
    """The start of a file, read once; a last line that is cut off is left out."""

    file: Bytes
    start: int

    @property
    def size(self) -> int:
        return min(self.file.size, LOOKED_AT)

    def read(self, start: int, length: int) -> bytes:
        return self.file.read(start, max(0, min(length, self.size - start)))


def read_text(file: Bytes, encoding: str, delimiter: str, start: int, number: int) -> Iterator[Row]:
    """Read rows from a byte on, whatever is wrong with some of them.

    Args:
        file: read by range.
        encoding: a line that does not fit is read as windows-1252.
        delimiter: one character.
        start: where a row starts.
        number: how many rows lie before.
    """
    # Python's own limit is for the whole process, and below what people write into notes.
    csv.field_size_limit(max(csv.field_size_limit(), MOST_ROW))
    feed = _Feed(_lines(file, encoding, start))
    while True:
        reader = csv.reader(feed, delimiter=delimiter)
        while True:
            number += 1
            feed.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Endless) as error:
                problem = TOO_LONG if feed.count == 1 else _words(error)
                start += feed.only_first()
                yield Row(number, (), start, feed.problem or problem)
                break
            if feed.is_at_end and feed.count > 1:
                start += feed.only_first()
                yield Row(number, (), start, NOT_CLOSED)
                break
            start += feed.size
            yield made_row(number, cells, start)


def made_row(number: int, cells: list[str], after: int) -> Row:
    """Make a row of its cells; blanks around them go."""
    if len(cells) > MOST_COLUMNS and any(cells[MOST_COLUMNS:]):
        return Row(number, (), after, f"it has more than {MOST_COLUMNS} cells")
    texts = tuple([original(cell.strip()) for cell in cells[:MOST_COLUMNS]])
    length = sum(map(len, texts))
    if length > MOST_CELL:
        for at, text in enumerate(texts, start=1):
            if len(text) > MOST_CELL:
                return Row(number, (), after, f"cell {at} has more than {MOST_CELL} characters")
        if length > MOST_ROW:
            return Row(number, (), after, TOO_LONG)
    return Row(number, texts, after)


class _Line(NamedTuple):
    """One line with its end, and how many bytes it is in the file."""

    text: str
    size: int
    problem: str = ""


class _Endless(Exception):
    """A row goes on for longer than any row does."""


class _Feed:
    """Hands lines to Python's reader, one row after the other, and takes back what was no row."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._again: deque[_Line] = deque()
        self._taken: list[_Line] = []
        self._length = 0
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self.is_at_end = bool(self._taken)
            raise StopIteration
        self._taken.append(line)
        self._length += len(line.text)
        if line.problem or len(self._taken) > MOST_LINES or self._length > MOST_ROW + MOST_LINES:
            raise _Endless
        return line.text

    def begin(self) -> None:
        """Begin a row."""
        self._taken = []
        self._length = 0
        self.is_at_end = False

    @property
    def count(self) -> int:
        """How many lines the row has."""
        return len(self._taken)

    @property
    def size(self) -> int:
        """How many bytes the row has."""
        return sum(line.size for line in self._taken)

    @property
    def problem(self) -> str:
        """Say what is wrong with the row's only line, if something is."""
        return self._taken[0].problem if self._taken else ""

    def only_first(self) -> int:
        """Take back all lines of the row but its first; gives how many bytes that has."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._taken = self._taken[:1]
        return self.size


def _words(error: Exception) -> str:
    return NOT_CLOSED if isinstance(error, _Endless) else "it is not laid out as a row"


def _lines(file: Bytes, encoding: str, start: int) -> Iterator[_Line]:
    """Split into lines at any line end; one that is too long is skipped and said to be so."""
    split = _split_wide(encoding) if encoding.startswith("utf-16") else _split
    pending, skipped = b"", 0
    while True:
        block = file.read(start, BLOCK)
        start += len(block)
        is_last = not block or start >= file.size
        parts = split(pending + block)
        # The next block may begin with the other half of a line end.
        pending = b"" if is_last or not parts else parts.pop()
        for part in parts:
            if skipped:
                yield _Line("", skipped + len(part), TOO_LONG)
                skipped = 0
            else:
                yield _Line(_decoded(part, encoding), len(part))
        if len(pending) > MOST_LINE_BYTES:
            skipped, pending = skipped + len(pending) // 2 * 2, pending[len(pending) // 2 * 2 :]
        if is_last:
            if skipped:
                yield _Line("", skipped, TOO_LONG)
            return


def _split(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _split_wide(encoding: str) -> Callable[[bytes], list[bytes]]:
    """Split UTF-16: a line end is a character there, not a byte."""

    def split(data: bytes) -> list[bytes]:
        whole = data[: len(data) // 2 * 2]
        text = whole.decode(encoding, "surrogatepass")
        lines = [line.encode(encoding, "surrogatepass") for line in _LINE.findall(text)]
        if len(whole) < len(data):
            lines.append(data[len(whole) :])
        return lines

    return split


def _decoded(line: bytes, encoding: str) -> str:
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        wide = encoding.startswith("utf-16")
        text = line.decode(encoding if wide else "cp1252", "replace")
    return text.replace("\0", "")
