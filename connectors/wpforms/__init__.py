"""WPForms: what its Webhooks addon posts, with the keys that the form's author chose."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Hmac,
    Malformed,
    Options,
    Request,
    first,
    flatten,
    form_submission,
    nested,
    spellings,
)

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form.

    Args:
        request: body is a JSON object or a PHP array, urlencoded; parts of one answer are joined
            by `||`, a date is `{"value": ..., "unix": ...}`, files are a list of addresses.
        options: FORM_OPTIONS.

    Returns:
        One submission, its answers keyed as the author mapped them.
    """
    is_form = request.content_type()[0] == FORM
    texts = flatten(nested(request.form()) if is_form else request.json())
    parts = {key: tuple(_parts(given)) for key, given in texts.items()}
    # Forms of one site count their webhooks each for itself, so this says little; but it is all.
    webhook = request.header("x-wpforms-webhook-id")
    form = first(texts, options["form_field"]) or (f"webhook {webhook}" if webhook else "")
    return [form_submission(parts, request, options, form=form)]


def _parts(given: tuple[str, ...]) -> list[str]:
    """Take apart what WPForms joined; a text of several lines was typed as it is."""
    return [part for text in given for part in (text.split("||") if "\n" not in text else [text])]


def signed_body(request: Request) -> bytes:
    """Give what PHP signed: of a form not the body, but `json_encode` of the array it is made of.

    Raises:
        Malformed: the form is too large, or its names do not fit together.
    """
    if request.content_type()[0] != FORM:
        return request.body
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Malformed("expected an urlencoded form") from error
    array = {key: _with_numbers(value) for key, value in nested(_gathered(pairs)).items()}
    text = json.dumps(array, separators=(",", ":"), ensure_ascii=True)
    return text.replace("/", "\\/").encode()


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    texts: dict[str, tuple[str, ...]] = {}
    for name, text in pairs:
        texts[name] = (*texts.get(name, ()), text)
    return texts


def _with_numbers(value: Any) -> Any:
    """Make the one number of the array, the moment of a date, a number again."""
    if isinstance(value, dict) and re.fullmatch(r"[0-9]{1,15}", str(value.get("unix", ""))):
        return {**value, "unix": int(value["unix"])}
    return value


SIGNED = Hmac(
    "X-WPForms-Webhook-Signature",
    shape="t={timestamp},v={digest}",
    separator=",",
    signed="{timestamp}.{body}",
    of=signed_body,
)

# Whatever is answered is ignored and nothing is sent again (code of version 1.2), so the status
# codes are the usual ones.
connector = Connector(
    name="wpforms",
    title="WPForms",
    docs="https://wpforms.com/docs/how-to-install-and-use-the-webhooks-addon-with-wpforms/",
    signature=SIGNED,
    schemes={"signed": SIGNED, **UNSIGNED},
    parse=parse,
    facts="code",
    fields=spellings(),
    options={"scheme": "signed", **FORM_OPTIONS, "id_field": "entry_id"},
)
