"""What the guides of all peers ask for first: plain text, and one way to write a value."""

import re
import unicodedata
from typing import Any

FIELDS = (
    "first_name", "last_name", "company", "email", "phone", "street", "city", "postal_code",
    "state", "country", "dob", "extra",
)  # fmt: skip
ONE_IN = 50
"""A field that fewer than one record in so many has is left out."""


def cleaned(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each record the same fields: lower case, no accents, nothing where nothing is known."""
    return [_clean(record) for record in records]


def fields_of(cleaned_records: list[dict[str, Any]]) -> list[str]:
    """List the fields that enough records have."""
    count = len(cleaned_records)
    return [
        name
        for name in FIELDS
        if sum(record[name] is not None for record in cleaned_records) * ONE_IN >= count
    ]


def _clean(record: dict[str, Any]) -> dict[str, Any]:
    given = {name: _plain(value) for name, value in record.items() if name != "rid"}
    full = given.get("full_name")
    if full and not given.get("first_name") and not given.get("last_name"):
        last, comma, first = full.partition(",")
        if not comma:
            first, _, last = full.rpartition(" ")
        given |= {"first_name": first.strip() or None, "last_name": last.strip() or None}
    if given.get("phone"):
        given["phone"] = re.sub(r"\D", "", given["phone"] or "")[-9:] or None
    return {"rid": record["rid"], **{name: given.get(name) for name in FIELDS}}


def _plain(value: Any) -> str | None:
    apart = unicodedata.normalize("NFKD", str(value or ""))
    text = "".join(one for one in apart if not unicodedata.combining(one))
    return re.sub(r"\s+", " ", text).strip(" \"'").lower() or None
