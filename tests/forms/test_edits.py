"""Sixty edits of forms, by shape of provider and language, with the right answer to each.

`python -m tests.forms.test_edits` prints the table that stands in bench/RESULTS.md.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.forms.edits import document, edits, play

HELD_OUT = [edit for edit in edits() if edit.get("held_out")]
OTHERS = [edit for edit in edits() if not edit.get("held_out")]
SEEDS = range(3)
"""Other people answer, other optional questions are left empty."""


def counted(wanted: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count the right answers, and how often each part of one was found."""
    found: Counter[str] = Counter()
    for edit in wanted:
        for seed in SEEDS:
            played = play(edit, seed)
            noticed = {one.change.key: one for one in played.noticed}
            found["before the edit"] += len(played.before)
            found["beside the edit"] += len(set(noticed) - {r["key"] for r in edit["right"]})
            for right in edit["right"]:
                one = noticed.get(right["key"])
                is_right = bool(one) and one is not None and _first(one) == right["field"]
                found["changes"] += 1
                found["within five"] += bool(one) and one is not None and one.after <= 5
                found["kind"] += one is not None and one.change.kind == right["kind"]
                found["first"] += is_right
                found["first three"] += one is not None and right["field"] in [
                    proposal.field for proposal in one.proposals[:3]
                ]
                if right["kind"] not in ("vanished", "options"):
                    found["to be mapped"] += 1
                    found["mapped right"] += is_right
    return found


def _first(one: Any) -> str:
    return str(one.proposals[0].field)


def share(found: Counter[str], part: str, whole: str = "changes") -> float:
    return found[part] / found[whole]


def test_there_are_sixty_edits_of_many_shapes_and_languages() -> None:
    assert (len(OTHERS), len(HELD_OUT)) == (40, 20)
    assert len({edit["name"] for edit in edits()}) == 60
    assert {edit["language"] for edit in edits()} == {"en", "de", "fr", "es"}
    assert len({edit["provider"] for edit in edits()}) >= 20
    kinds = {right["kind"] for edit in edits() for right in edit["right"]}
    assert kinds == {
        "new",
        "renamed",
        "relabelled",
        "retyped",
        "vanished",
        "split",
        "joined",
        "options",
    }


def test_people_are_made_up() -> None:
    for people in document()["people"].values():
        assert all(".example." in f".{m}" or "@example." in m for m in people["email"])


def test_edits_are_noticed_within_five_deliveries_and_nothing_else_is() -> None:
    for some in (OTHERS, HELD_OUT):
        found = counted(some)
        assert share(found, "within five") >= 0.97
        assert share(found, "kind") >= 0.93
        assert found["beside the edit"] <= 0.06 * found["changes"]
        assert found["before the edit"] <= 2


def test_the_first_proposal_is_mostly_right() -> None:
    assert share(counted(OTHERS), "first") >= 0.95


def test_the_first_proposal_is_mostly_right_for_edits_that_the_code_was_not_made_with() -> None:
    found = counted(HELD_OUT)
    assert share(found, "first") >= 0.82
    assert share(found, "first three") >= 0.9


@pytest.mark.parametrize("edit", edits(), ids=lambda edit: edit["name"])
def test_no_edit_ends_in_an_error_and_the_same_answers_give_the_same(edit: Any) -> None:
    assert play(edit) == play(edit)


def main() -> None:
    """Print how often the code was right."""
    parts = ("within five", "kind", "first", "first three")
    for name, some in (("made with", OTHERS), ("held out", HELD_OUT)):
        found = counted(some)
        told = ", ".join(f"{part} {share(found, part):.0%}" for part in parts)
        mapped = share(found, "mapped right", "to be mapped")
        print(f"{name}: {len(some)} edits, {found['changes']} changes: {told}")
        print(f"  where a field must be chosen: first {mapped:.0%} of {found['to be mapped']}")
        print(f"  noticed beside {found['beside the edit']}, before {found['before the edit']}")


if __name__ == "__main__":
    main()
