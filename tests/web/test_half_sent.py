"""Requests that begin and never end keep nobody waiting, and are closed in the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from approval.web.server import Server
from tests.conftest import served_site, wait_until
from tests.half_sent import KINDS, HalfSent, half_sent

MANY = 64


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@contextmanager
def serving(app=hello, **options):
    server = Server(app, "127.0.0.1", 0, **options)
    loop = threading.Thread(target=server.run)
    loop.start()
    yield server
    server.stop()
    loop.join()


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A site whose gate closes nothing as long as a test may take."""
    with served_site(tmp_path_factory.mktemp("site"), patience=600) as site:
        yield site


@pytest.fixture(scope="module")
def impatient():
    with serving(patience=1) as server:
        yield server


def test_callback_page_and_button_are_answered_while_many_hang(patient):
    with half_sent(urlsplit(patient.gate.url).port, MANY) as hanging:
        [task] = patient.deploy()
        link = patient.mail(task).link("accept")
        assert patient.gate.get(link).status_code == 200
        assert patient.gate.press(link).status_code == 200
        patient.settle()
        assert patient.cloud.callbacks[-1].status == 202
        assert patient.posts(task) == ["continue"]
        assert hanging.left == MANY


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_is_closed_in_the_end_however_it_drips(impatient, kind):
    hanging = HalfSent(impatient.port, [kind])
    wait_until(lambda: not hanging.left, timeout=30)
    hanging.close()


def get(server):
    return requests.get(f"http://127.0.0.1:{server.port}", timeout=20).text


def test_who_comes_while_all_connections_are_taken_takes_the_place_of_one_that_waits():
    with serving(patience=600, connections=40) as server, half_sent(server.port, MANY) as hanging:
        assert get(server) == "hello"
        assert 0 < hanging.left < MANY


def test_who_waits_for_an_answer_keeps_their_place():
    asked, go_on = threading.Event(), threading.Event()

    def slow(environ, start_response):
        asked.set()
        assert go_on.wait(30)
        return hello(environ, start_response)

    with serving(slow, patience=600, connections=40) as server, ThreadPoolExecutor() as people:
        answer = people.submit(get, server)
        assert asked.wait(30)
        with half_sent(server.port, MANY) as hanging:
            wait_until(lambda: hanging.left < MANY)
            go_on.set()
            assert answer.result(30) == "hello"
