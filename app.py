"""The doors: each turns an AWS event into one call of a flow."""

import json
import logging
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chalice import Chalice, Rate

from chalicelib.api.answers import make_answers
from chalicelib.api.routes import make_routes
from chalicelib.hub import Hub, build, now_utc
from chalicelib.settings import from_environment
from chalicelib.storage import Received

STAGE = os.environ.get("HUB_STAGE", "local")

app = Chalice(app_name="hub")
TRIES = 3
"""After how many failures of our own a message of a standard queue is set aside."""

log = logging.getLogger("hub")
log.setLevel(logging.INFO)


@cache
def get_hub() -> Hub:
    """Build the hub when first needed; a warm function keeps it."""
    return build(from_environment())


app.register_blueprint(make_routes(get_hub))
app.register_blueprint(make_answers(get_hub))


@app.lambda_function(name="receive")
def receive(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one webhook; API Gateway calls this for /hooks/."""
    from chalicelib.flow.receive import receive as answer
    from chalicelib.request import reply_to_event, request_from_event

    source_id = (event.get("pathParameters") or {}).get("source_id", "")
    hub = get_hub()
    request = request_from_event(event, now_utc(), hub.settings.public_url)
    reply = answer(hub, source_id, request)
    note("receive", source=source_id, status=reply.status)
    return reply_to_event(reply)


@app.on_sqs_message(queue=f"hub-{STAGE}-inbox", batch_size=10, name="process")
def process(event: Any) -> dict[str, Any]:
    """Turn kept deliveries into saved leads."""
    from chalicelib.flow import process as flow

    return work("process", flow.process, flow.set_aside, event.to_dict())


@app.on_sqs_message(queue=f"hub-{STAGE}-routing.fifo", batch_size=10, name="route")
def route(event: Any) -> dict[str, Any]:
    """Give leads their owners."""
    from chalicelib.flow import route as flow

    return work("route", flow.route, flow.set_aside, event.to_dict(), in_order=True)


@app.on_sqs_message(queue=f"hub-{STAGE}-outbox", batch_size=10, name="notify")
def notify(event: Any) -> dict[str, Any]:
    """Send what has been decided to its destinations."""
    from chalicelib.flow import notify as flow

    return work("notify", flow.notify, flow.set_aside, event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: Any) -> dict[str, int]:
    """Send on whatever is overdue."""
    from chalicelib.flow.tick import tick as send_on

    sent = send_on(get_hub())
    note("tick", sent=sent)
    return {"sent": sent}


@app.schedule(Rate(1, unit=Rate.MINUTES), name="catch_up")
def catch_up(event: Any) -> dict[str, int]:
    """Do slices of long work: lists of providers compared with what has come, imports."""
    from chalicelib.flow.catch_up import catch_up as do_slices

    slices = do_slices(get_hub())
    note("catch_up", slices=slices)
    return {"slices": slices}


Handle = Callable[[Hub, Sequence[Received]], list[str]]
SetAside = Callable[[Hub, Received, Exception], None]


def work(
    step: str,
    handle: Handle,
    set_aside: SetAside,
    event: Mapping[str, Any],
    *,
    in_order: bool = False,
) -> dict[str, Any]:
    """Hand a batch to a flow; only the messages that it names come back to the queue.

    Args:
        step: name of the flow, for the log.
        handle: gives the ids of messages that must come back.
        set_aside: quarantines what a message is about when our own code fails on it.
        event: of SQS.
        in_order: of a FIFO queue: a message that comes back takes all later ones with it, and a
            poisonous one is set aside at once, for it would hold up its group.
    """
    messages = [
        Received(
            message_id=record["messageId"],
            body=json.loads(record["body"]),
            tries=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event["Records"]
    ]
    try:
        failed = handle(get_hub(), messages)
    except Exception as error:  # noqa: BLE001, one poisonous message must not take others along
        note(step, bug=where(error))
        failed = []
        for position, message in enumerate(messages):
            if in_order and failed:
                failed = [*failed, *(later.message_id for later in messages[position:])]
                break
            failed += apart(handle, set_aside, message, 1 if in_order else TRIES)
    note(step, messages=len(messages), failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def apart(handle: Handle, set_aside: SetAside, message: Received, tries: int) -> list[str]:
    """Handle one message by itself, so that a poisonous one does not take others with it."""
    try:
        return handle(get_hub(), [message])
    except Exception as error:  # noqa: BLE001, a mistake of ours is set aside, not tried for ever
        if message.tries < tries:
            return [message.message_id]
        try:
            set_aside(get_hub(), message, error)
        except Exception as second:  # noqa: BLE001, the others of the batch must not pay for it
            note("set aside", bug=where(second))
            return [message.message_id]
        return []


def where(error: Exception) -> str:
    """Say what went wrong and where, without the error's own words: they may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def note(step: str, **facts: object) -> None:
    """Log one line of JSON: ids and counts, never what a person wrote."""
    log.info(json.dumps({"step": step, **facts}, separators=(",", ":")))
