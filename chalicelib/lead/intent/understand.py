"""What a message asks for, how pressing it is and in which language, each with what tells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from chalicelib.config.model import Intent, IntentWords
from chalicelib.lead.intent.dates import days_named
from chalicelib.lead.intent.language import LANGUAGES, Language, Told, tell_language
from chalicelib.lead.intent.lexicon import (
    Hit,
    Index,
    Lexicon,
    find,
    index_of,
    lexicon_of,
    mended,
    term_of,
)
from chalicelib.lead.intent.spam import Sign, model_bits, signs_of_spam
from chalicelib.lead.intent.tokens import PAUSE, STOP, Text, read_text
from chalicelib.lead.model import INTENTS, URGENCIES, IntentName, Urgency

DATA = "1"
"""Version of the word lists, the model and this code; another one may understand otherwise."""

MOST_POINTS = 14
"""What all signs of one label together count at most."""
UNKNOWN_POINTS = 1
"""What stands for "we do not know": a label must have more."""
UNSAID_POINTS = 2
POINT_BITS = 0.5
"""Two points double the odds."""
LEAST_SURE = 50
"""Below so many per cent the intent is unknown."""
BORROWED = 4
"""Of a language that a message is not in, only words of so many points count."""
MOST_MODEL_POINTS = 9
LEAST_MODEL_POINTS = -6
URGENT_DAYS = 3
SOON_DAYS = 45
FORM_SHARE = 2
"""The title of a form counts a half: everybody who fills it in has it."""
HURRY_POINTS = 3
"""Who writes to a company in a hurry mostly needs something of it."""
DENIABLE = 5
"""From so many points on, a word for urgency that is negated says that there is time."""
MERE_QUESTION = 3
"""Any enquiry asks: words of so few points say "information" only if nothing else is told."""
TELLING = frozenset(INTENTS) - {"information", "unknown"}
ASKS_NOTHING: frozenset[IntentName] = frozenset({"vendor", "spam"})
"""What wants to sell has its own hurry, which is none of ours."""


@dataclass(frozen=True)
class Understanding:
    """What is understood of a message.

    Attributes:
        intent: one of INTENTS; `unknown` when nothing tells it, or too many things do.
        sure: per cent that the intent is right.
        guess: what it might be when it is unknown.
        urgency: empty when the message does not say.
        signs: what told it, with points, in the order of labels and points.
    """

    intent: IntentName
    sure: int
    guess: IntentName
    urgency: Urgency
    urgency_sure: int
    language: Language | str
    signs: tuple[Sign, ...]


NOTHING = Understanding("unknown", 0, "unknown", "", 0, "", ())


def understand(
    message: str, *, sent: date, form: str = "", source: str = "", settings: Intent | None = None
) -> Understanding:
    """Work out what a message asks for, in bounded time whatever it holds.

    Args:
        message: as the person wrote it, before it was cleaned.
        sent: the day it was sent, for "by Friday".
        form: title of the form.
        source: id of the source.
        settings: the admin's own words, hints and points.
    """
    settings = settings or Intent()
    text = read_text(message)
    if not any(token not in (STOP, PAUSE) for token in text.tokens) and not text.links:
        return NOTHING
    told = tell_language(text.shown)
    languages = _languages(told)
    signs = _said(text.tokens, languages, settings)
    signs += _own(text.tokens, settings)
    signs += signs_of_spam(text, [lexicon_of(language).index for language, _ in languages])
    signs += _modelled(text, told, any(sign.label == "spam" for sign in signs))
    signs += _dated(text.tokens, languages, sent)
    signs += _hinted(form, source, languages, settings)
    if "?" in text.shown:
        signs.append(Sign("information", 2, "it asks something"))
    return _judge(signs, told)


def _languages(told: Told) -> list[tuple[Language, int]]:
    """Give the languages to read a message in, each with the points a word must have to count."""
    if not told.language and not told.also and not told.is_foreign:
        return [(language, 1) for language in LANGUAGES]
    spoken = {*told.also, told.language}
    return [
        (language, 1 if language in spoken else BORROWED)
        for language in LANGUAGES
        if language in spoken or language == "en"
    ]


def _said(
    tokens: Sequence[str], languages: Sequence[tuple[Language, int]], settings: Intent
) -> list[Sign]:
    # Slips are put right in a language that is known only: words of six languages are too near.
    is_known = len(languages) < len(LANGUAGES)
    hits = [
        hit
        for language, least in languages
        for hit in find(
            mended(tokens, language) if is_known else tokens, lexicon_of(language), least
        )
    ]
    return _signs(hits, settings.points)


def _signs(hits: Iterable[Hit], points: Mapping[str, int]) -> list[Sign]:
    """Count each word for a label once: what says most takes the words it is made of."""
    weighed = [
        (points.get(f"{hit.term.label}:{hit.term.name}", hit.term.points), hit) for hit in hits
    ]
    weighed.sort(key=lambda one: (one[1].is_negated, -abs(one[0]), one[1].start, -one[1].end))
    used: dict[str, set[int]] = {}
    seen: set[tuple[str, str]] = set()
    signs = []
    for worth, hit in weighed:
        label, name = hit.term.label, hit.term.name
        places = set(range(hit.start, hit.end))
        taken = used.setdefault(label, set())
        if places & taken or (label, name) in seen or not worth:
            continue
        taken |= places
        seen.add((label, name))
        if not hit.is_negated:
            signs.append(Sign(label, worth, f'"{name}"', name))
        elif label == "urgent" and worth >= DENIABLE:
            signs.append(Sign("later", worth, f'"{name}" is said not to be so', name))
    return signs


def _own(tokens: Sequence[str], settings: Intent) -> list[Sign]:
    if not settings.words:
        return []
    own = Lexicon(index=_own_index(settings.words))
    return _signs(find(tokens, own), {})


@lru_cache(maxsize=8)
def _own_index(words: tuple[IntentWords, ...]) -> Index:
    return index_of(
        term_of(phrase, group.intent, group.points) for group in words for phrase in group.words
    )


def _modelled(text: Text, told: Told, is_suspected: bool) -> list[Sign]:
    """Ask the model, which knows English; it may also clear what only words speak against."""
    if told.language not in ("", "en") or told.is_foreign:
        return []
    points = max(min(round(model_bits(text.shown)), MOST_MODEL_POINTS), LEAST_MODEL_POINTS)
    if points > 0:
        return [Sign("spam", points, "it reads like spam that is known")]
    if points < 0 and is_suspected:
        return [Sign("spam", points, "else it reads like what is no spam")]
    return []


def _dated(
    tokens: Sequence[str], languages: Iterable[tuple[Language, int]], sent: date
) -> list[Sign]:
    """Weigh the nearest day that a message names."""
    named = [
        due
        for language, least in languages
        if least < BORROWED
        for due in days_named(tokens, lexicon_of(language), sent)
    ]
    if not named:
        return []
    due = min(named, key=lambda one: (not one.is_last, one.days))
    level = "urgent" if due.days <= URGENT_DAYS else "soon" if due.days <= SOON_DAYS else "later"
    days = "today" if not due.days else f"{due.days} days off"
    return [Sign(level, 5 if due.is_last else 3, f'"{due.words}", {days}')]


def _hinted(
    form: str, source: str, languages: Sequence[tuple[Language, int]], settings: Intent
) -> list[Sign]:
    signs = [
        Sign(hint.intent, hint.points, f"it came by {hint.source or hint.form}")
        for hint in settings.hints
        if hint.source in ("", source) and hint.form.casefold() in form.casefold()
    ]
    if form:
        said = _said(read_text(form[:200]).tokens, languages, settings)
        best = max(
            (sign for sign in said if sign.label in INTENTS), key=lambda s: s.points, default=None
        )
        if best and best.points >= BORROWED:
            signs.append(
                Sign(best.label, best.points // FORM_SHARE, f"the form is titled {best.because}")
            )
    return signs


def _judge(signs: Sequence[Sign], told: Told) -> Understanding:
    urgency, urgency_sure = _level(totals_of(signs))
    if any(one.label in TELLING and one.points >= MERE_QUESTION for one in signs):
        signs = [one for one in signs if one.label != "information" or one.points > MERE_QUESTION]
    if urgency == "urgent":
        signs = [*signs, Sign("need", HURRY_POINTS, "it is urgent")]
    totals = totals_of(signs)
    scores = {label: totals.get(label, 0) for label in INTENTS if label != "unknown"}
    weights = {label: 2 ** (POINT_BITS * points) - 1 for label, points in scores.items()}
    whole = sum(max(weight, 0) for weight in weights.values()) + 2 ** (POINT_BITS * UNKNOWN_POINTS)
    best = max(scores, key=lambda label: scores[label])
    sure = max(round(100 * weights[best] / whole), 0)
    guess: IntentName = best if scores[best] > 0 else "unknown"
    if guess == "need" and urgency == "urgent":
        guess = "urgent_need"
    if guess in ASKS_NOTHING and sure >= LEAST_SURE:
        urgency, urgency_sure = "", 0
    order: dict[str, int] = {label: place for place, label in enumerate((*INTENTS, *URGENCIES))}
    return Understanding(
        intent=guess if sure >= LEAST_SURE else "unknown",
        sure=sure,
        guess=guess,
        urgency=urgency,
        urgency_sure=urgency_sure,
        language=told.language,
        signs=tuple(sorted(signs, key=lambda one: (order[one.label], -one.points, one.because))),
    )


def totals_of(signs: Iterable[Sign]) -> dict[str, int]:
    """Add up the points of each label, at most MOST_POINTS."""
    totals: dict[str, int] = {}
    for sign in signs:
        totals[sign.label] = totals.get(sign.label, 0) + sign.points
    return {label: min(points, MOST_POINTS) for label, points in totals.items()}


def _level(totals: Mapping[str, int]) -> tuple[Urgency, int]:
    weights = {level: 2 ** (POINT_BITS * totals.get(level, 0)) - 1 for level in URGENCIES}
    whole = sum(weights.values()) + 2 ** (POINT_BITS * UNSAID_POINTS)
    best = max(URGENCIES, key=lambda level: weights[level])
    sure = round(100 * weights[best] / whole)
    return (best, sure) if sure >= LEAST_SURE else ("", 0)
