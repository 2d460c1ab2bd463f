"""Access tokens of the API: opaque, stored as a hash, looked up at every request."""

import hashlib
import json
import re
import secrets
from typing import Literal, get_args

from pydantic import AwareDatetime, Field

from chalicelib.errors import Invalid, NotFound, Unverified
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import packed, unpacked
from chalicelib.storage import Absent, Holds, Item, Key, Put

Role = Literal["admin", "manager", "rep", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)

TOKENS_LIST = "TOKENS"
LONGEST_NAME = 80

_HEADER = re.compile(r"[Bb]earer +(hub_[A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[^\x00-\x1f\x7f]+")


class Caller(Model):
    """Whom a token stands for."""

    token_id: str = Field(description="names the token; tells nothing about it")
    role: Role
    name: str = Field(description="who uses it, as whoever made it wrote")
    created_at: AwareDatetime
    owner_id: str = Field(default="", description="of a rep: whose leads the token reaches")
    removed_at: AwareDatetime | None = None
    version: int = 1


def make_token(hub: Hub, name: str, role: Role, owner_id: str = "") -> str:
    """Make a token; it is given here and never again, for only its hash is kept.

    Args:
        hub: stored in.
        name: of whoever will use it; stands on timelines.
        role: what it may do.
        owner_id: whom a rep's token speaks for; empty for any other role.

    Raises:
        Invalid: no such role or owner, or the name cannot be used.
    """
    name = name.strip()
    problems = tuple(_problems(hub, name, role, owner_id))
    if problems:
        raise Invalid("no token was made", problems)
    token = "hub_" + secrets.token_urlsafe(32)
    caller = Caller(
        token_id=_hash(token)[:12],
        role=role,
        name=name,
        created_at=hub.clock(),
        owner_id=owner_id,
    )
    item = _item(token_key(_hash(token)), caller)
    hub.table.write([Put("token", item, Absent())])
    return token


def find_caller(hub: Hub, authorization_header: str) -> Caller:
    """Say who calls; read anew each time, so that a removed token ends at once.

    Raises:
        Unverified: no token, or none of ours; which of both is not said.
    """
    found = _HEADER.fullmatch(authorization_header.strip())
    item = hub.table.get(token_key(_hash(found[1]))) if found else None
    caller = _caller(item) if item else None
    if caller is None or caller.removed_at:
        raise Unverified("a valid token is needed")
    return caller


def list_tokens(hub: Hub) -> list[Caller]:
    """Give the tokens that work, newest first; one made this very moment may still lack."""
    return [caller for _, caller in _stored(hub)]


def remove_token(hub: Hub, token_id: str) -> Caller:
    """End a token for good; who it was stays on record.

    Raises:
        NotFound: no token that works has this id.
        Conflict: somebody else ended it at this moment.
    """
    for key, caller in _stored(hub):
        if caller.token_id == token_id:
            return _remove(hub, key, caller)
    raise NotFound(f"token {token_id}")


def token_key(token_hash: str) -> Key:
    """Key of a token."""
    return Key(f"TOKEN#{token_hash}", "TOKEN")


def _stored(hub: Hub) -> list[tuple[Key, Caller]]:
    """Give the tokens that work with their keys, newest first."""
    keys: list[Key] = []
    start = None
    while True:
        page = hub.table.query_index("list", TOKENS_LIST, newest_first=True, limit=100, start=start)
        keys += [Key(item["pk"], item["sk"]) for item in page.items]
        start = page.next
        if start is None:
            break
    items = hub.table.get_many(keys)
    found = [(key, _caller(items[key])) for key in keys if key in items]
    return [(key, caller) for key, caller in found if not caller.removed_at]


def _remove(hub: Hub, key: Key, caller: Caller) -> Caller:
    removed = caller.model_copy(update={"removed_at": hub.clock(), "version": caller.version + 1})
    hub.table.write([Put("removed token", _item(key, removed), Holds("version", caller.version))])
    return removed


def _problems(hub: Hub, name: str, role: str, owner_id: str) -> list[str]:
    problems = []
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        problems.append(f"name: expected 1 to {LONGEST_NAME} characters on one line")
    if role not in ROLES:
        problems.append(f"role: expected one of {', '.join(ROLES)}")
    if role == "rep":
        owners = hub.configurations.current().config.owners
        if owner_id not in owners:
            problems.append(f"owner: a rep's token needs one of: {', '.join(owners) or 'none yet'}")
    elif owner_id:
        problems.append("owner: only a rep's token has one")
    return problems


def _item(key: Key, caller: Caller) -> Item:
    item = {
        "pk": key[0],
        "sk": key[1],
        "kind": "token",
        "writer": f"tokens:{caller.token_id}:{caller.version}",
        "version": caller.version,
        "data": packed(caller),
    }
    if caller.removed_at:
        return item
    return {
        **item,
        "list_pk": TOKENS_LIST,
        "list_sk": f"{utc_text(caller.created_at)}#{caller.token_id}",
        "summary": json.dumps({"token_id": caller.token_id}),
    }


def _caller(item: Item) -> Caller:
    return unpacked(Caller, item["data"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
