from typing import Any
from xml.etree import ElementTree

from bench.match_chart import chart

ROWS: list[dict[str, Any]] = [
    {"set": "people <3", "matcher": "ours", "merge": (1.0, 0.9, 0.947), "best": None},
    {"set": "people <3", "matcher": "other", "merge": (0.4, 0.8, 0.533), "best": (0.6, 0.7)},
    {"set": "firms", "matcher": "other", "merge": None, "best": None},
]


def test_a_chart_is_well_formed_and_tells_what_it_shows() -> None:
    drawn = ElementTree.fromstring(chart(ROWS))
    told = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"people <3", "ours", "other", "0.947", "0.533"} <= set(told)
    assert "firms" not in told


def test_a_longer_bar_is_a_better_score() -> None:
    drawn = ElementTree.fromstring(chart(ROWS))
    bars = list(drawn.iter("{http://www.w3.org/2000/svg}rect"))[1:]
    ours, other = (float(bar.attrib["width"]) for bar in bars)
    assert ours > other
