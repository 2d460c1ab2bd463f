"""Checks of the routing rules as a whole: every lead finds a rule and every rule finds leads."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.config.conditions import always_holds, find_example, implies, never_holds
from chalicelib.config.document import Path
from chalicelib.config.finding import Found
from chalicelib.config.model import Config, Owner, RoutingRule
from chalicelib.lead.conditions import evaluate
from chalicelib.lead.hours import DAYS, duty_intervals, find_zone

EVERY_WEEK: Mapping[str, Any] = {"absences": (), "country": ""}
"""What is left aside of an owner in a sample week: absences and holidays are no gap of the plan."""

SAMPLE_WEEKS = (date(2025, 1, 13), date(2025, 7, 14))
"""Mondays of a week in winter and one in summer, in which gaps between shifts are looked for."""


def check_order(config: Config) -> Iterator[Found]:
    """Look for leads that no rule takes, and for rules that no lead reaches."""
    rules = config.routing
    if not rules or not always_holds(rules[-1].when):
        message = "the last rule takes every lead: when: {all: []}; without it some have no owner"
        path: Path = ("routing", len(rules) - 1) if rules else ("routing",)
        yield Found(path, message, example=_unrouted_example(rules))
    for index, rule in enumerate(rules):
        path = ("routing", index, "when")
        if never_holds(rule.when):
            yield Found(path, "no lead ever fits", "warning")
            continue
        for earlier in rules[:index]:
            if implies(rule.when, earlier.when):
                message = f"the rule {earlier.id} stands before it and takes all its leads"
                yield Found(path, message, example=_in_words(find_example(rule.when)))
                break


def check_coverage(config: Config) -> Iterator[Found]:
    """Look for hours of the week at which a rule has nobody, not even by its fallback."""
    for index, rule in enumerate(config.routing):
        pools = [pool for pool in (rule.pool, rule.fallback) if pool in config.pools]
        takers = [owner for pool in pools for owner in find_takers(config, str(pool))]
        gap = _first_gap(config, takers) if takers else None
        if gap is not None:
            moment = f"{DAYS[gap.weekday()].capitalize()} {gap:%H:%M} UTC"
            yield Found(
                ("routing", index),
                f"nobody is on duty at every hour, not in its fallback either (as {moment})",
                "warning",
                f"a lead that comes {moment} waits in the unowned queue, and an alarm is raised",
            )


def find_takers(config: Config, pool_id: str) -> list[Owner]:
    """Give the owners of a pool who at some time take leads."""
    members = [member.owner for member in config.pools[pool_id].members]
    owners = [config.owners[owner_id] for owner_id in members if owner_id in config.owners]
    return [
        owner
        for owner in owners
        if owner.active
        and 0 not in (owner.daily_cap, owner.hourly_cap, owner.open_cap)
        and (not owner.hours or any(owner.hours.values()))
    ]


def _first_gap(config: Config, owners: Collection[Owner]) -> datetime | None:
    """Find when in the sample weeks none of the owners is on duty, absences left aside."""
    for monday in SAMPLE_WEEKS:
        reached = datetime.fromisoformat(f"{monday}T00:00+00:00")
        end = reached + timedelta(days=7)
        spans = sorted(
            interval
            for owner in owners
            if (zone := find_zone(owner, config.settings)) is not None
            for interval in duty_intervals(
                owner.model_copy(update=EVERY_WEEK), zone, monday - timedelta(days=1), 9
            )
        )
        for start, until in spans:
            if start > reached:
                break
            reached = max(reached, until)
        if reached < end:
            return reached
    return None


def _unrouted_example(rules: tuple[RoutingRule, ...]) -> str:
    facts = {"touch_count": 1, "score": 0, "fit": 0, "engagement": 0, "status": "new"}
    if any(evaluate(rule.when, facts).holds for rule in rules):
        return ""
    return "a lead of whom nothing is known and whose score is 0"


def _in_words(facts: Mapping[str, Any] | None) -> str:
    return "a lead with " + ", ".join(f"{k} {v}" for k, v in facts.items()) if facts else ""
