"""Squarespace: forms, by way of Zapier or Make; it has no webhook for them of its own."""

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Options,
    Request,
    first,
    form_submission,
    moment_of,
    spellings,
    zone_of,
)

OWN = frozenset({"source", "submitted_on"})


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form, laid out as the person who made the Zap chose.

    Args:
        request: body is a JSON object or urlencoded; keys are the labels of the form's fields.
        options: FORM_OPTIONS, and `time_zone`, the site's.

    Returns:
        One submission, its answers keyed by label.
    """
    texts = request.form()
    zone = zone_of(options)
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
    options={"scheme": "header", **FORM_OPTIONS, "form_field": "form", "time_zone": "UTC"},
)
