"""Step 3, if the configuration names a model: asks it about messages that the hub does not know."""

from collections.abc import Iterable, MutableMapping
from itertools import islice

from chalicelib.config.model import IntentModel
from chalicelib.hub import Hub
from chalicelib.lead.intent.reading import ASKS
from chalicelib.lead.model import Touch

MOST_ASKED = 10
"""Most messages of one batch that a model is asked about."""

LABELS = {label: meaning for label, meaning in ASKS.items() if label != "unknown"}


def ask_model(hub: Hub, model: IntentModel, touches: Iterable[MutableMapping[int, Touch]]) -> None:
    """Put what a model says in the place of "unknown"; without its answer all stays as it is.

    Args:
        hub: asked through.
        model: which one, and for how long.
        touches: by position, of each delivery of a batch; changed in place.
    """
    unknown = (
        (place, each)
        for each in touches
        for place, touch in each.items()
        if touch.reading and touch.reading.intent == "unknown"
    )
    asked = list(islice(unknown, MOST_ASKED))
    if not asked:
        return
    messages = [each[place].contact["message"].value for place, each in asked]
    answers = hub.ask_model(model.id, messages, LABELS, model.seconds)
    for (place, each), answer in zip(asked, answers, strict=True):
        reading = each[place].reading
        if answer in LABELS and reading:
            told = reading.model_copy(update={"intent": answer, "sure": 0, "by": model.id})
            each[place] = each[place].model_copy(update={"reading": told})
