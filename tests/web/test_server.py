"""Serving starts and stops without a hitch, whoever says so and whenever."""

import threading

import pytest
import requests

from approval.web.server import Server


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@pytest.mark.parametrize("used", [True, False])
def test_it_can_be_stopped_at_any_moment_and_more_than_once(used):
    for _ in range(50):
        server = Server(hello, "127.0.0.1", 0, threads=2)
        loop = threading.Thread(target=server.run)
        loop.start()
        if used:
            assert requests.get(f"http://127.0.0.1:{server.port}", timeout=5).text == "hello"
        tellers = [threading.Thread(target=server.stop) for _ in range(3)]
        for thread in tellers:
            thread.start()
        for thread in (*tellers, loop):
            thread.join(20)
        assert not loop.is_alive()
        server.stop()


def test_it_can_be_stopped_before_it_runs():
    server = Server(hello, "127.0.0.1", 0, threads=1)
    server.stop()
    server.run()
