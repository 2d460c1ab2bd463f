"""Lists: in order, in pages, and with a bounded number of reads however many leads there are."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import Invalid
from chalicelib.flow.lists import (
    MOST_LOOKED_AT,
    LeadFilter,
    list_deliveries,
    list_leads,
)
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, ProfileValue
from chalicelib.records import lead_item
from chalicelib.storage import Page, Put
from tests.fakes import MemoryTable
from tests.world import World, form, with_config

ANY = LeadFilter()


class CountingTable(MemoryTable):
    """A table that counts what lists read."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = 0
        self.read = 0

    def query_index(self, index: str, pk: str, **more: Any) -> Page:
        page = super().query_index(index, pk, **more)
        self.queries += 1
        self.read += len(page.items)
        return page


def world_with(count: int) -> tuple[World, CountingTable]:
    """Give a world with so many leads, one a minute."""
    table = CountingTable()
    world = World(table=table)
    for number in range(count):
        plant(world, number)
    return world, table


def plant(world: World, number: int, name: str = "") -> None:
    at = world.clock() + timedelta(minutes=number)
    profile: Mapping[str, ProfileValue] = {
        "full_name": ProfileValue(value=name or f"P {number}", touch_id="t", at=at)
    }
    lead = Lead(
        lead_id=f"lead{number:06}", version=1, created_at=at, updated_at=at, profile=profile
    )
    world.table.plant(lead_item(lead, "test"))


def ids(hub: Hub, limit: int, wanted: LeadFilter = ANY) -> list[str]:
    """Read a whole list page by page."""
    found: list[str] = []
    after = ""
    while True:
        page = list_leads(hub, wanted, limit, after)
        found += [str(entry["lead_id"]) for entry in page.entries]
        after = page.after
        if not after:
            return found


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 60), limit=st.integers(1, 25))
def test_pages_of_any_size_give_every_lead_once_in_order(count: int, limit: int) -> None:
    world, _ = world_with(count)
    assert ids(world.hub, limit) == [f"lead{number:06}" for number in reversed(range(count))]


def test_leads_of_the_same_instant_are_all_given() -> None:
    world, _ = world_with(0)
    for number in range(12):
        at = world.clock()
        lead = Lead(lead_id=f"same{number:06}", version=1, created_at=at, updated_at=at)
        world.table.plant(lead_item(lead, "test"))
    assert len(set(ids(world.hub, 5))) == 12


def test_a_page_reads_as_much_of_a_small_list_as_of_a_large_one() -> None:
    reads = []
    for count in (100, 1500):
        world, table = world_with(count)
        table.queries = table.read = 0
        page = list_leads(world.hub, ANY, 20)
        list_leads(world.hub, ANY, 20, page.after)
        reads.append((table.queries, table.read))
    (few_queries, few), (many_queries, many) = reads
    assert abs(many - few) <= 0.2 * few
    assert many_queries <= few_queries + 2


def test_a_search_that_fits_nothing_stops_and_can_go_on() -> None:
    world, table = world_with(MOST_LOOKED_AT + 50)
    plant(world, 0, "Needle")
    table.read = 0
    wanted = LeadFilter(q="needle")
    page = list_leads(world.hub, wanted, 20)
    assert page.entries == ()
    assert page.after
    assert table.read <= MOST_LOOKED_AT + 200
    assert ids(world.hub, 20, wanted) == ["lead000000"]


def test_a_lead_that_was_merged_away_is_in_no_list() -> None:
    world, _ = world_with(2)
    at = world.clock()
    gone = Lead(
        lead_id="lead000000", version=2, created_at=at, updated_at=at, merged_into="lead000001"
    )
    world.table.plant(lead_item(gone, "test"))
    assert ids(world.hub, 10) == ["lead000001"]


def test_an_outcome_that_there_is_not_is_refused() -> None:
    with pytest.raises(Invalid, match="no such list"):
        list_deliveries(World().hub, "", "pending", 10)


def test_all_deliveries_of_very_many_sources_are_not_merged() -> None:
    world = World()
    source = world.config.sources["forms"]
    many = {f"s{number}": source for number in range(150)}
    crowded = World(config=with_config(world, sources=many))
    with pytest.raises(Invalid, match="too many"):
        list_deliveries(crowded.hub, "", "", 10)
    assert list_deliveries(crowded.hub, "s1", "", 10).entries == ()
    assert list_deliveries(crowded.hub, "", "accepted", 10).entries == ()


def test_a_list_shows_what_its_index_shows_even_while_that_lags() -> None:
    world, table = world_with(3)
    table.index_lag = 1
    lagging = replace(world.hub)
    plant(world, 3)
    assert ids(lagging, 2) == ["lead000002", "lead000001", "lead000000"]


def test_long_texts_are_cut_in_lists() -> None:
    world, _ = world_with(0)
    plant(world, 1, name="x" * 5000)
    (entry,) = list_leads(world.hub, ANY, 10).entries
    assert entry["name"] == "x" * 80


def test_a_lead_is_shown_as_it_stands_and_not_as_it_stood_when_it_was_listed() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", name="Zoë Quill", company="Example Mills"))
    world.settle()
    assert list_leads(world.hub, ANY, 10).entries
    world.table.index_lag = 99
    lead = world.lead()
    world.table.write(
        [
            Put(
                "lead",
                lead_item(lead.model_copy(update={"status": "qualified", "version": 99}), "w"),
            )
        ]
    )
    (entry,) = list_leads(world.hub, ANY, 10).entries
    assert (entry["name"], entry["email"], entry["company"]) == (
        "Zoë Quill",
        "zoe@example.com",
        "Example Mills",
    )
    assert (entry["status"], entry["state"]) == ("qualified", "owned")
    assert [one["owner"] for one in list_leads(world.hub, LeadFilter(entry["owner"]), 9).entries]


def test_a_lead_that_was_merged_away_since_it_was_listed_is_left_out() -> None:
    world, table = world_with(3)
    table.query_index("list", "LEADS#0")
    table.index_lag = 99
    for lead in world.leads()[:1]:
        gone = lead.model_copy(update={"merged_into": "lead000002", "version": 2})
        table.plant(lead_item(gone, "w"))
    assert len(list_leads(world.hub, ANY, 10).entries) == 2
