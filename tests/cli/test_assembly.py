"""What a gate holds open while it serves, and lets go of at its end."""

import threading

from tests.conftest import MONA, served_gate, settings_text


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
