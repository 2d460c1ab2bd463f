"""What a message asks for: kept with its touch, used by rules, explained, and verified."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.config.model import Intent, IntentModel, RoutingRule, Test
from chalicelib.flow.publish import publish
from chalicelib.flow.verify import verify
from chalicelib.flow.why import why
from chalicelib.records import lead_key, touch_item, touch_record_of
from chalicelib.storage import Put
from tests.world import World, form

MESSAGE = "Our boiler broke down, we need a plumber as soon as possible."


def sent(world: World, message: str = MESSAGE) -> World:
    world.send("forms", form(1, email="x@example.com", message=message))
    world.drain()
    return world


def test_a_lead_shows_what_its_message_asks_for() -> None:
    reading = sent(World()).lead().reading
    assert reading
    assert (reading.intent, reading.urgency, reading.language) == ("urgent_need", "urgent", "en")


def test_a_lead_without_a_message_has_no_reading() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com"))
    world.drain()
    assert world.lead().reading is None


def test_a_rule_may_ask_for_it() -> None:
    world = World()
    pool = world.config.routing[0].pool
    pressing = RoutingRule(
        id="pressing", when=Test(field="urgency", op="is", value="urgent"), pool=pool
    )
    config = world.config.model_copy(update={"routing": (pressing, *world.config.routing)})
    assert sent(World(config=config)).lead().rule_id == "pressing"


def test_it_can_be_switched_off() -> None:
    world = World()
    config = world.config.model_copy(update={"intent": Intent(enabled=False)})
    assert sent(World(config=config)).lead().reading is None


def test_why_tells_what_was_understood_and_by_which_words() -> None:
    world = sent(World())
    text = "\n".join(why(world.hub, world.lead()).lines)
    assert "Its message needs something urgently (" in text
    assert '+6 urgent: "as soon as possible"' in text


def test_verify_reads_every_message_again() -> None:
    world = sent(World())
    found = [one for one in verify(world.hub, world.lead().lead_id) if one.kind == "intent"]
    assert [one.problem for one in found] == [""]


def test_verify_names_a_reading_that_comes_out_otherwise() -> None:
    world = sent(World())
    lead_id = world.lead().lead_id
    (item,) = world.hub.table.query(lead_key(lead_id)[0], "TOUCH#")
    record = touch_record_of(item)
    assert record.touch.reading
    wrong = record.touch.reading.model_copy(update={"intent": "spam"})
    touch = record.touch.model_copy(update={"reading": wrong})
    changed = touch_item(lead_id, record.model_copy(update={"touch": touch}), 1, "test")
    world.hub.table.write([Put("touch", changed, None)])
    found = [one for one in verify(world.hub, lead_id) if one.kind == "intent"]
    assert [one.problem for one in found] == ["spam urgent then, urgent_need urgent now"]


def test_an_old_reading_is_verified_by_the_words_of_its_time() -> None:
    world = sent(World())
    own = Intent(points={"urgent:as soon as possible": 0})
    publish(world.hub, world.config.model_copy(update={"intent": own}), "ann")
    found = [one for one in verify(world.hub, world.lead().lead_id) if one.kind == "intent"]
    assert [one.problem for one in found] == [""]


def answering(answer: str) -> tuple[World, list[str]]:
    """Make a world with a model that gives one answer, and what it was asked about."""
    asked: list[str] = []
    world = World()
    model = IntentModel(id="a-model")
    world = World(config=world.config.model_copy(update={"intent": Intent(model=model)}))

    def ask(name: str, messages: Sequence[str], _labels: object, _seconds: float) -> list[str]:
        asked.extend(messages)
        return [answer for _ in messages]

    world.hub = replace(world.hub, ask_model=ask)
    return world, asked


def test_a_model_is_asked_about_what_the_hub_does_not_know() -> None:
    world, asked = answering("need")
    reading = sent(world, "xyz").lead().reading
    assert asked == ["xyz"]
    assert reading
    assert (reading.intent, reading.by) == ("need", "a-model")
    assert all(one.kind != "intent" for one in verify(world.hub, world.lead().lead_id))
    assert "by a-model." in "\n".join(why(world.hub, world.lead()).lines)


def test_a_model_is_not_asked_about_what_the_hub_knows() -> None:
    world, asked = answering("spam")
    reading = sent(world).lead().reading
    assert not asked
    assert reading
    assert reading.intent == "urgent_need"


def test_a_model_without_an_answer_changes_nothing() -> None:
    world, _ = answering("")
    reading = sent(world, "xyz").lead().reading
    assert reading
    assert (reading.intent, reading.by) == ("unknown", "")
