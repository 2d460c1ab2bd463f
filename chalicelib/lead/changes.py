"""What a person of ours wants changed on a lead, cleaned as submissions are, or refused in words.

The parts of a name are set together, and so are those of an address: what is said of one part
takes the others along as they are, so that nothing is mixed from two hands.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any

from chalicelib.config.model import Config, CustomField
from chalicelib.lead.custom import clean_custom
from chalicelib.lead.edits import edits_in_force, edits_said_of
from chalicelib.lead.folding import GROUPS, group_of
from chalicelib.lead.identity import identity_keys
from chalicelib.lead.model import CONTACT_FIELDS, NAME_FIELDS, CleanValue, Lead
from chalicelib.lead.name import clean_names, join_name
from chalicelib.lead.normalise import Cleaner, cleaner_of
from chalicelib.lead.phone import clean_phone
from chalicelib.lead.text import LONGEST_MESSAGE

Given = str | int | float | bool | tuple[str, ...] | None
"""What a person gives for a field; None or what is empty leaves it empty by hand."""

EXPECTED: Mapping[str, str] = {
    "email": "an e-mail address such as ann@example.com",
    "phone": "a phone number with its country code such as +44 20 7946 0018",
    "company": "a company's name",
    "company_domain": "a company's own domain such as example.com",
    "website": "a web address such as www.example.com",
    "country": "a country such as DE or Germany",
    "language": "a language such as de or pt-BR",
    "time_zone": "a time zone such as Europe/Berlin",
    "date_of_birth": "a date of birth such as 1984-05-31",
}


@dataclass(frozen=True)
class Change:
    """What one field is set to; a value of None gives it back to the touches."""

    value: Any
    notes: tuple[str, ...] = ()
    identity_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What is wanted, by field, without what is so already; or what is wrong with it."""

    fields: Mapping[str, Change] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_changes(
    lead: Lead,
    said_of: str,
    wanted: Mapping[str, Given],
    released: Collection[str],
    config: Config,
) -> Changes:
    """Clean what is wanted of a lead; a problem names the field and what was expected.

    Args:
        lead: as it stands.
        said_of: its id, or that of a lead that was merged into it.
        wanted: by contact field, or by id of a custom field.
        released: fields to give back to the touches.
        config: custom fields, and the country of phone numbers without a country code.
    """
    problems = _misnamed(wanted, released, config)
    if problems:
        return Changes(problems=problems)
    reading = _Reading(lead, wanted, config)
    fields = reading.read()
    if reading.problems:
        return Changes(problems=tuple(reading.problems))
    fields |= {name: Change(None) for given in released for name in group_of(given)}
    counts = edits_in_force(lead.edits)
    said = edits_in_force(edits_said_of(lead.edits, [said_of]))
    changed = {
        name
        for name, change in fields.items()
        for known in (counts, said)
        if change.value != (known[name].value if name in known else None)
    }
    order = (*CONTACT_FIELDS, *(each.id for each in config.fields))
    wanted_now = (name for name in order if name in fields and changed & set(group_of(name)))
    return Changes({name: fields[name] for name in wanted_now})


def _misnamed(
    wanted: Mapping[str, Given], released: Collection[str], config: Config
) -> tuple[str, ...]:
    names = {*CONTACT_FIELDS, *(each.id for each in config.fields)}
    unknown = [
        f"{name[:40]}: expected a contact field or a field of `fields`{_near(name, names)}"
        for name in dict.fromkeys((*wanted, *released))
        if name not in names
    ]
    both = [
        f"{name}: expected a value or its release, not both"
        for name in wanted
        if set(group_of(name)) & set(released)
    ]
    return (*unknown, *both)


def _near(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name.removeprefix("custom.")[:40], sorted(names), 1)
    return f"; did you mean {near[0]}?" if near else ""


