"""What write() returned from is on the disk: for other programs, and after a kill."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from tests.store.values import insert, insert_in, on_disk

WRITERS, EACH = 20, 10


def test_what_was_written_is_visible_to_others_at_once(database, store):
    def write(writer):
        for number in range(EACH):
            insert_in(database, f"{writer}-{number}")
            found = store.rows(
                "SELECT count(*) FROM tasks WHERE platform_task_id = ?", f"{writer}-{number}"
            )
            yield found[0][0]

    with ThreadPoolExecutor(WRITERS) as threads:
        found = list(threads.map(lambda writer: list(write(writer)), range(WRITERS)))
    assert found == [[1] * EACH] * WRITERS


def test_what_was_not_written_yet_is_visible_to_nobody(database, store):
    with database.write() as session:
        insert(session, "1")
        assert on_disk(store) == []
        with database.read() as reader:
            assert reader.scalar(sa.text("SELECT count(*) FROM tasks")) == 0


def test_all_that_many_threads_wrote_is_there_when_the_store_is_opened_again(database, store):
    ids = [str(number) for number in range(WRITERS * EACH)]
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(lambda id: insert_in(database, id), ids))
    database.close()
    assert sorted(on_disk(store)) == sorted(ids)


def test_what_was_reported_as_written_survives_a_kill(database, store):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", store.url, "8"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        reported = [process.stdout.readline().strip() for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        reported += [line.strip() for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    assert set(reported) <= set(on_disk(store))
    insert_in(database, "after")


def test_who_reads_is_not_held_up_by_who_writes(database):
    insert_in(database, "1")
    with database.write() as session:
        insert(session, "2")
        with database.read() as reader:
            assert reader.scalar(sa.text("SELECT count(*) FROM tasks")) == 1


def test_who_reads_sees_one_moment_of_the_store(database):
    with database.read() as reader:
        assert reader.scalar(sa.text("SELECT count(*) FROM tasks")) == 0
        insert_in(database, "1")
        assert reader.scalar(sa.text("SELECT count(*) FROM tasks")) == 0
