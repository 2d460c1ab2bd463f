"""An export as one page to read and to print: everything in it is escaped, nothing is loaded."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby

from chalicelib.flow.export import Export
from chalicelib.lead.model import utc_text
from chalicelib.lead.text import joined

STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.2rem; margin-top: 3rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
p, ul { margin: .4rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0;
  border-bottom: 1px solid var(--line); }
th { font-size: .85rem; opacity: .7; }
td { overflow-wrap: anywhere; white-space: pre-line; }
td:first-child { min-width: 8rem; }
td:first-child:nth-last-child(2) { width: 14rem; }
td:nth-child(3):not(.when) { min-width: 6rem; }
td.when { white-space: nowrap; overflow-wrap: normal; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
.dim { opacity: .7; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr, td { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { padding: 0; border: 0; }
  td:first-child { font-weight: 600; }
  td:empty { display: none; }
  td[data-label]::before { content: attr(data-label) ": "; opacity: .7; }
}
@media print { :root { color-scheme: light; }
  body { margin: 0; max-width: none; font-size: 11px; }
  h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
  thead { display: table-header-group; } }
"""


WHEN = "When"
"""Heading of the column of times."""


def render(found: Export) -> str:
    """Write an export as a self-contained HTML page."""
    intro = (
        f"Taken on {_when(found.exported_at)} by {escape(found.exported_by)}. "
        f"Lead {escape(', '.join(found.lead_ids))}; status {escape(found.status)}, "
        f"stage {escape(found.stage)}, owner {escape(found.owner or 'nobody')}."
    )
    parts = [
        "<h1>What is known of this person</h1>",
        f"<p>{intro}</p>",
        _section("What is known, and where it is from", _fields(found)),
        _section("What the person sent", "".join(_touches(found))),
        _section("Consents", _consents(found)),
        _section("What was decided", "\n".join(_decided(found))),
        _section("Who was told", _told(found)),
        _section("What happened", _timeline(found)),
        _section("Requests as they came", "".join(_requests(found))),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>What is known of a person</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content or '<p class=dim>Nothing.</p>'}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out rows; where it is narrow each is a block, its first cell the heading."""
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_kind(place, heading)}>{escape(str(cell))}</td>"
            for place, (heading, cell) in enumerate(zip(headings, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return ""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _kind(place: int, heading: str) -> str:
    style = ' class="when"' if heading == WHEN else ""
    return style + (f' data-label="{escape(heading)}"' if place > 1 and heading else "")


def _decided(found: Export) -> Iterable[str]:
    """Give decisions as paragraphs, each with a list of what stands indented below it."""
    for is_below, lines in groupby(found.decisions, lambda line: line.startswith(" ")):
        tag = "li" if is_below else "p"
        told = "\n".join(f"<{tag}>{escape(line.strip())}</{tag}>" for line in lines)
        yield f"<ul>\n{told}\n</ul>" if is_below else told


def _fields(found: Export) -> str:
    return _table(
        ("Field", "Value", "From", WHEN),
        [
            (
                _words(one.field),
                joined(one.value),
                f"set by hand by {one.by}" if one.by else one.source_id,
                _when(one.at),
            )
            for one in found.fields
        ],
    )


def _touches(found: Export) -> Iterable[str]:
    for touch in found.touches:
        form = f", {touch.form}" if touch.form else ""
        state = "" if touch.state == "counts" else f" ({touch.state})"
        rows = [*((key, joined(value)) for key, value in touch.answers.items())]
        rows += [(f"campaign: {key}", value) for key, value in touch.campaign.items()]
        rows += [("page", touch.page_url)] if touch.page_url else []
        title = f"{_when(touch.submitted_at)}, by {touch.source_id}{form}{state}"
        yield f"<h3>{escape(title)}</h3>\n{_table(('Question', 'Answer'), rows)}"


def _consents(found: Export) -> str:
    return _table(
        ("Purpose", "Answer", "Words that were shown", WHEN, "By", "In force"),
        [
            (
                one.purpose,
                "yes" if one.given else "no",
                one.wording,
                _when(one.at),
                f"{one.source_id} {one.evidence}".strip(),
                "yes" if one.is_in_force else "no",
            )
            for one in found.consents
        ],
    )


def _told(found: Export) -> str:
    rows = [(o.destination_id, o.kind, o.state, _when(o.at)) for o in found.notifications]
    return _table(("Destination", "About", "State", WHEN), rows)


def _timeline(found: Export) -> str:
    rows = [(_when(one.at), one.what, one.who, one.text) for one in found.timeline]
    return _table((WHEN, "What", "Who", ""), rows)


def _requests(found: Export) -> Iterable[str]:
    for one in found.requests:
        yield f"<h3>{escape(f'{_when(one.received_at)}, by {one.source_id}')}</h3>\n"
        coded = " (base64)" if one.body_encoding == "base64" else ""
        yield f"<p class=dim>{escape(one.note or f'{one.delivery_id}{coded}')}</p>\n"
        if one.body:
            yield f"<pre>{escape(one.body)}</pre>\n"


def _words(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _when(moment: datetime) -> str:
    return utc_text(moment)[:16].replace("T", " ") + " UTC"
