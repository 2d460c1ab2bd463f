"""What a JSON route is given and gives back: Call, Answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chalicelib.errors import Misconfigured, NotFound, Unconditional, Unverified
from chalicelib.flow.cursors import missing_secret, read_cursor, sign_cursor
from chalicelib.flow.details import find_lead
from chalicelib.flow.tokens import Caller
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, Model
from chalicelib.links import LINKS_SECRET

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a route answers when it is more than 200 and a body."""

    content: T
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call of a route.

    Attributes:
        route: method and path as the table has them, such as `GET /v1/leads/{id}`.
        path: parameters in the path.
        caller: None where no token is needed and none was sent.
        if_match: the header, as sent; empty if it was not.
    """

    hub: Hub
    route: str
    path: Mapping[str, str]
    caller: Caller | None = None
    if_match: str = ""

    @property
    def who(self) -> Caller:
        """Whom the token stands for."""
        if self.caller is None:
            raise Unverified("a valid token is needed")
        return self.caller

    @property
    def actor(self) -> str:
        """Name whoever acts, as it stands on timelines."""
        owners = self.hub.configurations.current().config.owners
        owner = owners.get(self.who.owner_id)
        return owner.name if owner else self.who.name

    @property
    def only_owner(self) -> str:
        """Give the owner whom the caller is held to; empty for whoever may see all."""
        return self.who.owner_id if self.who.role == "rep" else ""

    def made_on(self, what: str) -> str:
        """Read If-Match: the ETag of what a change was made on; empty for whatever is there now.

        Raises:
            Unconditional: the header is missing.
        """
        text = self.if_match.strip()
        if not text:
            raise Unconditional(f"If-Match is needed: the ETag of the {what} it was made on")
        if text == "*":
            return ""
        # Anything but one strong ETag fits nothing.
        is_quoted = len(text) > 2 and text[0] == text[-1] == '"'
        return text[1:-1] if is_quoted else "-"

    def lead(self) -> Lead:
        """Give the lead that the path names.

        Raises:
            NotFound: there is none, or none that the caller may know of; which is not said.
        """
        lead = find_lead(self.hub, self.path["lead_id"])
        owner_id = lead.assignment.owner_id if lead.assignment else ""
        if self.who.role == "rep" and owner_id != self.who.owner_id:
            raise NotFound(f"lead {self.path['lead_id']}")
        return lead

    def after(self, query: Model, cursor: str) -> str:
        """Read the cursor of a list that was asked for with these filters.

        Raises:
            Malformed: not a cursor of this very list and caller.
        """
        secrets = self.hub.secrets.get(LINKS_SECRET)
        return read_cursor(cursor, self._purpose(query), secrets, self.hub.clock())

    def cursor(self, query: Model, after: str) -> str:
        """Make the cursor of the next page; empty when there is none."""
        if not after:
            return ""
        secrets = self.hub.secrets.get(LINKS_SECRET)
        if not secrets:
            raise Misconfigured(missing_secret())
        return sign_cursor(after, self._purpose(query), secrets[0], self.hub.clock())

    def _purpose(self, query: Model) -> list[str]:
        filters = query.model_dump(mode="json", exclude={"cursor", "limit"})
        return [self.who.token_id, self.route, json.dumps(filters, sort_keys=True)]
