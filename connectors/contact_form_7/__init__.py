"""Contact Form 7: what the plugin "CF7 to Webhook" posts for each mail that a form sent."""

import re

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Options,
    Request,
    Statuses,
    form_submission,
    spellings,
)

# Special mail tags that an author may add; date and time are written in the site's own way.
OWN = frozenset({"_date", "_time", "_remote_ip", "_user_agent"})

# The tag generator names a field after its type: email-412.
GENERATED = re.compile(r"([a-z]+)-[0-9]+")
HINTS = {"email": "email", "tel": "phone", "url": "website"}


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form.

    Args:
        request: body is a flat JSON object, values texts or lists of them; a file is its address,
            or `{"filename": ..., "content": base64}`.
        options: FORM_OPTIONS.

    Returns:
        One submission, its answers keyed by the names of the form's tags.
    """
    sent = request.form()
    files = {key.removesuffix(".filename") for key in sent if key.endswith(".filename")}
    texts = {k: given for k, given in sent.items() if k.removesuffix(".content") not in files}
    types = {key: match[1] for key in texts if (match := GENERATED.fullmatch(key))}
    boxes = {key: "acceptance" for key, kind in types.items() if kind == "acceptance"}
    asked = {**options, "consents": {**boxes, **options["consents"]}}
    hints = {key: HINTS[kind] for key, kind in types.items() if kind in HINTS}
    return [form_submission(texts, request, asked, own=OWN, hints=hints)]


connector = Connector(
    name="contact_form_7",
    title="Contact Form 7",
    docs="https://wordpress.org/plugins/cf7-to-zapier/",
    signature=UNSIGNED["header"],
    schemes=UNSIGNED,
    parse=parse,
    facts="code",
    fields=spellings(),
    # The visitor waits for our answer. Anything but 200, 201, 202, 204 and 205 tells him that his
    # message was not sent, and the plugin mails what he wrote to the site's admin, so nothing is
    # lost by a no (code of version 4.1.0, June 2025). A source that is switched off on purpose
    # must not break the form.
    statuses=Statuses(switched_off=200),
    options={
        "scheme": "header",
        **FORM_OPTIONS,
        "id_field": "_serial_number",
        "page_field": "_url",
    },
)
