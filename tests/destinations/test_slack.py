"""Notification in Slack: what is shown, where it may go, and what each answer means."""

import json

import pytest

from chalicelib.config.model import Destination
from chalicelib.destinations.slack import HOSTS, destination, write
from chalicelib.errors import HubError, Misconfigured, Refused, TryLater, Uncertain
from tests.destinations.notices import (
    ACCEPT_URL,
    LEAD_URL,
    SLACK_URL,
    Answer,
    World,
    a_notice,
    an_unowned_notice,
)

CHANNEL = Destination(kind="slack")


OK = Answer(200, "ok")


def _world(answer: Answer = OK, secrets: tuple[str, ...] = (SLACK_URL,)) -> World:
    return World(answer=answer, secrets=secrets)


def test_a_notice_is_posted_to_the_address_that_is_the_secret() -> None:
    world = _world()
    assert destination.send(a_notice(), CHANNEL, world.tools) == "200 ok"
    ((url, body, headers),) = world.posts
    assert url == SLACK_URL
    assert json.loads(body) == write(a_notice())
    assert headers == {"Content-Type": "application/json; charset=utf-8"}


def test_the_newest_of_two_addresses_is_used() -> None:
    world = _world(secrets=(SLACK_URL, SLACK_URL + "-old"))
    destination.send(a_notice(), CHANNEL, world.tools)
    assert world.posts[0][0] == SLACK_URL


def test_the_channel_sees_a_short_name_and_no_way_to_reach_the_person() -> None:
    text = json.dumps(write(a_notice()), ensure_ascii=False)
    for shown in ("Maren O.", "Northwind &amp; Söhne", "Website", "72", "Ana Ruiz"):
        assert shown in text
    for hidden in ("Okafor", "maren.okafor@example.com", "2025550143", "ten pumps", "in May"):
        assert hidden not in text


def test_the_message_pulls_in_no_preview_and_reads_no_markup() -> None:
    message = write(a_notice())
    assert message["unfurl_links"] is message["unfurl_media"] is message["link_names"] is False
    assert message["parse"] == "none"
    assert message["text"] == "New lead for Ana Ruiz: Maren O."


def test_the_only_markup_is_one_link_of_ours() -> None:
    marked = [block["text"] for block in write(a_notice())["blocks"] if "mrkdwn" in str(block)]
    assert marked == [{"type": "mrkdwn", "text": f"<{ACCEPT_URL}|Accept or decline>"}]


def test_a_link_of_ours_with_an_ampersand_is_escaped() -> None:
    message = write(a_notice(accept_url="https://hub.example.com/a?b=1&c=2"))
    assert "<https://hub.example.com/a?b=1&amp;c=2|" in message["blocks"][-1]["text"]["text"]


def test_a_returning_lead_is_linked_and_not_offered_again() -> None:
    message = write(a_notice(kind="returned"))
    assert message["text"] == "Back again, for Ana Ruiz: Maren O."
    assert message["blocks"][-1]["text"]["text"] == f"<{LEAD_URL}|Open the lead>"


def test_a_lead_without_owner_is_told_as_such() -> None:
    message = write(an_unowned_notice(lead_url="", profile={}))
    assert message["text"] == "Lead without owner: no name given"
    assert "Owner: nobody" in str(message["blocks"])
    assert len(message["blocks"]) == 2


def test_a_channel_speaks_the_language_it_is_told() -> None:
    assert write(a_notice(language="de"))["text"] == "Neuer Lead für Ana Ruiz: Maren O."


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "not an address",
        "http://hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com.example.net/services/T/B/x",
        "https://example.net/hooks.slack.com",
        "https://hooks.slack.com@example.net/services/T/B/x",
        "https://user:word@hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com:22/services/T/B/x",
        "https://evil-hooks.slack.com/services/T/B/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/services",
        "http://127.0.0.1:9000/services",
        "https://hooks.slack.com\\@example.net/",
        "https://[::1/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_slacks_is_not_called_and_not_shown(secret: str) -> None:
    world = _world(secrets=(secret,))
    with pytest.raises(Misconfigured) as found:
        destination.send(a_notice(), CHANNEL, world.tools)
    assert not world.posts
    assert not secret or secret not in str(found.value)


def test_without_a_secret_there_is_nowhere_to_post() -> None:
    with pytest.raises(Misconfigured):
        destination.send(a_notice(), CHANNEL, _world(secrets=()).tools)


def test_a_test_stage_may_call_its_own_stand_in_and_no_other() -> None:
    url = "http://127.0.0.1:9000/services/T/B/x"
    world = World(secrets=(url,), test_hosts=("127.0.0.1:9000",))
    destination.send(a_notice(), CHANNEL, world.tools)
    assert world.posts[0][0] == url
    other = World(secrets=("http://127.0.0.1:9001/x",), test_hosts=("127.0.0.1:9000",))
    with pytest.raises(Misconfigured):
        destination.send(a_notice(), CHANNEL, other.tools)


def test_slacks_own_host_is_the_only_one() -> None:
    assert HOSTS == ("hooks.slack.com",)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer(200, ""), Uncertain, "without ok"),
        (Answer(200, "<html>Sign in to the wifi</html>"), Uncertain, "without ok"),
        (Answer(202, "ok"), Uncertain, "202"),
        (Answer(200, '{"ok":false,"error":"invalid_auth"}'), Refused, "invalid_auth"),
        (Answer(200, "invalid_token"), Refused, "invalid_token"),
        (Answer(301, ""), Refused, "301"),
        (Answer(302, ""), Refused, "302"),
        (Answer(400, "invalid_payload"), Refused, "invalid_payload"),
        (Answer(401, ""), Refused, "401"),
        (Answer(403, "action_prohibited"), Refused, "action_prohibited"),
        (Answer(404, "no_service"), Refused, "no_service"),
        (Answer(404, "channel_not_found"), Refused, "channel_not_found"),
        (Answer(408, ""), TryLater, "408"),
        (Answer(410, "channel_is_archived"), Refused, "channel_is_archived"),
        (Answer(413, ""), Refused, "413"),
        (Answer(429, "rate_limited", 30), TryLater, "429"),
        (Answer(500, "rollup_error"), TryLater, "rollup_error"),
        (Answer(502, ""), TryLater, "502"),
        (Answer(503, "", 5), TryLater, "503"),
        (Answer(504, ""), Uncertain, "504"),
    ],
)
def test_each_answer_means_what_happens_next(
    answer: Answer, error: type[HubError], says: str
) -> None:
    with pytest.raises(error, match=says) as found:
        destination.send(a_notice(), CHANNEL, _world(answer).tools)
    if isinstance(found.value, TryLater):
        assert found.value.retry_after_seconds == answer.retry_after_seconds


@pytest.mark.parametrize(
    "body",
    ["<b>Maren Okafor</b>", "Maren", '{"error":"Maren Okafor"}', "{", "[" * 900, '{"a":' * 500],
)
def test_what_slack_says_is_repeated_only_if_it_is_an_error_word(body: str) -> None:
    with pytest.raises(Refused) as found:
        destination.send(a_notice(), CHANNEL, _world(Answer(400, body)).tools)
    assert str(found.value) == "slack: Slack answered 400"


@pytest.mark.parametrize("error", [TryLater("busy"), Uncertain("perhaps"), Refused("no")])
def test_what_posting_raises_is_passed_on_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as found:
        destination.send(a_notice(), CHANNEL, World(error=error, secrets=(SLACK_URL,)).tools)
    assert found.value is error
