"""Check a configuration against this hub: its connectors, and the secrets that are stored."""

from collections.abc import Iterator

from chalicelib import registry
from chalicelib.config.checks import check
from chalicelib.config.document import Lines, did_you_mean
from chalicelib.config.finding import Finding, Found
from chalicelib.config.model import Config
from chalicelib.connector import CLOSED
from chalicelib.errors import Invalid, Misconfigured, Unavailable
from chalicelib.hub import Hub
from chalicelib.links import LINKS_SECRET

OF_ALL = ("api_url", "token_url")
"""Options that sources of any connector with an API may set."""


def check_for(hub: Hub, config: Config, lines: Lines | None = None) -> list[Finding]:
    """Find what would go wrong with a configuration here."""
    secrets = stored_secrets(hub, config)
    closed = closed_sources(config)
    return check(config, registry.names(), secrets, lines, _check_options(config), closed)


def closed_sources(config: Config) -> set[str]:
    """Name the sources to which nothing is posted, by what their connectors say."""
    names = registry.names()
    return {
        source_id
        for source_id, source in config.sources.items()
        if source.connector in names and registry.load(source.connector).signature is CLOSED
    }


def _check_options(config: Config) -> Iterator[Found]:
    """Look at each source's options with the eyes of its connector."""
    for source_id, source in config.sources.items():
        path = ("sources", source_id, "options")
        try:
            connector = registry.load(source.connector)
        except Misconfigured:
            # It is reported as a connector that is not there.
            continue
        for name in source.options:
            known = [*connector.options, *OF_ALL]
            if name not in known:
                near = did_you_mean(name, known)
                yield Found((*path, name), f"{connector.title} has no such option{near}", "warning")
        try:
            connector.check(source.options)
            connector.signature_for(connector.options_with(source.options))
        except Misconfigured as error:
            yield Found(path, str(error))


def refuse_errors(findings: list[Finding]) -> None:
    """Let a configuration pass unless a finding is an error.

    Raises:
        Invalid: each error with its place.
    """
    errors = [as_text(finding) for finding in findings if finding.level == "error"]
    if errors:
        raise Invalid("the configuration cannot be published", tuple(errors))


def as_text(finding: Finding) -> str:
    """Write a finding on one line."""
    line = f"line {finding.line}: " if finding.line else ""
    example = f" (such as {finding.example})" if finding.example else ""
    return f"{line}{finding.path}: {finding.message}{example}"


def secret_names(config: Config) -> dict[str, str]:
    """Name every secret that a hub of this configuration needs -> what it does."""
    found: dict[str, str] = {}
    for source_id, source in config.sources.items():
        found.setdefault(source.secret, f"signs what comes by source {source_id}")
        found.setdefault(source.token, f"reads the provider's API for source {source_id}")
        found.setdefault(source.verify_token, f"verifies the address of source {source_id}")
    for destination_id, destination in config.destinations.items():
        found.setdefault(destination.secret, f"sends to destination {destination_id}")
    found.pop("", None)
    found[LINKS_SECRET] = "signs links and cursors"
    return found


def stored_secrets(hub: Hub, config: Config) -> set[str] | None:
    """Give the named secrets that have a live value; None when the store cannot be asked."""
    try:
        return {name for name in secret_names(config) if hub.secrets.get(name)}
    except Unavailable:
        return None
