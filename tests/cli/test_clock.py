"""hub touched, hub next-step, hub overdue; and the words of hub why."""

from tests.cli.desk import Desk
from tests.flow.scenes import owner_of
from tests.flow.sla_scenes import a_clocked_world, pass_minutes


def test_a_contact_is_noted_with_the_next_step() -> None:
    desk = Desk(a_clocked_world())
    lead_id = desk.world.lead().lead_id
    done = desk.run(
        "touched", lead_id, "--next", "2026-11-24T10:30", "--note", "rang", "--by", "Bo"
    )
    assert done.exit_code == 0, done.output
    assert f"{lead_id} is contacted; step by 2026-11-24 10:30:00." in done.stdout
    why = desk.run("why", lead_id).stdout
    text = "Bo: Bo has contacted the person; next step by 2026-11-24 10:30 UTC: rang."
    assert text in why
    assert "Awaited: the next step by 2026-11-24 10:30 UTC." in why


def test_a_day_is_when_the_owner_begins_work() -> None:
    desk = Desk(a_clocked_world())
    lead_id = desk.world.lead().lead_id
    found = desk.json("next-step", lead_id, "2026-11-30")
    step = next(one for one in found["assignment"]["clock"] if one["kind"] == "step")
    assert step["due_at"] == "2026-11-30T00:00:00Z"
    wrong = desk.run("next-step", lead_id, "soon")
    assert wrong.exit_code == 1
    assert "soon: expected a time as 2026-12-01" in wrong.output


def test_what_is_overdue_is_listed_with_who_was_told_and_why_says_it_in_words() -> None:
    desk = Desk(a_clocked_world())
    assert "Nothing is overdue." in desk.run("overdue").output
    pass_minutes(desk.world, 61)
    lead = desk.world.lead()
    owner = owner_of(lead)
    shown = desk.run("overdue").stdout
    assert lead.lead_id in shown
    assert "2026-11-23 10:00:00" in shown
    (row,) = desk.json("overdue", "--owner", owner)
    assert (row["awaited"], row["told"]) == ("accept", [owner])
    name = desk.world.config.owners[owner].name
    because = f"hub: {name} is told (mail): {name} was to accept it by 2026-11-23 10:00 UTC (rest)."
    assert because in desk.run("why", lead.lead_id).stdout
    assert desk.json("verify", lead.lead_id)["different"] == []


def test_the_doctor_names_who_is_overdue() -> None:
    desk = Desk(a_clocked_world())
    assert "clocks: no owner is overdue" in desk.run("doctor").stdout
    pass_minutes(desk.world, 61)
    name = desk.world.config.owners[owner_of(desk.world.lead())].name
    assert f"clocks: 1 overdue, of {name}; of 0 nobody has been told" in desk.run("doctor").stdout
