"""What owners did and did not do, over HTTP."""

from tests.api.client import Api
from tests.flow.scenes import owner_of
from tests.flow.sla_scenes import a_clocked_world, pass_minutes


def test_a_contact_and_the_next_step_are_noted() -> None:
    world = a_clocked_world()
    api = Api(world)
    path = f"/v1/leads/{world.lead().lead_id}"
    told = {"next_at": "2026-11-24T10:00:00Z", "note": "left a message"}
    found = api.call("POST", f"{path}/touched", "admin", told).json
    assert found["status"] == "contacted"
    assert [one["kind"] for one in found["assignment"]["clock"]] == ["accept", "touch", "step"]
    later = {"at": "2026-11-25T10:00:00Z"}
    found = api.call("POST", f"{path}/next-step", "admin", later).json
    assert found["assignment"]["clock"][-1]["due_at"] == "2026-11-25T10:00:00Z"
    past = api.call("POST", f"{path}/next-step", "admin", {"at": "2020-01-01T00:00:00Z"})
    assert past.status == 422


def test_what_is_overdue_is_listed_with_who_was_told() -> None:
    world = a_clocked_world()
    api = Api(world)
    owner = owner_of(world.lead())
    assert api.call("GET", "/v1/overdue", "admin").json == {"overdue": []}
    pass_minutes(world, 61)
    (late,) = api.call("GET", "/v1/overdue", "admin").json["overdue"]
    assert (late["owner_id"], late["awaited"], late["told"]) == (owner, "accept", [owner])
    assert late["next_at"] == "2026-11-23T11:00:00Z"
    other = "ben" if owner == "cem" else "cem"
    found = api.call("GET", f"/v1/overdue?owner={other}", "admin").json
    assert found == {"overdue": []}
