"""Conditions: what may be compared, what is known of a lead or touch, and whether it holds.

A condition is data, never code: there is no eval and no regular expression, so that nothing an
admin or a stranger writes can hang or take over the hub.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, assert_never

from chalicelib.config.model import All, AnyOne, Condition, Not, Op, Test
from chalicelib.lead.company import company_domain
from chalicelib.lead.email import ascii_domain, domain_of, is_anybodys
from chalicelib.lead.folding import is_flag
from chalicelib.lead.model import CONTACT_FIELDS, CleanValue, Lead, Reading, Touch

Facts = Mapping[str, Any]
"""What is known, by field name: text, number, boolean or tuple of text; unknown ones are absent."""

FieldType = Literal["text", "number", "boolean", "list", "any"]
Scope = Literal["lead", "touch", "both"]


@dataclass(frozen=True)
class FieldInfo:
    """What a condition may say about one field.

    Attributes:
        type: decides which comparisons fit; `any` takes them all.
        scope: what has this field: the lead, each of its touches, or both.
        meaning: in words, for the documentation and the console.
        is_work: tells how our work on the lead stands, which a score may not depend on.
    """

    type: FieldType
    scope: Scope
    meaning: str
    is_work: bool = False


FIELDS: Mapping[str, FieldInfo] = {
    **{name: FieldInfo("text", "both", "contact field, made clean") for name in CONTACT_FIELDS},
    "email_domain": FieldInfo("text", "both", "what stands behind the @ of the e-mail address"),
    "company_domain": FieldInfo("text", "both", "the company's domain; never that of free mail"),
    "is_free_mail": FieldInfo(
        "boolean", "both", "the address is with a free-mail provider, or is a slip for one"
    ),
    "phone_country": FieldInfo("text", "both", "country of the phone number, two letters"),
    "is_partial": FieldInfo("boolean", "both", "the form was left before its end"),
    "flags": FieldInfo("list", "both", "what was noticed when cleaning, such as role_address"),
    "referrers": FieldInfo("list", "both", "who sent the person: partners with credit for it"),
    "intent": FieldInfo("text", "both", "what the message asks for; of a lead, its newest one"),
    "urgency": FieldInfo("text", "both", "urgent, soon or later, if the message says so"),
    "message_language": FieldInfo("text", "both", "two letters; that the message is written in"),
    "source": FieldInfo("text", "both", "source of the touch; of a lead, its last touch's"),
    "form": FieldInfo("text", "both", "form of the touch; of a lead, its last touch's"),
    "first_source": FieldInfo("text", "lead", "source of the first touch"),
    "touch_count": FieldInfo("number", "lead", "how many touches the lead has"),
    "days_known": FieldInfo("number", "lead", "whole days since the first touch"),
    "score": FieldInfo("number", "lead", "fit plus engagement, 0 to 100", is_work=True),
    "fit": FieldInfo("number", "lead", "the fit part of the score", is_work=True),
    "engagement": FieldInfo("number", "lead", "the engagement part of the score", is_work=True),
    "status": FieldInfo("text", "lead", "where our work on the lead stands", is_work=True),
    "stage": FieldInfo("text", "lead", "where the person stands with us", is_work=True),
    "declined_by": FieldInfo("list", "lead", "owners who gave the lead back", is_work=True),
    "days_since_touch": FieldInfo("number", "lead", "whole days since the last touch"),
    "grade": FieldInfo("text", "lead", "grade of the score, such as A1", is_work=True),
    "triage": FieldInfo("text", "lead", "what is to be done with the enquiry", is_work=True),
    "status_reason": FieldInfo("text", "lead", "why it was disqualified", is_work=True),
}
"""Every field that has a fixed name."""

FAMILIES: Mapping[str, FieldInfo] = {
    "custom.": FieldInfo("any", "both", "a custom field by its id; typed as configured"),
    "campaign.": FieldInfo("text", "both", "utm_source, gclid ...; of a lead, its last touch's"),
    "first_campaign.": FieldInfo("text", "lead", "utm_source, gclid ... of the first touch"),
    "consent.": FieldInfo("boolean", "both", "by purpose: true given, false refused"),
    "answers.": FieldInfo("any", "touch", "an answer as given, by its key"),
    "parts.": FieldInfo("number", "lead", "a part of the score of your own", is_work=True),
}
"""Fields whose name is one of these and what follows it."""

NUMBER_OPS: frozenset[Op] = frozenset({"at_least", "at_most", "more_than", "less_than"})
NEGATIVE_OPS: frozenset[Op] = frozenset({"is_not", "not_in", "missing"})
"""The comparisons that hold when a field is missing; all others do not."""

MAX_NUMBER_LENGTH = 40
SHOWN_CHARACTERS = 60
SHOWN_REASONS = 400


@dataclass(frozen=True)
class Trace:
    """Whether a condition holds, and the facts that made it so, in words that are true."""

    holds: bool
    because: str


def field_info(name: str) -> FieldInfo | None:
    """Find what a field name stands for; None when there is no such field."""
    if name in FIELDS:
        return FIELDS[name]
    return next(
        (info for family, info in FAMILIES.items() if name.startswith(family) and name != family),
        None,
    )


def facts_of_lead(lead: Lead, now: datetime) -> Facts:
    """Lay out what is known of a lead at a time."""
    facts: dict[str, Any] = {name: held.value for name, held in lead.profile.items()}
    facts |= {f"custom.{name}": held.value for name, held in lead.custom.items()}
    facts |= {f"consent.{name}": consent.given for name, consent in lead.consents.items()}
    _add_derived(facts)
    first, last = lead.first_touch, lead.last_touch
    if first is not None:
        facts["first_source"] = first.source_id
        facts["days_known"] = max((now - first.at).days, 0)
        facts |= {f"first_campaign.{key}": value for key, value in first.campaign.items()}
    if last is not None:
        facts["source"] = last.source_id
        facts["form"] = last.form
        facts |= {f"campaign.{key}": value for key, value in last.campaign.items()}
        facts["days_since_touch"] = max((now - last.at).days, 0)
    facts |= {f"parts.{name}": points for name, points in lead.score.parts.items()}
    for name in ("triage", "status_reason"):
        if getattr(lead, name):
            facts[name] = getattr(lead, name)
    if lead.score.grade:
        facts["grade"] = lead.score.grade
    return facts | {
        **_facts_of_reading(lead.reading),
        "is_partial": lead.is_partial,
        "flags": lead.flags,
        "referrers": tuple(credit.referrer for credit in lead.credits),
        "touch_count": lead.touch_count,
        "score": lead.score.total,
        "fit": lead.score.fit,
        "engagement": lead.score.engagement,
        "status": lead.status,
        "stage": lead.stage,
        "declined_by": lead.declined_by,
    }


def facts_of_touch(touch: Touch) -> Facts:
    """Lay out what one touch says by itself."""
    facts: dict[str, Any] = {name: clean.value for name, clean in touch.contact.items()}
    notes = {note for clean in touch.contact.values() for note in clean.notes}
    facts |= {f"custom.{name}": value for name, value in touch.custom.items()}
    facts |= {f"answers.{key}": answer for key, answer in touch.answers.items()}
    facts |= {f"campaign.{key}": value for key, value in touch.campaign.items()}
    facts |= {f"consent.{consent.purpose}": consent.given for consent in touch.consents}
    _add_derived(facts)
    return facts | {
        **_facts_of_reading(touch.reading),
        "source": touch.source_id,
        "form": touch.form,
        "is_partial": touch.is_partial,
        "flags": tuple(sorted(filter(is_flag, {*notes, *touch.notes}))),
        "referrers": (touch.referrer,) if touch.referrer else (),
    }


def evaluate(condition: Condition, facts: Facts) -> Trace:
    """Decide whether a condition holds; a field that is missing or of another type never fails.

    Returns:
        The outcome and its reason. The reason is a true statement about the facts either way, so
        that a condition which does not hold says what stood against it.
    """
    match condition:
        case Test():
            return _compare(condition, facts)
        case All():
            return _evaluate_all(condition, facts)
        case AnyOne():
            return _evaluate_any(condition, facts)
        case Not():
            trace = evaluate(condition.not_, facts)
            return Trace(not trace.holds, trace.because)
        case _:
            assert_never(condition)


def tests_in(condition: Condition) -> Iterator[Test]:
    """Walk over all comparisons of a condition, in the order in which they are written."""
    match condition:
        case Test():
            yield condition
        case All():
            for part in condition.all:
                yield from tests_in(part)
        case AnyOne():
            for part in condition.any:
                yield from tests_in(part)
        case Not():
            yield from tests_in(condition.not_)
        case _:
            assert_never(condition)


def as_number(value: object) -> Decimal | None:
    """Read a number, or text that is one, exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, int):
        return Decimal(value)
    text = str(value).strip()
    if not text or len(text) > MAX_NUMBER_LENGTH or "_" in text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _facts_of_reading(reading: Reading | None) -> Facts:
    """Lay out what the message asks for; without one nothing is known of it."""
    if reading is None:
        return {}
    return {
        "intent": reading.intent,
        "urgency": reading.urgency,
        "message_language": reading.language,
    }


