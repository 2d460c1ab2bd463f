"""Up and down: the whole hub on this machine, with a mailbox and a stand-in for the providers."""

import os
import secrets
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from rich.console import Console

from chalicelib.cli import background, mailbox
from chalicelib.cli.cloud import Cloud, start_cloud, stop_cloud
from chalicelib.cli.deploy import LOCAL, Deployed, deploy, make_ready, secrets_of
from chalicelib.cli.package import ROOT
from chalicelib.cli.provider import SECRET, TOKEN
from chalicelib.config.document import load
from chalicelib.config.model import Config
from chalicelib.errors import HubError
from chalicelib.flow.publish import publish
from chalicelib.hub import Hub, build
from chalicelib.records import ACTIVE_KEY

HOME = Path(os.environ.get("HUB_HOME") or ROOT / ".hub")
"""Folder of everything that the local hub keeps."""
SAMPLE = ROOT / "chalicelib" / "config" / "sample.yaml"
PROVIDER = "provider"
USUAL_PROVIDER_PORT = 4572
STAND_IN = "http://127.0.0.1:"
OLDEST_PYTHON = (3, 11)


class NotReady(HubError):
    """This machine lacks something; the message says what to do."""


@dataclass(frozen=True)
class Up:
    """The hub as it runs on this machine.

    Attributes:
        provider: host:port of the stand-in provider.
        admin_token: shown once, when it has just been made; else empty.
    """

    cloud: Cloud
    deployed: Deployed
    mailbox_url: str
    provider: str
    admin_token: str = ""


PlaySamples = Callable[[Up, Console], None]
"""Plays the providers: sends one signed sample of each source to the hub, and shows the outcome."""


