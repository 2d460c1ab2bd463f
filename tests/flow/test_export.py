"""An export holds all that is known of one person, and nothing of anybody else."""

import pytest

from chalicelib.errors import Erased
from chalicelib.flow.erase import begin
from chalicelib.flow.export import Export, export
from chalicelib.flow.export_page import render
from chalicelib.records import event_of
from tests.invariants import problems
from tests.world import World, form, meta, meta_page

HOSTILE = "<script>alert('zoe')</script>"


def a_world() -> tuple[World, str]:
    """Give a world of two people, and the id of the first one's lead."""
    world = World()
    world.web.pages |= {**meta_page(1, "zoe@example.com"), **meta_page(2, "yan@example.com")}
    world.send("meta", meta(1, 2))
    world.send("forms", form(1, "zoe@example.com", name="Zoe Canary", message=HOSTILE, seats="250"))
    world.send("forms", form(2, "yan@example.com", name="Yan Otherman", city="Yanville"))
    world.settle()
    lead = next(one for one in world.leads() if one.profile["email"].value == "zoe@example.com")
    return world, lead.lead_id


def test_an_export_names_every_field_with_where_it_is_from() -> None:
    world, lead_id = a_world()
    found = export(world.hub, lead_id, "ann")
    by_name = {field.field: field for field in found.fields}
    assert by_name["full_name"].value == "Zoe Canary"
    assert by_name["full_name"].source_id == "forms"
    assert {touch.source_id for touch in found.touches} == {"forms", "meta"}
    answers = [touch.answers for touch in found.touches if touch.source_id == "forms"]
    assert answers[0]["message"] == HOSTILE
    assert any(line.startswith("Score ") for line in found.decisions)
    assert {one.destination_id for one in found.notifications} >= {"mail", "chat", "crm"}
    whole = [one for one in found.requests if one.body]
    assert ["zoe@example.com" in one.body for one in whole] == [True]
    assert Export.model_validate_json(found.model_dump_json()) == found


def test_an_export_holds_nothing_of_anybody_else() -> None:
    world, lead_id = a_world()
    found = export(world.hub, lead_id, "ann")
    for text in (found.model_dump_json(), render(found)):
        for canary in ("yan@example.com", "Otherman", "Yanville"):
            assert canary not in text
    shared = [one for one in found.requests if one.source_id == "meta"]
    assert [(one.body, bool(one.note)) for one in shared] == [("", True)]


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    world, lead_id = a_world()
    page = render(export(world.hub, lead_id, "<b>ann</b>"))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "<b>ann" not in page
    for loading in ("src=", "href=", "@import", "url("):
        assert loading not in page
    assert "default-src 'none'" in page


def test_a_page_reads_well_on_paper_and_on_a_phone() -> None:
    world, lead_id = a_world()
    page = render(export(world.hub, lead_id, "ann"))
    assert "<td>Full name</td><td>Zoe Canary</td>" in page
    assert '<td data-label="From">forms</td>' in page
    assert '<td class="when" data-label="When">2026-11-23 08:00 UTC</td>' in page
    assert "<ul>\n<li>+50 fit" in page
    for narrow in ("max-width: 40rem", "@media print", 'name="viewport"'):
        assert narrow in page


def test_an_export_stands_on_the_timeline() -> None:
    world, lead_id = a_world()
    export(world.hub, lead_id, "ann")
    events = [event_of(i) for i in world.table.scan() if i.get("kind") == "event"]
    (event,) = [event for event in events if event.kind == "exported"]
    assert event.actor == "ann"
    assert problems(world) == []


def test_whoever_was_erased_is_not_exported() -> None:
    world, lead_id = a_world()
    begin(world.hub, lead_id, "ann")
    with pytest.raises(Erased):
        export(world.hub, lead_id, "ann")
