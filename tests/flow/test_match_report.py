"""How well matching does: expected, and measured on what people decided."""

from itertools import pairwise

import pytest

from chalicelib.cli.match_page import render
from chalicelib.flow.duplicates import decide, every_duplicate
from chalicelib.flow.match_report import Report, expected_at, measured_at, report
from chalicelib.flow.unmerge import unmerge
from tests.flow.match_scenes import ZOE, alike, asking, crowded, duplicate, write
from tests.world import World


@pytest.fixture(scope="module")
def of_many() -> Report:
    return report(crowded().hub)


def test_an_empty_hub_has_an_empty_report() -> None:
    found = report(World().hub)
    assert (found.leads, found.sampled, found.pairs, found.measured) == (0, 0, 0, ())
    assert "There are none." in render(found)


def test_a_report_tells_how_many_pairs_and_blocks_were_looked_at(of_many: Report) -> None:
    assert of_many.sampled == of_many.leads > 200
    assert of_many.pairs == sum(bar.pairs for bar in of_many.bars) + sum(of_many.held_back.values())
    assert of_many.blocks.read == sum(of_many.blocks.records.values()) > of_many.leads
    assert max(of_many.blocks.records) <= of_many.blocks.most


def test_a_higher_threshold_costs_recall_and_gains_precision() -> None:
    points = list(expected_at([0.999, 0.95, 0.6, 0.3, 0.06, 0.001]))
    assert [one.pairs for one in points] == sorted((one.pairs for one in points), reverse=True)
    for one, next_one in pairwise(points):
        assert one.precision <= next_one.precision
        assert one.recall >= next_one.recall
    assert points[0].recall > 0.99


def test_what_is_expected_is_the_mean_of_what_is_thought() -> None:
    (half,) = [one for one in expected_at([0.9, 0.7, 0.2]) if one.threshold == 0.5]
    assert half.precision == pytest.approx(0.8)
    assert half.recall == pytest.approx(1.6 / 1.8)


def test_what_people_decided_is_counted() -> None:
    labelled = [(0.95, True), (0.8, False), (0.3, True)]
    (half,) = [one for one in measured_at(labelled) if one.threshold == 0.5]
    assert (half.pairs, half.precision, half.recall) == (2, 0.5, 0.5)
    assert list(measured_at([])) == []


def test_decided_proposals_are_measured_as_they_ended() -> None:
    world = alike()
    found = duplicate(world)
    lead = decide(world.hub, found.one.lead_id, found.other.lead_id, "merged", "ann")
    told = report(world.hub)
    assert (told.decided_same, told.decided_apart) == (1, 0)
    assert told.measured
    unmerge(world.hub, lead.lead_id, lead.members[0], "ann", "two people")
    told = report(world.hub)
    assert (told.decided_same, told.decided_apart) == (0, 1)


def test_what_nobody_decided_is_not_measured() -> None:
    assert report(alike().hub).measured == ()


def test_a_report_writes_nothing() -> None:
    world = alike()
    before = world.table.scan()
    report(world.hub)
    assert world.table.scan() == before


def test_the_thresholds_of_the_configuration_are_told() -> None:
    assert report(asking(match=0.7).hub).limits["match"] == pytest.approx(0.7)


def test_the_page_needs_nothing_else_and_runs_nothing(of_many: Report) -> None:
    page = render(of_many)
    assert page.count("<svg") == 2
    for part in ("http", "<script", "url(", "@import", "onload"):
        assert part not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "prefers-color-scheme: dark" in page
    assert "viewport" in page


def test_what_strangers_wrote_is_text_on_the_page() -> None:
    world = asking()
    for number in (1, 2):
        name = "Zoe </td><script>alert(1)</script>"
        write(
            world, number, {**ZOE, "full_name": name, "email": f"zoe{number}@example{number}.com"}
        )
    assert list(every_duplicate(world.hub))
    found = report(world.hub)
    assert found.borderline
    hostile = found.borderline[0].model_copy(update={"because": "<script>alert(1)</script>"})
    page = render(found.model_copy(update={"borderline": (hostile,)}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
