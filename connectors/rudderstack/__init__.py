"""RudderStack: identify and track calls, by a webhook destination."""

from chalicelib.connector import (
    TRACKING_FIELDS,
    TRACKING_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Options,
    Request,
    each,
    tracked,
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read one event, or a list of them.

    Args:
        request: body is an event, see tracking.tracked; a transformation may send a list.
        options: TRACKING_OPTIONS.
    """

    def read_one(event: dict[str, object]) -> Act | None:
        return tracked(_with_id(event), request.received_at, options)

    body = request.json()
    if isinstance(body, list):
        return each(body, read_one, "RudderStack: event")
    act = read_one(body)
    return [act] if act else []


def _with_id(event: dict[str, object]) -> dict[str, object]:
    """Give an event its id under the usual name; old SDKs have another."""
    return {"messageId": event.get("message_id"), **event}


connector = Connector(
    name="rudderstack",
    title="RudderStack",
    docs="https://www.rudderstack.com/docs/destinations/webhooks/",
    # It signs nothing; a header of our own is what all its destinations can send.
    signature=UNSIGNED["header"],
    schemes=UNSIGNED,
    parse=parse,
    facts="code",
    fields=TRACKING_FIELDS,
    # A 5xx holds up all later events of the same user for hours, so it is kept for our own faults.
    options={**TRACKING_OPTIONS, "scheme": "header"},
)
