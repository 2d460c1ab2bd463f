"""What only TikTok does: escapes under its signature, exports by form and region, codes in 200s."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Get, Request, Submission, Window, read
from chalicelib.errors import Expired, Malformed, Misconfigured, Refused, TryLater, Unverified
from connectors.tiktok import connector, escaped, refusal

AT = datetime(2027, 1, 1, tzinfo=UTC)
WINDOW = Window(AT - timedelta(days=1), AT + timedelta(days=1))
OWNER = {"advertiser_id": "7201234567890123456"}
OUR_ADDRESS = "https://hub.example.com/hooks/t"
HEADER = (
    "lead_id,created_time,ad_id,ad_name,adgroup_id,adgroup_name,campaign_id,campaign_name,"
    "form_id,form_name,Name,Email,Phone number,Company name,How many seats?,newsletter"
)


def line(number: int, at: str = "2027-01-01 00:00:00") -> str:
    return (
        f"{number},{at},1790000000000003,Carousel A,'1790000000000002,DACH,"
        f'"=""1790000000000001""",Q1 demo,7298765432109876543,Demo,Zoë Bergström,'
        f'zoe.bergstrom@example.com,+442079460123,Northwind Example GmbH,"11-50",yes'
    )


@dataclass
class Tiktok:
    """Plays the API: exports by form and region, each ready when asked for the third time."""

    exports: Mapping[tuple[str, str], str]
    forms: tuple[str, ...] = ("55",)
    gone_files: int = 0
    calls: list[str] = field(default_factory=list)
    polls: dict[str, int] = field(default_factory=dict)
    ready_after: int = 2

    def get(
        self,
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        asked = dict(params) if isinstance(params, dict) else query
        assert path.endswith("/")
        assert asked["advertiser_id"] == OWNER["advertiser_id"]
        region = (headers or {}).get("x-lead-region", "")
        self.calls.append(f"{path} {region}".strip())
        if path == "page/get/":
            number = int(asked["page"])
            listed = [{"page_id": int(self.forms[number - 1])}]
            return {"data": {"list": listed, "page_info": {"total_page": len(self.forms)}}}
        if path == "page/lead/task/" and "task_id" not in asked:
            return {"data": {"task_id": f"{asked['page_id']}@{region}", "status": "RUNNING"}}
        task = asked["task_id"]
        if path == "page/lead/task/":
            self.polls[task] = self.polls.get(task, 0) + 1
            return {
                "data": {"status": "SUCCEED" if self.polls[task] > self.ready_after else "RUNNING"}
            }
        if self.gone_files:
            self.gone_files -= 1
            raise Refused("TikTok: code 40000")
        form, _, stored = task.partition("@")
        assert stored == region
        return self.exports.get((form, region), "")


def read_all(get: Get, **options: Any) -> list[Any]:
    """Read as the hub does, which takes a page that names itself as the next for a circle."""
    assert connector.backfill
    items: list[Any] = []
    at = ""
    for _ in range(400):
        page = connector.backfill.page(get, WINDOW, at, connector.options_with(options))
        assert page.next != at
        items += page.items
        at = page.next
        if not at:
            return items
    raise AssertionError("it does not end")


def listed(item: Any) -> Request:
    body = json.dumps(item).encode()
    return Request("LIST", "/hooks/t", {}, {"content-type": ("application/json",)}, body, AT)


def test_every_form_is_exported_from_every_region() -> None:
    exports = {
        ("55", ""): f"{HEADER}\r\n{line(1)}\r\n",
        ("55", "us"): f"\ufeff{HEADER}\n{line(2)}\n",
        ("55", "eu"): "",
        ("56", "eu"): f"{HEADER}\n{line(3)}\n{line(4)}\n",
    }
    tiktok = Tiktok(exports, forms=("55", "56"))
    items = read_all(tiktok.get, **OWNER)
    assert [item["id"] for item in items] == ["1", "2", "3", "4"]
    downloads = [call for call in tiktok.calls if "download" in call]
    regions = ["", " us", " eu"] * 2
    assert downloads == [f"page/lead/task/download/{region}" for region in regions]
    assert tiktok.calls.count("page/get/") == 2


def test_an_export_is_asked_for_once_however_often_it_is_not_ready() -> None:
    tiktok = Tiktok({("55", ""): f"{HEADER}\n{line(1)}\n"})
    assert len(read_all(tiktok.get, **OWNER, page_ids=[55], regions=[""])) == 1
    assert tiktok.calls.count("page/lead/task/") == 4


def test_an_export_that_is_never_ready_is_given_up_for_now() -> None:
    tiktok = Tiktok({}, ready_after=10_000)
    with pytest.raises(TryLater):
        read_all(tiktok.get, **OWNER, page_ids=["55"], regions=[""])


def test_a_file_that_died_before_it_was_read_is_made_again_and_not_for_ever() -> None:
    exports = {("55", ""): f"{HEADER}\n{line(1)}\n"}
    once = Tiktok(exports, gone_files=1)
    assert len(read_all(once.get, **OWNER, page_ids=["55"], regions=[""])) == 1
    with pytest.raises(Refused):
        read_all(Tiktok(exports, gone_files=9).get, **OWNER, page_ids=["55"], regions=[""])


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        ("2026-12-31 00:00:00", True),
        ("2026-12-30 23:59:59", False),
        ("2027-01-02 00:00:00", True),
        ("2027-01-02 00:00:01", False),
        ("2027-01-02 01:00:01(UTC+01:00)", False),
        ("2027-01-02 01:00:00(UTC+01:00)", True),
        ("1798761600", True),
        ("1700000000", False),
        ("yesterday", True),
    ],
)
def test_an_export_holds_all_leads_so_the_window_is_held_here(at: str, is_in: bool) -> None:
    tiktok = Tiktok({("55", ""): f"{HEADER}\n{line(1, at)}\n"})
    assert len(read_all(tiktok.get, **OWNER, page_ids=["55"], regions=[""])) == is_in


