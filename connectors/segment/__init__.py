"""Segment: identify and track calls, by a webhook destination."""

import json

from chalicelib.connector import (
    TRACKING_FIELDS,
    TRACKING_OPTIONS,
    Act,
    Connector,
    Hmac,
    Malformed,
    Options,
    Request,
    Statuses,
    each,
    tracked,
)

MOST_KEYS = 200_000
"""Keys in a batch; Segment sends up to a thousand events in one request."""

UNSIGNED = "only the first event of a batch is signed: turn batching off, or set batches: trusted"


def parse(request: Request, options: Options) -> list[Act]:
    """Read one event, or a batch of them.

    Args:
        request: body is an event, see tracking.tracked, or a list of events.
        options: TRACKING_OPTIONS, and `batches`: `first` takes the one event of a batch that is
            signed and quarantines the others; `trusted` takes them all.
    """
    body = request.json(MOST_KEYS)
    if not isinstance(body, list):
        act = tracked(body, request.received_at, options)
        return [act] if act else []
    is_trusted = options["batches"] == "trusted"

    def read_one(numbered: tuple[int, dict[str, object]]) -> Act | None:
        number, event = numbered
        act = tracked(event, request.received_at, options)
        if act and number and not is_trusted:
            raise Malformed(UNSIGNED)
        return act

    return each(enumerate(body), read_one, "Segment: event")


def signed_part(request: Request) -> bytes:
    """Give what Segment signs: the event, or the first of a batch, as it stands in the body.

    Raises:
        Malformed: the body is no event and no batch of any.
    """
    # Bounds depth and size before the text is taken apart.
    body = request.json(MOST_KEYS)
    if not isinstance(body, list):
        return request.body
    text = request.text()
    start = text.index("[") + 1
    start += len(text[start:]) - len(text[start:].lstrip())
    if not body:
        raise Malformed("Segment: a batch without events")
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end].encode("utf-8", "surrogatepass")


connector = Connector(
    name="segment",
    title="Segment",
    docs="https://segment.com/docs/connections/destinations/catalog/actions-webhook/",
    signature=Hmac("X-Signature", algorithm="sha1", of=signed_part),
    parse=parse,
    fields=TRACKING_FIELDS,
    # Segment drops for good what is answered 4xx, and keeps no list; 5xx comes again for up to four
    # hours (segment.com/docs/connections/destinations, read August 2026). So what an admin can mend
    # is answered 503.
    statuses=Statuses(unknown_source=503, unverified=503),
    options={**TRACKING_OPTIONS, "batches": "first"},
)
