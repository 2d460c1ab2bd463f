"""The environment of a deployed hub, read once into one frozen model."""

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What differs from stage to stage; everything else is in the configuration document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = "local"
    table: str = "hub-local"
    bucket: str = "hub-local"
    inbox: str = Field(default="", description="queue address (URL) of the inbox")
    routing: str = Field(default="", description="queue address of the FIFO routing queue")
    outbox: str = Field(default="", description="queue address of the outbox")
    secrets_path: str = Field(default="/hub/local", description="SSM path of this stage's secrets")
    public_url: str = Field(default="", description="address of the API with its stage, no slash")
    private_hosts: tuple[str, ...] = Field(
        default=(), description="host:port of loopback servers a test stage may call; never in prod"
    )


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read HUB_* variables; absent ones keep their defaults."""
    values: dict[str, object] = {}
    for name in Settings.model_fields:
        text = environment.get(f"HUB_{name.upper()}")
        if text is not None:
            values[name] = tuple(filter(None, text.split(","))) if name == "private_hosts" else text
    return Settings.model_validate(values)
