"""Findings: what the checks of a configuration report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from chalicelib.config.document import Path, did_you_mean
from chalicelib.lead.model import Model


class Finding(Model):
    """One thing that is wrong (error) or probably not meant (warning) in a configuration."""

    level: Literal["error", "warning"]
    path: str = Field(description="where, such as routing[2].when")
    line: int | None = Field(description="in the text, where the document came as text")
    message: str = Field(description="what is wrong and what was expected")
    example: str = Field(default="", description="a lead that shows it, in words")


@dataclass(frozen=True)
class Found:
    """A finding before its place is written out."""

    path: Path
    message: str
    level: Literal["error", "warning"] = "error"
    example: str = ""


def check_reference(
    path: Path, name: str, known: Mapping[str, object], what: str
) -> Iterator[Found]:
    """Report a name that names nothing, with the nearest one that does."""
    if name not in known:
        yield Found(path, f"there is no {what} {name}{did_you_mean(name, list(known))}")
