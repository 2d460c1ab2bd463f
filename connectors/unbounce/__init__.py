"""Unbounce: the webhook of a landing page, popup or sticky bar."""

from datetime import UTC, datetime

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Options,
    Request,
    first,
    flatten,
    form_submission,
    moment_of,
    read_json,
    spellings,
)

# What Unbounce adds to the fields; the visitor's address is nobody's answer. The variant of the
# page stays among the answers.
OWN = frozenset(
    {"ip_address", "page_id", "page_uuid", "page_name", "time_submitted", "date_submitted"}
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read one lead.

    Args:
        request: body is urlencoded with the lead as JSON in `data.json` and again as XML in
            `data.xml`, which is not read; or a JSON object. Each value of a lead is a list.
        options: FORM_OPTIONS.

    Returns:
        One submission, its answers keyed by the form's fields.
    """
    outer = {k: given for k, given in request.form().items() if k not in {"data.json", "data.xml"}}
    blob = first(request.form(), "data.json")
    # The outer address of the page has the query that brought the visitor, the inner has none.
    texts = {**flatten(read_json(blob) if blob else {}), **outer}
    date, time = first(texts, "date_submitted"), first(texts, "time_submitted")
    return [
        form_submission(
            texts,
            request,
            options,
            own=OWN,
            stamp=f"{date} {time}" if date and time else "",
            form=first(texts, "page_uuid", "page_id"),
            form_title=first(texts, "page_name"),
            submitted_at=moment_of(_moment(date, time), request.received_at),
        )
    ]


def _moment(date: str, time: str) -> str:
    """Join the two halves of the time, always UTC, to the minute."""
    try:
        moment = datetime.strptime(f"{date} {time}", "%Y-%m-%d %I:%M %p UTC").replace(tzinfo=UTC)
        return moment.isoformat()
    except ValueError:
        return ""


connector = Connector(
    name="unbounce",
    title="Unbounce",
    docs="https://documentation.unbounce.com/hc/en-us/articles/203510044-Using-a-Webhook",
    signature=UNSIGNED["header"],
    schemes=UNSIGNED,
    parse=parse,
    facts="captured",
    fields=spellings(),
    # Its page asks for 200 and says nothing of what follows otherwise (updated on 2026-02-06), so
    # the status codes are the usual ones.
    options={"scheme": "header", **FORM_OPTIONS},
)
