"""/v1/imports: a file of rows: upload, its columns confirmed, dry run, progress, outcomes."""

from collections.abc import Mapping
from itertools import islice
from typing import Annotated

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import NEXT, Id, Line, PageQuery
from chalicelib.flow import imports
from chalicelib.flow.import_outcomes import RowOutcome, row_outcomes
from chalicelib.flow.import_preview import Preview, Previewer
from chalicelib.flow.import_state import Import, State, file_of, find_import
from chalicelib.lead.model import Model
from chalicelib.records import Outcome
from chalicelib.tables.layout import Layout, Wanted
from chalicelib.tables.mapping import DateOrder, Proposal

DRY_ROWS = 1_000
"""Most rows that a dry run looks at, so that it is done before the gateway gives up."""

DOWNLOAD_SECONDS = 300
LOOKED_AT = 2_000
"""Most rows that one page of outcomes looks at for those that are wanted."""


class NewImport(Model):
    """A file that is to be imported."""

    file: Annotated[Line, Field(min_length=1, max_length=500)] = Field(description="its name")
    size: int = Field(ge=1, description="bytes, exactly")
    source: Id = Field(default="", description="may be left out while one source takes files")


class Upload(Model):
    """Where and how to send a file."""

    method: str = "PUT"
    address: str
    headers: Mapping[str, str] = Field(description="to send along, exactly so")
    seconds: int = Field(description="how long the address works")


class ImportView(Model):
    """An import and how far it is."""

    import_id: str
    source_id: str
    file: str
    state: State
    created_at: AwareDatetime
    created_by: str
    size: int
    layout: Layout | None
    mapping: Mapping[str, str] = Field(description="field of each column")
    dates: DateOrder
    zone: str
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    rows: int = Field(description="how many rows have been kept so far")
    is_read: bool = Field(description="whether these are all there are")
    percent_read: int | None = Field(description="null for a workbook until all of it is read")
    settled: int = Field(description="rows that have an outcome")
    counts: Mapping[str, int] = Field(description="settled rows by outcome; they add up to settled")
    reason: str = Field(description="why the rest of the file could not be read")


class ImportMade(Model):
    """A new import, and where its file goes."""

    found: ImportView = Field(alias="import")
    upload: Upload


class ImportSummary(Model):
    """An import as it stands in lists."""

    import_id: str
    source_id: str
    file: str
    state: State
    rows: int
    settled: int
    created_at: AwareDatetime
    created_by: str


class ImportList(Model):
    """A page of imports, newest first."""

    imports: tuple[ImportSummary, ...]
    next: str = Field(description=NEXT)


class Proposed(Model):
    """What a file is likely to hold."""

    found: ImportView = Field(alias="import")
    proposal: Proposal


class MappingBody(Model):
    """What is to be otherwise than proposed."""

    mapping: Mapping[str, str] = Field(
        default_factory=dict,
        max_length=500,
        description="column -> field, `consent.PURPOSE`, `answer`, or `-` to leave it out",
    )
    dates: DateOrder | None = Field(default=None, description="day or month first")
    zone: str = Field(default="", max_length=64, description="of times that name none")


class OutcomesQuery(PageQuery):
    """Which rows."""

    outcome: Outcome | None = None


class OutcomeList(Model):
    """A page of rows and what became of each, in the order of the file."""

    rows: tuple[RowOutcome, ...]
    file: str = Field(
        description="address of all outcomes as CSV, for a few minutes; empty until it is through"
    )
    next: str = Field(description=NEXT)


def create(call: Call, body: NewImport) -> Answer[ImportMade]:
    """Make an import; PUT the file to the address that it names."""
    one = imports.create(call.hub, body.source, body.file, body.size, call.actor)
    address = call.hub.blobs.upload_address(
        one.blob, body.size, imports.CONTENT_TYPE, imports.UPLOAD_SECONDS
    )
    upload = Upload(
        address=address,
        headers={"Content-Type": imports.CONTENT_TYPE, "Content-Length": str(body.size)},
        seconds=imports.UPLOAD_SECONDS,
    )
    return Answer(ImportMade.model_validate({"import": _view(one), "upload": upload}), 201)


def propose(call: Call, body: Wanted) -> Proposed:
    """Look at the uploaded file and propose what its columns hold; nothing is imported."""
    looked = imports.look_at(call.hub, call.path["import_id"], body)
    return Proposed.model_validate({"import": _view(looked.found), "proposal": looked.proposal})


def try_out(call: Call, body: MappingBody) -> Preview:
    """Say what would become of the first rows; nothing is written."""
    one, _ = find_import(call.hub, call.path["import_id"])
    one = imports.confirmed(call.hub, one, body.mapping, body.dates, body.zone)
    previewer = Previewer(call.hub, one, file_of(call.hub, one))
    for _ in previewer.go(DRY_ROWS):
        pass
    return previewer.result


def start(call: Call, body: MappingBody) -> Answer[ImportView]:
    """Confirm what the columns hold and start; rows go in within minutes."""
    one = imports.start(call.hub, call.path["import_id"], body.mapping, body.dates, body.zone)
    return Answer(_view(one), 202)


def show(call: Call) -> ImportView:
    """Give an import and how far it is."""
    return _view(find_import(call.hub, call.path["import_id"])[0])


def list_them(call: Call, query: PageQuery) -> ImportList:
    """List imports."""
    after = call.after(query, query.cursor)
    found = imports.list_imports(call.hub, query.limit, after)
    return ImportList.model_validate(
        {"imports": found.entries, "next": call.cursor(query, found.after)}
    )


def list_outcomes(call: Call, query: OutcomesQuery) -> OutcomeList:
    """List what became of each row, as it stands at this moment."""
    one, _ = find_import(call.hub, call.path["import_id"])
    first = int(call.after(query, query.cursor) or 0)
    rows: list[RowOutcome] = []
    looked_at = 0
    for told, _ in islice(row_outcomes(call.hub, one, first), LOOKED_AT):
        looked_at += 1
        if query.outcome in (None, told.outcome):
            rows.append(told)
        if len(rows) == query.limit:
            break
    place = first + looked_at
    address = ""
    if one.outcomes:
        address = call.hub.blobs.download_address(
            one.outcomes, f"outcomes-{one.import_id}.csv", DOWNLOAD_SECONDS
        )
    return OutcomeList(
        rows=tuple(rows),
        file=address,
        next=call.cursor(query, str(place) if place < one.rows else ""),
    )


def _view(one: Import) -> ImportView:
    shown = set(ImportView.model_fields) - {"percent_read"}
    values = {name: getattr(one, name) for name in shown}
    return ImportView.model_validate({**values, "percent_read": _percent(one)})


def _percent(one: Import) -> int | None:
    if one.is_read:
        return 100
    if one.layout is None or one.layout.kind != "text":
        return None
    return 100 * one.after // one.size if one.state == "running" else 0
