"""The pages behind accept and decline links.

Opening a page changes nothing, for mail scanners open links too; only its button acts. The token
is all the authority there is: whoever holds it may do this one thing and sees no more of the
person than a first name and a company.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from chalicelib.errors import Conflict, Erased, NotFound, Unavailable, Unverified
from chalicelib.flow.answer import accept, decline
from chalicelib.flow.details import find_lead
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead
from chalicelib.links import LINKS_SECRET, Link, read

TEMPLATES = Path(__file__).parent / "templates"
MOST_FORM_BYTES = 16 * 1024

STYLE = """
body{margin:0;font:17px/1.5 system-ui,sans-serif;color:#1b1f24;background:#f4f5f7}
main{max-width:26rem;margin:8vh auto;padding:1.5rem;background:#fff;border-radius:12px}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1rem 0}
dt{color:#5b6470}dd{margin:0;overflow-wrap:anywhere}
label{display:block;margin:1rem 0 .25rem}
textarea{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border-radius:8px}
button{width:100%;margin-top:1rem;padding:.8rem;font:inherit;font-weight:600;border:0;
border-radius:8px;background:#1f5fd0;color:#fff;cursor:pointer}
button:focus-visible,textarea:focus-visible{outline:3px solid #f0a500;outline-offset:2px}
@media (prefers-color-scheme:dark){body{color:#e6e9ee;background:#14171b}main{background:#1e2329}
dt{color:#a2abb8}button{background:#4a86f0;color:#0b0d10}}
@media (max-width:30rem){main{margin:0;min-height:100vh;box-sizing:border-box;border-radius:0}}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True)
class Shown:
    """What a page may tell of a lead."""

    name: str
    company: str
    source: str


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        action: whose button it has, if any.
    """

    status: int
    title: str
    text: str = ""
    lead: Shown | None = None
    action: str = ""


def look(hub: Hub, token: str) -> Page:
    """Show what a link is for; changes nothing."""
    link, page = _opened(hub, token)
    if page:
        return page
    try:
        lead = find_lead(hub, link.lead_id)
    except Erased:
        return _ERASED
    assignment = lead.assignment
    is_theirs = (
        assignment is not None
        and assignment.assignment_id == link.assignment_id
        and assignment.owner_id == link.owner_id
    )
    if not is_theirs:
        was_declined = link.owner_id in lead.declined_by
        return _GIVEN_BACK if was_declined and link.action == "decline" else _MOVED_ON
    if link.action == "accept" and assignment and assignment.accepted_at:
        return _ACCEPTED
    return Page(
        status=200,
        title="Accept this lead?" if link.action == "accept" else "Give this lead back?",
        text=""
        if link.action == "accept"
        else "It then goes to somebody else. You lose no turn by it.",
        lead=_shown(hub, lead),
        action=link.action,
    )


def act(hub: Hub, token: str, reason: str) -> Page:
    """Do what a link is for; again changes nothing."""
    page = look(hub, token)
    if not page.action:
        return page
    link, _ = _opened(hub, token)
    owner = hub.configurations.current().config.owners.get(link.owner_id)
    actor = owner.name if owner else link.owner_id
    if link.action == "accept":
        accept(hub, link.lead_id, link.assignment_id, actor)
        return _ACCEPTED
    decline(hub, link.lead_id, link.assignment_id, actor, reason)
    return _GIVEN_BACK


_ACCEPTED = Page(200, "You have accepted this lead", "It is yours. You may close this page.")
_GIVEN_BACK = Page(
    200, "You have given this lead back", "It goes to somebody else. You may close this page."
)
_MOVED_ON = Page(
    409,
    "This lead has moved on",
    "It has gone to somebody else since, so there is nothing to do. You may close this page.",
)
_ERASED = Page(
    410, "This person was erased", "All that the hub knew of them is gone. There is nothing to do."
)
_UNKNOWN = Page(404, "This link does not work", "Open it from the notification once more.")
_EXPIRED = Page(
    410, "This link has expired", "Links work for some days. Ask your admin, or use the hub itself."
)
_BUSY = Page(503, "Please try again in a minute", "The hub is busy. Nothing was changed.")
_BROKEN = Page(500, "Something went wrong", "It has been logged. Nothing was changed.")


def _opened(hub: Hub, token: str) -> tuple[Link, Page | None]:
    """Read a link; the page instead where it may not be used."""
    # Expired and forged are told apart here: only a link of ours can have expired.
    link = read(token, hub.secrets.get(LINKS_SECRET), datetime.min.replace(tzinfo=UTC))
    return link, _EXPIRED if link.expires_at <= hub.clock() else None


def _shown(hub: Hub, lead: Lead) -> Shown:
    def field(name: str) -> str:
        return str(lead.profile[name].value)[:80] if name in lead.profile else ""

    source = ""
    if lead.last_touch:
        sources = hub.configurations.current().config.sources
        configured = sources.get(lead.last_touch.source_id)
        source = (configured.title if configured else "") or lead.last_touch.source_id
    first_name = field("first_name") or field("full_name").partition(" ")[0]
    return Shown(first_name, field("company"), source)


def failed(error: Exception) -> Page:
    """Choose the page of an error."""
    match error:
        case Unverified() | NotFound():
            return _UNKNOWN
        case Conflict():
            return _MOVED_ON
        case Unavailable():
            return _BUSY
    return _BROKEN


def reason_in(body: bytes) -> str:
    """Read the reason out of the form; one that cannot be read is none."""
    if len(body) > MOST_FORM_BYTES:
        return ""
    try:
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=10)
    except ValueError:
        return ""
    text = " ".join(fields.get("reason", [""])[0].split())
    return "".join(each for each in text if each.isprintable())[:200]


def render(page: Page) -> str:
    """Write a page as HTML."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((TEMPLATES / "answer.html").read_text("utf-8"))
    return template.render(
        title=page.title,
        text=page.text,
        lead=page.lead,
        action=page.action,
        style=STYLE,
    )
