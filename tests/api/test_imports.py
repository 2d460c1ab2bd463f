"""/v1/imports: from a file to leads, by whoever may."""

import re
from typing import Any

import pytest

from chalicelib.api.imports import DRY_ROWS
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.imports import MOST_BYTES
from tests.api.client import Api
from tests.flow.import_scenes import a_world, people


@pytest.fixture
def api() -> Api:
    return Api(a_world())


def uploaded(api: Api, text: str) -> str:
    """Make an import and PUT its file where the hub said; gives its path."""
    data = text.encode()
    made = api.call("POST", "/v1/imports", "manager", {"file": "list.csv", "size": len(data)})
    assert made.status == 201
    sent = made.json["upload"]
    assert sent["method"] == "PUT"
    name = re.fullmatch(r"https://bucket\.example\.com/([^?]+)\?PUT&(\d+)&.*", sent["address"])
    assert name is not None
    assert int(name[2]) == len(data)
    assert sent["headers"] == {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(data)),
    }
    api.world.blobs.put(name[1], data)
    return f"/v1/imports/{made.json['import']['import_id']}"


def worked_off(api: Api) -> None:
    for _ in range(4):
        catch_up(api.world.hub)
        api.world.drain()
        api.world.clock.advance(minutes=1)


def test_a_file_goes_in_from_upload_to_outcomes(api: Api) -> None:
    path = uploaded(api, people(12).replace("person-4@example.com", ""))
    proposed = api.call("POST", f"{path}/propose", "manager", {}).json
    assert proposed["import"]["state"] == "proposed"
    assert [each["field"] for each in proposed["proposal"]["columns"]] == [
        "id",
        "full_name",
        "email",
    ]
    tried = api.call("POST", f"{path}/dry-run", "manager", {"mapping": {"Name": "topic"}}).json
    assert tried["counts"] == {"new": 11, "known": 0, "duplicate": 0, "unreadable": 1}
    assert tried["is_whole"] is True
    started = api.call("POST", f"{path}/start", "manager", {"mapping": {"Name": "topic"}})
    assert started.status == 202
    assert started.json["mapping"] == {"Badge": "id", "Name": "topic", "Mail": "email"}
    worked_off(api)
    shown = api.get(path, "viewer").json
    assert (shown["state"], shown["percent_read"], shown["rows"], shown["settled"]) == (
        "done",
        100,
        12,
        12,
    )
    assert shown["counts"] == {"accepted": 11, "quarantined": 1}
    assert len(api.world.leads()) == 11
    told = api.get(f"{path}/outcomes", "manager").json
    assert [row["outcome"] for row in told["rows"]].count("accepted") == 11
    assert "outcomes.csv?GET&outcomes-" in told["file"]
    bad = api.get(f"{path}/outcomes?outcome=quarantined", "manager").json
    assert [(row["row"], row["lead_id"]) for row in bad["rows"]] == [(5, "")]


def test_outcomes_come_in_pages(api: Api) -> None:
    path = uploaded(api, people(25))
    api.call("POST", f"{path}/propose", body={})
    api.call("POST", f"{path}/start", body={})
    worked_off(api)
    rows: list[Any] = []
    cursor = ""
    for _ in range(5):
        page = api.get(f"{path}/outcomes?limit=7&cursor={cursor}").json
        rows += page["rows"]
        cursor = page["next"]
        if not cursor:
            break
    assert [row["row"] for row in rows] == list(range(2, 27))


def test_imports_are_listed(api: Api) -> None:
    for _ in range(3):
        uploaded(api, people(1))
        api.world.clock.advance(minutes=1)
    first = api.get("/v1/imports?limit=2", "viewer").json
    rest = api.get(f"/v1/imports?limit=2&cursor={first['next']}", "viewer").json
    times = [one["created_at"] for one in first["imports"] + rest["imports"]]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)
    assert first["imports"][0]["created_by"] == "manager of the test"


def test_a_dry_run_of_a_long_file_says_how_far_it_looked(api: Api) -> None:
    path = uploaded(api, people(DRY_ROWS + 50))
    api.call("POST", f"{path}/propose", body={})
    tried = api.call("POST", f"{path}/dry-run", body={}).json
    assert (tried["rows"], tried["is_whole"]) == (DRY_ROWS, False)


@pytest.mark.parametrize("who", ["viewer", "rep", ""])
def test_who_may_not_change_anything_may_not_import(api: Api, who: str) -> None:
    path = uploaded(api, people(1))
    expected = 403 if who else 401
    for end in ("propose", "dry-run", "start"):
        assert api.call("POST", f"{path}/{end}", who, {}).status == expected
    new = {"file": "x", "size": 1}
    assert api.call("POST", "/v1/imports", who, new).status == expected
    assert api.get(f"{path}/outcomes", who).status == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"file": "x", "size": MOST_BYTES + 1}, 413),
        ({"file": "x", "size": 0}, 422),
        ({"file": "", "size": 1}, 422),
        ({"file": "x\ny", "size": 1}, 422),
        ({"file": "x", "size": 1, "source": "forms"}, 422),
        ({"file": "x"}, 422),
        ({"file": "x", "size": 1, "path": "../x"}, 422),
    ],
)
def test_what_cannot_be_imported_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    assert api.call("POST", "/v1/imports", body=body).status == status


def test_steps_out_of_order_are_told_so(api: Api) -> None:
    made = api.call("POST", "/v1/imports", body={"file": "x.csv", "size": 10}).json
    path = f"/v1/imports/{made['import']['import_id']}"
    assert api.call("POST", f"{path}/propose", body={}).status == 404
    assert api.call("POST", f"{path}/start", body={}).status == 409
    path = uploaded(api, people(1))
    assert api.call("POST", f"{path}/dry-run", body={}).status == 409
    api.call("POST", f"{path}/propose", body={})
    wrong = api.call("POST", f"{path}/start", body={"mapping": {"Mail": "nope"}})
    assert wrong.status == 422
    assert "Mail" in wrong.json["problems"][0]
    assert api.call("POST", f"{path}/start", body={}).status == 202
    assert api.call("POST", f"{path}/start", body={}).status == 409
    assert api.get("/v1/imports/none").status == 404


def test_a_file_that_is_no_table_is_refused_with_what_to_do(api: Api) -> None:
    path = uploaded(api, "%PDF-1.7")
    refused = api.call("POST", f"{path}/propose", body={})
    assert refused.status == 422
    assert "export it" in refused.json["problems"][0]
