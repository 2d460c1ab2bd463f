"""/answer/{token}: the pages behind accept and decline links."""

import base64
import hashlib
import re
from datetime import timedelta

import pytest

from chalicelib.links import Action, make
from chalicelib.records import lead_key
from tests.api.client import Api, Got
from tests.world import SECRETS, form

FORM = {"content-type": "application/x-www-form-urlencoded"}


def api_with_a_lead(name: str = "Xenia Ypsilon", company: str = "Yard Ltd") -> Api:
    api = Api()
    body = form(1, "x@example.com", "+4930123456", name=name, company=company, seats=200)
    api.world.send("forms", body)
    api.world.drain()
    return api


def link(api: Api, action: Action, owner_id: str = "", assignment_id: str = "") -> str:
    """Make the address of a link for the lead's assignment."""
    assignment = api.world.lead().assignment
    assert assignment is not None
    token = make(
        action,
        api.world.lead().lead_id,
        assignment_id or assignment.assignment_id,
        owner_id or assignment.owner_id,
        api.world.clock() + timedelta(days=7),
        SECRETS["links"][0],
    )
    return f"/answer/{token}"


def press(api: Api, path: str, body: bytes = b"") -> Got:
    """Press the page's button."""
    return api.call("POST", path, "", body, FORM)


def test_the_links_of_a_mail_lead_to_pages_that_work() -> None:
    api = api_with_a_lead()
    text = api.world.mailbox.mails[0].text
    paths = re.findall(r"https://hub\.example\.com(/answer/\S+)", text)
    assert len(paths) == 2
    for path in paths:
        assert api.get(path, "").status == 200
    assert press(api, paths[0]).status == 200
    assignment = api.world.lead().assignment
    assert assignment is not None
    assert assignment.accepted_at is not None


@pytest.mark.parametrize("action", ["accept", "decline"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_a_link_as_mail_scanners_do_changes_nothing(action: Action, method: str) -> None:
    api = api_with_a_lead()
    before = api.world.table.get(lead_key(api.world.lead().lead_id))
    for _ in range(3):
        assert api.call(method, link(api, action), "").status == 200
    assert api.world.table.get(lead_key(api.world.lead().lead_id)) == before


def test_a_page_shows_first_name_company_and_source_and_no_more() -> None:
    page = api_with_a_lead().get
    api = api_with_a_lead()
    text = page(link(api, "accept"), "").text
    for shown in ("Xenia", "Yard Ltd", "Website", '<form method="post">', "Accept this lead"):
        assert shown in text
    for hidden in ("Ypsilon", "x@example.com", "4930123456", "60"):
        assert hidden not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_a_page_runs_nothing_and_sends_its_form_to_itself_under_any_prefix() -> None:
    api = api_with_a_lead()
    got = api.get(link(api, "decline"), "")
    assert "<script" not in got.text
    assert "action=" not in got.text
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    (style,) = re.findall(r"<style>(.*?)</style>", got.text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy


def test_hostile_names_stay_text() -> None:
    evil = "<script>alert(1)</script>{{7*7}}"
    api = api_with_a_lead(name=evil, company='"><img src=x onerror=alert(1)>')
    text = api.get(link(api, "accept"), "").text
    assert "<script" not in text
    assert "<img" not in text
    assert "49" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_accepting_again_says_so_and_changes_nothing() -> None:
    api = api_with_a_lead()
    path = link(api, "accept")
    first = press(api, path)
    version = api.world.lead().version
    again = press(api, path)
    seen = api.get(path, "")
    assert first.status == again.status == seen.status == 200
    assert "You have accepted this lead" in again.text == seen.text
    assert "<form" not in seen.text
    assert api.world.lead().version == version


def test_declining_gives_the_lead_to_somebody_else_once_with_the_reason() -> None:
    api = api_with_a_lead()
    path = link(api, "decline")
    got = press(api, path, b"reason=on+holiday%0d%0a%00until+Friday&x=y")
    assert got.status == 200
    api.world.drain()
    assignment = api.world.lead().assignment
    assert assignment is not None
    assert assignment.owner_id == "ben"
    again = press(api, path)
    assert again.status == 200
    assert "You have given this lead back" in again.text
    api.world.drain()
    assert api.world.lead().routed == 2
    entries = api.get(f"/v1/leads/{api.world.lead().lead_id}/timeline").json["entries"]
    texts = [entry["text"] for entry in entries if entry["kind"] == "declined"]
    assert texts == ["Ann Ashby gave it back: on holiday until Friday"]


def test_a_link_to_a_lead_that_has_moved_on_does_nothing() -> None:
    api = api_with_a_lead()
    accept = link(api, "accept")
    press(api, link(api, "decline"))
    api.world.drain()
    before = api.world.lead()
    for got in (api.get(accept, ""), press(api, accept)):
        assert got.status == 409
        assert "has moved on" in got.text
        assert "Xenia" not in got.text
    assert api.world.lead() == before


def test_a_link_of_another_owner_does_nothing() -> None:
    api = api_with_a_lead()
    path = link(api, "decline", owner_id="ben")
    assert api.get(path, "").status == 409
    assert press(api, path).status == 409
    assignment = api.world.lead().assignment
    assert assignment is not None
    assert assignment.owner_id == "ann"


def test_an_expired_link_does_nothing() -> None:
    api = api_with_a_lead()
    path = link(api, "accept")
    api.world.clock.advance(days=7, seconds=1)
    for got in (api.get(path, ""), press(api, path)):
        assert got.status == 410
        assert "Xenia" not in got.text
    assignment = api.world.lead().assignment
    assert assignment is not None
    assert assignment.accepted_at is None


def test_a_forged_or_cut_link_is_unknown() -> None:
    api = api_with_a_lead()
    path = link(api, "accept")
    for bad in (path[:-1], path[:-1] + ("A" if path[-1] != "A" else "B"), "/answer/x", path + "A"):
        for got in (api.get(bad, ""), press(api, bad)):
            assert got.status == 404, bad
    got = press(api, "/answer/" + "A" * 9000)
    assert got.status == 404


def test_a_form_that_is_too_large_or_broken_still_declines_without_a_reason() -> None:
    for body in (b"reason=" + b"x" * 20_000, b"&" * 50, b"\xff\xfe"):
        api = api_with_a_lead()
        assert press(api, link(api, "decline"), body).status == 200


def test_trouble_of_ours_shows_a_page_that_says_nothing_changed() -> None:
    api = api_with_a_lead()
    path = link(api, "accept")
    api.world.table.is_down = True
    got = press(api, path)
    assert got.status == 503
    assert "Nothing was changed" in got.text
