"""What a receiver's HTTP status means for what happens next."""

from collections.abc import Mapping

from chalicelib.destination import Posted
from chalicelib.errors import HubError, Refused, TryLater, Uncertain

Outcome = type[TryLater] | type[Refused] | type[Uncertain]


def failure(
    title: str, answer: Posted, table: Mapping[int, Outcome], others: Mapping[int, Outcome]
) -> HubError:
    """Choose the error of an answer that is not success; its message tells the status alone.

    Args:
        title: begins the message.
        answer: of the receiver.
        table: outcome by status.
        others: outcome by hundreds, for what the table lacks; a status in neither is TryLater.
    """
    outcome = table.get(answer.status) or others.get(answer.status // 100, TryLater)
    message = f"{title} answered {answer.status}"
    if outcome is TryLater:
        return TryLater(message, answer.retry_after_seconds)
    return outcome(message)
