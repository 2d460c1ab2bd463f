"""The sample configuration: fit to publish, at any hour, and telling the story it should."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.config.checks import check
from chalicelib.config.document import dump_yaml, load, parse_yaml
from chalicelib.config.model import Config
from chalicelib.connector import CLOSED
from chalicelib.flow.check import closed_sources
from chalicelib.lead.model import CleanValue, Lead, ProfileValue, Touch
from chalicelib.lead.routing import Ledger, choose, eligibility, pick_rule
from chalicelib.lead.scoring import score

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def text() -> str:
    return files("chalicelib.config").joinpath("sample.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def config(text: str) -> Config:
    return load(text)


def test_the_sample_has_no_findings(text: str, config: Config) -> None:
    _, lines = parse_yaml(text)
    found = check(config, registry.names(), None, lines, closed=closed_sources(config))
    assert found == []


def test_the_sample_has_one_source_of_each_connector(config: Config) -> None:
    assert sorted(source.connector for source in config.sources.values()) == registry.names()


def test_every_source_of_the_sample_has_a_secret_of_its_own(config: Config) -> None:
    posted = [s for s in config.sources.values() if registry.load(s.connector).signature != CLOSED]
    assert all(source.secret for source in posted)
    assert len({source.secret for source in posted}) == len(posted)


def test_every_option_of_the_sample_is_one_of_its_connector(config: Config) -> None:
    for source_id, source in config.sources.items():
        connector = registry.load(source.connector)
        assert source.options.keys() <= connector.options.keys(), source_id
        assert connector.signature_for(connector.options_with(source.options)), source_id


def test_the_sample_survives_being_written_and_read(config: Config) -> None:
    assert load(dump_yaml(config)) == config


def test_the_sample_names_no_address_that_could_be_somebodys(text: str) -> None:
    words = [word.strip(".,()[]\"'{}<>") for word in text.split()]
    for word in words:
        if "@" in word or "://" in word:
            host = word.rpartition("@")[2].removeprefix("https://").partition("/")[0]
            assert host.endswith(("example.com", "example.org")), word


def arrive(config: Config, source_id: str, now: datetime, **more: Any) -> tuple[Lead, str]:
    """Give a person's lead after one touch, and the rule that picks its pool."""
    email = more.pop("email", "maren@northwind.example.com")
    contact = {"email": email, **more.pop("contact", {})}
    custom = more.pop("custom", {})
    touch = Touch(
        touch_id="t1",
        source_id=source_id,
        connector=config.sources[source_id].connector,
        external_id="e1",
        delivery_id="d1",
        submitted_at=now,
        received_at=now,
        contact={key: CleanValue(value=value, raw=value) for key, value in contact.items()},
        custom=custom,
    )
    lead = Lead(
        lead_id="l1",
        version=1,
        created_at=now,
        updated_at=now,
        profile={k: ProfileValue(value=v, touch_id="t1", at=now) for k, v in contact.items()},
        custom={k: ProfileValue(value=v, touch_id="t1", at=now) for k, v in custom.items()},
        **more,
    )
    lead = lead.model_copy(update={"score": score(lead, [touch], config.scoring, now)})
    rule, _ = pick_rule(lead, config, "hash", "1", now)
    assert rule is not None
    return lead, rule.id


def test_a_large_company_that_asks_for_a_quote_is_hot(config: Config) -> None:
    lead, rule_id = arrive(
        config, "website", MONDAY, custom={"company_size": 250, "enquiry": "quote"}
    )
    assert (lead.score.total, rule_id) == (65, "hot")


def test_a_small_company_that_asks_for_a_demo_is_promising(config: Config) -> None:
    lead, rule_id = arrive(config, "website", MONDAY, custom={"company_size": 8, "enquiry": "demo"})
    assert (lead.score.total, rule_id) == (35, "promising")


def test_a_reader_of_the_newsletter_is_nurtured(config: Config) -> None:
    lead, rule_id = arrive(
        config, "website", MONDAY, custom={"enquiry": "newsletter"}, email="zoe@gmail.com"
    )
    assert (lead.score.total, rule_id) == (0, "everyone-else")


def test_an_unfinished_form_is_nurtured(config: Config) -> None:
    custom = {"company_size": 5000, "enquiry": "quote"}
    assert arrive(config, "typeform", MONDAY, custom=custom, is_partial=True)[1] == "unfinished"


def test_every_rule_finds_an_owner_at_every_hour_of_the_week(config: Config) -> None:
    for hour in range(24 * 7):
        now = MONDAY + timedelta(hours=hour)
        for rule in config.routing:
            choices = [
                choose(
                    pool_id,
                    config.pools[pool_id],
                    Ledger(pool_id=pool_id),
                    {
                        member.owner: eligibility(
                            member.owner, config.owners[member.owner], config.settings, 0, now
                        )
                        for member in config.pools[pool_id].members
                    },
                )
                for pool_id in (rule.pool, rule.fallback)
                if pool_id
            ]
            assert any(choices), (rule.id, now)


def test_high_scores_are_told_at_once_by_mail_chat_and_webhook(config: Config) -> None:
    [hot] = [rule for rule in config.routing if rule.id == "hot"]
    assert [config.destinations[name].kind for name in hot.notify] == ["email", "slack", "webhook"]
