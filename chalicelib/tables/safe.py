"""Cells that no spreadsheet takes for a formula, and back."""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"[\s\0\ufeff\u200b]*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")
_HARMLESS = re.compile(r"[+-]?[0-9][0-9 ().,/-]*")
"""Numbers and phone numbers: of digits alone nothing can be called."""


def neutral(cell: str) -> str:
    """Put a quote before what a spreadsheet could run (OWASP, CSV injection)."""
    # What begins with a quote already gets one more, so that `original` gives back what was.
    is_formula = _FORMULA.match(cell) and not _HARMLESS.fullmatch(cell)
    return f"'{cell}" if is_formula or cell.startswith("'") else cell


def original(cell: str) -> str:
    """Take the quote away that `neutral` put."""
    is_ours = cell.startswith("'") and neutral(cell[1:]) == cell
    return cell[1:] if is_ours else cell


def line_of(cells: Iterable[str]) -> str:
    """Write cells as a line of CSV, none of which can be run."""
    text = io.StringIO()
    csv.writer(text).writerow([neutral(cell) for cell in cells])
    return text.getvalue()