def up(
    console: Console,
    *,
    play_samples: PlaySamples,
    fresh: bool = False,
    home: Path = HOME,
    sample: Path = SAMPLE,
) -> Up:
    """Bring up the whole hub: cloud, mailbox, stand-in provider, stack, configuration, samples.

    What runs already is left running, and what was stored is kept.

    Args:
        console: where progress is shown.
        play_samples: called at the end, on a hub with no configuration before.
        fresh: forget everything stored before.
        home: folder that keeps state, packages, mails and logs.
        sample: configuration to publish if there is none.

    Raises:
        HubError: something failed; the message says what and what to do.
    """
    _check_machine()
    if fresh:
        down(home)
        for stored in ("state", mailbox.FOLDER):
            shutil.rmtree(home / stored, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    config = load(sample.read_text(encoding="utf-8"))
    with console.status("Starting") as status:

        def report(line: str) -> None:
            status.update(line)

        smtp, mailbox_url = mailbox.start_mailbox(home)
        console.print(f"[green]✓[/] Mailbox at {mailbox_url}")
        provider = start_provider(home)
        console.print(f"[green]✓[/] Stand-in for the providers, Slack and the CRM at {provider}")
        cloud = start_cloud(home, report, smtp=smtp)
        console.print(f"[green]✓[/] Local cloud at {cloud.url}")
        sender = parseaddr(config.settings.mail_from)[1].rpartition("@")[2] or "example.com"
        _verify_sender(cloud, sender)
        deployed = deploy(
            LOCAL,
            report,
            home=home,
            endpoint=cloud.endpoint,
            parameters={"PrivateHosts": provider, "MailIdentity": sender},
        )
        console.print(f"[green]✓[/] Deployed: {deployed.url}")
        hub = build(deployed.settings, deployed.endpoint)
        is_new = not hub.table.get(ACTIVE_KEY)
        made = make_secrets(deployed, config, provider)
        if is_new:
            publish(hub, pointed_at(config, provider), actor="hub up", note="the sample")
            console.print(f"[green]✓[/] Configuration published, {made} secrets made")
        else:
            _follow_stand_in(hub, provider)
        running = Up(cloud, deployed, mailbox_url, provider, make_ready(deployed))
    if is_new:
        play_samples(running, console)
    return running


def down(home: Path = HOME) -> list[str]:
    """Stop everything that up started, keeping what is stored; gives the names of what ran."""
    ran = [
        ("local cloud", stop_cloud(home)),
        ("stand-in provider", background.stop(home.resolve(), PROVIDER)),
        ("mailbox", mailbox.stop_mailbox(home)),
    ]
    return [name for name, it_ran in ran if it_ran]


def start_provider(home: Path, usual: int = USUAL_PROVIDER_PORT) -> str:
    """Start the stand-in provider unless it runs; gives its host:port.

    Args:
        home: folder of its log.
        usual: port to listen on the first time, if it is free; 0 for any.
    """
    home = home.resolve()
    running = background.find(home, PROVIDER)
    if running is None:
        wanted = background.last_ports(home, PROVIDER).get("http", usual)
        port = background.free_port(wanted)
        running = background.start(
            home,
            PROVIDER,
            [sys.executable, "-c", f"from chalicelib.cli.provider import serve; serve({port})"],
            {"http": port},
            background.plain_environment(),
        )
    return f"127.0.0.1:{running.ports['http']}"


def make_secrets(deployed: Deployed, config: Config, provider: str) -> int:
    """Make the secrets that a configuration names and that do not exist; gives how many.

    A source that fetches gets the stand-in provider's, and Slack's secret is an address of the
    stand-in, wherever that is now; so this is for the local stage only.
    """
    store = secrets_of(deployed)
    made = 0
    for name, value in _wanted_secrets(config, provider).items():
        known = store.get(name)
        has_moved = bool(known) and known[0].startswith(STAND_IN) and known[0] != value
        if not known or has_moved:
            store.put(name, [{"value": value, "not_after": None}])
            made += not known
    return made


def pointed_at(config: Config, provider: str) -> Config:
    """Have sources that fetch, and webhooks, use the stand-in instead of the real thing."""
    fed = {key for key, it in config.sources.items() if it.token}
    told = {key for key, it in config.destinations.items() if it.kind == "webhook"}
    return _at(provider, config, fed, told)


def _follow_stand_in(hub: Hub, provider: str) -> None:
    """Publish where the stand-in is now, if sources read from one that was elsewhere."""
    config = hub.configurations.current().config
    fed = {
        source_id
        for source_id, source in config.sources.items()
        if str(source.options.get("api_url", "")).startswith(STAND_IN)
    }
    told = {key for key, it in config.destinations.items() if it.url.startswith(STAND_IN)}
    publish(hub, _at(provider, config, fed, told), actor="hub up", note="the stand-in moved")


def _at(
    provider: str, config: Config, source_ids: Collection[str], destination_ids: Collection[str]
) -> Config:
    """Point sources and webhooks at the stand-in."""
    sources = dict(config.sources)
    for source_id in source_ids:
        source = sources[source_id]
        api_url = f"http://{provider}/{source.connector}/{{api_version}}"
        options = {**source.options, "api_url": api_url}
        sources[source_id] = source.model_copy(update={"options": options})
    destinations = dict(config.destinations)
    for destination_id in destination_ids:
        url = f"{STAND_IN}{provider.rpartition(':')[2]}/told/{destination_id}"
        destinations[destination_id] = destinations[destination_id].model_copy(update={"url": url})
    return config.model_copy(update={"sources": sources, "destinations": destinations})


def _wanted_secrets(config: Config, provider: str) -> Mapping[str, str]:
    """Give name and value of each secret; hex serves as text, as base64 and in an address."""

    def pairs() -> Iterator[tuple[str, str]]:
        for source in config.sources.values():
            yield source.secret, SECRET if source.token else secrets.token_hex(32)
            yield source.token, TOKEN
            yield source.verify_token, secrets.token_hex(32)
        for destination_id, destination in config.destinations.items():
            if destination.kind == "slack":
                yield destination.secret, f"http://{provider}/told/{destination_id}"
            else:
                yield destination.secret, f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"

    return {name: value for name, value in pairs() if name}


def _verify_sender(cloud: Cloud, domain: str) -> None:
    """Make the domain an SES identity of the local cloud, which refuses mail from others."""
    import boto3
    from botocore.exceptions import ClientError

    ses: Any = boto3.client("sesv2", **cloud.endpoint)
    try:
        ses.create_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


def _check_machine() -> None:
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:3]))
        raise NotReady(f"Python 3.11 or newer is needed, this is {have}")
    if not (ROOT / "vendor" / "connectors").is_dir():
        raise NotReady(
            "vendor/connectors is not a link to connectors: git checked it out as a text file; "
            "set core.symlinks to true and check out again"
        )