def _add_derived(facts: dict[str, Any]) -> None:
    """Add what follows from the contact fields; what is there already stays."""
    email, website, phone = (
        CleanValue(value=value, raw="") if isinstance(value, str) and value else None
        for value in map(facts.get, ("email", "website", "phone"))
    )
    if email is not None:
        facts["email_domain"] = domain_of(email.value)
        facts["is_free_mail"] = is_anybodys(ascii_domain(facts["email_domain"]))
    if "company_domain" not in facts and (domain := company_domain(website, email)):
        facts["company_domain"] = domain.value
    if phone is not None:
        facts["phone_country"] = _country_of_phone(phone.value)


@lru_cache(maxsize=1024)
def _country_of_phone(e164: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(number) or ""


def _evaluate_all(condition: All, facts: Facts) -> Trace:
    reasons: list[str] = []
    for part in condition.all:
        trace = evaluate(part, facts)
        if not trace.holds:
            return trace
        reasons.append(trace.because)
    return Trace(True, _cut(" and ".join(reasons), SHOWN_REASONS) or "always")


def _evaluate_any(condition: AnyOne, facts: Facts) -> Trace:
    reasons: list[str] = []
    for part in condition.any:
        trace = evaluate(part, facts)
        if trace.holds:
            return trace
        reasons.append(trace.because)
    return Trace(False, _cut(" and ".join(reasons), SHOWN_REASONS) or "there is nothing to hold")


def _compare(test: Test, facts: Facts) -> Trace:
    name = test.field.removeprefix("custom.")
    fact = facts.get(test.field)
    is_missing = fact is None or fact in ("", ())
    if is_missing:
        return Trace(test.op in NEGATIVE_OPS, f"{name} is missing")
    if test.op in ("exists", "missing"):
        return Trace(test.op == "exists", f"{name} is {_show(fact)}")
    return _compare_known(name, fact, test.op, test.value)


def _compare_known(name: str, fact: Any, op: Op, value: Any) -> Trace:
    """Compare a fact that is there; `op` is neither exists nor missing."""
    shown = f"{name} {_show(fact)}"
    match op:
        case "is" | "is_not":
            same = _is(fact, value)
            words = f"{name} is {_show(value)}" if same else f"{shown} is not {_show(value)}"
            return Trace(same == (op == "is"), words)
        case "in" | "not_in":
            listed = value if isinstance(value, list | tuple) else (value,)
            found = any(_is(fact, each) for each in listed)
            words = f"{shown} is {'' if found else 'not '}one of {_show(tuple(listed))}"
            return Trace(found == (op == "in"), words)
        case "contains" | "starts_with" | "ends_with":
            holds = _has_text(fact, op, value)
            verb = {"contains": "contain", "starts_with": "start with", "ends_with": "end with"}[op]
            third = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
            words = f"{name} {third[op] if holds else 'does not ' + verb} {_show(value)}"
            return Trace(holds, words)
        case "at_least" | "at_most" | "more_than" | "less_than":
            return _compare_numbers(shown, fact, op, value)
        case _:
            raise ValueError(f"{op} needs no value")


def _compare_numbers(
    shown: str, fact: Any, op: Literal["at_least", "at_most", "more_than", "less_than"], value: Any
) -> Trace:
    number, bound = as_number(fact), as_number(value)
    words = op.replace("_", " ")
    if number is None or bound is None:
        return Trace(False, f"{shown} is not a number")
    holds = {
        "at_least": number >= bound,
        "at_most": number <= bound,
        "more_than": number > bound,
        "less_than": number < bound,
    }[op]
    return Trace(holds, f"{shown} is {'' if holds else 'not '}{words} {_show(value)}")


def _is(fact: Any, value: Any) -> bool:
    """Compare two values; a list is what any of its members is."""
    if isinstance(fact, list | tuple):
        return any(_is(member, value) for member in fact)
    if isinstance(fact, bool) or isinstance(value, bool):
        return fact is value
    left, right = as_number(fact), as_number(value)
    if isinstance(fact, str) and isinstance(value, str):
        return _fold(fact) == _fold(value)
    return left is not None and left == right


def _has_text(fact: Any, op: Literal["contains", "starts_with", "ends_with"], value: Any) -> bool:
    """Look for text; a list contains its whole members, and starts as any of them starts."""
    if isinstance(fact, list | tuple):
        if op == "contains":
            return _is(fact, value)
        return any(_has_text(member, op, value) for member in fact)
    if isinstance(fact, bool) or isinstance(value, bool | list | tuple | dict | None):
        return False
    text, wanted = _fold(str(fact)), _fold(str(value))
    match op:
        case "contains":
            return wanted in text
        case "starts_with":
            return text.startswith(wanted)
        case "ends_with":
            return text.endswith(wanted)


def _fold(text: str) -> str:
    """Make text that people take for the same the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def _show(value: Any) -> str:
    """Write a value for people, cut to a length that fits into a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return _cut(", ".join(map(_show, value)), SHOWN_CHARACTERS)
    return _cut(" ".join(str(value).split()), SHOWN_CHARACTERS)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
