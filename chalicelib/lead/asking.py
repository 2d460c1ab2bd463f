"""What a lead asks of whoever takes it: skills, a language, somebody for its place."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.config.model import Config, Owner
from chalicelib.lead.conditions import Facts, evaluate, tests_in
from chalicelib.lead.territory import FACTS as PLACE
from chalicelib.lead.territory import find_territory


def facts_asked(config: Config, pool_ids: tuple[str, ...]) -> frozenset[str]:
    """Name the facts of a lead that decide who can take it and who comes into question.

    Empty for a configuration that asks for nothing: then no lead need be looked at.
    """
    return frozenset(_facts_asked(config, pool_ids))


def _facts_asked(config: Config, pool_ids: tuple[str, ...]) -> Iterator[str]:
    if config.accounts.stick or config.accounts.named:
        yield from ("company_domain", "email_domain", "is_free_mail")
    for pool_id in pool_ids:
        if config.pools[pool_id].strategy == "experience":
            yield "score"
    for skill in config.skills:
        yield from (test.field for test in tests_in(skill.when))
    if any(owner.languages for owner in config.owners.values()):
        yield "language"
    if any(owner.territories for owner in config.owners.values()):
        yield from PLACE


def why_unfit(owner: Owner, config: Config, facts: Facts) -> str:
    """Say what a lead asks for that an owner does not have; empty when nothing is missing.

    Args:
        facts: of the lead; those that facts_asked names are enough.
    """
    for skill in config.skills:
        if skill.id not in owner.skills and (trace := evaluate(skill.when, facts)).holds:
            return f"has not the skill {skill.title or skill.id}, and {trace.because}"
    language = _tongue(facts.get("language"))
    if owner.languages and language and language not in map(_tongue, owner.languages):
        return f"does not speak {language}"
    if owner.territories and not find_territory(config.territories, owner.territories, facts):
        return f"{_place(facts)} is in none of their territories"
    return ""


def account_of(facts: Facts) -> str:
    """Name the company that a lead is of by its domain; empty when that is nobody's or unknown."""
    return str(facts.get("company_domain") or "").casefold()


def named_owner(config: Config, facts: Facts) -> tuple[str, str]:
    """Give the owner who answers for a lead's company, and the name of the account; or empty.

    A domain that ends in a named one belongs to it, and the longest counts.
    """
    if not config.accounts.named:
        return "", ""
    own = "" if facts.get("is_free_mail") else str(facts.get("email_domain") or "").casefold()
    for each in (*_wider(own), *_wider(account_of(facts))):
        for name, account in config.accounts.named.items():
            if each in account.domains:
                return account.owner, name
    return "", ""


def _wider(domain: str) -> list[str]:
    """Give a domain and those that it lies in, but for the ending that is everybody's."""
    parts = domain.split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1)]


def _tongue(language: Any) -> str:
    """Give a language without its country: `de` of de-AT."""
    return str(language or "").replace("_", "-").partition("-")[0].casefold()


def _place(facts: Mapping[str, Any]) -> str:
    words = [str(facts[name]) for name in reversed(PLACE) if facts.get(name)]
    return " ".join(words) or "an unknown country"
