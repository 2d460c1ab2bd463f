"""Leads that nobody made, with an outcome that is known to come from what stands in them."""

import random
from math import exp
from typing import Any


def leads(count: int, seed: int = 1) -> tuple[list[dict[str, Any]], list[int]]:
    """Make leads: what wins them is the source, the size and whether they named a date."""
    rng = random.Random(seed)
    rows, came = [], []
    for n in range(count):
        source = rng.choice(["referral", "search", "search", "ad", "ad", "ad"])
        size = int(rng.lognormvariate(3, 1.2)) + 1
        dated = rng.random() < 0.3
        odds = {"referral": 1.2, "search": 0.0, "ad": -1.0}[source] + 0.02 * min(size, 100) - 2
        odds += 1.0 * dated
        rows.append(
            {
                "Lead Number": 600_000 + n,
                "id": f"{rng.getrandbits(64):016x}",
                "source": source,
                "size": str(size) if rng.random() < 0.9 else "Select",
                "wanted by": "2026-03-01" if dated else None,
                "created": f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d} 10:00",
                "city": f"Town {int(rng.paretovariate(0.7)) % 400}",
                "country": "AT",
                "fax": None,
                "colour": rng.choice(["red", "blue"]),
            }
        )
        came.append(int(rng.random() < 1 / (1 + exp(-odds))))
    return rows, came
