"""A turn in a pool: cover, strategy and ledger one after another; made once, and made again."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.config.model import Config, Pool
from chalicelib.lead.asking import named_owner, why_unfit
from chalicelib.lead.choosing.cover import cover_of, covered
from chalicelib.lead.choosing.strategies import Known, narrow
from chalicelib.lead.model import Decision, Verdict
from chalicelib.lead.rotation import Account, Choice, Ledger, choose
from chalicelib.lead.routing import eligibility, may_be_told


def take_turn(
    config: Config,
    pool_id: str,
    ledger: Ledger,
    able: Mapping[str, Verdict],
    known: Known,
    now: datetime,
    seed: str,
) -> Choice | None:
    """Choose who of a pool gets a lead; None when nobody can take it.

    Args:
        able: who can take the lead, before any choice; also of those who stand in for a member.
        seed: see seed_of.
    """
    pool, covers = covered(config, pool_id, now)
    told = {key: _covering(verdict, covers.get(key, ())) for key, verdict in able.items()}
    pool, told = narrow(pool, config.owners, told, known)
    return choose(pool_id, pool, ledger, told, seed)


def seed_of(lead_id: str, version: int) -> str:
    """Give what a lot is drawn from: the lead as it stood, so that it can be drawn again."""
    return f"{lead_id}/{version}"


def what_is_kept(pool: Pool, able: Mapping[str, Verdict], known: Known) -> dict[str, object]:
    """Give what a decision must keep of a turn beside the ledger, so that it can be made again.

    Nothing for a pool in which turns alone count.
    """
    if pool.strategy == "turns":
        return {}
    return {
        "able": sorted(key for key, verdict in able.items() if verdict.is_eligible),
        "known": known.model_dump(exclude_defaults=True),
    }


def verdicts_then(decision: Decision) -> dict[str, Verdict]:
    """Give who could take a lead when it was decided on, before the strategy had its say."""
    able = decision.inputs.get("able")
    return {
        one.candidate: Verdict(
            candidate=one.candidate,
            is_eligible=one.is_eligible if able is None else one.candidate in able,
            because=one.because,
        )
        for one in decision.candidates
    }


def choose_again(decision: Decision, config: Config, ledger: Ledger | None = None) -> Choice | None:
    """Take the turn of a stored decision again.

    Args:
        config: the configuration whose hash the decision carries.
        ledger: as it was before; None: as far as the decision keeps it.
    """
    inputs = decision.inputs
    if ledger is None:
        accounts = {
            owner_id: Account.model_validate(account)
            for owner_id, account in inputs["accounts"].items()
        }
        ledger = Ledger(pool_id=inputs["pool"], accounts=accounts, decided=inputs["decided"])
    return take_turn(
        config,
        inputs["pool"],
        ledger,
        verdicts_then(decision),
        Known.model_validate(inputs.get("known", {})),
        decision.decided_at,
        seed_of(inputs["lead_id"], inputs["version"]),
    )


def route_problem(decision: Decision, config: Config) -> str:
    """Make a routing decision again; say what comes out differently, empty for nothing.

    Counts and who had switched themselves off are taken as the decision tells them; all else,
    hours, absences, holidays, cover, skills, places, strategy, lot and turn, is worked out anew.

    Args:
        config: the configuration whose hash the decision carries.
    """
    if decision.inputs.get("beside"):
        return _beside_problem(decision, config)
    for verdict in decision.candidates:
        problem = _verdict_problem(verdict, decision, config)
        if problem:
            return problem
    if not decision.inputs["pool"]:
        return ""
    choice = choose_again(decision, config)
    result = choice.owner_id if choice else ""
    if result != decision.result:
        return f"{decision.result!r} then, {result!r} now"
    chances = decision.inputs.get("chances", {})
    if choice and dict(choice.chances) != chances:
        return f"chances {chances} then, {dict(choice.chances)} now"
    return ""


def without_person(decision: Decision) -> Decision:
    """Take what a routing decision says of a person out of it; whose turn it was can still be told.

    Only decisions that looked at the lead say anything: where it is, what it asks for.
    """
    if "facts" not in decision.inputs:
        return decision
    inputs = {name: value for name, value in decision.inputs.items() if name != "facts"}
    candidates = tuple(
        one.model_copy(update={"because": "could take it" if one.is_eligible else "could not"})
        for one in decision.candidates
    )
    bare = {"inputs": {**inputs, "bare": True}, "candidates": candidates}
    return decision.model_copy(update=bare)


def _verdict_problem(verdict: Verdict, decision: Decision, config: Config) -> str:
    if decision.inputs.get("bare"):
        return ""
    owner = config.owners.get(verdict.candidate)
    if owner is None:
        return f"{verdict.candidate} is no owner of its configuration"
    facts = decision.inputs.get("facts", {})
    again = eligibility(
        verdict.candidate,
        owner.model_copy(update={"daily_cap": None, "hourly_cap": None, "open_cap": None}),
        config.settings,
        0,
        decision.decided_at,
        unfit=why_unfit(owner, config, facts) if config.skills or facts else "",
    )
    able = decision.inputs.get("able")
    could = verdict.is_eligible if able is None else verdict.candidate in able
    if could and not again.is_eligible:
        return f"{verdict.candidate} could take it then, and now {again.because}"
    if not could and again.is_eligible and not may_be_told(verdict.because):
        return f"{verdict.candidate} could not take it then: {verdict.because}; and now can"
    return ""


def _beside_problem(decision: Decision, config: Config) -> str:
    if decision.inputs.get("bare"):
        return ""
    owner_id, _ = named_owner(config, decision.inputs.get("facts", {}))
    if not owner_id:
        return "" if config.accounts.stick else "no account is named, and owners do not stick"
    taker = cover_of(config, owner_id, decision.decided_at) or owner_id
    return "" if taker == decision.result else f"{decision.result!r} then, {taker!r} now"


def _covering(verdict: Verdict, absent: tuple[str, ...]) -> Verdict:
    if not absent or not verdict.is_eligible:
        return verdict
    words = f"{verdict.because}, also for {' and '.join(absent)}"
    return verdict.model_copy(update={"because": words})
