"""Squarespace: forms, by way of Zapier or Make; it has no webhook for them of its own."""

from zoneinfo import ZoneInfo

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Malformed,
    Options,
    Request,
    first,
    form_submission,
    moment_of,
    spellings,
)

OWN = frozenset({"source", "submitted_on"})


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form, laid out as the person who made the Zap chose.

    Args:
        request: body is a JSON object or urlencoded; keys are the labels of the form's fields.
        options: FORM_OPTIONS, and `zone`, the site's time zone.

    Returns:
        One submission, its answers keyed by label.
    """
    texts = request.form()
    try:
        zone = ZoneInfo(options["zone"])
    except (ValueError, LookupError) as error:
        raise Malformed("the option zone names no time zone") from error
    stamp = first(texts, "submitted_on")
    return [
        form_submission(
            texts,
            request,
            options,
            own=OWN,
            stamp=stamp,
            submitted_at=moment_of(stamp, request.received_at, zone),
        )
    ]


connector = Connector(
    name="squarespace",
    title="Squarespace",
    docs="https://zapier.com/apps/squarespace/integrations/webhook",
    signature=UNSIGNED["header"],
    schemes=UNSIGNED,
    parse=parse,
    facts="recalled",
    fields=spellings(),
    options={"scheme": "header", **FORM_OPTIONS, "form_field": "form", "zone": "UTC"},
)
