"""Where a person is and what they speak: country, language and time zone, each with its evidence.

Evidence is noted as `from:KIND`, and `weak` beside it when it only makes something likely. What
is not known stays unknown. Order of evidence:

- country: the answer; a phone number (weak unless it says its country itself); the ending of
  website or e-mail (weak).
- language: the answer; what provider or browser said (`from:submission`); the hub's (weak).
- time zone: the answer; the phone number's area (weak likewise); the country, where it has one
  zone, or (weak) where nearly all its people have the same.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.lead.email import domain_of
from chalicelib.lead.model import CleanValue
from chalicelib.lead.phone import noted_country, time_zones
from chalicelib.lead.text import clean_line, fold, storable, words

_DATA = Path(__file__).parent / "data"
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?![a-z0-9])", re.I)

# Country endings that are sold to everybody, and so say nothing of the place.
_SOLD_TO_ALL = words(
    "ac ag ai am as bz cc cd co cx dj fm gg gl gs im io la li ly me ms mu nu pw sc sh sr st"
    " su tk tl to tv vc vg vu ws"
)


def clean_country(raw: str) -> CleanValue | None:
    """Give the ISO code of a country named by code or in one of some thirty languages."""
    text, notes = clean_line(raw)
    code = country_code(text)
    return CleanValue(value=code, raw=storable(raw), notes=notes) if code else None


def clean_language(raw: str) -> CleanValue | None:
    """Give the BCP 47 tag of a language: from a tag, Accept-Language, or the language's name."""
    text, notes = clean_line(raw)
    tag = language_tag(text)
    return CleanValue(value=tag, raw=storable(raw), notes=notes) if tag else None


def clean_time_zone(raw: str) -> CleanValue | None:
    """Give the IANA name of a time zone that exists."""
    text, notes = clean_line(raw)
    name = _zone(text)
    return CleanValue(value=name, raw=storable(raw), notes=notes) if name else None


def infer_country(contact: Mapping[str, CleanValue]) -> CleanValue | None:
    """Infer the country from a contact that does not name it."""
    if phone := contact.get("phone"):
        code = noted_country(phone)[0]
        if code in _countries() and "unlikely_phone" not in phone.notes:
            return CleanValue(value=code, raw=phone.raw, notes=_phone_evidence(phone))
    for field in ("website", "email"):
        if value := contact.get(field):
            is_site = field == "website"
            host = urlsplit(value.value).hostname or "" if is_site else domain_of(value.value)
            if code := country_of_domain(host):
                return CleanValue(value=code, raw=value.raw, notes=(f"from:{field}", "weak"))
    return None


def infer_language(said: str, default: str) -> CleanValue | None:
    """Take the language that provider or browser said, else the hub's own."""
    if tag := language_tag(said):
        return CleanValue(value=tag, raw=storable(said), notes=("from:submission",))
    tag = language_tag(default)
    return CleanValue(value=tag, raw=default, notes=("from:settings", "weak")) if tag else None


def infer_time_zone(contact: Mapping[str, CleanValue]) -> CleanValue | None:
    """Infer the time zone from phone or country, when only one comes into question."""
    country = contact.get("country")
    if (phone := contact.get("phone")) and "unlikely_phone" not in phone.notes:
        zones = time_zones(phone.value)
        if len(zones) == 1:
            return CleanValue(value=zones[0], raw=phone.raw, notes=_phone_evidence(phone))
    zone = _countries().get(country.value, "") if country else ""
    if not zone or country is None:
        return None
    is_weak = zone.startswith("~") or "weak" in country.notes
    notes = ("from:country", "weak") if is_weak else ("from:country",)
    return CleanValue(value=zone.removeprefix("~"), raw=country.raw, notes=notes)


def _phone_evidence(phone: CleanValue) -> tuple[str, ...]:
    """Say how far a number tells the place: little when its own country was a guess."""
    is_own = noted_country(phone)[1] in {"number", "digits", "address"}
    return ("from:phone",) if is_own else ("from:phone", "weak")


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """Give the ISO code for a code or a name of a country; empty when there is none."""
    upper = text.strip().upper()
    if len(upper) == 2 and upper.isascii() and upper in _countries():
        return upper
    return _country_names().get(fold(text), "")


@lru_cache(maxsize=1024)
def language_tag(text: str) -> str:
    """Give a language tag as BCP 47 writes it: de, pt-BR, zh-Hant-TW; empty when there is none."""
    named = _language_names().get(fold(text), "") if len(text) > 3 or not text.isascii() else ""
    match = None if named else _TAG.match(text.strip())
    if match is None:
        return named
    language, script, region = (part or "" for part in match.groups())
    if len(language) == 2 and language.lower() not in _language_codes():
        return ""
    if len(language) == 3 and (script, region) == ("", "") and match.end() < len(text.strip()):
        return ""
    return "-".join(filter(None, (language.lower(), script.title(), region.upper())))


@lru_cache(maxsize=1024)
def region_of_language(tag: str) -> str:
    """Give the country that a language tag names, if it does: de-AT -> AT."""
    region = tag.rpartition("-")[2]
    return region if len(region) == 2 and region in _countries() else ""


@lru_cache(maxsize=1024)
def country_of_domain(host: str) -> str:
    """Give the country whose ending a domain has; empty for endings that say nothing."""
    ending = host.rpartition(".")[2].lower()
    if ending in _SOLD_TO_ALL or len(ending) != 2:
        return ""
    code = "GB" if ending == "uk" else ending.upper()
    return code if code in _countries() else ""


@lru_cache(maxsize=1024)
def _zone(text: str) -> str:
    """Give a zone's name if the zone exists."""
    from zoneinfo import ZoneInfo

    name = text.replace(" ", "_")
    if "/" not in name and name != "UTC":
        return ""
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        return ""


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Give the zone of each country; empty when it has several, ~ before what most have."""
    return {code: zone for code, zone, _ in _rows("countries.txt")}


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    return {name: code for code, _, names in _rows("countries.txt") for name in names.split("|")}


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str]:
    return {name: code for code, names in _rows("languages.txt") for name in names.split("|")}


@lru_cache(maxsize=1)
def _language_codes() -> frozenset[str]:
    return frozenset(code for code, _ in _rows("languages.txt"))


def _rows(name: str) -> list[list[str]]:
    """Read a table of the data folder, without its remarks."""
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]
