"""The hub's matching behind JSON lines, so that anyone can judge it on any set of records.

    python -m bench.adapters.matching < records.jsonl

Reads `{"lead": {first_name, last_name, full_name, company, email, phone, street, city, postal_code,
state, country, dob, extra}, "rid": 17}`, all fields optional, and answers at once with
`{"entity": "..."}`, the lead that it was put into; `{"final": true}` is answered by `{"assign":
{"17": "...", ...}}`, where each record is in the end, or `{}` if nothing has moved since. The table
is empty at first, the configuration is the default one, and there is no AWS. A real hub learns
every night; this one learns from what it has whenever there are twice as many leads as before.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO, cast

from bench.adapters.table import FastTable
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import Submission
from chalicelib.flow.glance import Glance
from chalicelib.flow.leads import live_leads_by_id
from chalicelib.flow.learn import LEAST, learn_now
from chalicelib.flow.match import match, save
from chalicelib.hub import Configurations, Current, Hub
from chalicelib.lead.normalise import normalise
from chalicelib.records import Active, Claim, Version, active_item, version_item
from chalicelib.storage import Put

FIELDS: Mapping[str, str] = {
    **{
        name: name
        for name in (
            *("first_name", "last_name", "full_name", "company", "email", "phone"),
            *("street", "city", "postal_code", "country"),
        )
    },
    "state": "region",
    "dob": "date_of_birth",
    "extra": "job_title",
}
"""Fields of the protocol -> contact fields of the hub."""

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Matcher:
    """A hub of which only matching is used."""

    def __init__(self) -> None:
        self.table = FastTable()
        self._config = Config()
        self._source = Source(connector="file_import", fields=FIELDS)
        self._taken: dict[str, str] = {}
        self._moved = False
        self._leads, self._learns_at = 0, LEAST
        active = Active(number=1, hash="default", version=1)
        version = Version(
            number=1,
            hash="default",
            published_at=BEGINNING,
            published_by="bench",
            document=self._config.model_dump_json(exclude_defaults=True),
        )
        items = (version_item(version, "bench"), active_item(active, "bench"))
        self.table.write([Put("configuration", item) for item in items])
        nothing: Any = None
        self.hub = Hub(
            settings=nothing,
            table=self.table,
            inbox=nothing,
            routing=nothing,
            outbox=nothing,
            blobs=nothing,
            secrets=nothing,
            send_mail=nothing,
            web=nothing,
            configurations=Configurations(self.table),
            clock=self._now,
            new_id=lambda: f"id-{len(self._taken)}",
            side_by_side=nothing,
        )

    def _now(self) -> datetime:
        return BEGINNING + timedelta(minutes=len(self._taken))

    def take(self, rid: str, lead: Mapping[str, Any]) -> str:
        """Take a record; gives the lead that it was put into."""
        now = self._now()
        submission = Submission(
            external_id=f"record-{rid}",
            submitted_at=now,
            answers={key: str(value) for key, value in lead.items() if key in FIELDS and value},
        )
        touch = normalise(
            submission,
            source_id="bench",
            source=self._source,
            connector="file_import",
            connector_fields={},
            config=self._config,
            delivery_id=f"delivery-{rid}",
            received_at=now,
        )
        found = match(self.hub, self._current(), Glance(self.table), touch)
        claim = Claim(
            source_id="bench",
            external_id=submission.external_id,
            version=1,
            delivery_id=touch.delivery_id,
            acted_at=now,
            lead_id=found.lead.lead_id,
            touch_id=touch.touch_id,
        )
        save(self.hub, found, claim, f"bench:{rid}")
        self._taken[rid] = found.lead.lead_id
        self._moved = self._moved or bool(found.losers)
        self._leads += (not found.version) - len(found.losers)
        if self._leads >= self._learns_at:
            learn_now(self.hub)
            self._learns_at *= 2
        return found.lead.lead_id

    def _current(self) -> Current:
        return self.hub.configurations.current()

    def final(self) -> dict[str, str]:
        """Say where each record is in the end; empty if nothing has moved."""
        if not self._moved:
            return {}
        leads = live_leads_by_id(self.table, list(self._taken.values()))
        return {rid: leads[lead_id].lead_id for rid, lead_id in self._taken.items()}


def serve(given: TextIO, answers: TextIO) -> None:
    """Answer line by line."""
    matcher = Matcher()
    for line in given:
        asked = cast(Mapping[str, Any], json.loads(line))
        if asked.get("final"):
            assign = matcher.final()
            answer: Mapping[str, Any] = {"assign": assign} if assign else {}
        else:
            answer = {"entity": matcher.take(str(asked["rid"]), asked["lead"])}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
