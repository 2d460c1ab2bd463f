"""Made-up people who are not like each other."""

import random

_BEGIN = "ba be bo da de do fa fi ga go ha he jo ka ke la lu ma mi na no pa pe ra ro sa si ta to va"
_MIDDLE = "bel dan dor fen gal han jer kor len mar nik pol quin ras sen tam vel wim xan zor"
_END = "a e i o us an en in or il as it um ek"


def name_of(number: int) -> tuple[str, str]:
    """Give a first and a family name, another one for each number."""
    chance = random.Random(f"person {number}")

    def word() -> str:
        parts = (_BEGIN, _MIDDLE, _MIDDLE, _END)
        return "".join(chance.choice(part.split()) for part in parts).capitalize()

    return word(), word()


def email_of(number: int) -> str:
    """Give the person's address."""
    first, last = name_of(number)
    return f"{first}.{last}@example.com".lower()


def phone_of(number: int) -> str:
    """Give the person's number; of the range for films, so only a thousand differ."""
    return f"+44 7700 900{number * 379 % 1000:03}"
