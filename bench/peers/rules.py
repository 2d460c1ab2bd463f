"""The plain rule: same mail, same telephone, or same name with one more thing that fits.

Speaks what `bench/adapters/matching.py` speaks. No learning, no likeness: what is equal once
case, accents, blanks and signs are gone is equal. It is what most products call deduplication.
"""

import json
import re
import sys
import unicodedata
from typing import Any


def keys_of(lead: dict[str, Any]) -> list[str]:
    """List what two records need to share one of to be the same to this rule."""
    text = {name: _plain(str(value)) for name, value in lead.items()}
    whole = f"{text.get('first_name', '')}{text.get('last_name', '')}"
    name = whole or text.get("full_name", "")
    phone = re.sub(r"\D", "", str(lead.get("phone", "")))
    keys = [f"mail {lead['email'].strip().lower()}"] if "@" in str(lead.get("email", "")) else []
    keys += [f"phone {phone[-9:]}"] if len(phone) >= 7 else []
    keys += [f"name and {a} {name} {text[a]}" for a in ("dob", "postal_code") if name and a in text]
    company = text.get("company", "")
    keys += [f"company and {a} {company} {text[a]}" for a in ("street",) if company and a in text]
    return keys


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in apart if one.isalnum())


def main() -> None:
    """Answer line by line."""
    entity_of: dict[str, str] = {}
    merged_into: dict[str, str] = {}
    first: dict[str, str] = {}

    def root(entity: str) -> str:
        while entity in merged_into:
            entity = merged_into[entity]
        return entity

    for line in sys.stdin:
        said = json.loads(line)
        if "final" in said:
            moved = {rid: root(entity) for rid, entity in first.items() if root(entity) != entity}
            print(json.dumps({"assign": moved} if moved else {}), flush=True)
            continue
        keys = keys_of(said["lead"])
        known = [entity_of[key] for key in keys if key in entity_of]
        entity = known[0] if known else str(said["rid"])
        for other in known[1:]:
            if root(other) != root(entity):
                merged_into[root(other)] = root(entity)
        for key in keys:
            entity_of.setdefault(key, entity)
        first[str(said["rid"])] = entity
        print(json.dumps({"entity": entity}), flush=True)


if __name__ == "__main__":
    main()
