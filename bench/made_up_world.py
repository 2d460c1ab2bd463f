"""Who there is in the made-up sets: households, companies and the people who work there."""

import random
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.made_up_words import (
    CHAINS,
    COINED,
    COUNTRIES,
    COUNTRY_SHARES,
    JOBS,
    NICKNAMES,
    TRADES,
    Country,
)

FREE_MAIL = ("example.com", "example.org", "example.net", "post.example.org", "mail.example.net")


@dataclass
class Address:
    """A street with number, city and postal code."""

    street: str
    city: str
    postal_code: str


@dataclass
class Person:
    """One true entity; lists hold what it uses, the usual first."""

    rng: random.Random
    land: Country
    first: str
    last: str
    dob: str
    address: list[Address]
    mails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    company: list["Company"] = field(default_factory=list)
    job: str = ""
    middle: str = ""
    later_last: str = ""
    shared: set[str] = field(default_factory=set)
    """Mail addresses and numbers that others have too; they say little about who it is."""
    has_namesake: bool = False


@dataclass
class Company:
    """An organisation; colleagues and its own records refer to it."""

    land: Country
    name: str
    legal: str
    domain: str
    address: Address
    phone: str
    is_chain: bool


class Numbers:
    """Gives each fictional telephone number out once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def __call__(self, land: Country, patterns: Sequence[str]) -> str:
        """Draw a number, in E.164 form, or nothing if they seem to be used up."""
        for _ in range(60):
            number = "+" + land.prefix + _filled(self._rng, self._rng.choice(patterns))
            if number not in self._given:
                self._given.add(number)
                return number
        return ""


def make_household(rng: random.Random, numbers: Numbers, mails: "Mails") -> list[Person]:
    """Make one to four people who live together, and what they share."""
    land = COUNTRIES[rng.choices(list(COUNTRY_SHARES), list(COUNTRY_SHARES.values()))[0]]
    address, last = _address(rng, land), draw(rng, land.last)
    kind = rng.choices(
        ("alone", "couple", "family", "father and son", "twins", "flatmates"),
        (55, 15, 12, 5, 3, 10),
    )[0]
    year = rng.randint(1945, 2002)
    if kind == "alone":
        home = [_person(rng, land, last, address, year)]
    elif kind == "couple":
        home = [_person(rng, land, last, address, year + rng.randint(-6, 6)) for _ in "ab"]
    elif kind == "family":
        home = [_person(rng, land, last, address, year) for _ in "ab"]
        home += [_person(rng, land, last, address, year + 27) for _ in range(rng.randint(1, 2))]
    elif kind == "father and son":
        father = _person(rng, land, last, address, year, women=0.2)
        son = _person(rng, land, last, address, year + 28)
        son.first = father.first
        home = [father, son]
    elif kind == "twins":
        home = [_person(rng, land, last, address, year) for _ in "ab"]
        home[1].dob = home[0].dob
    else:
        home = [_person(rng, land, draw(rng, land.last), address, year) for _ in "abc"]
    for i, one in enumerate(home):
        # Two of one household and one first name would be one to anybody, but for father and son.
        taken = {other.first for other in home[:i]}
        while kind != "father and son" and one.first in taken:
            one.first = draw(rng, (*land.women, *land.men))
    landline = numbers(land, land.landlines) if rng.random() < 0.75 else ""
    family_mail = mails.family(land, last) if kind != "flatmates" and rng.random() < 0.3 else ""
    for one in home:
        one.mails = [mails.private(one) for _ in range(rng.choices((1, 2, 3), (60, 32, 8))[0])]
        one.phones = [p for p in [numbers(land, land.mobiles)] if p and rng.random() < 0.8]
        if landline and (not one.phones or rng.random() < 0.6):
            one.phones.append(landline)
        if family_mail:
            one.mails.append(family_mail)
        if len(home) > 1:
            one.shared |= {landline, family_mail}
    return home


def _person(
    rng: random.Random, land: Country, last: str, home: Address, year: int, women: float = 0.5
) -> Person:
    first = draw(rng, land.women if rng.random() < women else land.men)
    one = Person(rng, land, first, last, _day(rng, year), [home])
    one.job = rng.choice(JOBS)
    if rng.random() < 0.15:
        one.middle = draw(rng, (*land.women, *land.men)).split("/")[0]
    if rng.random() < 0.05:
        one.later_last = draw(rng, land.last)
    if rng.random() < 0.15:
        one.address.append(_address(rng, land))
    return one


def make_employee(
    rng: random.Random, numbers: Numbers, mails: "Mails", company: Company, family: str
) -> Person:
    """Make somebody who works at a company; `family` is the name of who owns it."""
    land = company.land
    last = family if rng.random() < 0.12 else draw(rng, land.last)
    one = _person(rng, land, last, company.address, rng.randint(1955, 2000))
    one.company = [company]
    one.mails = [mails.work(one, company)]
    if rng.random() < 0.35:
        one.mails.append(mails.private(one))
    role = rng.choice(("info", "office", "sales")) + "@" + company.domain
    if rng.random() < 0.15:
        one.mails.append(role)
    if rng.random() < 0.45:
        one.phones.append(numbers(land, land.mobiles))
    one.phones.append(company.phone)
    one.phones = [phone for phone in one.phones if phone]
    one.shared |= {company.phone, role}
    return one


def make_companies(rng: random.Random, numbers: Numbers, count: int) -> list[Company]:
    """Make companies, some with names like others', some branches of a chain."""
    made: list[Company] = []
    names: set[str] = set()
    while len(made) < count:
        land = COUNTRIES[rng.choices(list(COUNTRY_SHARES), list(COUNTRY_SHARES.values()))[0]]
        address = _address(rng, land)
        kind, like = rng.random(), made[-1] if made else None
        if kind < 0.08:
            name = rng.choice(CHAINS)
        elif kind < 0.18 and like is not None and like.name not in CHAINS:
            # A neighbour whose name looks alike: another company.
            land, address = like.land, _address(rng, like.land)
            name = f"{like.name.split()[0]} {rng.choice(TRADES)}"
        elif kind < 0.55:
            name = f"{draw(rng, land.last).split('/')[0]} {rng.choice(TRADES)}"
        else:
            name = f"{rng.choice(COINED)} {rng.choice(TRADES)}"
        if name not in CHAINS and name in names:
            continue
        names.add(name)
        slug = "".join(
            letter for letter in to_ascii(name).lower() if letter.isalnum() or letter == " "
        )
        slug = slug.replace(" ", "" if name in CHAINS or rng.random() < 0.5 else "-")
        zone = "com" if name in CHAINS else rng.choice(("com", "org", "net"))
        domain = f"{slug}.example.{zone}"
        phone = numbers(land, land.landlines)
        legal = rng.choice(land.legal)
        made.append(Company(land, name, legal, domain, address, phone, name in CHAINS))
    return made


