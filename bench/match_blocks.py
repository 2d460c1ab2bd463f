"""What the hub makes of a record of a set: a touch, what of it is compared, and its block keys."""

from bench.adapters.matching import BEGINNING, FIELDS
from bench.match_sets import Lead
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import Submission
from chalicelib.lead.matching.blocks import block_keys
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.model import Touch
from chalicelib.lead.normalise import normalise

CONFIG = Config()
SOURCE = Source(connector="file_import", fields=FIELDS)


def touch_of(lead: Lead, name: str = "record") -> Touch:
    """Make the touch of a record, as the adapter does; the name tells submissions apart."""
    submission = Submission(
        external_id=name,
        submitted_at=BEGINNING,
        answers={key: str(value) for key, value in lead.items() if key in FIELDS and value},
    )
    return normalise(
        submission,
        source_id="bench",
        source=SOURCE,
        connector="file_import",
        connector_fields={},
        config=CONFIG,
        delivery_id=f"delivery-{name}",
        received_at=BEGINNING,
    )


def block_keys_of(lead: Lead) -> tuple[str, ...]:
    """Give the keys under which a record is looked for; two that share one may be compared."""
    return block_keys(record_of(touch_of(lead), "lead"))
