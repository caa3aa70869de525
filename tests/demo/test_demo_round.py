"""A round of the demo in which something is not as it should be."""

import re

import pytest

from approval.demo.once import play
from approval.demo.stage import ANY, staged


@pytest.fixture
def stage():
    with staged(ANY) as stage:
        yield stage


def test_names_the_step_that_was_not_seen(stage, capsys):
    stage.cloud.callback_url += "-wrong"
    assert not play(stage)
    shown = capsys.readouterr().out
    assert re.findall("(✓|✗) (.)", shown) == [("✓", "1"), ("✗", "2")]
    assert "expected 202 to the callback, not 401" in shown
    assert '"event": "serving"' in shown
