"""A stage as the command line works on it: its hub, its secrets, its address."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.errors import HubError
from chalicelib.hub import Hub

PutSecret = Callable[[str, list[dict[str, Any]]], None]
"""(name, live values as aws.secrets keeps them) -> stored."""


class NoStage(HubError):
    """A stage cannot be reached; the message says what to do."""


@dataclass(frozen=True)
class Stage:
    """A deployed hub.

    Attributes:
        client: gives a boto3 client of the stage's cloud, by service; for the doctor.
    """

    name: str
    hub: Hub
    put_secret: PutSecret
    client: Callable[[str], Any]

    @property
    def url(self) -> str:
        """Address of the API, no slash at the end."""
        return self.hub.settings.public_url

    @property
    def is_local(self) -> bool:
        """Say whether it runs on this machine."""
        from chalicelib.cli.deploy import LOCAL

        return self.name == LOCAL


def connect(name: str) -> Stage:
    """Reach a stage: the local cloud for `local`, AWS as the environment names it for any other.

    Raises:
        NoStage: the local hub does not run.
        HubError: the stage is not deployed or cannot be asked.
    """
    import boto3

    from chalicelib.cli.cloud import find_cloud
    from chalicelib.cli.deploy import LOCAL, find_deployed, secrets_of
    from chalicelib.cli.up import HOME
    from chalicelib.hub import build

    endpoint = None
    if name == LOCAL:
        cloud = find_cloud(HOME)
        if cloud is None:
            raise NoStage("the hub does not run on this machine; start it: hub up")
        endpoint = cloud.endpoint
    deployed = find_deployed(name, endpoint)

    def client(service: str) -> Any:
        return boto3.client(service, **deployed.endpoint)

    # Whoever runs a command is told by the command; log lines are for functions.
    hub = replace(
        build(deployed.settings, deployed.endpoint),
        alarm=lambda kind, ids: None,
        trouble=lambda error: None,
    )
    return Stage(name, hub, secrets_of(deployed).put, client)
