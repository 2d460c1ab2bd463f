"""Elementor Pro: the webhook of its form widget, simple or with advanced data."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Options,
    PathToken,
    Request,
    Statuses,
    Submission,
    as_text,
    first,
    form_submission,
    nested,
    spellings,
)

# Titles of what the widget adds where it is ticked; a site in another language translates them.
META = {
    "Date": "date",
    "Time": "time",
    "Page URL": "page_url",
    "User Agent": "user_agent",
    "Remote IP": "remote_ip",
    "Powered by": "credit",
}
HINTS = {"email": "email", "tel": "phone"}

# A password is nobody's business; the others ask a browser to prove something.
SECRET_TYPES = frozenset({"password", "honeypot", "recaptcha", "recaptcha_v3"})


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form in either layout.

    Args:
        request: body is urlencoded: `Label=value` and `form_id`, `form_name`; or, with advanced
            data, `form[id]`, `fields[ID][type]`, `meta[page_url][value]` and so on.
        options: FORM_OPTIONS, and `meta`, see the README.

    Returns:
        One submission, its answers keyed by label or, with advanced data, by the field's id.
    """
    texts = request.form()
    if "form[id]" in texts:
        return [_advanced(nested(texts), request, options)]
    return [_simple(texts, request, options)]


def _simple(texts: Mapping[str, tuple[str, ...]], request: Request, options: Options) -> Submission:
    titles = {**META, **options["meta"]}
    pages = [title for title, part in titles.items() if part == "page_url"]
    return form_submission(
        texts,
        request,
        options,
        own={"form_name", *titles},
        form_title=first(texts, "form_name"),
        page_url=first(texts, *pages),
    )


def _advanced(sent: Mapping[str, Any], request: Request, options: Options) -> Submission:
    fields = {
        key: field for key, field in sent["fields"].items() if field.get("type") not in SECRET_TYPES
    }
    boxes = {key: "acceptance" for key, field in fields.items() if field["type"] == "acceptance"}
    labels = {key: as_text(field.get("title")) for key, field in fields.items()}
    texts = {key: tuple(_texts(field)) for key, field in fields.items()}
    asked = {**options, "consents": {**boxes, **options["consents"]}}
    page = (sent.get("meta") or {}).get("page_url") or {}
    submission = form_submission(
        texts,
        request,
        asked,
        form=as_text(sent["form"]["id"]),
        form_title=as_text(sent["form"].get("name")),
        labels={key: label for key, label in labels.items() if label and any(texts[key])},
        hints={k: HINTS[f["type"]] for k, f in fields.items() if f["type"] in HINTS},
        page_url=as_text(page.get("value")),
    )
    consents = (
        consent.model_copy(update={"wording": consent.wording or labels.get(consent.evidence, "")})
        for consent in submission.consents
    )
    return submission.model_copy(update={"consents": tuple(consents)})


def _texts(field: Mapping[str, Any]) -> Iterator[str]:
    """Give the texts of a field; several picks are joined in its value and apart in its raw one."""
    value, raw = field.get("value"), field.get("raw_value")
    if field["type"] == "upload":
        # The raw value holds paths on the server.
        yield from (as_text(value).split(" , "))
    elif isinstance(raw, list):
        yield from (as_text(pick) for pick in raw)
    else:
        yield as_text(value)


connector = Connector(
    name="elementor",
    title="Elementor",
    docs="https://elementor.com/help/webhooks/",
    signature=PathToken(),
    schemes=UNSIGNED,
    parse=parse,
    facts="code",
    fields=spellings(),
    # The visitor waits for our answer, and anything but 200 shows him an error although the form's
    # other actions did run; nothing is sent again (code of PRO Elements 3.33.1, November 2025). So
    # what the site's owner cannot help is answered 200. A wrong address is not: the first test of
    # the form shall show it.
    statuses=Statuses(switched_off=200, too_large=200),
    options={"scheme": "address", **FORM_OPTIONS, "meta": {}},
)
