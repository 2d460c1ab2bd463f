"""Why: stored decisions read back in words."""

from chalicelib.config.model import All, Member, Pool, RoutingRule
from chalicelib.flow.answer import decline
from chalicelib.flow.details import find_lead, timeline
from chalicelib.flow.publish import publish
from chalicelib.flow.why import why
from tests.world import World, form, replaced, with_config


def explained(world: World) -> list[str]:
    return list(why(world.hub, world.lead()).lines)


def test_every_candidate_and_why_they_did_not_get_it() -> None:
    world = World()
    config = replaced(world.config, "owners", "ann", active=False)
    world = World(config=config)
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    text = "\n".join(explained(world))
    assert "belongs to Ben Birch" in text
    assert "Ann Ashby: switched off" in text
    assert "ben was the only one who could take it" in text


def test_points_in_words_add_up_to_the_score() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    lines = explained(world)
    assert "Score 60 = fit 50 + engagement 10:" in lines
    points = [int(line.split()[0]) for line in lines if line.startswith(("  +", "  -"))]
    assert sum(points) == 60


def test_a_lead_that_nobody_could_take_says_so() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com", topic="night"))
    world.drain()
    lines = explained(world)
    assert "waits for an owner" in lines[0]
    assert any(line.startswith("No owner") for line in lines)
    assert any("Dee Dale: switched off" in line for line in lines)


def test_who_is_in_a_pool_and_in_its_fallback_is_named_once() -> None:
    pools = {
        "first": Pool(members=(Member(owner="ann"),)),
        "then": Pool(members=(Member(owner="ann"),)),
    }
    rule = RoutingRule(id="all", when=All(all=()), pool="first", fallback="then")
    config = replaced(World().config, "owners", "ann", active=False)
    world = World(config=config.model_copy(update={"pools": pools, "routing": (rule,)}))
    world.send("forms", form(1, email="x@example.com"))
    world.drain()
    assert explained(world).count("  Ann Ashby: switched off") == 1


def test_a_lead_that_came_back_stays_and_says_why() -> None:
    world = World()
    for number in range(2):
        world.send("forms", form(number, email="x@example.com", seats=200))
        world.drain()
        world.clock.advance(minutes=5)
    lines = explained(world)
    assert any(line.startswith("Stays with Ann Ashby: the lead came back") for line in lines)
    assert any("one lead is the same person" in line for line in lines)


def test_each_time_it_changed_hands_is_told_newest_first() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    assignment = world.lead().assignment
    assert assignment is not None
    world.clock.advance(minutes=1)
    decline(world.hub, world.lead().lead_id, assignment.assignment_id, "Ann Ashby")
    world.drain()
    found = why(world.hub, world.lead())
    assert [owner.owner_id for owner in found.owners] == ["ben", "ann"]
    assert any(line == "  Ann Ashby: gave this lead back" for line in found.lines)


def test_an_owner_who_is_gone_from_the_configuration_is_named_by_id() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    owners = {k: v for k, v in world.config.owners.items() if k != "ann"}
    pools = {
        name: pool.model_copy(
            update={"members": tuple(m for m in pool.members if m.owner != "ann")}
        )
        for name, pool in world.config.pools.items()
    }
    publish(world.hub, with_config(world, owners=owners, pools=pools), "test")
    assert "belongs to ann" in explained(world)[0]


def test_the_timeline_is_in_order_and_holds_what_was_told() -> None:
    world = World()
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    entries = timeline(world.hub, find_lead(world.hub, world.lead().lead_id))
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    kinds = [entry.kind for entry in entries]
    assert kinds[:2] == ["touch", "assigned"]
    assert kinds[2:] == ["notification"] * 3
    assert {e.text for e in entries[2:]} == {
        "mail was told (assigned)",
        "chat was told (assigned)",
        "crm was told (assigned)",
    }
