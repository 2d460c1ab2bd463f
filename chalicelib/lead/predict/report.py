"""What is known of how well a card does."""

from pydantic import Field

from chalicelib.lead.model import Model
from chalicelib.lead.predict.card import Card
from chalicelib.lead.predict.measure import Measured


class Learnt(Model):
    """What comes of learning from so few; drawn several times."""

    won: int = Field(description="leads that were won among those learnt from")
    auc: float
    least: float
    most: float
    error: float = Field(description="calibration error, on average")


class Report(Model):
    """A card, and what training of its kind comes to on leads that it has not seen."""

    card: Card
    across: Measured | None = Field(
        default=None, description="each lead once held back; None: too few outcomes to measure"
    )
    newest: Measured | None = Field(
        default=None, description="the newest 30 % foretold from the older; None without an order"
    )
    learning: tuple[Learnt, ...] = ()
