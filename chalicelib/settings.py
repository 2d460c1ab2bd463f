"""The environment of a deployed hub, read once into one frozen value.

A plain dataclass: a pydantic model would cost the door two hundredths of its cold start.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """What differs from stage to stage; everything else is in the configuration document.

    Attributes:
        inbox: queue address (URL) of the inbox.
        routing: queue address of the FIFO routing queue.
        outbox: queue address of the outbox.
        secrets_path: SSM path of this stage's secrets.
        public_url: address of the API with its stage, no slash.
        private_hosts: host:port of loopback servers a test stage may call; never in prod.
    """

    stage: str = "local"
    table: str = "hub-local"
    bucket: str = "hub-local"
    inbox: str = ""
    routing: str = ""
    outbox: str = ""
    secrets_path: str = "/hub/local"
    public_url: str = ""
    private_hosts: tuple[str, ...] = ()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read HUB_* variables; absent ones keep their defaults."""
    given = {
        field.name: environment[f"HUB_{field.name.upper()}"]
        for field in fields(Settings)
        if f"HUB_{field.name.upper()}" in environment
    }
    hosts = tuple(filter(None, given.pop("private_hosts", "").split(",")))
    return Settings(**given, private_hosts=hosts)
