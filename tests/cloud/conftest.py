"""The whole hub on a local cloud of its own, started once for the run and ended after it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from chalicelib.cli import background, mailbox
from chalicelib.cli.cases import load_case
from chalicelib.cli.cloud import start_cloud, stop_cloud
from chalicelib.cli.deploy import LOCAL, deploy, make_ready, secrets_of
from chalicelib.cli.up import (
    HOME,
    PROVIDER,
    SAMPLE,
    make_secrets,
    pointed_at,
    start_provider,
)
from chalicelib.config.document import load
from chalicelib.config.model import Config
from chalicelib.flow.publish import publish
from chalicelib.hub import build
from tests.cloud.local_hub import LocalHub

HANDSHAKES = {"meta": "meta-verify", "linkedin": "linkedin"}
"""The secrets that cases of handshakes were made with, by name."""

CONFIGURATION = Path(__file__).with_name("hub.yaml")


def with_samples(config: Config) -> Config:
    """Add the sources of the sample configuration, so that there is one of every connector."""
    sample = load(SAMPLE.read_text("utf-8"))
    more = {"sources": {**sample.sources, **config.sources}, "fields": sample.fields}
    return config.model_copy(update=more)


@pytest.fixture(scope="session")
def local_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """Give a deployed hub with a source of every connector; tests share it."""
    home = tmp_path_factory.mktemp("cloud")
    say: Callable[[str], None] = lambda line: None  # noqa: E731
    try:
        smtp, _ = mailbox.start_mailbox(home, {"smtp": 0, "web": 0})
        provider = start_provider(home, 0)
        cloud = start_cloud(home, say, smtp=smtp, port=0)
        deployed = deploy(
            LOCAL,
            say,
            home=HOME,
            endpoint=cloud.endpoint,
            parameters={"PrivateHosts": provider, "MailIdentity": "example.com"},
        )
        boto3.client("sesv2", **cloud.endpoint).create_email_identity(EmailIdentity="example.com")
        config = with_samples(load(CONFIGURATION.read_text("utf-8")))
        make_ready(deployed)
        for connector, name in HANDSHAKES.items():
            shaken = load_case(connector, "handshake").handshake
            assert shaken is not None
            secrets_of(deployed).put(name, [{"value": shaken["secret"], "not_after": None}])
        make_secrets(deployed, config, provider)
        hub = build(deployed.settings, deployed.endpoint)
        publish(hub, pointed_at(config, provider), actor="test")
        yield LocalHub(deployed, hub, home, provider)
    finally:
        stop_cloud(home)
        background.stop(home, PROVIDER)
        mailbox.stop_mailbox(home)
