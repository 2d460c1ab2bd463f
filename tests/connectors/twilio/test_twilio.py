"""What Twilio signs, what it is answered, and calls and texts told in any order."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.cli.cases import Case, load_case
from chalicelib.config.source import Source
from chalicelib.connector import (
    Malformed,
    Misconfigured,
    Page,
    Request,
    Submission,
    Unverified,
    Window,
    read,
)
from chalicelib.flow.receive import receive
from connectors.twilio import authorise, connector
from tests.flow.scenes import a_world, outcomes, touches
from tests.listing import pages_of
from tests.world import SECRETS, World

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
URL = "https://hub.example.com/dev/hooks/sms"
FORM = "application/x-www-form-urlencoded"
SOURCE = Source.model_validate({"connector": "twilio", "secret": "forms"})
WINDOW = Window(datetime(2026, 1, 5, 6, 0, tzinfo=UTC), datetime(2026, 1, 5, 12, 0, tzinfo=UTC))


def posted(body: str, url: str = URL, content_type: str = FORM) -> Request:
    headers = {"content-type": (content_type,)}
    return Request("POST", "/hooks/sms", {}, headers, body.encode(), AT, url=url)


def signed(request: Request, text: str) -> Request:
    """Sign a text as Twilio does, by other means than ours."""
    digest = base64.b64encode(hmac.new(b"token", text.encode(), hashlib.sha1).digest()).decode()
    return replace(request, headers={**request.headers, "x-twilio-signature": (digest,)})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("From=%2B1&Body=a+b", "Bodya bFrom+1"),
        ("b=2&a=1&B=3", "B3a1b2"),
        ("a=&b=", "ab"),
        ("a=2&a=1&a=2", "a1a2"),
        ("a=%C3%A9%0A", "aé\n"),
        ("", ""),
    ],
)
def test_the_address_and_every_parameter_by_name_are_signed(body: str, text: str) -> None:
    request = signed(posted(body), URL + text)
    assert connector.signature.verify(request, ("token",), AT)
    with pytest.raises(Unverified):
        connector.signature.verify(replace(request, url=URL + "?a=1"), ("token",), AT)
    with pytest.raises(Unverified):
        connector.signature.verify(request, ("other",), AT)


def test_either_auth_token_is_taken_while_they_are_changed() -> None:
    request = signed(posted("a=1"), URL + "a1")
    assert connector.signature.verify(request, ("new", "token"), AT)


@pytest.mark.parametrize("query", ["", "?bodySHA256=", f"?bodySHA256={'0' * 64}", "?bodySHA256=é"])
def test_json_whose_address_does_not_name_its_digest_is_refused(query: str) -> None:
    request = posted("[]", URL + query, "application/json")
    with pytest.raises(Unverified, match="bodySHA256"):
        connector.signature.verify(signed(request, request.url), ("token",), AT)


def test_a_form_may_not_be_passed_off_as_json() -> None:
    body = "From=%2B12025550119&Body=Stop"
    url = f"{URL}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    with pytest.raises(Unverified):
        connector.signature.verify(signed(posted(body, url), url), ("token",), AT)


@pytest.mark.parametrize("body", ["a=é", "&".join(["a=b"] * 1001)])
def test_a_form_that_cannot_be_read_is_refused(body: str) -> None:
    with pytest.raises(Unverified):
        connector.signature.verify(signed(posted(body), URL), ("token",), AT)


def send(world: World, case: str, **changed: str) -> Any:
    """Post a case to the door as Twilio would."""
    told = load_case("twilio", case)
    body = told.body + "".join(f"&{name}={value}" for name, value in changed.items())
    request = replace(
        told.request(source_id="calls"), body=body.encode(), received_at=world.clock()
    )
    request = connector.signature.sign(request, SECRETS["forms"][0])
    answer = receive(world.hub, "calls", request)
    world.settle()
    return answer


def counted(world: World) -> list[Any]:
    return [one.touch for one in touches(world) if not one.touch.void]


def test_a_missed_call_is_a_lead_with_a_number_to_call_back() -> None:
    world = a_world(sources={"calls": SOURCE})
    answer = send(world, "call_missed")
    assert (answer.status, answer.body, answer.content_type) == (200, "<Response/>", "text/xml")
    assert world.lead().profile["phone"].value == "+12025550119"
    assert counted(world)[0].answers["status"] == "missed"


@pytest.mark.parametrize(
    "order",
    [
        ("call_rings", "call_answered", "call_forwarded_and_missed"),
        ("call_forwarded_and_missed", "call_rings", "call_answered"),
        ("call_answered", "call_forwarded_and_missed", "call_rings"),
    ],
)
def test_a_call_that_nobody_took_is_missed_whatever_comes_first(order: tuple[str, ...]) -> None:
    world = a_world(sources={"calls": SOURCE})
    for case in order:
        world.clock.advance(seconds=10)
        send(world, case)
    (touch,) = counted(world)
    assert touch.answers["status"] == "missed"
    assert not world.lead().is_partial


def test_stop_makes_no_lead_and_start_takes_it_back_for_one_who_is_known() -> None:
    world = a_world(sources={"calls": SOURCE})
    send(world, "stop")
    assert world.leads() == []
    world.clock.advance(minutes=1)
    send(world, "call_missed")
    for case, sid, given in (("stop", "SM2", False), ("start", "SM3", True)):
        world.clock.advance(minutes=1)
        told = load_case("twilio", case)
        body = told.body.replace(
            "MessageSid=SM0000000000000000000000000000000b", f"MessageSid={sid}"
        )
        request = replace(
            told.request(source_id="calls"), body=body.encode(), received_at=world.clock()
        )
        receive(world.hub, "calls", connector.signature.sign(request, SECRETS["forms"][0]))
        world.settle()
        assert world.lead().consents["sms"].given is given
    # The first stop too: it is heard once the person is known.
    assert outcomes(world).count("accepted") == 4


def test_a_text_is_answered_and_a_keyword_never() -> None:
    assert connector.reply
    options = connector.options_with({"sms_reply": "Thanks & <bye>"})
    answers = {
        case: connector.reply(load_case("twilio", case).request(), options).body
        for case in ("text_message", "stop", "start", "help", "delivery_report_of_our_own")
    }
    text = "<Response><Message>Thanks &amp; &lt;bye&gt;</Message></Response>"
    assert answers.pop("text_message") == text
    assert set(answers.values()) == {"<Response/>"}


def test_a_ringing_call_is_answered_as_set_and_a_refusal_is_no_json() -> None:
    assert connector.reply and connector.apologise
    twiml = "<Response><Dial>+12025550100</Dial></Response>"
    options = connector.options_with({"call_twiml": twiml})
    ringing, ended = (load_case("twilio", name).request() for name in ("call_rings", "call_missed"))
    assert connector.reply(ringing, options).body == twiml
    assert connector.reply(ended, options).body == "<Response/>"
    assert connector.reply(posted("x", content_type="text/html"), options).body == "<Response/>"
    refused = connector.apologise(ringing, options, 503)
    assert (refused.status, refused.content_type) == (503, "text/xml")


MESSAGE = {
    "sid": "SM0000000000000000000000000000000b",
    "from": "+12025550119",
    "to": "+12025550188",
    "body": "Hi, please call me + bring prices - Amara",
    "direction": "inbound",
    "status": "received",
    "num_media": "0",
    "date_sent": "Mon, 05 Jan 2026 09:00:00 +0000",
}
CALL = {
    "sid": "CA0000000000000000000000000000000c",
    "from": "+12025550119",
    "to": "+12025550188",
    "direction": "inbound",
    "status": "completed",
    "duration": "187",
    "caller_name": "QUILLFEATHER ZOE",
    "forwarded_from": None,
    "parent_call_sid": None,
    "start_time": "Mon, 05 Jan 2026 08:56:23 +0000",
}
MESSAGES = "Messages.json?DateSent>=2026-01-05&DateSent<=2026-01-06&PageSize=100"
CALLS = "Calls.json?StartTime>=2026-01-05&StartTime<=2026-01-06&PageSize=100"


def pages(fetched: dict[str, Any]) -> list[Page]:
    get = Case("twilio", "list", "", fetched=fetched).get
    return pages_of(connector, get, WINDOW, most=9)


@pytest.mark.parametrize(
    ("case", "item"),
    [
        ("text_message", MESSAGE),
        ("stop", {**MESSAGE, "body": " Stop "}),
        (
            "picture_by_whatsapp",
            {
                **MESSAGE,
                "sid": "MM1",
                "from": "whatsapp:+447700900123",
                "to": "whatsapp:+12025550188",
            }
            | {"body": "", "num_media": "2"},
        ),
        ("call_answered", CALL),
        (
            "call_missed",
            {**CALL, "status": "no-answer", "duration": "0", "caller_name": None}
            | {"start_time": "Mon, 05 Jan 2026 08:59:30 +0000"},
        ),
    ],
)
def test_an_item_of_the_list_reads_as_its_webhook(case: str, item: dict[str, Any]) -> None:
    assert connector.backfill
    pictures = [{"uri": f"/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME{n}.json"} for n in (1, 2)]
    fetched = {
        MESSAGES: {"messages": [item] if "body" in item else [], "next_page_uri": None},
        CALLS: {"calls": [] if "body" in item else [item], "next_page_uri": None},
        "Messages/MM1/Media.json": {"media_list": pictures},
    }
    (listed,) = (found for page in pages(fetched) for found in page.items)
    told = load_case("twilio", case)
    # The list has no profile of WhatsApp's, and what an advertisement said.
    body = told.body.replace("ProfileName=", "x=").replace("ReferralHeadline=", "y=")
    options = connector.options_with(told.options)
    (webhook,) = read(connector, replace(told.request(), body=body.encode()), options)
    assert isinstance(webhook, Submission)
    assert connector.backfill.parse(listed, options) == webhook


def test_messages_then_calls_are_read_page_by_page() -> None:
    following = "/2010-04-01/Accounts/AC1/{}?PageSize=100&Page=1&PageToken=PA%2B1"
    fetched = {
        MESSAGES: {"messages": [MESSAGE], "next_page_uri": following.format("Messages.json")},
        "Messages.json?PageSize=100&Page=1&PageToken=PA%2B1": {
            "messages": [{**MESSAGE, "sid": "SM2"}],
            "next_page_uri": None,
        },
        CALLS: {"calls": [CALL], "next_page_uri": following.format("Calls.json")},
        "Calls.json?PageSize=100&Page=1&PageToken=PA%2B1": {"calls": [], "next_page_uri": ""},
    }
    found = [[item["sid"][:3] for item in page.items] for page in pages(fetched)]
    assert found == [["SM0"], ["SM2"], ["CA0"], []]


@pytest.mark.parametrize(
    "changed",
    [
        {"start_time": "Mon, 05 Jan 2026 05:59:59 +0000"},
        {"start_time": "Mon, 05 Jan 2026 12:00:01 +0000"},
        {"direction": "outbound-api"},
        {"parent_call_sid": "CA9"},
        {"status": "in-progress"},
        {"from": "anonymous"},
        {"from": "+266696687"},
        {"from": "32665"},
        {"body": "Help"},
    ],
)
def test_calls_of_another_time_or_that_are_no_leads_are_not_given(changed: dict[str, str]) -> None:
    fetched = {
        MESSAGES: {"messages": [], "next_page_uri": None},
        CALLS: {"calls": [CALL, {**CALL, **changed, "sid": "CA2"}], "next_page_uri": None},
    }
    assert [item["sid"] for page in pages(fetched) for item in page.items] == [CALL["sid"]]


def test_a_call_for_help_is_malformed_in_the_list() -> None:
    assert connector.backfill
    with pytest.raises(Malformed):
        connector.backfill.parse({**MESSAGE, "body": "help", "media": []}, connector.options)


def test_the_api_is_asked_with_a_key_and_its_secret() -> None:
    assert authorise("SK1:s", "")[0] == {"Authorization": "Basic U0sxOnM="}
    with pytest.raises(Misconfigured):
        authorise("SK1", "")


def test_a_query_of_ours_is_signed_as_it_stands() -> None:
    url = f"{URL}?{urlencode({'route': 'eu west'})}"
    assert connector.signature.verify(signed(posted("", url), url), ("token",), AT)


def test_a_message_that_claims_countless_pictures_has_those_that_it_names() -> None:
    pairs = {"MessageSid": "MM1", "From": "+12025550119", "To": "+12025550188", "Body": "hi"}
    told = {**pairs, "NumMedia": "9" * 30, "MediaUrl0": "https://api.example.com/1"}
    (act,) = read(connector, posted(urlencode(told)), {})
    assert isinstance(act, Submission)
    assert act.answers["media"] == ("https://api.example.com/1",)
