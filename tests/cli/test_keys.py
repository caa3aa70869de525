"""The keys that sign links."""

import os
import re
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from approval.cli.assembly import assemble
from approval.cli.keys import KeyBroken, link_keys, retire, rotate
from approval.cli.serving import look_at_keys
from approval.config import load
from approval.store.tables import APPROVERS
from tests import stores
from tests.conftest import MONA, free_port, served_gate, served_site, settings_text
from tests.mails import Mails


@pytest.fixture
def config(tmp_path, cloud, mailbox):
    (tmp_path / "workflow.cfg").write_text(settings_text(cloud, mailbox), "utf-8")
    return load(tmp_path / "workflow.cfg", {})


@pytest.fixture
def site(tmp_path):
    with served_site(tmp_path) as site:
        yield site


def config_of(site):
    return load(site.gate.folder / "workflow.cfg", {})


def test_a_key_is_made_once_and_kept_for_its_owner_alone(config, tmp_path):
    [key] = link_keys(config)
    assert link_keys(config) == [key]
    assert (tmp_path / "workflow.db.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"k\xc3\xa4se" * 10])
def test_a_file_without_keys_signs_nothing(config, tmp_path, content):
    (tmp_path / "workflow.db.key").write_bytes(content)
    with pytest.raises(KeyBroken, match="holds no key"):
        link_keys(config)


def test_a_folder_in_place_of_the_keys_is_told(config, tmp_path):
    (tmp_path / "workflow.db.key").mkdir()
    with pytest.raises(KeyBroken, match="holds no keys"):
        link_keys(config)


def test_a_new_key_signs_and_the_older_ones_are_known_until_they_are_retired(config, tmp_path):
    [first] = link_keys(config)
    assert rotate(config) == 2
    old, new = link_keys(config)
    assert old == first != new
    assert (tmp_path / "workflow.db.key").stat().st_mode & 0o777 == 0o600
    assert retire(config) == 1
    assert link_keys(config) == [new]
    assert retire(config) == 0


def test_where_no_gate_has_served_no_key_is_replaced(config, tmp_path):
    for change in (rotate, retire):
        with pytest.raises(KeyBroken, match="is not there; the gate makes it when it first starts"):
            change(config)
    assert not (tmp_path / "workflow.db.key").exists()


def test_a_key_that_is_replaced_stays_its_owners(config, tmp_path):
    owner = 65534 if os.geteuid() == 0 else os.geteuid()  # root replaces the key of others
    link_keys(config)
    os.chown(tmp_path / "workflow.db.key", owner, -1)
    rotate(config)
    found = (tmp_path / "workflow.db.key").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (owner, 0o600)


def test_what_lies_in_wait_under_the_names_of_drafts_is_left_alone(config, tmp_path):
    """Root replaces keys in a folder of the gate's account, which may plant links there."""
    link_keys(config)
    other = tmp_path / "another's"
    other.write_text("precious")
    before = {file.name for file in tmp_path.iterdir()}
    (tmp_path / f"workflow.db.key.{os.getpid()}").symlink_to(other)
    rotate(config)
    assert other.read_text() == "precious"
    assert {file.name for file in tmp_path.iterdir()} - before == {f"workflow.db.key.{os.getpid()}"}


def test_keys_of_the_settings_are_not_replaced_behind_their_back(tmp_path, cloud, mailbox):
    text = settings_text(cloud, mailbox, f"secret_key = {'a' * 22} {'b' * 22}")
    (tmp_path / "workflow.cfg").write_text(text, "utf-8")
    configured = load(tmp_path / "workflow.cfg", {})
    for change in (rotate, retire):
        with pytest.raises(KeyBroken, match="secret_key"):
            change(configured)
    assert link_keys(configured) == ["a" * 22, "b" * 22]


def test_keys_in_a_file_of_their_own_are_changed_there(tmp_path, cloud, mailbox):
    (tmp_path / "keys").write_text("a" * 22)
    text = settings_text(cloud, mailbox, "secret_key_file = keys")
    (tmp_path / "workflow.cfg").write_text(text, "utf-8")
    configured = load(tmp_path / "workflow.cfg", {})
    for change in (rotate, retire):
        with pytest.raises(KeyBroken, match=f"the keys stand in {tmp_path}/keys; change them"):
            change(configured)


def test_keys_are_not_retired_while_links_that_they_signed_are_open(site, approval):
    site.gate.press(site.mail(site.deploy()[0]).link("accept"))
    site.deploy()
    site.settle()
    rotate(config_of(site))
    before = link_keys(config_of(site))
    refused = approval("keys", "retire")
    assert refused.exit_code == 1
    assert refused.output == (
        "problem  1 request is open; links in their mails may be signed by the older keys and "
        "would be strangers; wait until they are decided, or add --force\n"
    )
    assert link_keys(config_of(site)) == before
    site.deploy()
    site.settle()
    forced = approval("keys", "retire", "--force")
    assert forced.exit_code == 0
    assert forced.output.splitlines()[-2:] == [  # the gate of the test may log meanwhile
        "2 requests are open; links in their mails may be strangers from now on",
        "1 retired; restart the gate",
    ]
    assert link_keys(config_of(site)) == before[-1:]


def test_without_an_older_key_open_requests_lose_nothing(site, approval):
    site.deploy()
    site.settle()
    told = approval("keys", "retire").output.splitlines()  # the gate of the test may log meanwhile
    assert "0 retired; restart the gate" in told


def test_a_link_lives_as_long_as_its_key(tmp_path, cloud, mailbox):
    old, new = "an-old-key-of-22-characters", "a-new-key-of-22-characters"

    @contextmanager
    def served(*keys):
        text = settings_text(cloud, mailbox, f"secret_key = {' '.join(keys)}")
        with served_gate(tmp_path, text, port, store) as gate:
            cloud.callback_url = f"{gate.url}/callback"
            yield gate

    port = free_port()
    with stores.fresh(tmp_path, "workflow.db") as store:
        with served(old):
            task = cloud.deploy_appliance(9)[0]
            link = Mails(mailbox).about(task, MONA).link("review")
        with served(old, new) as gate:
            assert gate.get(link).status_code == 200
        with served(new) as gate:
            retired = gate.get(link)
            assert retired.status_code == 404
            assert retired.content == gate.get("/review?request=unknown&token=x").content


STRANGE = "a key is missing that signed links of open requests"


def start(config):
    """Start a gate as far as its keys matter; returns what it logs."""
    with capture_logs() as logged, closing(assemble(config)) as service:
        look_at_keys(service)
    return [entry["event"] for entry in logged]


@pytest.mark.only_on("sqlite")  # where keys lie beside the file
def test_keys_that_are_lost_while_requests_are_open_are_told(site, approval):
    config = config_of(site)
    site.deploy()
    site.settle()
    assert STRANGE[:16] not in approval("check").output
    file = site.gate.folder / "workflow.db.key"
    file.rename(site.gate.folder / "elsewhere")
    told = approval("check").output
    assert f"[server] secret_key: {STRANGE[:16]}" in told
    assert f"; {file} is not there; put it into {file}" in told
    assert not file.exists()
    unsigned = replace(config, links=config.links.model_copy(update={"signed": False}))
    assert STRANGE not in start(unsigned)
    assert STRANGE in start(config)


def test_a_gate_that_was_given_another_key_than_the_others_is_told_of(site, approval):
    site.deploy()
    site.settle()
    file = site.gate.folder / "workflow.cfg"
    others = re.sub(r"secret_key = .*\n", "", file.read_text("utf-8"))
    file.write_text(f"{others}secret_key = {'b' * 22}\n", "utf-8")
    assert "give all gates the same keys, the newest last" in approval("check").output
    assert STRANGE in start(config_of(site))
    site.gate.catch_up()
    assert "Give all gates the same keys" in site.mails.to("operator@gate.example").text


def test_a_round_finds_what_another_gate_has_signed_meanwhile(site):
    service = site.gate.service
    site.deploy()
    site.settle()
    site.gate.change(sa.update(APPROVERS).values(signed_by="another"))
    service.jobs.begin_rounds()
    told = site.mails.to("operator@gate.example", "lacks a key").text
    assert "Links in mails of open requests (1) are unknown" in told
