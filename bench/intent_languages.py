"""Makes the table by which languages are told apart, from the profiles of langdetect.

The profiles count letter groups in Wikipedia (Apache-2.0, (c) Nakatani Shuyo, Michal Danilak). What
is written is, for the commonest groups of three letters, by how much each language has them more
often than the average does. Accents are taken off, for people leave them out.
Run: .bench-venv/bin/pip install langdetect && .bench-venv/bin/python -m bench.intent_languages
"""

import json
import math
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from chalicelib.lead.intent.tokens import plain

OURS = ("en", "fr", "de", "es", "uk", "pl")
OTHERS = ("it", "pt", "nl", "cs", "sv", "da", "ro", "hu", "tr", "fi", "ru", "bg")
TARGET = Path(__file__).parents[1] / "chalicelib/lead/data/intent_trigrams.txt"
GROUPS = 260
"""How many of the commonest groups of each language are looked at."""
STEPS = "0123456789abcdefghijklmnopqrstuvwxyz"
HALF = 8
"""The step that says nothing; one step is half a bit."""


def main() -> None:
    """Write the table."""
    spec = find_spec("langdetect")
    if spec is None or spec.origin is None:
        raise SystemExit("langdetect is not installed")
    folder = Path(spec.origin).parent / "profiles"
    shares = {name: _shares(folder / name) for name in (*OURS, *OTHERS)}
    wanted = sorted(
        {group for counts in shares.values() for group, _ in counts.most_common(GROUPS)}
    )
    least = 2e-5
    lines = [" ".join((*OURS, *OTHERS))]
    for group in wanted:
        each = [shares[name][group] + least for name in (*OURS, *OTHERS)]
        mean = sum(map(math.log2, each)) / len(each)
        steps = [min(max(round(2 * (math.log2(one) - mean)) + HALF, 0), 24) for one in each]
        lines.append(group.replace(" ", "_") + "".join(STEPS[step] for step in steps))
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(wanted)} groups, {TARGET.stat().st_size} bytes")


def _shares(path: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for group, count in json.loads(path.read_text(encoding="utf-8"))["freq"].items():
        lower = group.casefold()
        name = lower if any("\u0400" <= sign <= "\u04ff" for sign in lower) else plain(lower)
        if len(name) == 3 and all(sign.isalpha() or sign == " " for sign in name):
            counts[name] += count
    total = sum(counts.values())
    return Counter({group: count / total for group, count in counts.items()})


if __name__ == "__main__":
    main()
