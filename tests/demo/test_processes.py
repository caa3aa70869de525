import signal
import subprocess
import sys

import pytest
import requests


def start(*command):
    return subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_cloud_says_how_to_sign_in():
    with start("approval.demo.cloud") as process:
        process.stdout.readline()
        words = process.stdout.readline().split()
        told = dict(zip(words[::2], words[1::2], strict=True))
        answer = requests.get(
            f"{told['api']}/login", auth=(told["user"], told["password"]), timeout=5
        )
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert answer.status_code == 200


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
