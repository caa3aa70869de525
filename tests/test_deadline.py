"""Deadlines: what is done on sockets ends in time, however slowly the other side moves."""

import socket
import threading
from contextlib import closing

import pytest

from approval.deadline import connect, within
from tests.scripted import PAUSE, dripping_server


@pytest.fixture
def full():
    """The address of somebody who listens and has no room for another connection."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        with socket.create_connection(listening.getsockname()):
            yield listening.getsockname()


def resolve_to(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def read_all(connected):
    with connected.makefile("rb") as file:
        return file.read()


def test_what_drips_is_given_up_at_the_deadline():
    with (
        dripping_server(b"") as port,
        within(0.3),
        closing(connect("127.0.0.1", port, timeout=10)) as connected,
        pytest.raises(TimeoutError),
    ):
        read_all(connected)


def test_who_reads_in_drops_is_given_up_at_the_deadline():
    over = threading.Event()

    def sip(listening):
        peer, _ = listening.accept()
        with peer:
            while not over.wait(PAUSE) and peer.recv(100_000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        reader = threading.Thread(target=sip, args=[listening])
        reader.start()
        port = listening.getsockname()[1]
        with (
            within(0.3),
            closing(connect("127.0.0.1", port, timeout=10)) as connected,
            pytest.raises(TimeoutError),
        ):
            connected.sendall(bytes(30_000_000))
        over.set()
        reader.join()


def test_a_host_with_many_addresses_where_nobody_answers_is_given_up(full, monkeypatch):
    resolve_to(monkeypatch, *[full] * 200)
    with within(0.3), pytest.raises(TimeoutError):
        connect("many.example", full[1], timeout=0.2)


def test_the_first_address_that_answers_is_taken(full, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        resolve_to(monkeypatch, full, listening.getsockname())
        with closing(connect("two.example", 1, timeout=0.2)) as connected:
            assert connected.getpeername() == listening.getsockname()


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 64}.example", "a..b"])
def test_a_host_that_cannot_be_found_is_an_error_of_its_kind(host):
    with pytest.raises(OSError, match=r".+"):
        connect(host, 1, timeout=1)


def test_a_silence_still_ends_at_the_timeout():
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        within(100),
        closing(connect("127.0.0.1", listening.getsockname()[1], timeout=0.1)) as connected,
        pytest.raises(TimeoutError),
    ):
        read_all(connected)


def test_work_within_other_work_has_no_more_time_than_that():
    with dripping_server(b"") as port, closing(connect("127.0.0.1", port, 10)) as connected:
        with within(0.3), within(100), pytest.raises(TimeoutError):
            read_all(connected)
        with within(100), within(0.3), pytest.raises(TimeoutError):
            read_all(connected)


def test_a_connection_serves_on_after_a_deadline_that_was_kept():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with within(5):
            connected = connect("127.0.0.1", listening.getsockname()[1], timeout=10)
            connected.sendall(b"one ")
        connected.sendall(b"two")
        assert connected.gettimeout() == 10
        connected.close()
        peer, _ = listening.accept()
        with peer:
            assert read_all(peer) == b"one two"