class Mails:
    """Makes mail addresses, none twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def private(self, one: Person) -> str:
        """Make one at a provider that gives mail to anybody."""
        rng = self._rng
        first, last = _slug(rng, one.first), _slug(rng, one.last)
        nick = _slug(rng, rng.choice(NICKNAMES.get(one.first.split("/")[0], (one.first,))))
        local = rng.choice(
            (f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{last}.{first}",
             f"{nick}{one.dob[2:4]}", f"{first}_{last}{one.dob[:4]}", f"{nick}.{last}",
             f"{rng.choice(('sunny', 'biker', 'kater', 'mimi', 'lucky', 'star'))}{nick}")
        )  # fmt: skip
        return self._once(local, rng.choices(FREE_MAIL, (50, 20, 15, 10, 5))[0])

    def family(self, land: Country, last: str) -> str:
        """Make one that a whole household reads."""
        word = {"49": "familie", "33": "famille", "46": "familjen"}.get(land.prefix, "family")
        return self._once(f"{word}.{_slug(self._rng, last)}", self._rng.choice(FREE_MAIL))

    def work(self, one: Person, company: Company) -> str:
        """Make one at a company, in the way of that company."""
        first, last = _slug(self._rng, one.first), _slug(self._rng, one.last)
        ways = (f"{first}.{last}", f"{first[0]}{last}", f"{last}", f"{first}")
        return self._once(ways[len(company.domain) % 4], company.domain)

    def _once(self, local: str, domain: str) -> str:
        number, mail = 1, f"{local}@{domain}"
        while mail in self._given:
            number += self._rng.randint(1, 40)
            mail = f"{local}{number}@{domain}"
        self._given.add(mail)
        return mail


def mark_namesakes(everyone: Sequence[Person]) -> None:
    """Note of each whether another one has the same name."""
    named = Counter((one.first, one.last) for one in everyone)
    for one in everyone:
        one.has_namesake = named[one.first, one.last] > 1


def to_ascii(text: str) -> str:
    """Drop accents, and letters that are not Latin."""
    text = text.replace("ß", "ss").replace("ı", "i")
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if letter.isascii())


def _slug(rng: random.Random, name: str) -> str:
    name = name.split("/", maxsplit=1)[0]
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        name = name.replace(letter, plain) if rng.random() < 0.8 else name
    return "".join(letter for letter in to_ascii(name).lower() if letter.isalnum()) or "x"


def draw(rng: random.Random, names: Sequence[str]) -> str:
    """Draw a name, the first ones much more often."""
    return rng.choices(names, [1 / (i + 2) ** 0.75 for i in range(len(names))])[0]


def _filled(rng: random.Random, pattern: str) -> str:
    return "".join(rng.choice("0123456789") if one == "#" else one for one in pattern)


def _day(rng: random.Random, year: int) -> str:
    return f"{year}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _address(rng: random.Random, land: Country) -> Address:
    city, code = land.cities[int(rng.random() ** 1.4 * len(land.cities))]
    street = f"{rng.choice(land.streets)}|{rng.randint(1, 140)}"
    return Address(street, city, _filled(rng, code))
