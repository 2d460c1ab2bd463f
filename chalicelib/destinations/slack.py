"""Notification in a Slack channel, by an incoming webhook whose address is the secret."""

import json
import re
from typing import Any

from chalicelib.addresses import check_url
from chalicelib.config.model import Destination
from chalicelib.destination import DestinationKind, Notice, Posted, Tools
from chalicelib.destinations.excerpt import one_line
from chalicelib.destinations.naming import short_name
from chalicelib.destinations.outcome import Outcome, failure
from chalicelib.destinations.words import Words, words
from chalicelib.errors import HubError, Misconfigured, Refused, TryLater, Uncertain

HOSTS = ("hooks.slack.com",)
"""Where incoming webhooks live; an address anywhere else is not Slack's."""

LONGEST_VALUE = 150

# docs.slack.dev, "Sending messages using incoming webhooks" and its error table, read 2026-08.
OUTCOMES: dict[int, Outcome] = {
    408: TryLater,
    425: TryLater,
    429: TryLater,
    504: Uncertain,  # something before Slack gave up waiting for Slack
}
OTHERS: dict[int, Outcome] = {3: Refused, 4: Refused, 5: TryLater}

_ERROR_WORD = re.compile(r"[a-z_]{2,40}")


def send(notice: Notice, to: Destination, tools: Tools) -> str:
    """Post the notice once; Slack gives no id, so the proof is its answer."""
    url = _address(tools)
    body = json.dumps(write(notice), ensure_ascii=False, separators=(",", ":")).encode()
    answer = tools.post(url, body, {"Content-Type": "application/json; charset=utf-8"})
    if answer.status == 200 and answer.body.strip() == "ok":
        return "200 ok"
    raise _failure(answer)


def write(notice: Notice) -> dict[str, Any]:
    """Write the message; its only markup is one link of ours, and no lead text stands in it."""
    say = words(notice.language)
    owner = notice.owner_name or notice.owner_id or say.nobody
    texts = {
        "assigned": say.short_assigned,
        "returned": say.short_returned,
        "unowned": say.short_unowned,
        "reminder": say.short_reminder,
        "overdue": say.short_overdue,
        "taken_back": say.short_taken_back,
    }
    headline = texts[notice.kind].format(
        owner=_safe(owner), name=_safe(short_name(notice.profile, 60) or say.unnamed)
    )
    facts = [
        (say.fields["company"], notice.profile.get("company", "")),
        (say.source, notice.source_title or notice.source_id),
        (say.score, str(notice.score.total)),
        (say.owner, owner),
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": _plain(headline)},
        {
            "type": "section",
            "fields": [_plain(f"{label}: {_safe(value)}") for label, value in facts if value],
        },
    ]
    link = _link(notice, say)
    if link:
        # A text link, not a button: Slack shows a warning beside a pressed button unless the
        # app also answers interaction requests (github.com/slackapi/node-slack-sdk/issues/869).
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link}})
    return {
        "text": headline,
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _address(tools: Tools) -> str:
    """Give the webhook's address, which is also all that protects the channel."""
    if not tools.secrets:
        raise Misconfigured("slack: the secret with the webhook's address is missing")
    url = tools.secrets[0].strip()
    try:
        target = check_url(url, tools.test_hosts)
    except Refused:
        target = None
    if target is None or not (target.is_private or target.host in HOSTS):
        raise Misconfigured(f"slack: the secret must be an address at https://{HOSTS[0]}/")
    return url


def _failure(answer: Posted) -> HubError:
    word = _word(answer.body)
    title = f"slack: {word}, Slack" if word else "slack: Slack"
    if answer.status // 100 != 2:
        return failure(title, answer, OUTCOMES, OTHERS)
    if word:
        return Refused(f"{title} answered {answer.status}")
    return Uncertain(f"{title} answered {answer.status} without ok")


def _word(body: str) -> str:
    """Give the error's name, from plain text or JSON, if it is a word and nothing else."""
    text = body.strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("error", ""))
        except (ValueError, RecursionError):
            return ""
    return text if text != "ok" and _ERROR_WORD.fullmatch(text) else ""


def _link(notice: Notice, say: Words) -> str:
    if notice.kind in ("assigned", "reminder", "overdue") and notice.accept_url:
        return f"<{_escape(notice.accept_url)}|{say.accept_or_decline}>"
    return f"<{_escape(notice.lead_url)}|{say.open}>" if notice.lead_url else ""


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _safe(text: str) -> str:
    """Make text unable to mention anybody, to be a link or to hide one."""
    quiet = one_line(text, LONGEST_VALUE).replace("@", "@\u2060").replace("://", ":\u2060//")
    return _escape(quiet)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


destination = DestinationKind(kind="slack", title="Slack", is_repeatable=False, send=send)
