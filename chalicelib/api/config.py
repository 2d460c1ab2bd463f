"""/v1/config: the configuration document, its versions and its checks."""

from typing import Any

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.config.document import plain
from chalicelib.config.finding import Finding
from chalicelib.config.model import Config
from chalicelib.errors import Conflict, Stale
from chalicelib.flow.check import check_for, refuse_errors
from chalicelib.flow.publish import publish, rollback, versions
from chalicelib.lead.model import Model
from chalicelib.records import Active


class Published(Model):
    """Which version is in force."""

    number: int
    hash: str


class Findings(Model):
    """What a check found; it may be published when nothing is an error."""

    findings: tuple[Finding, ...]


class VersionSummary(Model):
    """A published version."""

    number: int
    hash: str
    published_at: AwareDatetime
    published_by: str
    note: str


class VersionList(Model):
    """Published versions, newest first, at most 50."""

    versions: tuple[VersionSummary, ...]


class RollBackBody(Model):
    """Which version to go back to."""

    number: int = Field(ge=1, le=99_999_999)


def show_config(call: Call) -> Answer[dict[str, Any]]:
    """Give the configuration in force; its hash is the ETag."""
    current = call.hub.configurations.current()
    return Answer(plain(current.config), headers={"ETag": f'"{current.hash}"'})


def put_config(call: Call, body: Config) -> Answer[Published]:
    """Publish a configuration; If-Match says on which one the change was made."""
    expected = call.made_on("configuration") or None
    refuse_errors(check_for(call.hub, body))
    try:
        active = publish(call.hub, body, call.actor, expected_hash=expected)
    except Conflict as error:
        raise Stale("another configuration is in force; fetch it and change that") from error
    return _published(active)


def check_config(call: Call, body: Config) -> Findings:
    """Check a configuration without publishing it."""
    return Findings(findings=tuple(check_for(call.hub, body)))


def list_versions(call: Call) -> VersionList:
    """List published versions."""
    found = versions(call.hub)
    return VersionList(
        versions=tuple(
            VersionSummary.model_validate(one.model_dump(exclude={"document"})) for one in found
        )
    )


def roll_back(call: Call, body: RollBackBody) -> Answer[Published]:
    """Publish an older version anew."""
    return _published(rollback(call.hub, body.number, call.actor))


def _published(active: Active) -> Answer[Published]:
    content = Published(number=active.number, hash=active.hash)
    return Answer(content, headers={"ETag": f'"{active.hash}"'})