def test_a_listed_lead_is_what_its_webhook_gives() -> None:
    case = load_case("tiktok", "demo_request")
    (by_webhook,) = read(connector, case.request(), case.options)
    tiktok = Tiktok({("55", ""): f"{HEADER}\n{line(7312345678901234567)}\n"})
    (item,) = read_all(tiktok.get, **OWNER, page_ids=["55"], regions=[""])
    (found,) = read(connector, listed(item), case.options)
    assert isinstance(found, Submission)
    assert found.form_title == "Demo"
    # The push does not say what its form is called.
    assert found.model_copy(update={"form_title": ""}) == by_webhook


def test_an_own_question_is_named_as_it_is_or_as_the_admin_says() -> None:
    text = "Lead ID,Created time,Teléfono,Lead id\n1,1798761600,+34600000123,x\n"
    tiktok = Tiktok({("55", ""): text})
    (item,) = read_all(
        tiktok.get,
        **OWNER,
        page_ids=["55"],
        regions=[""],
        columns={"Teléfono": "phone_number"},
    )
    assert item["id"] == "1"
    assert [change["field"] for change in item["changes"]] == ["phone_number", "Lead id"]


@pytest.mark.parametrize(
    "text", ["PK\x03\x04", "created_time,Email\n1,a@example.com\n", {"code": 0}, None, "<html>"]
)
def test_an_export_that_is_no_list_of_leads_is_malformed(text: Any) -> None:
    tiktok = Tiktok({("55", ""): text})
    with pytest.raises(Malformed):
        read_all(tiktok.get, **OWNER, page_ids=["55"], regions=[""])


@pytest.mark.parametrize(
    "item", [7, [], {}, {"id": "1", "create_time": "yesterday", "changes": []}]
)
def test_a_listed_lead_of_another_shape_is_malformed(item: Any) -> None:
    with pytest.raises(Malformed):
        read(connector, listed(item), {})


def test_without_an_account_there_is_no_back_fill() -> None:
    with pytest.raises(Misconfigured):
        read_all(Tiktok({}).get)


def test_ids_of_nineteen_digits_stay_exact() -> None:
    entry = {"id": 9223372036854775807, "page_id": 1, "create_time": 1798761600, "changes": []}
    body = json.dumps({"object": 1, "entry": [entry]})
    (found,) = read(connector, load_case("tiktok", "demo_request").request(body=body), {})
    assert isinstance(found, Submission)
    assert found.external_id == "9223372036854775807"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Zoë", b"Zo\\u00eb"), ("a\\/b", b"a\\/b"), ("😀", b"\\ud83d\\ude00"), ("\x7f", b"\x7f")],
)
def test_what_is_signed_has_its_characters_escaped(text: str, expected: bytes) -> None:
    assert escaped(replace(listed({}), body=text.encode())) == expected


def test_a_body_that_is_not_utf_8_is_not_verified() -> None:
    signature = connector.schemes["open_signature"]
    signed = signature.sign(listed({}), "secret")
    with pytest.raises(Unverified):
        signature.verify(replace(signed, body=b"\xff"), ("secret",), AT)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *((code, TryLater) for code in (40016, 40100, 40132, 40133, 50000, 51010)),
        *((code, Expired) for code in (40104, 40105)),
        *((code, Refused) for code in (40001, 40002, 40000)),
    ],
)
def test_the_code_in_the_body_decides_and_not_the_status(code: int, expected: type) -> None:
    assert type(refusal(200, {"code": code, "message": "x"})) is expected


@pytest.mark.parametrize("body", [{"code": 0}, {"code": 20001}, {}, None, [], {"code": "x"}])
def test_an_answer_without_a_code_of_refusal_is_one(body: Any) -> None:
    assert refusal(200, body) is None


@pytest.mark.parametrize("name", ["callback_url", "url"])
def test_the_subscription_is_looked_for_on_every_page(name: str) -> None:
    asked: list[Any] = []

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert path == "subscription/get/"
        assert isinstance(params, dict)
        asked.append(params)
        ours = [{name: OUR_ADDRESS}] if params["page"] == "2" else [{name: "https://x.example/"}]
        return {"data": {"subscriptions": ours, "page_info": {"total_page": 2}}}

    options = connector.options_with({"scheme": "open_signature", "app_id": 77})
    assert connector.subscription
    assert connector.subscription(get, options, OUR_ADDRESS).is_active
    assert [query["page"] for query in asked] == ["1", "2"]
    # The hub puts the secret in its place; no connector sees it.
    assert {(query["app_id"], query["secret"]) for query in asked} == {("77", "{secret}")}
    assert not connector.subscription(get, options, "https://hub.example.com/other").is_active
    for lacking in ({"app_id": 77}, {"scheme": "open_signature"}):
        with pytest.raises(Misconfigured):
            connector.subscription(get, connector.options_with(lacking), OUR_ADDRESS)
