"""Worlds in which a clock runs, and the ways in which people act against it."""

from typing import Any

from chalicelib.config.model import Config
from chalicelib.config.sla import Sla
from tests.flow.scenes import a_world, ask
from tests.world import World, configured, form, replaced

EVERY: dict[str, Any] = {"all": []}

HOT: dict[str, Any] = {
    "id": "hot",
    "title": "Hot leads",
    "when": {"field": "score", "op": "at_least", "value": 50},
    "time": "always",
    "accept": {
        "minutes": 15,
        "steps": [
            {"after": -5, "notify": ["mail"]},
            {"after": 0, "notify": ["mail", "chat"]},
            {"after": 15, "to": "manager", "notify": ["mail"]},
            {"after": 30, "do": "reassign", "to": "manager", "notify": ["mail"]},
        ],
    },
    "touch": {"minutes": 60, "steps": [{"after": 0, "to": "manager", "notify": ["mail"]}]},
}

REST: dict[str, Any] = {
    "id": "rest",
    "when": EVERY,
    "time": "always",
    "accept": {
        "minutes": 60,
        "steps": [{"after": 0, "notify": ["mail"]}, {"after": 60, "do": "reassign"}],
    },
    "touch": {"minutes": 240, "steps": [{"after": 0, "do": "alarm"}]},
    "step": {
        "minutes": 2880,
        "steps": [{"after": -60, "notify": ["mail"]}, {"after": 0, "notify": ["mail"]}],
    },
}


def with_clock(**sla: Any) -> Config:
    """Give the usual configuration with a clock, and a manager for everybody."""
    config = configured()
    for owner_id in config.owners:
        config = replaced(config, "owners", owner_id, manager="" if owner_id == "dee" else "dee")
    wanted = Sla.model_validate({"policies": [HOT, REST], **sla})
    return config.model_copy(update={"sla": wanted})


def a_clocked_world(**sla: Any) -> World:
    """Give a world with a clock in which one lead has just been given to an owner."""
    config = with_clock(**sla)
    world = a_world(owners=config.owners, sla=config.sla)
    ask(world, "forms", form(1, "zoe@example.com"))
    world.drain()
    return world


def pass_minutes(world: World, minutes: int) -> None:
    """Let time pass, with a tick each minute."""
    for _ in range(minutes):
        world.clock.advance(minutes=1)
        world.tick()
        world.drain()
