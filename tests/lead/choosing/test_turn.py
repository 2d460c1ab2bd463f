"""A turn in a pool: cover, strategies and lots, and that each can be made again."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.config.model import Config
from chalicelib.lead.choosing.cover import cover_of, covered
from chalicelib.lead.choosing.strategies import Closed, Known
from chalicelib.lead.choosing.turn import choose_again, seed_of, take_turn, what_is_kept
from chalicelib.lead.model import Decision, Verdict
from chalicelib.lead.rotation import LEAD, Choice, Ledger, take_beside

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTHING = Known()
AWAY = {"first": "2026-03-01", "last": "2026-03-05"}


def configured(owners: dict[str, dict[str, Any]], **pool: Any) -> Config:
    return Config.model_validate(
        {
            "owners": {
                key: {"name": key, "email": f"{key}@example.com", **more}
                for key, more in owners.items()
            },
            "pools": {"p": {"members": [{"owner": key} for key in owners], **pool}},
        }
    )


def able(*owner_ids: str, without: str = "") -> dict[str, Verdict]:
    return {
        key: Verdict(
            candidate=key,
            is_eligible=key != without,
            because="switched off" if key == without else "can take leads now",
        )
        for key in owner_ids
    }


def turn(
    config: Config,
    verdicts: dict[str, Verdict],
    known: Known = NOTHING,
    ledger: Ledger | None = None,
    lead_id: str = "l1",
) -> Choice:
    ledger = ledger or Ledger(pool_id="p")
    choice = take_turn(config, "p", ledger, verdicts, known, NOW, seed_of(lead_id, 1))
    assert choice is not None
    assert choice_of(decided(config, choice, verdicts, known, ledger, lead_id), config) == choice
    return choice


def decided(
    config: Config,
    choice: Choice,
    verdicts: dict[str, Verdict],
    known: Known,
    ledger: Ledger,
    lead_id: str,
) -> Decision:
    """Make the decision that would be stored, and read it back."""
    accounts = {key: one.model_dump(exclude_defaults=True) for key, one in ledger.accounts.items()}
    decision = Decision(
        kind="route",
        decided_at=NOW,
        config_hash="",
        code="",
        inputs={
            "lead_id": lead_id,
            "version": 1,
            "pool": "p",
            "decided": ledger.decided,
            "accounts": accounts,
            **what_is_kept(config.pools["p"], verdicts, known),
        },
        candidates=choice.verdicts,
        result=choice.owner_id,
        because=choice.because,
    )
    return Decision.model_validate_json(decision.model_dump_json())


def choice_of(decision: Decision, config: Config) -> Choice | None:
    """Make it again; words and the ledger's version are not kept."""
    again = choose_again(decision, config)
    if again is None:
        return None
    version = decision.inputs["decided"] + 1
    return again.model_copy(
        update={
            "verdicts": decision.candidates,
            "ledger": again.ledger.model_copy(update={"version": version}),
        }
    )


def told(choice: Choice) -> dict[str, str]:
    return {one.candidate: one.because for one in choice.verdicts}


# --- cover ----------------------------------------------------------------------------------------


def test_who_stands_in_gets_what_the_absent_would_have_had() -> None:
    config = configured({"ana": {"absences": [{**AWAY, "cover": "cem"}]}, "ben": {}, "cem": {}})
    pool, covers = covered(config, "p", NOW)
    assert {one.owner: one.weight for one in pool.members} == {"ana": 1, "ben": 1, "cem": 2}
    assert covers == {"cem": ("ana",)}
    ledger, given = Ledger(pool_id="p"), Counter[str]()
    for _ in range(30):
        choice = turn(config, able("ana", "ben", "cem", without="ana"), ledger=ledger)
        ledger = choice.ledger
        given[choice.owner_id] += 1
    assert given == {"ben": 10, "cem": 20}
    assert told(choice)["cem"].startswith("can take leads now, also for ana; ")


def test_who_stands_in_need_not_be_a_member() -> None:
    config = configured({"ana": {"absences": [{**AWAY, "cover": "dee"}]}, "ben": {}, "dee": {}})
    members = config.pools["p"].members[:2]
    pools = {"p": config.pools["p"].model_copy(update={"members": members})}
    config = config.model_copy(update={"pools": pools})
    choice = turn(config, able("ana", "dee", without="ana"))
    assert choice.owner_id == "dee"


@pytest.mark.parametrize(
    ("absences", "expected"),
    [
        ({"ana": "ben"}, "ben"),
        ({"ana": "ben", "ben": "cem"}, "cem"),
        ({"ana": "ben", "ben": ""}, ""),
        ({"ana": "ben", "ben": "ana"}, ""),
        ({"ana": "ana"}, ""),
        ({"ana": "gone"}, ""),
        ({"ana": ""}, ""),
        ({}, ""),
    ],
)
def test_cover_is_followed_to_somebody_who_is_there(
    absences: dict[str, str], expected: str
) -> None:
    owners = {
        key: {"absences": [{**AWAY, "cover": absences[key]}] if key in absences else []}
        for key in ("ana", "ben", "cem")
    }
    assert cover_of(configured(owners), "ana", NOW) == expected


# --- strategies -----------------------------------------------------------------------------------


def test_the_least_loaded_is_measured_against_what_is_a_full_load() -> None:
    config = configured(
        {"ana": {"capacity": 10}, "ben": {"capacity": 40}, "cem": {}}, strategy="least_loaded"
    )
    choice = turn(
        config,
        able("ana", "ben", "cem", without="cem"),
        Known(loads={"ana": 5, "ben": 12}),
    )
    assert choice.owner_id == "ben"
    assert told(choice)["ana"] == "has 5 open of 10, and others are less loaded"
    assert told(choice)["cem"] == "switched off"


