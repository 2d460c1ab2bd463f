"""Records: what is stored and under which key, and that it comes back as it was."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compact import grow, shrink
from chalicelib.lead.model import Lead, utc_text
from chalicelib.records import (
    Active,
    ActResult,
    Claim,
    Day,
    Delivery,
    Effect,
    Event,
    active_item,
    active_of,
    claim_item,
    claim_of,
    day_item,
    day_of,
    deliveries_list,
    delivery_item,
    delivery_of,
    digest,
    effect_item,
    effect_of,
    event_item,
    event_of,
    lead_item,
    lead_of,
    shard,
    summary_of,
    touch_sort_key,
    version_key,
)
from chalicelib.storage import Item
from tests.fakes import check_item
from tests.flow.scenes import a_world, ask
from tests.world import World, form

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DELIVERY = Delivery(
    delivery_id="d1", source_id="forms", connector="generic_json", received_at=NOW, raw=b"\x00\xff"
)
CLAIM = Claim(source_id="forms", external_id="1", version=1, delivery_id="d1", acted_at=NOW)
LEAD = Lead(lead_id="l1", version=3, created_at=NOW, updated_at=NOW)
EFFECT = Effect(
    effect_id="e1", lead_id="l1", destination_id="mail", kind="assigned", created_at=NOW
)
EVENT = Event(event_id="e", kind="merged", at=NOW, actor="hub", text="x", before={"l2": {"a": [1]}})
ACTIVE = Active(number=1, hash="h", version=2, off={"ann": ""})
DAY = Day(owner_id="ann", day="2026-11-23", taken=3, version=3)


@pytest.mark.parametrize(
    ("model", "item", "back"),
    [
        (DELIVERY, delivery_item(DELIVERY, "w"), delivery_of),
        (CLAIM, claim_item(CLAIM, "w"), claim_of),
        (LEAD, lead_item(LEAD, "w"), lead_of),
        (EFFECT, effect_item(EFFECT, "w"), effect_of),
        (EVENT, event_item("l1", EVENT, "w"), event_of),
        (ACTIVE, active_item(ACTIVE, "w"), active_of),
        (DAY, day_item(DAY, "w"), day_of),
    ],
)
def test_what_is_stored_comes_back_as_it_was(
    model: Any, item: Item, back: Callable[[Item], Any]
) -> None:
    assert back(item) == model
    assert item["writer"] == "w"
    check_item(item)


def test_every_item_of_a_busy_hub_names_its_kind_its_writer_and_its_version() -> None:
    world = a_world()
    for number in range(3):
        ask(world, "forms", form(number, "zoe@example.com", seats="250"))
    ask(world, "forms", b"{")
    ask(world, "forms", form(9, "yan@example.com", topic="night"))
    world.settle()
    for item in world.table.scan():
        assert {"kind", "writer", "version"} <= set(item), item["pk"]
        check_item(item)


def test_an_unfinished_delivery_is_due_and_a_finished_one_is_listed() -> None:
    waiting = delivery_item(DELIVERY.model_copy(update={"due_at": NOW}), "w")
    assert waiting["due_at"] == "2026-11-23T09:00:00.000Z"
    assert "list_pk" not in waiting
    done = DELIVERY.model_copy(
        update={
            "outcome": "accepted",
            "results": {"0": ActResult(outcome="accepted", lead_id="l1")},
        }
    )
    item = delivery_item(done, "w")
    assert "due_at" not in item
    assert (item["list_pk"], item["list_sk"]) == (
        deliveries_list("forms", "accepted"),
        "2026-11-23T09:00:00.000Z#d1",
    )
    assert summary_of(item)["leads"] == ["l1"]


def test_a_lead_that_was_merged_away_is_in_no_list() -> None:
    item = lead_item(LEAD.model_copy(update={"merged_into": "l0"}), "w")
    assert not {"list_pk", "owner_pk"} & set(item)


def test_only_effects_that_wait_are_due_and_only_quarantined_ones_are_listed() -> None:
    assert "list_pk" not in effect_item(EFFECT, "w")
    assert "due_at" in effect_item(EFFECT.model_copy(update={"due_at": NOW}), "w")
    aside = EFFECT.model_copy(update={"state": "quarantined", "reason": "r" * 300})
    item = effect_item(aside, "w")
    assert item["list_pk"] == "EFFECTS#quarantined"
    assert len(summary_of(item)["reason"]) == 200


def test_a_packed_lead_takes_little_room() -> None:
    world: World = a_world()
    ask(world, "forms", form(1, "zoe@example.com", message="Please call me. " * 100))
    world.settle()
    sizes = {item["kind"]: len(item["data"]) for item in world.table.scan() if "data" in item}
    assert sizes["lead"] < 1000
    assert sizes["claim"] < 400


def test_times_sort_as_text_in_whatever_zone_they_were_said() -> None:
    early = datetime(2026, 11, 23, 9, 0, 0, 5000, tzinfo=UTC)
    late = datetime(2026, 11, 23, 4, 0, 1, tzinfo=timezone(timedelta(hours=-5)))
    assert utc_text(early) == "2026-11-23T09:00:00.005Z"
    assert touch_sort_key(early, "b") < touch_sort_key(late, "a")


def test_versions_of_the_configuration_sort_as_numbers() -> None:
    assert version_key(9)[1] < version_key(10)[1] < version_key(12345678)[1]


@given(st.text(min_size=1, max_size=80))
def test_an_id_always_falls_into_the_same_shard(text: str) -> None:
    if text.isprintable():
        assert shard(text) == shard(text)
        assert 0 <= shard(text) < 4


def test_ids_spread_over_the_shards() -> None:
    assert {shard(f"lead-{number}") for number in range(50)} == {0, 1, 2, 3}


def test_a_digest_tells_parts_apart_and_is_the_same_in_every_process() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("lead", "1") == digest("lead", "1")
    assert len(digest("x")) == 26


def test_old_code_reads_what_newer_code_wrote() -> None:
    item = dict(lead_item(LEAD, "w"))
    newer = {**json.loads(grow(item["data"])), "of_tomorrow": {"x": 1}}
    item["data"] = shrink(json.dumps(newer).encode())
    assert lead_of(item) == LEAD
