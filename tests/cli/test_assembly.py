"""What a gate holds open while it serves, and lets go of at its end."""

import threading
from contextlib import closing, suppress

from approval.cli import serving
from approval.cli.assembly import assemble
from approval.config import load
from tests import stores
from tests.conftest import MONA, free_port, served_gate, settings_text


def test_a_gate_that_has_worked_leaves_no_thread(tmp_path, cloud, mailbox, mails):
    before = set(threading.enumerate())
    with served_gate(tmp_path, settings_text(cloud, mailbox)) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        cloud.deploy_machine(59)
        assert gate.press(mails.to(MONA).link("accept")).status_code == 200
        gate.wait_until_idle()
        assert cloud.wait_for_callbacks()
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert left <= {"callback_0"}  # the cloud's


def test_the_work_is_ended_in_order_when_serving_breaks(tmp_path, cloud, mailbox):
    file = tmp_path / "workflow.cfg"
    with stores.fresh(tmp_path, "workflow.db") as store:
        here = f"bind_port = {free_port()}\n{store.settings}"
        file.write_text(settings_text(cloud, mailbox).replace("bind_port = 0", here))
        with closing(assemble(load(file, {}))) as service:
            with suppress(OSError), serving._working(service):
                raise OSError("too many open files")
            assert not service.engine.alive