class _Reading:
    """Cleans the fields that are wanted, and gathers what is wrong with them."""

    def __init__(self, lead: Lead, wanted: Mapping[str, Given], config: Config) -> None:
        self.problems: list[str] = []
        self._lead = lead
        self._wanted = {name: _answer(given) for name, given in wanted.items()}
        self._config = config
        for name, answer in self._wanted.items():
            if sum(map(len, answer)) > LONGEST_MESSAGE:
                self.problems.append(f"{name}: expected at most {LONGEST_MESSAGE} characters")

    def read(self) -> dict[str, Change]:
        """Give all fields that are set, those that go with the wanted ones too."""
        contact = {
            name: self._clean(name, cleaner_of(name))
            for name in CONTACT_FIELDS
            if name in self._wanted and name != "phone"
        }
        if "phone" in self._wanted:
            # The number may be read in the country that is set beside it.
            countries = self._countries(contact.get("country"))
            contact["phone"] = self._clean("phone", partial(clean_phone, countries=countries))
        if not self.problems:
            for group in GROUPS:
                if any(name in contact for name in group):
                    contact |= self._together(group, contact)
        fields = {name: self._change(name, value) for name, value in contact.items()}
        for custom in self._config.fields:
            if custom.id in self._wanted:
                fields[custom.id] = self._custom(custom)
        return fields

    def _clean(self, name: str, cleaner: Cleaner) -> CleanValue | None:
        """Clean one value; None when it is to be empty, or cannot be read."""
        answer = self._wanted[name]
        if not isinstance(answer, str):
            self.problems.append(f"{name}: expected one text")
            return None
        if not answer.strip():
            return None
        value = cleaner(answer)
        if value is None:
            self.problems.append(f"{name}: expected {EXPECTED.get(name, 'text')}")
        elif "cut" in value.notes:
            self.problems.append(f"{name}: expected at most {len(value.value)} characters")
        return value

    def _countries(self, country: CleanValue | None) -> tuple[tuple[str, str], ...]:
        """Give the countries in which to read a phone number, the likeliest first."""
        known = self._lead.profile.get("country")
        said = country.value if country else str(known.value) if known else ""
        return ((said, "address"), (self._config.settings.default_country, "settings"))

    def _together(
        self, group: tuple[str, ...], contact: Mapping[str, CleanValue | None]
    ) -> dict[str, CleanValue | None]:
        """Set a whole group: what is wanted over what is known, or over nothing."""
        held = self._lead.profile
        known = {name: str(held[name].value) for name in group if name in held}
        if group is NAME_FIELDS:
            known = _rest_of_name(known, contact)
        given = known | {name: value.value if value else "" for name, value in contact.items()}
        parts = {name: given[name] for name in group if given.get(name)}
        if group is NAME_FIELDS:
            whole: Mapping[str, CleanValue] = clean_names(parts)
        else:
            whole = {name: CleanValue(value=text, raw=text) for name, text in parts.items()}
        return {name: contact.get(name) or whole.get(name) for name in group}

    def _change(self, name: str, value: CleanValue | None) -> Change:
        if value is None:
            return Change("")
        keys = identity_keys({name: value}, "", "", self._config.settings)
        return Change(value.value, value.notes, keys)

    def _custom(self, custom: CustomField) -> Change:
        answer = self._wanted[custom.id]
        if not any(map(str.strip, (answer,) if isinstance(answer, str) else answer)):
            return Change("")
        read = clean_custom(answer, custom)
        if read.value is None or "unknown_choice" in read.notes:
            self.problems.append(f"{custom.id}: expected {_expected(custom)}")
        return Change(read.value, tuple(f"{custom.id}:{note}" for note in read.notes))


def _rest_of_name(
    known: Mapping[str, str], contact: Mapping[str, CleanValue | None]
) -> dict[str, str]:
    """Give the parts of a known name that stay when others are set.

    A new full name brings its own parts. A full name that is no more than its parts follows them.
    """
    if "full_name" in contact:
        return {}
    parts = {name: text for name, text in known.items() if name != "full_name"}
    full = known.get("full_name", "")
    follows = full == join_name(parts.get("first_name", ""), parts.get("last_name", ""))
    return parts if follows else {**parts, "full_name": full}


def _answer(given: Given) -> str | tuple[str, ...]:
    match given:
        case None:
            return ""
        case bool():
            return "yes" if given else "no"
        case tuple():
            return given
    return str(given)


def _expected(custom: CustomField) -> str:
    match custom.type:
        case "number":
            return "a number"
        case "boolean":
            return "yes or no"
        case "choice":
            return f"one of {', '.join(custom.choices)}"
    return "text"
