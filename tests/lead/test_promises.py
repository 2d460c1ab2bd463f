"""Clocks of merged leads: order and grouping do not matter, and each gets its own back."""

import random
from datetime import UTC, datetime, timedelta

from chalicelib.lead.model import Assignment, Promise
from chalicelib.lead.promises import KINDS, apart_again, with_joint_clock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_promise(chance: random.Random, kind: str) -> Promise:
    due_at = NOON + timedelta(minutes=chance.choice((10, 20, 30)))
    kept = {"kept_at": NOON} if chance.random() < 0.3 else {"next_at": due_at}
    done = chance.randint(0, 2)
    return Promise.model_validate(
        {"kind": kind, "policy_id": "p", "since": NOON, "due_at": due_at, "done": done, **kept}
    )


def an_assignment(chance: random.Random, name: str) -> Assignment:
    kinds = [kind for kind in KINDS if chance.random() < 0.8]
    return Assignment(
        assignment_id=name,
        owner_id=name,
        pool_id="small",
        rule_id="r",
        assigned_at=NOON,
        clock=tuple(a_promise(chance, kind) for kind in kinds),
    )


def test_neither_order_nor_grouping_of_merges_matters() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        one, two, three = (an_assignment(chance, name) for name in "abc")
        whole = with_joint_clock(one, [two, three])
        assert whole == with_joint_clock(one, [three, two])
        assert whole == with_joint_clock(with_joint_clock(one, [two]), [three])
        assert whole.clock == with_joint_clock(three, [with_joint_clock(one, [two])]).clock
        assert whole.assignment_id == "a"


def test_the_whole_awaits_what_is_due_first() -> None:
    chance = random.Random(1)
    for _ in range(200):
        parts = [an_assignment(chance, name) for name in "ab"]
        whole = with_joint_clock(parts[0], parts[1:])
        for promise in whole.clock:
            known = [one for part in parts for one in part.clock if one.kind == promise.kind]
            waiting = [one.due_at for one in known if not one.kept_at]
            assert not waiting or (promise.due_at, promise.kept_at) == (min(waiting), None)


def test_of_two_that_are_due_at_once_the_one_whose_ladder_was_gone_further_counts() -> None:
    one = an_assignment(random.Random(5), "a")
    gone = tuple(promise.model_copy(update={"done": 3}) for promise in one.clock)
    other = one.model_copy(update={"assignment_id": "b", "clock": gone})
    assert gone
    assert with_joint_clock(one, [other]).clock == gone
    assert with_joint_clock(other, [one]).clock == gone


def test_what_only_a_merge_did_goes_back_and_what_was_done_since_stays() -> None:
    chance = random.Random(2)
    for _ in range(200):
        own, other = an_assignment(chance, "a"), an_assignment(chance, "b")
        whole = with_joint_clock(own, [other])
        assert apart_again(whole, own, whole) == own
        kept = tuple(one.model_copy(update={"kept_at": NOON}) for one in whole.clock)
        done = whole.model_copy(update={"clock": kept, "accepted_at": NOON})
        after = apart_again(whole, own, done)
        assert after.accepted_at == NOON
        assert {one.kind for one in after.clock} >= {one.kind for one in own.clock}
        changed = {new.kind for new, old in zip(kept, whole.clock, strict=True) if new != old}
        assert all(one.kept_at for one in after.clock if one.kind in changed)
