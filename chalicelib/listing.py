"""What connectors share that read a provider's API: its lists of acts, and its webhooks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.answers import moment_of
from chalicelib.body import as_text
from chalicelib.contract import Options, Page, Subscription, Window
from chalicelib.errors import Misconfigured

_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def bearer(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the access token as RFC 6750 wants it; an Api.authorise."""
    return {"Authorization": f"Bearer {token}"}, {}


def page_within(
    window: Window, items: Sequence[Any], at: Callable[[Any], Any], following: str
) -> Page:
    """Make a page of a list that cannot be asked for a window.

    Args:
        window: what is wanted.
        items: a page of the provider's list.
        at: gives the text of when an item was submitted.
        following: names the page after; empty at the end of the list.

    Returns:
        The items within the window, and those whose time cannot be read. It is the last page
        where all of it runs newest first and ends before the window; so a list in another order
        is read to its end.
    """
    moments = [moment_of(as_text(at(item)), _NEVER) for item in items]
    inside = tuple(
        item
        for item, moment in zip(items, moments, strict=True)
        if window.since <= moment <= window.until or moment == _NEVER
    )
    is_newest_first = moments == sorted(moments, reverse=True)
    is_past = not items or (is_newest_first and moments[-1] < window.since)
    return Page(inside, "" if is_past else following)


def forms_of(options: Options) -> tuple[str, ...]:
    """Give the forms that the option `forms` names, for APIs that are read form by form.

    Raises:
        Misconfigured: it names none.
    """
    forms = tuple(as_text(form) for form in options["forms"])
    if not all(forms) or not forms:
        raise Misconfigured("the option forms names no form to read")
    return forms


def page_of_each(forms: Sequence[str], at: str, page: Callable[[str, str], Page]) -> Page:
    """Page through the lists of several forms, one after the other.

    Args:
        forms: their ids, which hold no blank.
        at: what the page before gave as `next`; empty for the first.
        page: (form, `next` within its list) -> page of its list.
    """
    form, _, within = at.partition(" ")
    if form not in forms:
        form, within = forms[0], ""
    found = page(form, within)
    if found.next:
        return Page(found.items, f"{form} {found.next}")
    return Page(found.items, next(iter(forms[forms.index(form) + 1 :]), ""))


def is_to(url: str, address: str) -> bool:
    """Say whether a webhook goes to an address of ours, whatever token or query follows it."""
    return url == address or url.startswith((f"{address}/", f"{address}?"))


def subscription_of(address: str, hooks: Mapping[str, Iterable[tuple[str, bool]]]) -> Subscription:
    """Say whether every form has a webhook to an address of ours, and switched on.

    Args:
        address: ours; what follows it, such as a token, does not matter.
        hooks: form -> its webhooks, each as (address, whether it is on).
    """
    troubles = []
    for form, found in hooks.items():
        ours = [is_on for url, is_on in found if is_to(url, address)]
        if not ours:
            troubles.append(f"form {form} has no webhook to this source")
        elif not any(ours):
            troubles.append(f"the webhook of form {form} is switched off")
    found_all = f"webhooks of {len(hooks)} forms are switched on"
    return Subscription(is_active=not troubles, detail="; ".join(troubles) or found_all)
