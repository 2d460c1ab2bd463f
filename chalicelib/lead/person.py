"""A person as people name them, by e-mail or phone; and whether a text that came names them."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from chalicelib.config.model import Config, Settings
from chalicelib.config.source import Source
from chalicelib.lead.email import clean_email
from chalicelib.lead.identity import identity_keys
from chalicelib.lead.model import CleanValue
from chalicelib.lead.phone import clean_phone

Countries = Sequence[tuple[str, str]]
"""ISO code and where it is from; see phone.clean_phone."""

FEWEST_DIGITS = 6
"""Of a national number; a shorter one stands in too much that is no phone number."""

MOST_PREFIX = 6
"""What may stand before a national number: 00 or +, a country's code, a zero in brackets."""

_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,30}")
_MAIL = re.compile(r"""[^\s"'<>(),;:\[\]\\/=&?]{1,128}@[^\s"'<>(),;:\[\]\\/=&?]{1,255}""")
_NUMBER = re.compile(r"[+(]?[0-9][0-9 ()./\-\u00a0]{4,40}")
_NO_DIGIT = re.compile(r"[^0-9]")


def countries_of(config: Config, source: Source | None = None) -> Countries:
    """Give the countries in which a bare national number is read, the likeliest first."""
    settings = (config.settings.default_country, "settings")
    if source is not None:
        return ((source.default_country, "source"), settings)
    others = sorted({one.default_country for one in config.sources.values()})
    return (settings, *((code, "source") for code in others if code != settings[0]))


def person_keys(
    settings: Settings,
    *,
    email: str = "",
    phone: str = "",
    countries: Countries = (),
    person_id: str = "",
    connector: str = "",
) -> tuple[str, ...]:
    """Give the identity keys of a person of whom only this is told; empty when none can be read."""
    contact: dict[str, CleanValue] = {}
    if email and (clean := clean_email(email)):
        contact["email"] = clean
    if phone and (clean := clean_phone(phone, countries)):
        contact["phone"] = clean
    return identity_keys(contact, person_id, connector, settings)


def keys_named(config: Config, text: str) -> tuple[str, ...]:
    """Give the identity keys that a bare e-mail address or phone number stands for.

    A national number has one for each country of the configuration in which it can be.
    """
    text = text.strip()
    if "@" in text:
        return person_keys(config.settings, email=text)
    if not _PHONE.fullmatch(text):
        return ()
    found = {
        key
        for country in countries_of(config)
        for key in person_keys(config.settings, phone=text, countries=(country,))
    }
    return tuple(sorted(found))


class Traces:
    """Says whether a text names a person, by e-mail, phone or a provider's own id of them."""

    def __init__(self, keys: Collection[str], settings: Settings) -> None:
        """Look for a person with these identity keys."""
        self._settings = settings
        self._mails = {key for key in keys if key.startswith("email:")}
        phones = [key.removeprefix("phone:") for key in keys if key.startswith("phone:+")]
        numbers = {_national(phone.partition(";")[0]) for phone in phones}
        self._numbers = sorted(one for one in numbers if len(one) >= FEWEST_DIGITS)
        self._ids: dict[str, set[str]] = {}
        for key in keys:
            kind, _, rest = key.partition(":")
            if kind == "person":
                connector, _, own_id = rest.partition(":")
                self._ids.setdefault(connector, set()).add(own_id)

    def are_in(self, texts: Iterable[str], connector: str = "") -> bool:
        """Look through texts; a provider's id must be one of them as a whole."""
        ids = self._ids.get(connector, set())
        return any(text.strip() in ids or self._is_named(text) for text in texts)

    def _is_named(self, text: str) -> bool:
        return (bool(self._mails) and "@" in text and any(self._mails_in(text))) or (
            bool(self._numbers) and any(self._is_theirs(run) for run in _NUMBER.findall(text))
        )

    def _mails_in(self, text: str) -> Iterator[bool]:
        for found in _MAIL.findall(text):
            keys = person_keys(self._settings, email=found.rstrip("."))
            yield not self._mails.isdisjoint(keys)

    def _is_theirs(self, run: str) -> bool:
        digits = _NO_DIGIT.sub("", run)
        return any(
            digits.endswith(number) and len(digits) - len(number) <= MOST_PREFIX
            for number in self._numbers
        )


def _national(e164: str) -> str:
    """Give a number as it is dialled in its own country, without the zero before it."""
    import phonenumbers

    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164.removeprefix("+")
    return str(phonenumbers.national_significant_number(number))
