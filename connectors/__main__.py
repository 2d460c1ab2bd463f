"""`python -m connectors new NAME "Title"` starts a connector that passes the suite at once."""

import argparse
import json
import re
import sys
from pathlib import Path
from string import Template

from chalicelib.registry import is_name

ROOT = Path(__file__).resolve().parents[1]
TITLE = re.compile(r"[^\W_][^\"\\{}$\x00-\x1f]{0,59}")

CODE = Template('''"""$title: one webhook for each finished form."""

from chalicelib.connector import Act, Connector, Hmac, Options, Request, Submission, as_text


def parse(request: Request, options: Options) -> list[Act]:
    """Read what a webhook of $title carries.

    Args:
        request: body is `{"id": ..., "submitted_at": ..., "answers": {...}}`.
        options: not used here.

    Returns:
        One submission, its answers keyed by question.
    """
    notice = request.json()
    return [
        Submission(
            external_id=as_text(notice["id"]),
            submitted_at=notice["submitted_at"],
            answers={key: as_text(value) for key, value in notice["answers"].items()},
        )
    ]


connector = Connector(
    name="$name",
    title="$title",
    docs="https://www.example.com/",
    signature=Hmac("X-Signature", shape="sha256={digest}"),
    parse=parse,
    facts="recalled",
    fields={"email": "email"},
)
''')

README = Template("""# $title

What it sends, in a sentence or two.

## Set it up

1. Give the hub a secret and a source:

   ```yaml
   sources:
     $source:
       connector: $name
       secret: $source
   ```

2. Where to click at $title. The address is `https://.../hooks/$source`.
3. Which of its secrets goes where.

## What fails, and how it shows

| Answer | Meaning |
|---|---|
| 401 | the signature is absent or wrong |
| 404 | the source is switched off in the hub, or unknown |
| 503 | the hub could not keep it |

## What it cannot do

What the provider has and the hub does not take: edits, cancellations, deletions, lists.

## Not verified

- All of it: this connector is new, and its case is made up.
""")

SAMPLE = {
    "body": {
        "id": "1",
        "submitted_at": "2026-01-05T08:59:00Z",
        "answers": {"email": "zoe.quillfeather@example.com"},
    },
}

CASE = {
    "origin": "made up by `python -m connectors new`; replace it by a captured payload",
    "sample": True,
    "submissions": [
        {
            "external_id": "1",
            "submitted_at": "2026-01-05T08:59:00Z",
            "answers": {"email": "zoe.quillfeather@example.com"},
        }
    ],
}


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, do what it says, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m connectors", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="start a connector")
    new.add_argument("name", help="its folder: lower-case letters, digits and single underscores")
    new.add_argument("title", help="the provider's name as the provider writes it")
    asked = parser.parse_args(arguments)
    try:
        files = start(ROOT, asked.name, asked.title)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    made = "\n".join(f"  {path.relative_to(ROOT)}" for path in files)
    sys.stdout.write(
        f"Made:\n{made}\n"
        f"Passes already: python -m pytest tests/test_connectors.py -k {asked.name}\n"
        "Now put captured payloads in place of the made-up case, and mend parse until it reads "
        "them; see docs/adding-a-connector.md.\n"
    )
    return 0


def start(root: Path, name: str, title: str) -> list[Path]:
    """Write the code, README and first case of a connector.

    Raises:
        ValueError: a name or title that cannot be used, or a connector that is there already.
    """
    if not is_name(name):
        raise ValueError(
            f"{name!r} cannot be a connector's name: expected up to 40 lower-case letters, digits "
            "and single underscores, a letter first"
        )
    if name == "vectors":
        raise ValueError(
            "'vectors' cannot be a connector's name: tests/connectors/vectors is taken"
        )
    if not TITLE.fullmatch(title):
        raise ValueError(
            f"{title!r} cannot be a title: expected up to 60 characters, a letter or digit first, "
            "without quotation marks, backslashes, braces or dollar signs"
        )
    folder, cases = root / "connectors" / name, root / "tests" / "connectors" / name
    for taken in (folder, cases):
        if taken.exists():
            raise ValueError(f"{taken.relative_to(root)} is there already")
    words = {"name": name, "title": title, "source": name.replace("_", "-")}
    contents = {
        folder / "__init__.py": CODE.substitute(words),
        folder / "README.md": README.substitute(words),
        folder / "sample.json": json.dumps(SAMPLE, ensure_ascii=False, indent=2) + "\n",
        cases / "first.json": json.dumps(CASE, ensure_ascii=False, indent=2) + "\n",
    }
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(contents)


if __name__ == "__main__":
    sys.exit(main())
