"""Names of persons, in any script: nothing is dropped, reordered or put in another case.

The full name is always kept. It is split only when that is beyond doubt, and joined from its
parts as people of that script write them.
"""

import re
import unicodedata
from collections.abc import Mapping

from chalicelib.lead.model import NAME_FIELDS, CleanValue
from chalicelib.lead.text import LONGEST_NAME, clean_line, storable, words

# Parts of a family name that stand before it, in lower case.
_PARTICLES = words(
    """
    van von vom zu zum zur der den de del della dela di da das do dos du des d' la le les lo los
    af av ter ten te tot 't op auf bin bint ibn al el ben bar abu san santa dal dalla degli
    """
)
# What stands before or after a name without being a part of it, and what makes it a firm's.
_TITLES = words(
    """
    mr mrs ms miss mx sir dame lord lady dr prof professor doctor rev fr herr frau hr fru dipl
    ing dipl-ing mag mme mlle m monsieur madame mademoiselle sr sra srta don dona doña señor señora
    sig signor signora signore dott dott.ssa dottore pan pani mgr phd bsc msc mba md rn esq jr sr ii
    iii iv shri smt haji hajji ustadz г-н г-жа
    gmbh ltd llc inc corp sarl kft
    """
)
_SUFFIXES = words("jr sr ii iii iv phd md mba esq msc bsc dds cpa rn")
# Family names that come first in their own language, written in Latin letters: order unknown.
_FAMILY_FIRST = words(
    """
    nguyen nguyễn tran trần le lê pham phạm huynh huỳnh hoang hoàng phan vu vũ vo võ dang đặng bui
    bùi do đỗ ho hồ ngo ngô duong dương ly lý kim park choi jung jeong kang cho yoon jang lim han
    shin seo kwon hwang ahn song ryu hong jeon lee yi li wang zhang liu chen yang huang zhao wu
    zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie tang deng feng cao peng zeng xiao tian
    dong pan yuan cai jiang yu du ye cheng wei su lu ding ren lü tan chan wong cheung lau ng kwok
    leung yeung yamamoto tanaka suzuki sato takahashi watanabe ito nakamura kobayashi kato yoshida
    nagy kovács tóth szabó horváth varga kiss molnár németh farkas balogh papp takács juhász
    """
)
_SPACES_OR_DOT = re.compile(r"[.\s]+")


def clean_names(given: Mapping[str, str]) -> dict[str, CleanValue]:
    """Make the parts of a person's name fit for use and derive what is missing.

    Args:
        given: any of full_name, first_name, last_name, as typed.

    Returns:
        The given parts, cleaned; `full_name` whenever there is any part; `first_name` and
        `last_name` as well when the full name splits beyond doubt. What was derived carries the
        note `from:full_name` or `from:parts`.
    """
    names = {}
    for field in NAME_FIELDS:
        if raw := given.get(field, ""):
            text, notes = clean_line(raw, LONGEST_NAME)
            if text:
                names[field] = CleanValue(value=text, raw=storable(raw), notes=notes)
    first, last, full = (names.get(f) for f in ("first_name", "last_name", "full_name"))
    if full is None and (first or last):
        joined = join_name(first.value if first else "", last.value if last else "")
        names["full_name"] = CleanValue(value=joined, raw=joined, notes=("from:parts",))
    elif full and not first and not last and (parts := split_name(full.value)):
        for field, part in zip(("first_name", "last_name"), parts, strict=True):
            names[field] = CleanValue(value=part, raw=full.raw, notes=("from:full_name",))
    return names


def join_name(first: str, last: str) -> str:
    """Join two parts: the family name first in Chinese, Japanese and Korean script."""
    order = (last, first) if _is_family_first_script(first + last) else (first, last)
    return " ".join(part for part in order if part)


def split_name(full: str) -> tuple[str, str] | None:
    """Split a clean full name into first and family name, losing nothing; None when unsure."""
    if "," in full:
        return _split_at_comma(full)
    parts = full.split(" ")
    if len(parts) < 2 or any(_is_title(part) for part in parts[:-1]):
        return None
    if _is_family_first_script(full):
        return (parts[1], parts[0]) if len(parts) == 2 else None
    if len(parts) > 2 and _is_suffix(parts[-1]):
        sure = split_name(" ".join(parts[:-1]))
        return (sure[0], f"{sure[1]} {parts[-1]}") if sure else None
    return (parts[0], " ".join(parts[1:])) if _is_plain(parts) else None


def _is_plain(parts: list[str]) -> bool:
    """Tell whether words are surely a first name, particles if any, and a family name."""
    first, *between, last = (part.lower() for part in parts)
    return (
        all(part in _PARTICLES for part in between)
        and first not in _PARTICLES
        and first not in _FAMILY_FIRST
        and last not in _PARTICLES
        and not _is_title(last)
        and _is_wordlike("".join(parts))
    )


def _split_at_comma(full: str) -> tuple[str, str] | None:
    """Read `Lee, Ann`; but not `Ann Lee, PhD` nor a firm's name."""
    last, first, *more = (part.strip() for part in full.split(","))
    if more or not last or not first or any(_is_title(word) for word in first.split(" ")):
        return None
    return (first, last) if _is_wordlike(last + first) and len(first.split(" ")) == 1 else None


def _is_wordlike(text: str) -> bool:
    """Tell whether there is nothing but letters, marks and what stands within names."""
    return all(
        unicodedata.category(letter)[0] in "LM" or letter in " -'’ʼ.·\u200c\u200d"
        for letter in text
    )


def _is_title(word: str) -> bool:
    return word.casefold().strip(".") in _TITLES


def _is_suffix(word: str) -> bool:
    return _SPACES_OR_DOT.sub("", word.casefold()) in _SUFFIXES


def _is_family_first_script(text: str) -> bool:
    """Tell whether all letters are Han, Kana or Hangul."""
    letters = [letter for letter in text if letter.isalpha()]
    return bool(letters) and not text.isascii() and all(_is_east_asian(c) for c in letters)


def _is_east_asian(letter: str) -> bool:
    return (
        "\u3040" <= letter <= "\u30ff"
        or "\u3400" <= letter <= "\u9fff"
        or "\uac00" <= letter <= "\ud7af"
        or "\uf900" <= letter <= "\ufaff"
        or "\U00020000" <= letter <= "\U0003ffff"
        or letter in "々ー"
    )
