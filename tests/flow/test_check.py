"""A source's options are looked at by its connector before anything is published."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.config.source import Source
from chalicelib.flow.check import check_for
from tests.flow.scenes import a_world


def findings(connector: str, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    world = a_world()
    tried = Source(connector=connector, secret="forms", options=options)
    config = world.config.model_copy(update={"sources": {"tried": tried}})
    return [
        (found.level, found.message)
        for found in check_for(world.hub, config)
        if found.path.startswith("sources.tried.options")
    ]


def test_options_that_fit_say_nothing() -> None:
    assert findings("typeform", {"consents": {"agree": "marketing"}}) == []
    assert findings("meta", {"api_url": "https://example.com/{api_version}"}) == []


def test_a_slip_in_an_options_name_is_named() -> None:
    ((level, message),) = findings("typeform", {"consent": {}})
    assert (level, message) == (
        "warning",
        "Typeform has no such option; did you mean consents?",
    )


@pytest.mark.parametrize(
    ("connector", "options", "expected"),
    [
        ("typeform", {"consents": "agree"}, "consents is to be names with values"),
        ("html_form", {"origins": "https://example.com"}, "origins is to be a list"),
        ("generic_json", {"scheme": "none"}, "scheme is one of token"),
    ],
)
def test_an_option_of_the_wrong_kind_cannot_be_published(
    connector: str, options: Mapping[str, Any], expected: str
) -> None:
    ((level, message),) = findings(connector, options)
    assert level == "error"
    assert expected in message
