"""What the lists of the API take: their query, and the shapes of its values."""

from typing import Annotated

from pydantic import Field

from chalicelib.lead.model import Model

Id = Annotated[str, Field(pattern=r"^([A-Za-z0-9-][A-Za-z0-9_-]{0,63})?$")]
"""An id, or nothing."""

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text on one line."""


class PageQuery(Model):
    """Which page of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="most entries of a page")
    cursor: str = Field(
        default="",
        max_length=2000,
        description="`next` of the page before; works for a day, with the same filters",
    )


NEXT = "cursor of the next page; empty at the end. A page may be short and not be the last"
