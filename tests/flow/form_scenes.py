"""Forms that somebody edits, and what people answer before and after."""

from typing import Any

from chalicelib.flow.catch_up import work_on
from chalicelib.flow.confirm import Settled, confirm
from chalicelib.flow.forms import form_key, form_of
from chalicelib.flow.reread import BETWEEN, Reread, reread_key, reread_of
from chalicelib.hub import Hub
from chalicelib.lead.form_change import Change, Form
from tests.flow.scenes import ask
from tests.people import email_of, name_of, phone_of
from tests.world import World, form


def fill_in(world: World, number: int, source_id: str = "forms", **answers: Any) -> None:
    """Send one submission of a form and let all be done that follows."""
    at = world.clock().isoformat()
    ask(world, source_id, form(number, at=at, **answers))
    world.clock.advance(minutes=7)
    world.settle()


def usual(number: int) -> dict[str, str]:
    """Give what one person answers before anything is edited."""
    return {
        "email": email_of(number),
        "name": " ".join(name_of(number)),
        "call_me_on": phone_of(number),
    }


def learned(world: World, count: int = 31) -> None:
    """Let people fill the form in until the hub knows it."""
    for number in range(count):
        fill_in(world, 500 + number, **usual(500 + number))


def known_form(world: World, source_id: str = "forms", name: str = "") -> Form:
    """Give what is known of a form."""
    item = world.table.get(form_key(source_id, name))
    assert item
    return form_of(item)


def changes(world: World) -> list[Change]:
    """Give what has been noticed of the form."""
    return list(known_form(world).changes)


def confirmed(world: World, key: str, field: str | None = None, hub: Hub | None = None) -> Settled:
    """Confirm a change and read everything again, both times."""
    settled = confirm(hub or world.hub, "forms", "", key, field, "ann")
    if settled.reread:
        finish_rereading(world, settled.reread, hub)
    world.settle(hub)
    return settled


def finish_rereading(world: World, work: Reread, hub: Hub | None = None) -> Reread:
    """Do slices until the work is done, and let the time between the passes go by."""
    for _ in range(50):
        item = world.table.get(reread_key(work))
        assert item
        if "due_at" not in item:
            return reread_of(item)
        if not reread_of(item).is_first_pass_over:
            work_on(hub or world.hub, item)
        else:
            world.clock.advance(seconds=BETWEEN.total_seconds() + 1)
            work_on(hub or world.hub, item)
    raise AssertionError("the reading again never ends")
