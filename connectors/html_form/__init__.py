"""Web form: what a visitor's browser posts straight from a page of ours."""

import html
import json
import re
from collections.abc import Mapping

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    Act,
    Connector,
    Consent,
    Malformed,
    Options,
    PathToken,
    Reply,
    Request,
    Submission,
    answers_of,
    campaign_of,
    digest_of,
    first,
    is_no,
    is_yes,
    own_id,
    spellings,
)

WINDOW_SECONDS = 600
"""Within such a stretch of the clock the same answers are the same click."""

PAGE_INPUTS = ("page_url", "landing_url", "page")
OWN_INPUTS = frozenset({"_charset_", "_redirect", "form_id", *PAGE_INPUTS, *CAMPAIGN_KEYS})
HTTPS_ADDRESS = re.compile(r"https://[!-~]{1,2000}")
APOLOGIES = {
    413: "This is too large to send. Please leave out attachments.",
    503: "Something went wrong on our side. Please try again in a minute.",
}


def parse(request: Request, options: Options) -> list[Act]:
    """Read one form, in whatever way the browser or a script on the page sent it.

    Args:
        request: urlencoded, multipart, text/plain or a JSON object.
        options: see the README; all of them name inputs of the form but `origins`.

    Returns:
        One submission, its answers keyed by input name; `suspicion` says why it may be spam.
    """
    form = {_key(name): tuple(filter(None, texts)) for name, texts in request.form().items()}
    own = OWN_INPUTS | {
        options["honeypot"],
        options["id_field"],
        options["consent_field"],
        options["consent_wording_field"],
    }
    answers = answers_of(form, without=own)
    if not answers:
        raise Malformed("Web form: expected at least one filled input")
    page_url = next(filter(None, (first(form, name) for name in PAGE_INPUTS)), "")
    page_url = page_url or request.header("referer")
    digest = digest_of(sorted(answers.items()))
    window = int(request.received_at.timestamp()) // WINDOW_SECONDS
    given_id = first(form, options["id_field"])
    return [
        Submission(
            external_id=own_id(given_id) or f"{window}-{digest}",
            # Going back, mending a typing error and sending again is another act.
            revision=digest[:16] if given_id else "",
            submitted_at=request.received_at,
            form=first(form, "form_id"),
            answers=answers,
            campaign=campaign_of({key: first(form, key) for key in CAMPAIGN_KEYS}),
            consents=_consents(form, options),
            page_url=page_url,
            language=request.header("accept-language").split(",")[0].split(";")[0].strip(),
            is_test=is_yes(request.parameter("test")),
            suspicion=_suspicion(request, form, options),
        )
    ]


def cors(request: Request, options: Options) -> Mapping[str, str]:
    """Let pages of the source's own origins read our answer, and no other."""
    origin = request.header("origin")
    if not _is_ours(origin, options):
        return {}
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if request.method != "OPTIONS":
        return headers
    return {
        **headers,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type, Accept, X-Requested-With",
        "Access-Control-Max-Age": "600",
    }


def reply(request: Request, options: Options) -> Reply:
    """Thank the visitor: a page or the configured one for a browser, JSON for a script."""
    if not _wants_page(request):
        return Reply(200, json.dumps({"status": "received"}))
    address = _redirect(request, options)
    if address:
        return Reply(303, "", "text/plain; charset=utf-8", {"Location": address})
    return _page(200, options["thanks"])


def apologise(request: Request, options: Options, status: int) -> Reply:
    """Tell the visitor that the form was not taken, and nothing of why."""
    text = APOLOGIES.get(status, "This form cannot be sent at the moment.")
    if not _wants_page(request):
        return Reply(status, json.dumps({"message": text}))
    return _page(status, text)


def _key(name: str) -> str:
    """Give an input's name without the `[]` that some servers want for lists."""
    return name.removesuffix("[]") or name


def _consents(form: Mapping[str, tuple[str, ...]], options: Options) -> tuple[Consent, ...]:
    """Read the tick box; unticked it is absent, so only its wording shows that it was there."""
    name = options["consent_field"]
    text = first(form, name)
    wording = first(form, options["consent_wording_field"])
    if not text and not wording:
        return ()
    return (
        Consent(
            purpose=options["consent_purpose"],
            given=not is_no(text),
            # Some pages write what is agreed to into the value of the box.
            wording=wording or ("" if is_yes(text) or is_no(text) else text),
            evidence=name,
        ),
    )


def _suspicion(request: Request, form: Mapping[str, tuple[str, ...]], options: Options) -> str:
    """Say what looks like spam; a browser may hide its origin, so this never refuses."""
    if form.get(options["honeypot"]):
        return "the honeypot is filled in"
    origin = request.header("origin")
    if options["origins"] and origin and not _is_ours(origin, options):
        return "sent from a page of another origin"
    return ""


def _is_ours(origin: str, options: Options) -> bool:
    """Compare exactly; `null` and `*` are nobody's origin."""
    return origin not in {"", "null", "*"} and origin in tuple(options["origins"])


def _wants_page(request: Request) -> bool:
    """Tell a browser that shows our answer from a script that reads it."""
    return "text/html" in request.header("accept")


def _redirect(request: Request, options: Options) -> str:
    """Choose the page to go to: the one asked for if the source allows it, else the usual one."""
    allowed = tuple(options["redirects"])
    try:
        asked = first(request.form(), "_redirect") if allowed else ""
    except Malformed:
        # What was sent is kept and will be looked at; the visitor gets the usual page.
        asked = ""
    address = asked if asked in allowed else options["redirect"]
    return address if HTTPS_ADDRESS.fullmatch(address) else ""


def _page(status: int, text: str) -> Reply:
    """Make a page of one sentence, without script, style or anything from elsewhere."""
    title = html.escape(text)
    body = (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><main><h1>{title}</h1></main></body></html>"
    )
    policy = {"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}
    return Reply(status, body, "text/html; charset=utf-8", policy)


connector = Connector(
    name="html_form",
    title="Web form",
    docs="https://html.spec.whatwg.org/multipage/form-control-infrastructure.html",
    signature=PathToken(),
    parse=parse,
    fields=spellings(),
    reply=reply,
    apologise=apologise,
    cors=cors,
    options={
        "origins": (),
        "honeypot": "",
        "redirect": "",
        "redirects": (),
        "thanks": "Thank you. We have received your message.",
        "id_field": "submission_id",
        "consent_field": "consent",
        "consent_wording_field": "consent_text",
        "consent_purpose": "contact",
    },
)
