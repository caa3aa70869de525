import signal
import subprocess
import sys

import pytest
import requests


def start(*command):
    return subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "command",
    [
        ("approval.demo.cloud", "--machines", "3", "--personality", "2.6"),
        ("approval.demo.mailbox", "--keep", "5"),
    ],
)
def test_says_when_it_is_ready_and_ends_when_asked(command, number):
    with start(*command) as process:
        ready, *_, url = process.stdout.readline().split()
        assert ready == "ready"
        assert requests.get(url, timeout=5).status_code == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
