"""Who may only read can audit, while the gate serves and goes on writing."""

import os

import pytest
from click.testing import CliRunner

from approval.cli import main
from tests.cli.conftest import reader_of, write
from tests.conftest import MONA, wait_until


@pytest.fixture
def serving(folder, launch, text, cloud):
    url = write(folder, text)
    serving = launch(url, folder)
    wait_until(serving.answers, timeout=30)
    cloud.callback_url = f"{url}/callback"
    return serving


@pytest.fixture
def audit(folder):
    def audit(*words):
        command = ["audit", *words, "--config", str(folder / "workflow.cfg")]
        return CliRunner(env=dict.fromkeys(os.environ)).invoke(
            main, command, catch_exceptions=False
        )

    return audit


def test_an_auditor_reads_what_the_gate_writes_meanwhile(serving, folder, cloud, audit, mails):
    [task] = cloud.deploy_machine(59)
    assert mails.to(MONA)
    whole = audit("export").output  # what is loaded late, an auditor could not load here
    with reader_of(folder):
        assert audit("export").output.startswith(whole[:100])
        assert audit("verify").output.startswith("intact")
        assert audit("show", task).output.endswith("intact\n")
        before = audit("verify").output
        cloud.deploy_machine(60)
        assert cloud.wait_for_callbacks()
        wait_until(lambda: audit("verify").output != before)


@pytest.mark.parametrize("name", ["workflow.db", "workflow.db-wal"])
def test_an_auditor_who_cannot_read_all_of_it_is_told_what_to_read(serving, folder, audit, name):
    audit("verify")
    with reader_of(folder, readable=lambda file: file.name != name):
        refused = audit("verify")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("problem  [server] database: ")
    assert "if it may read workflow.db, workflow.db-wal and workflow.db-shm" in refused.stderr


def test_an_auditor_of_a_gate_that_does_not_serve_is_told_to_take_a_copy(serving, folder, audit):
    assert serving.end() == 0
    audit("verify")
    with reader_of(folder):
        refused = audit("verify")
    assert refused.exit_code == 1
    assert refused.stderr.endswith("; else read a copy that is its own\n")
