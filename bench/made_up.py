"""Two sets of people and companies that do not exist, with the mistakes that forms collect.

Errors on them were looked at while matching was built. They were changed once after matchers had
run on them: with few family names there were too many namesakes to be true, for everybody. What is
in them: nicknames and initials, typing errors, umlauts and other spellings, names in each other's
fields, a name changed by marriage, second mail addresses, mistyped numbers, removals and new jobs;
families that share telephone, address or mail, father and son of one name, namesakes, twins,
flatmates; colleagues behind one office number, info@ addresses, companies of like names, chains.
Numbers of strangers look more alike than in life, for those kept for fiction are few.
Every record shares enough with an earlier one of its entity that a careful person could tell.
Run: python -m bench.made_up  (prints some of each)
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.made_up_words import JOBS, NICKNAMES, Country
from bench.made_up_world import (
    Company,
    Mails,
    Numbers,
    Person,
    draw,
    make_companies,
    make_employee,
    make_household,
    mark_namesakes,
    to_ascii,
)

Record = dict[str, Any]

PEOPLE = 1300
COMPANIES = 330
SHARES = {"email": 3, "phone": 3, "dob": 2, "street": 2, "company": 2}
"""How much it says that two records tell the same about an entity; anything else says 1."""
ENOUGH = 4
OWN = ("email", "phone", "dob")
NAMES = {"full_name", "first_name", "last_name"}
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True)
class Told:
    """One value in a record: what was meant and how it was written."""

    meant: str
    written: str


def made_up_people(seed: int, people: int = PEOPLE) -> list[Record]:
    """Make records of people who write through web forms, newsletters, shops and by telephone.

    Returns:
        Records with `cluster`, the person who wrote; some 3,700 from 1,300 people.
    """
    rng = random.Random(seed)
    numbers, mails = Numbers(rng), Mails(rng)
    everyone: list[Person] = []
    while len(everyone) < people:
        everyone += make_household(rng, numbers, mails)
    mark_namesakes(everyone)
    return _all_records(rng, [(one, _PEOPLE_FORMS) for one in everyone], 3.0)


def made_up_companies(seed: int, companies: int = COMPANIES) -> list[Record]:
    """Make records of people at companies, and of companies themselves, as B2B forms collect them.

    A record without a person stands for the company; one with a person for the person, even if
    it gives the company's own address or number.
    """
    rng = random.Random(seed + 1)
    numbers, mails = Numbers(rng), Mails(rng)
    made = make_companies(rng, numbers, companies)
    staff: list[Person] = []
    for company in made:
        family = draw(rng, company.land.last)
        for _ in range(min(12, 1 + int(rng.expovariate(0.4)))):
            staff.append(make_employee(rng, numbers, mails, company, family))
    for one in rng.sample(staff, len(staff) // 10):
        other = rng.choice([c for c in made if c.land is one.land])
        one.company.append(other)
        one.mails.append(mails.work(one, other))
        if other.phone:
            one.phones.append(other.phone)
            one.shared.add(other.phone)
    mark_namesakes(staff)
    meant: list[tuple[Person | Company, _Forms]] = [(one, _STAFF_FORMS) for one in staff]
    meant += [(one, _COMPANY_FORMS) for one in made if rng.random() < 0.6]
    return _all_records(rng, meant, 2.6)


# What they write

_Forms = Sequence[tuple[float, Callable[[random.Random, Any], dict[str, Told]]]]


def _all_records(
    rng: random.Random, meant: Sequence[tuple[Person | Company, _Forms]], mean: float
) -> list[Record]:
    records: list[Record] = []
    for number, (entity, forms) in enumerate(meant):
        earlier: list[dict[str, Told]] = []
        for _ in range(min(9, int(rng.expovariate(1 / (mean - 0.5))) + 1)):
            for _ in range(40):
                weights = [weight for weight, _ in forms]
                form = rng.choices([form for _, form in forms], weights)[0]
                told = form(rng, entity)
                if _can_be_told(entity, told, earlier):
                    earlier.append(told)
                    records.append(_written(told) | {"cluster": str(number)})
                    break
    rng.shuffle(records)
    return [{"rid": rid, **record} for rid, record in enumerate(records)]


def _can_be_told(
    entity: Person | Company, told: dict[str, Told], earlier: Sequence[dict[str, Told]]
) -> bool:
    """Say whether a careful person could know whom this is about."""
    if isinstance(entity, Company):
        own = not entity.is_chain or "street" in told or "phone" in told
        named = True
    else:
        own = any(told[key].meant not in entity.shared for key in OWN if key in told)
        named = "full_name" in told or "last_name" in told
    if not (own or named) or (isinstance(entity, Person) and entity.has_namesake and not own):
        return False
    return not earlier or any(_tells(entity, told, other) for other in earlier)


def _tells(entity: Person | Company, told: dict[str, Told], other: dict[str, Told]) -> bool:
    """Weigh what two records of one entity have in common."""
    shared = entity.shared if isinstance(entity, Person) else set()
    points = alone = 0
    for name in told.keys() & other.keys():
        mine, theirs = told[name], other[name]
        if mine.meant != theirs.meant or name in NAMES:
            continue
        if isinstance(entity, Company) and entity.is_chain and name in {"company", "email"}:
            continue
        if mine.meant in shared:
            points += 1
            continue
        exact = mine.written.lower() == theirs.written.lower()
        weight = SHARES.get(name, 1)
        points += weight if exact or weight == 1 else weight - 1
        if name in OWN and (exact or name == "phone"):
            alone += weight
    if told.keys() & NAMES and other.keys() & NAMES:
        points += 2 if len(told.keys() & NAMES) + len(other.keys() & NAMES) > 2 else 1
    if isinstance(entity, Person) and entity.has_namesake:
        return alone >= 2 and points >= ENOUGH
    return points >= ENOUGH or alone >= 3


def _written(told: dict[str, Told]) -> Record:
    return {name: value.written for name, value in told.items()}


def _name(rng: random.Random, one: Person) -> dict[str, Told]:
    """Write a name into one field or two."""
    first, last = one.first.split("/")[0], one.last.split("/")[0]
    plain = first
    if rng.random() < 0.15:
        first = rng.choice(one.first.split("/"))
    if rng.random() < 0.1:
        last = rng.choice(one.last.split("/"))
    if one.later_last and rng.random() < 0.4:
        later = one.later_last.split("/")[0]
        last = f"{last}-{later}" if rng.random() < 0.3 else later
    if plain in NICKNAMES and rng.random() < 0.2:
        first = rng.choice(NICKNAMES[plain])
    elif rng.random() < 0.05:
        first = first[0] + rng.choice((".", ""))
    elif one.middle and rng.random() < 0.35:
        first += " " + rng.choice((one.middle, one.middle[0] + "."))
    first, last = _plainer(rng, _typo(rng, first, 0.04)), _plainer(rng, _typo(rng, last, 0.05))
    first, last = _cased(rng, first), _cased(rng, last)
    kind = rng.random()
    if kind < 0.03:
        first, last = last, first
    if rng.random() < 0.55:
        return {"first_name": Told("", first), "last_name": Told("", last)}
    whole = f"{last}, {first}" if kind > 0.93 else f"{first} {last}"
    if rng.random() < 0.05:
        whole = rng.choice(("Dr. ", "Mr ", "Frau ", "Herr ", "Mrs. ", "Prof. Dr. ")) + whole
    return {"full_name": Told("", whole)}


def _mail(rng: random.Random, one: Person) -> dict[str, Told]:
    mail = one.mails[0] if rng.random() < 0.7 else rng.choice(one.mails)
    written = mail
    kind = rng.random()
    if kind < 0.025:
        local, domain = mail.split("@")
        written = _typo(rng, local, 1) + "@" + domain
    elif kind < 0.04:
        written = mail.replace("example", rng.choice(("exmaple", "exampel", "examlpe")))
    elif kind < 0.05:
        local, domain = mail.split("@")
        written = f"{local}+{rng.choice(('news', 'shop', 'web'))}@{domain}"
    elif kind < 0.1:
        written = mail.title() if rng.random() < 0.5 else mail.upper()
    return {"email": Told(mail, written)}


def _phone(rng: random.Random, one: Person) -> dict[str, Told]:
    if not one.phones:
        return {}
    number = one.phones[0] if rng.random() < 0.75 else rng.choice(one.phones)
    return {"phone": Told(number, _dialled(rng, one.land, number))}


def _dialled(rng: random.Random, land: Country, number: str) -> str:
    if not number:
        return ""
    digits = number[1 + len(land.prefix) :]
    kind = rng.random()
    if kind < 0.025:
        i = rng.randrange(4, len(digits))
        digits = digits[:i] + str((int(digits[i]) + rng.randint(1, 9)) % 10) + digits[i + 1 :]
    elif kind < 0.035:
        i = rng.randrange(4, len(digits) - 1)
        digits = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
    a, b, c = digits[:3], digits[3:6], digits[6:]
    shapes: tuple[str, ...]
    if land.prefix == "1":
        shapes = (f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"+1 {a} {b} {c}", a + b + c, f"{a}.{b}.{c}")
    else:
        shapes = (
            f"{land.trunk}{digits}", f"+{land.prefix} {a} {b}{c}", f"{land.trunk}{a}/{b}{c}",
            f"00{land.prefix}{digits}", f"{land.trunk}{a} {b} {c}", f"+{land.prefix}{digits}",
            f"+{land.prefix} (0){a} {b} {c}",
        )  # fmt: skip
    return rng.choice(shapes)


def _born(rng: random.Random, one: Person) -> dict[str, Told]:
    year, month, day = one.dob.split("-")
    kind = rng.random()
    if kind < 0.02:
        year = str(int(year) + rng.choice((-10, -1, 1, 10)))
    elif kind < 0.04:
        month, day = (day, month) if int(day) <= 12 else (month, f"{int(day) % 28 + 1:02}")
    elif kind < 0.05:
        month, day = "01", "01"
    written = f"{year}-{month}-{day}"
    if one.land.prefix == "49" and rng.random() < 0.15:
        written = f"{day}.{month}.{year}"
    return {"dob": Told(one.dob, written)}


def _place(rng: random.Random, one: Person | Company, *parts: str) -> dict[str, Told]:
    if isinstance(one, Company):
        address = one.address
    else:
        address = one.address[0] if rng.random() < 0.75 else rng.choice(one.address)
    street, number = address.street.rsplit("|", 1)
    names, city = street.split("/"), address.city.split("/")
    name = _typo(rng, names[0] if rng.random() < 0.6 else names[-1], 0.04)
    line = f"{number} {name}" if one.land.number_first else f"{name} {number}"
    if rng.random() < 0.07:
        line += rng.choice(("a", " b", ", Apt 2", ", 3. OG", " c/o Wolf"))
    town = city[0] if rng.random() < 0.8 else rng.choice(city)
    code = address.postal_code
    if rng.random() < 0.03:
        code = _typo(rng, code, 1, "0123456789")
    told = {
        "street": Told(address.street, line),
        "city": Told(address.city, _cased(rng, _plainer(rng, _typo(rng, town, 0.03)))),
        "postal_code": Told(address.postal_code, code),
        "country": Told(one.land.names[0], rng.choice(one.land.names)),
    }
    return {part: told[part] for part in parts}


def _firm(rng: random.Random, one: Person | Company) -> dict[str, Told]:
    company = one if isinstance(one, Company) else one.company[0]
    name = _typo(rng, _plainer(rng, company.name), 0.05)
    if rng.random() < 0.15:
        name = name.replace("&", rng.choice(("and", "und", "+"))).replace("-", " ")
    if rng.random() < 0.5:
        name = f"{name} {company.legal}"
    if rng.random() < 0.04:
        name = company.domain.split(".")[0]
    return {"company": Told(company.name, _cased(rng, name))}


def _job(rng: random.Random, one: Person) -> dict[str, Told]:
    return {"extra": Told(one.job, one.job if rng.random() < 0.85 else rng.choice(JOBS))}


def _as_of_now(rng: random.Random, one: Person) -> Person:
    """Take one job, and what belongs to it, of those that somebody has had."""
    if not one.company:
        return one
    company = rng.choice(one.company)
    others = [other for other in one.company if other is not company]
    domains = {other.domain for other in others} - {company.domain}
    numbers = {other.phone for other in others} - {company.phone}
    return replace(
        one,
        company=[company],
        address=[company.address],
        mails=[mail for mail in one.mails if mail.split("@")[1] not in domains],
        phones=[phone for phone in one.phones if phone not in numbers],
    )


def _form(*parts: str) -> Callable[[random.Random, Person], dict[str, Told]]:
    """Make a form that asks for these parts; what is optional ends in "?"."""

    def fill(rng: random.Random, one: Person) -> dict[str, Told]:
        told: dict[str, Told] = {}
        one = _as_of_now(rng, one)
        for part in parts:
            if part.endswith("?") and rng.random() < 0.45:
                continue
            name = part.rstrip("?")
            told |= _PARTS[name](rng, one) if name in _PARTS else _place(rng, one, name)
        return told

    return fill


_PARTS: dict[str, Callable[[random.Random, Any], dict[str, Told]]] = {
    "name": _name,
    "email": _mail,
    "phone": _phone,
    "dob": _born,
    "company": _firm,
    "job": _job,
    "first": lambda rng, one: {"first_name": Told(one.first, one.first.split("/")[0])},
}

_PEOPLE_FORMS: _Forms = (
    (1.0, _form("email", "first?")),
    (3.0, _form("name", "email", "phone?")),
    (2.0, _form("name", "phone", "city?", "postal_code?")),
    (2.0, _form("name", "email?", "phone?", "street", "city", "postal_code", "country?")),
    (1.5, _form("name", "dob", "postal_code?", "phone?", "email?")),
    (1.5, _form("name", "email", "city", "country", "job")),
)
_STAFF_FORMS: _Forms = (
    (3.0, _form("name", "email", "company", "phone?", "job?", "country?")),
    (1.5, _form("name", "email", "company?")),
    (1.5, _form("name", "company", "city", "job")),
    (1.0, _form("name", "company", "phone")),
    (1.0, _form("name", "email", "phone", "street", "city", "postal_code", "company")),
    (0.5, _form("email", "company")),
)


def _company_form(*parts: str) -> Callable[[random.Random, Company], dict[str, Told]]:
    def fill(rng: random.Random, one: Company) -> dict[str, Told]:
        told = _firm(rng, one)
        for part in parts:
            if part == "email":
                mail = rng.choice(("info", "info", "office", "sales", "kontakt")) + "@" + one.domain
                told["email"] = Told(mail, mail)
            elif part == "phone":
                told["phone"] = Told(one.phone, _dialled(rng, one.land, one.phone))
            else:
                told |= _place(rng, one, part)
        return told

    return fill


_COMPANY_FORMS: _Forms = (
    (2.0, _company_form("street", "city", "postal_code", "phone")),
    (1.0, _company_form("street", "city", "postal_code")),
    (1.0, _company_form("email", "phone")),
    (1.0, _company_form("email", "city", "country")),
    (1.0, _company_form("phone", "city")),
)


# How it is written


def _typo(rng: random.Random, text: str, chance: float, letters: str = "") -> str:
    """Mistype one character, as often as `chance` says."""
    if len(text) < 3 or rng.random() >= chance:
        return text
    i = rng.randrange(1, len(text) - 1)
    kind = rng.random()
    if kind < 0.3:
        return text[:i] + text[i + 1 :]
    if kind < 0.55:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    near = letters or next((row for row in KEYBOARD if text[i].lower() in row), "e")
    if kind < 0.7:
        return text[:i] + text[i] + text[i:]
    return text[:i] + rng.choice(near) + text[i + 1 :]


def _plainer(rng: random.Random, text: str) -> str:
    """Write without umlauts and accents, now and then."""
    if text.isascii() or rng.random() < 0.6:
        return text
    if rng.random() < 0.5:
        for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ö", "Oe")):
            text = text.replace(letter, plain)
    return to_ascii(text) or text


def _cased(rng: random.Random, text: str) -> str:
    kind = rng.random()
    return text.lower() if kind < 0.06 else text.upper() if kind < 0.1 else text


if __name__ == "__main__":
    for make in (made_up_people, made_up_companies):
        made = make(20261122)
        sizes = Counter(Counter(record["cluster"] for record in made).values())
        print(
            make.__name__,
            len(made),
            "records,",
            sum(sizes.values()),
            "entities",
            sorted(sizes.items()),
        )
        for record in sorted(made, key=lambda one: int(one["cluster"]))[:30]:
            print(json.dumps(record, ensure_ascii=False))
