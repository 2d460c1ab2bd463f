"""The hourly watch: counting, silence, handshakes, subscriptions, tokens; alarmed once each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.errors import Conflict, Refused, TryLater
from chalicelib.flow.catch_up import catch_up, ensure, work_on
from chalicelib.flow.sources import report, sources
from chalicelib.flow.watch import Watch, watch, watch_key, watch_of
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.records import LONG_WORK, Delivery, delivery_item
from chalicelib.silence import HOUR
from tests.flow.scenes import a_world, ask, changed, reconfigure
from tests.world import World, form, linkedin

UUID = "3f1c9a54-6f0b-4a0e-9a1e-0d6b7c5e2f10"


@dataclass
class Watched:
    """A world, what was alarmed in it, and an hour that passes."""

    world: World = field(default_factory=a_world)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    sources: tuple[str, ...] = ("forms",)

    @property
    def hub(self) -> Hub:
        return replace(self.world.hub, alarm=self.alarm)

    def alarm(self, kind: str, ids: Mapping[str, str]) -> None:
        self.alarms.append((kind, ids["source"]))

    def begin(self) -> None:
        """Let the first watches begin; other long work is left alone."""
        ensure(self.hub)
        self.look(hours=0)

    def look(self, times: int = 1, hours: float = 1) -> None:
        """Let hours pass, with a look at each source that is due."""
        for _ in range(times):
            self.world.clock.advance(hours=hours)
            now = utc_text(self.world.clock())
            for source_id in self.sources:
                item = self.world.table.get(watch_key(source_id))
                if item and item.get("due_at", "~") <= now:
                    assert work_on(self.hub, item)

    def state(self, source_id: str = "forms") -> Watch:
        item = self.world.table.get(watch_key(source_id))
        assert item
        return watch_of(item)

    def came(self, *hours_ago: float, source_id: str = "forms", **more: Any) -> None:
        """Let deliveries have come so many hours ago, all processed."""
        for one in hours_ago:
            at = self.world.clock() - timedelta(hours=one)
            delivery = Delivery(
                delivery_id=self.world.ids(),
                source_id=source_id,
                connector="generic_json",
                received_at=at,
                **{"outcome": "accepted", **more},
            )
            self.world.table.plant(delivery_item(delivery, "test"))


def busy(days: int = 60, hours: float = 2.0) -> Watched:
    """Give a source to which something came every so many hours until now, watched since."""
    here = Watched()
    here.came(*[hours * n for n in range(1, int(days * 24 / hours))])
    here.begin()
    here.look()
    return here


# --- that it runs ---------------------------------------------------------------------------------


def test_every_source_is_watched_every_hour() -> None:
    here = Watched()
    catch_up(here.hub)
    for source_id in here.world.config.sources:
        item = here.world.table.get(watch_key(source_id))
        assert item
        assert item["due_shard"] == LONG_WORK
        due_at = datetime.fromisoformat(item["due_at"])
        assert due_at - here.world.clock() == HOUR
    before = here.state()
    here.look(hours=0.5)
    assert here.state() == before
    here.look(hours=0.5)
    assert here.state().watched_since == before.watched_since


def test_watching_costs_no_write_when_a_lead_comes() -> None:
    here = Watched()
    here.begin()
    commits = len(here.world.table.commits)
    here.world.send("forms", form(1, "zoe@example.com"))
    here.world.settle()
    written = {put.name for puts in here.world.table.commits[commits:] for put in puts}
    assert not {name for name in written if "watch" in name or "count" in name}


def test_a_look_that_comes_twice_counts_nothing_twice() -> None:
    here = busy()
    item = here.world.table.get(watch_key("forms"))
    assert item
    watch(here.hub, item)
    after = here.state()
    with pytest.raises(Conflict):
        watch(here.hub, item)
    assert here.state() == after
    again = here.world.table.get(watch_key("forms"))
    assert again
    watch(here.hub, again)
    assert here.state().counts == after.counts


def test_a_source_that_is_gone_is_watched_no_more_and_again_when_it_is_back() -> None:
    here = busy()
    whole = here.world.config
    fewer = {name: one for name, one in whole.sources.items() if name != "forms"}
    reconfigure(here.world, whole.model_copy(update={"sources": fewer}))
    ensure(here.hub)
    here.look()
    item = here.world.table.get(watch_key("forms"))
    assert item
    assert "due_at" not in item
    reconfigure(here.world, whole)
    ensure(here.hub)
    here.look()
    assert here.state().watched_since
    assert len(here.state().counts) > 600


# --- counting -------------------------------------------------------------------------------------


def test_deliveries_are_counted_by_hour_whatever_became_of_them() -> None:
    here = Watched()
    here.came(5.2, 5.5, 3.1)
    here.came(4.1, outcome="duplicate")
    here.came(2.1, outcome="quarantined")
    here.begin()
    state = here.state()
    assert state.first_hour == here.world.clock() - 6 * HOUR
    assert state.counts == (2, 1, 1, 1, 0, 0, 0)[:7]
    assert state.last_at == here.world.clock() - timedelta(hours=2.1)


def test_what_a_providers_list_brought_in_does_not_hide_a_dead_webhook() -> None:
    here = Watched()
    here.came(5.5)
    here.came(1.5, is_listed=True)
    here.begin()
    assert sum(here.state().counts) == 1
    assert here.state().last_at == here.world.clock() - timedelta(hours=5.5)


def test_a_delivery_that_is_not_processed_yet_has_come_all_the_same() -> None:
    here = Watched()
    ask(here.world, "forms", form(1, "zoe@example.com"))
    here.begin()
    assert here.state().last_at == here.world.clock()
    assert sum(here.state().counts) == 0
    here.world.settle()
    here.look()
    assert sum(here.state().counts) == 1


def test_hours_are_counted_again_for_outcomes_that_come_late() -> None:
    here = Watched()
    here.came(3.5)
    here.begin()
    here.came(2.5)
    here.look()
    assert sum(here.state().counts) == 2
    here.look(10)
    assert sum(here.state().counts) == 2


def test_half_a_year_of_hours_is_kept_in_one_small_item() -> None:
    here = busy(25, hours=0.5)
    item = here.world.table.get(watch_key("forms"))
    assert item
    assert len(item["data"]) < 2000


# --- silence --------------------------------------------------------------------------------------


def test_a_silence_is_alarmed_once_and_again_when_it_recurs() -> None:
    here = busy()
    here.look(60)
    assert here.alarms == [("silent", "forms")]
    assert "nothing has come since" in here.state().troubles["silent"].text
    here.came(0.5)
    here.look()
    assert here.state().troubles == {}
    here.came(*[2.0 * n for n in range(12)])
    here.look()
    assert here.alarms == [("silent", "forms")]
    here.look(80)
    assert here.alarms == [("silent", "forms")] * 2


def test_a_silence_stays_one_however_long_it_lasts() -> None:
    here = busy()
    here.look(60)
    here.look(40, hours=7 * 24)
    assert here.alarms == [("silent", "forms")]
    assert "silent" in here.state().troubles


def test_the_time_of_a_silence_is_not_learned_from() -> None:
    here = busy()
    here.look(24 * 10)
    here.came(0.5)
    here.look()
    (silent,) = here.state().silences
    assert silent[1] - silent[0] > timedelta(days=9)
    assert report(here.hub, "forms").usual_a_day > 10


def test_nothing_is_alarmed_of_a_source_that_was_never_used() -> None:
    here = Watched()
    here.begin()
    here.look(24 * 30)
    assert here.alarms == []


def test_a_source_that_is_switched_off_is_not_silent_and_begins_anew_when_it_is_on() -> None:
    here = busy()
    reconfigure(here.world, changed(here.world.config, "sources", "forms", enabled=False))
    here.look(24 * 5)
    assert here.alarms == []
    reconfigure(here.world, here.world.config)
    here.look(6)
    assert here.alarms == []
    (off,) = here.state().silences
    assert off[1] - off[0] > timedelta(days=4)
    here.look(60)
    assert here.alarms == [("silent", "forms")]


def test_while_the_hub_itself_is_behind_no_source_is_called_silent() -> None:
    here = busy()
    for number in range(500):
        delivery = Delivery(
            delivery_id=here.world.ids(),
            source_id="events",
            connector="generic_json",
            received_at=here.world.clock(),
            due_at=here.world.clock() + timedelta(minutes=number % 5),
        )
        here.world.table.plant(delivery_item(delivery, "test"))
    here.look(60)
    assert here.alarms == []


def test_the_alarm_goes_first_so_a_look_that_dies_alarms_twice_rather_than_never() -> None:
    here = busy()
    here.world.clock.advance(hours=60)
    item = here.world.table.get(watch_key("forms"))
    assert item
    stale = {**item, "version": 10**6}
    with pytest.raises(Conflict):
        watch(here.hub, stale)
    watch(here.hub, item)
    assert here.alarms == [("silent", "forms")] * 2


# --- handshakes -----------------------------------------------------------------------------------


def shaken() -> Watched:
    here = Watched(sources=("linkedin", "meta"))
    here.begin()
    return here


def shake(here: Watched, code: str = UUID) -> int:
    return ask(here.world, "linkedin", method="GET", query={"challengeCode": code}).status


def test_a_handshake_that_is_missed_is_alarmed_until_it_comes_again() -> None:
    here = shaken()
    for _ in range(4):
        assert shake(here) == 200
        here.look(2)
    assert here.alarms == []
    here.look(4)
    assert here.alarms == [("handshake", "linkedin")]
    shake(here)
    here.look()
    assert here.state("linkedin").troubles == {}


def test_a_provider_that_never_shook_hands_misses_none() -> None:
    here = shaken()
    here.look(48)
    assert here.alarms == []


def test_a_failed_handshake_is_alarmed_and_a_good_one_ends_it() -> None:
    here = shaken()
    query = {"hub.mode": "subscribe", "hub.verify_token": "other", "hub.challenge": "1158201444"}
    assert ask(here.world, "meta", method="GET", query=query).status == 403
    here.look()
    assert here.alarms == [("handshake", "meta")]
    right = {**query, "hub.verify_token": "meta-secret-0123456789abcd"}
    assert ask(here.world, "meta", method="GET", query=right).status == 200
    here.world.clock.advance(seconds=1)
    here.look()
    assert here.state("meta").troubles == {}


def test_somebody_who_only_opens_the_address_is_no_failed_handshake() -> None:
    here = shaken()
    assert ask(here.world, "meta", method="GET").status == 400
    assert shake(here, "hello") == 400
    here.look()
    assert here.alarms == []


def test_being_answered_does_not_depend_on_noting_the_handshake() -> None:
    here = shaken()
    assert shake(here) == 200
    here.world.table.is_down = True
    assert shake(here) == 200


# --- subscriptions and tokens ---------------------------------------------------------------------

HOOKS = "/forms/f1/webhooks"


def survey(enabled: bool = True, **more: Any) -> Watched:
    """Give a Typeform source whose provider is asked."""
    here = Watched(sources=("survey",))
    source = {"token": "tokens/survey", "options": {"forms": ["f1"]}, **more}
    config = changed(here.world.config, "sources", "survey", **source)
    here.world.config = config
    here.world.secrets.values["tokens/survey"] = ("survey-token",)
    reconfigure(here.world, config)
    says(here, enabled)
    ensure(here.hub)
    return here


def says(here: Watched, enabled: bool) -> None:
    hook = {"url": "https://hub.example.com/hooks/survey", "enabled": enabled}
    here.world.web.pages[HOOKS] = {"items": [hook]}


def test_a_subscription_that_is_lost_is_alarmed_until_it_is_back() -> None:
    here = survey()
    here.look()
    asked = here.state("survey").asked
    assert asked
    assert asked.is_active
    says(here, enabled=False)
    here.look(20)
    assert here.alarms == []
    here.look(10)
    assert here.alarms == [("subscription", "survey")]
    says(here, enabled=True)
    here.look(30)
    assert here.state("survey").troubles == {}
    assert here.alarms == [("subscription", "survey")]


def test_a_provider_is_asked_once_a_day() -> None:
    here = survey()
    here.look(48)
    assert len(here.world.web.asked) == 2


def test_a_token_that_is_refused_is_alarmed() -> None:
    here = survey()
    here.world.web.pages[HOOKS] = Refused("Typeform answered 401")
    here.look()
    assert here.alarms == [("token", "survey")]
    assert "401" in here.state("survey").troubles["token"].text


def test_a_provider_that_is_busy_is_asked_again_in_an_hour() -> None:
    here = survey()
    here.world.web.pages[HOOKS] = TryLater("busy")
    here.look(3)
    assert len(here.world.web.asked) == 3
    assert here.alarms == []


def test_an_answer_of_another_shape_is_no_alarm_and_is_shown() -> None:
    here = survey()
    here.world.web.pages[HOOKS] = {"things": []}
    here.look()
    asked = here.state("survey").asked
    assert asked
    assert asked.is_active is None
    assert "items is missing" in asked.detail
    assert here.alarms == []


@pytest.mark.parametrize(("days", "is_told"), [(15, False), (13, True)])
def test_a_secret_that_ends_is_told_of_two_weeks_before(days: int, is_told: bool) -> None:
    here = Watched(sources=("signed",))
    here.begin()
    here.world.secrets.ends["crm"] = here.world.clock() + timedelta(days=days)
    here.look()
    assert here.alarms == ([("token", "signed")] if is_told else [])


@pytest.mark.parametrize(("refresh", "is_told"), [("", True), ("renews", False)])
def test_a_grant_that_ends_is_told_of_unless_it_renews_itself(refresh: str, is_told: bool) -> None:
    here = survey()
    grant = {
        "access_token": "t",
        "refresh_token": refresh,
        "expires_at": (here.world.clock() + timedelta(days=5)).isoformat(),
    }
    here.world.secrets.values["tokens/survey"] = (json.dumps(grant),)
    here.look()
    assert here.alarms == ([("token", "survey")] if is_told else [])


# --- told -----------------------------------------------------------------------------------------


def lines(here: Watched, source_id: str = "forms") -> str:
    return "\n".join(report(here.hub, source_id).lines)


def test_a_report_compares_what_came_with_what_is_usual() -> None:
    here = busy()
    found = report(here.hub, "forms")
    day, week = found.volumes
    assert (day.came, day.verdict) == (11, "usual") or (day.came, day.verdict) == (12, "usual")
    assert 9 < day.expected < 14
    assert week.verdict == "usual"
    assert found.alarm_at
    assert "are usual." in lines(here)
    assert "is alarmed after" in lines(here)


def test_a_report_needs_no_watch_that_has_run() -> None:
    here = Watched()
    here.came(*[2.0 * n for n in range(1, 300)])
    assert report(here.hub, "forms").usual_a_day > 8


def test_an_unused_source_says_what_to_do() -> None:
    here = Watched()
    assert "Nothing has ever come" in lines(here)
    assert "hub source test forms" in lines(here)
    assert {one.state for one in sources(here.hub) if one.source_id == "forms"} == {"unused"}


def test_trouble_is_told_first_and_marks_the_source() -> None:
    here = busy()
    here.look(60)
    assert lines(here).startswith("TROUBLE (silent), for ")
    (state,) = [one.state for one in sources(here.hub) if one.source_id == "forms"]
    assert state == "trouble"


def test_refusals_are_told_with_what_to_do() -> None:
    here = Watched()
    ask(here.world, "forms", b"{}", secret="another")
    assert "1 unverified" in lines(here)
    assert "-> the secret here and the one at the provider differ" in lines(here)


def test_a_notice_of_a_lead_is_a_delivery_like_any_other() -> None:
    here = Watched(sources=("linkedin",))
    here.world.send("linkedin", linkedin(1))
    here.world.settle()
    here.begin()
    assert sum(here.state("linkedin").counts) == 1
