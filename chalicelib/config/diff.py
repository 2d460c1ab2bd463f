"""What changes from one configuration to another, in the order of the document."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from chalicelib.config.document import path_text
from chalicelib.config.model import Config
from chalicelib.lead.model import Model

Key = str | int


class Change(Model):
    """One difference, told as small as it can be."""

    path: str = Field(description="things that have an id are named by it: routing.enterprise.pool")
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def diff(old: Config, new: Config) -> list[Change]:
    """List what has to change in one configuration to make the other of it.

    Returns:
        In the order of the document; what is new comes after what was there. Something that was
        added or removed is one change, without its defaults. Rules whose order among each other
        changed are one change of `order`.
    """
    return list(_diff_models(old, new, ()))


def _diff_models(old: BaseModel, new: BaseModel, path: tuple[Key, ...]) -> Iterator[Change]:
    if type(old) is not type(new):
        yield _changed(path, old, new)
        return
    for name in type(old).model_fields:
        yield from _diff_values(getattr(old, name), getattr(new, name), (*path, name.strip("_")))


def _diff_values(old: Any, new: Any, path: tuple[Key, ...]) -> Iterator[Change]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, BaseModel) and isinstance(new, BaseModel):
        yield from _diff_models(old, new, path)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _diff_mappings(old, new, path)
    elif isinstance(old, tuple) and isinstance(new, tuple):
        yield from _diff_lists(old, new, path)
    else:
        yield _changed(path, old, new)


def _diff_mappings(
    old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[Key, ...]
) -> Iterator[Change]:
    for key, before in old.items():
        here = (*path, key)
        if key in new:
            yield from _diff_values(before, new[key], here)
        else:
            yield Change(path=path_text(here), kind="removed", before=_plain(before))
    for key, after in new.items():
        if key not in old:
            yield Change(path=path_text((*path, key)), kind="added", after=_plain(after))


def _diff_lists(
    old: tuple[Any, ...], new: tuple[Any, ...], path: tuple[Key, ...]
) -> Iterator[Change]:
    """Compare lists of things with ids by id, and other lists as a whole."""
    before, after = _by_id(old), _by_id(new)
    if before is None or after is None:
        if old != new:
            yield _changed(path, old, new)
        return
    yield from _diff_mappings(before, after, path)
    old_order = [key for key in before if key in after]
    new_order = [key for key in after if key in before]
    if old_order != new_order:
        yield Change(
            path=path_text((*path, "order")), kind="changed", before=old_order, after=new_order
        )


def _by_id(things: tuple[Any, ...]) -> dict[str, Any] | None:
    """Index things by id, a pool's members by owner; None when they have none or share one."""
    index: dict[str, Any] = {}
    for each in things:
        key = getattr(each, "id", "") or getattr(each, "owner", "")
        if not key or key in index:
            return None
        index[key] = each
    return index


def _changed(path: tuple[Key, ...], old: Any, new: Any) -> Change:
    return Change(path=path_text(path), kind="changed", before=_plain(old), after=_plain(new))


def _plain(value: Any) -> Any:
    """Write a value as JSON has it, for people and programs alike."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