def test_among_the_equally_loaded_the_ledger_decides() -> None:
    config = configured({"ana": {}, "ben": {}}, strategy="least_loaded")
    first = turn(config, able("ana", "ben"))
    second = turn(config, able("ana", "ben"), ledger=first.ledger)
    assert {first.owner_id, second.owner_id} == {"ana", "ben"}


@pytest.mark.parametrize(
    ("score", "expected"), [(95, {"cem"}), (60, {"ben", "cem"}), (10, {"ana"}), (0, {"ana"})]
)
def test_the_score_asks_for_a_seniority(score: int, expected: set[str]) -> None:
    levels = [
        {"score": 0, "most": 2},
        {"score": 50, "least": 4},
        {"score": 90, "least": 8},
    ]
    owners = {"ana": {"seniority": 1}, "ben": {"seniority": 4}, "cem": {"seniority": 7}}
    config = configured(owners, strategy="experience", levels=levels)
    choice = turn(config, able(*owners), Known(score=score))
    assert {one.candidate for one in choice.verdicts if one.is_eligible} == expected


def test_if_nobody_has_the_seniority_it_goes_to_who_comes_nearest() -> None:
    levels = [{"score": 0, "least": 5, "most": 5}]
    owners = {"ana": {"seniority": 1}, "ben": {"seniority": 3}}
    config = configured(owners, strategy="experience", levels=levels)
    choice = turn(config, able(*owners))
    assert choice.owner_id == "ben"
    assert told(choice)["ana"] == "seniority 1, score 0 asks for 5, and others come nearer"


def shares_of(config: Config, closed: dict[str, Closed], leads: int = 400) -> Counter[str]:
    ledger, given = Ledger(pool_id="p"), Counter[str]()
    for number in range(leads):
        choice = turn(
            config,
            able(*config.owners),
            Known(closed=closed),
            ledger,
            f"l{number}",
        )
        ledger = choice.ledger
        given[choice.owner_id] += 1
    return given


def test_who_wins_more_gets_more_and_the_floor_is_kept() -> None:
    config = configured({"ana": {}, "ben": {}}, strategy="performance", floor=0.5)
    given = shares_of(config, {"ana": Closed(won=200), "ben": Closed(lost=200)})
    assert given["ben"] >= 100
    assert given["ana"] > 280


def test_with_little_known_everybody_gets_about_the_same() -> None:
    config = configured({"ana": {}, "ben": {}}, strategy="performance", floor=0)
    given = shares_of(config, {"ana": Closed(won=1), "ben": Closed(lost=1)}, 100)
    assert 45 <= given["ben"] <= given["ana"] <= 55


def test_a_floor_of_one_is_turns_by_weight() -> None:
    config = configured({"ana": {}, "ben": {}}, strategy="performance", floor=1)
    assert shares_of(config, {"ana": Closed(won=50)}, 20) == {"ana": 10, "ben": 10}


# --- by lot ---------------------------------------------------------------------------------------


def test_a_tie_is_drawn_by_lot_and_each_ones_chance_is_told() -> None:
    owners: dict[str, dict[str, Any]] = {key: {} for key in ("ana", "ben", "cem", "dea")}
    config = configured(owners, draw=0)
    given = Counter[str]()
    for number in range(400):
        choice = turn(config, able(*owners, without="dea"), lead_id=f"l{number}")
        given[choice.owner_id] += 1
        assert choice.chances == {"ana": 0.333333, "ben": 0.333333, "cem": 0.333333}
    assert set(given) == {"ana", "ben", "cem"}
    assert min(given.values()) > 100
    assert choice.because == f"{choice.owner_id} was drawn by lot among 3 of 3 who could take it"


def test_with_no_tie_there_is_no_lot() -> None:
    config = configured({"ana": {}, "ben": {}}, draw=0)
    first = turn(config, able("ana", "ben"))
    second = turn(config, able("ana", "ben"), ledger=first.ledger)
    assert second.chances == {second.owner_id: 1}
    assert second.owner_id != first.owner_id


def test_a_band_lets_the_lot_decide_more_often_and_keeps_the_promise() -> None:
    owners: dict[str, dict[str, Any]] = {key: {} for key in ("ana", "ben", "cem")}
    config = configured(owners, draw=0.5)
    ledger, drawn = Ledger(pool_id="p"), 0
    for number in range(300):
        choice = turn(config, able(*owners), ledger=ledger, lead_id=f"l{number}")
        ledger = choice.ledger
        drawn += len(choice.chances) > 1
        assert sum(choice.chances.values()) == pytest.approx(1, abs=1e-5)
        assert all(abs(one.balance) <= LEAD for one in ledger.accounts.values())
        assert sum(one.balance for one in ledger.accounts.values()) == 0
    assert drawn > 150


# --- out of turn ----------------------------------------------------------------------------------


def test_a_lead_out_of_turn_leaves_every_turn_as_it_was() -> None:
    config = configured({"ana": {}, "ben": {}})
    first = turn(config, able("ana", "ben"))
    beside = take_beside(first.ledger, "ana")
    assert beside.accounts["ana"].balance == first.ledger.accounts["ana"].balance
    assert (beside.accounts["ana"].beside, beside.decided) == (1, 2)
    after = turn(config, able("ana", "ben"), ledger=beside)
    assert after.owner_id != first.owner_id
