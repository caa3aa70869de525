"""The key that signs links."""

import pytest

from approval.cli.keys import KeyBroken, link_keys
from approval.config import load
from tests.conftest import settings_text


@pytest.fixture
def config(tmp_path, cloud, mailbox):
    (tmp_path / "workflow.cfg").write_text(settings_text(cloud, mailbox), "utf-8")
    return load(tmp_path / "workflow.cfg", {})


def test_a_key_is_made_once_and_kept_for_its_owner_alone(config, tmp_path):
    [key] = link_keys(config, tmp_path / "workflow.db")
    assert link_keys(config, tmp_path / "workflow.db") == [key]
    assert (tmp_path / "workflow.db.key").stat().st_mode & 0o777 == 0o600


def test_an_empty_key_signs_nothing(config, tmp_path):
    (tmp_path / "workflow.db.key").write_text("")
    with pytest.raises(KeyBroken):
        link_keys(config, tmp_path / "workflow.db")
