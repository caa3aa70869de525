"""Use cases that share a commit: each stands or falls alone, unless the database itself fails.

Which use cases share one is up to the threads, so the tests let them race until it happened.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Barrier, BrokenBarrierError

import pytest
import sqlalchemy as sa

from approval.store import holders, people
from approval.store.database import StoreDown
from tests.fakes import NOW, make_person
from tests.store.values import insert, insert_in, on_disk

pytestmark = pytest.mark.only_on("sqlite")
RACES = 200


@dataclass
class Member:
    """One use case: what it was named, the connection that it wrote on, what it was told."""

    id: str
    connection: object = None
    error: BaseException | None = None

    @property
    def told_of_success(self):
        return self.error is None


def race(database, number, use_cases):
    """Run the use cases in threads that come together; the first one waits for the others."""
    members = [Member(f"{number}-{place}") for place in range(len(use_cases))]
    came = Barrier(len(members))

    def run(member, use_case):
        if member is not members[0]:
            with suppress(BrokenBarrierError):
                came.wait()
        try:
            with database.write() as session:
                member.connection = session.connection
                if member is members[0]:
                    came.wait()
                use_case(session, member.id)
        except Exception as error:  # noqa: BLE001 - that is what the tests look at
            member.error = error
            came.abort()

    with ThreadPoolExecutor(len(members)) as threads:
        list(threads.map(run, members, use_cases))
    return members


def together(database, *use_cases, broken=1):
    """Run the use cases until the broken one shared a commit with one before it; that race.

    If the broken one is the first, any race will do: the others come while it has its turn.
    """
    for number in range(RACES):
        heal(database)
        members = race(database, number, use_cases)
        shared = [m for m in members if m.connection is members[broken].connection]
        if len(shared) > 1 or broken == 0:
            return members
    return pytest.fail("they never came together")


def heal(database):
    """The disk has room again."""
    with suppress(StoreDown), database.write() as session:
        session.execute(sa.text("PRAGMA max_page_count = 1000000"))


class Undone(Exception):
    """The use case is not to be."""


def works(session, id):
    for number in range(5):
        insert(session, f"{id}-{number}")


def raises(session, id):
    works(session, id)
    raise Undone


def raises_in_a_statement(session, id):
    """What is wrong with a value shows when it is written."""
    works(session, id)
    holders.renew(session, 1, NOW.replace(tzinfo=None), NOW)


def raises_in_the_driver(session, id):
    """SQLite takes no half characters; the driver says so with an error of Python's."""
    people.ask(session, insert(session, id), [make_person("Bea", address="\ud800")])


def breaks_a_constraint(session, id):
    """SQLite undoes no more than the statement."""
    insert(session, f"{id}-0")
    session.execute(sa.text("UPDATE tasks SET request_id = 'nothing'"))


def stored_of(store, members):
    """Those of whose work something is on the disk."""
    kept = {"-".join(id.split("-")[:2]) for id in on_disk(store)}
    return [member.id for member in members if member.id in kept]


def told_of_success(members):
    return [member.id for member in members if member.told_of_success]


def test_use_cases_that_share_a_commit_are_all_stored(database, store):
    members = together(database, *[works] * 5, broken=4)
    assert told_of_success(members) == stored_of(store, members) == [m.id for m in members]


WRONG = [
    raises,
    raises_in_a_statement,
    raises_in_the_driver,
    breaks_a_constraint,
]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_use_case_that_raises_leaves_the_work_of_the_others(database, store, wrong, place):
    use_cases = [works, works, works]
    use_cases[place] = wrong
    members = together(database, *use_cases, broken=place)
    others = [member.id for member in members if member is not members[place]]
    assert told_of_success(members) == others
    assert stored_of(store, members) == others


@pytest.mark.parametrize("wrong", WRONG)
def test_a_use_case_that_raises_is_told_what_was_wrong_with_it(database, wrong):
    with pytest.raises((Undone, sa.exc.StatementError, UnicodeEncodeError)), database.write() as s:
        wrong(s, "0-0")


def test_each_use_case_is_told_only_of_its_own_error(database):
    members = together(database, raises, works, raises)
    assert [type(member.error) for member in members] == [Undone, type(None), Undone]


def test_a_use_case_that_raised_leaves_the_store_working(database, store):
    members = together(database, works, raises, raises_in_a_statement)
    assert stored_of(store, members) == [members[0].id]
    before = on_disk(store)
    insert_in(database, "after")
    assert set(on_disk(store)) == {*before, "after"}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_use_case_that_raised_alone_leaves_the_store_working(database, store, wrong):
    with suppress(Exception), database.write() as session:
        wrong(session, "0-0")
    assert on_disk(store) == []
    insert_in(database, "after")
    assert on_disk(store) == ["after"]


# The database itself fails.


def fills_the_disk(session, id):
    """No page more than there are now: what SQLite says then is what it says of a full disk."""
    pages = session.scalar(sa.text("PRAGMA page_count"))
    session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    insert(session, *(f"{id}-{number}" for number in range(1000)))


def breaks_the_connection(session, id):
    insert(session, f"{id}-0")
    session.connection.connection.dbapi_connection.close()


def goes_on_with_a_broken_connection(session, id):
    breaks_the_connection(session, id)
    insert(session, f"{id}-1")


def fails_at_the_commit(session, id):
    """A reference to nothing, which SQLite is told to look at no earlier than at the commit."""
    session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    insert(session, f"{id}-0")
    session.execute(sa.text("UPDATE tasks SET request_id = 'nothing'"))


FATAL = [
    fills_the_disk,
    breaks_the_connection,
    goes_on_with_a_broken_connection,
    fails_at_the_commit,
]


@pytest.mark.parametrize("fatal", FATAL)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_database_that_fails_is_told_to_all_and_nothing_is_stored(database, store, fatal, place):
    use_cases = [works, works, works]
    use_cases[place] = fatal
    members = together(database, *use_cases, broken=place)
    with_it = [member for member in members if member.connection is members[place].connection]
    assert told_of_success(with_it) == []
    assert stored_of(store, with_it) == []


@pytest.mark.parametrize("fatal", FATAL)
def test_whatever_fails_told_is_what_is_stored(database, store, fatal):
    for number in range(10):
        members = race(database, number, [works, works, fatal, works, raises, works])
        assert told_of_success(members) == stored_of(store, members)
        heal(database)


@pytest.mark.parametrize("fatal", [fills_the_disk, breaks_the_connection])
def test_a_database_that_fails_is_called_down(database, fatal):
    with pytest.raises(StoreDown), database.write() as session:
        fatal(session, "0-0")


@pytest.mark.parametrize("fatal", FATAL)
def test_after_a_failure_the_store_works_again(database, store, fatal):
    race(database, 0, [works, fatal, works])
    before = on_disk(store)
    if fatal is fills_the_disk:
        heal(database)
    for number in range(3):
        insert_in(database, f"after-{number}")
    assert set(on_disk(store)) - set(before) == {"after-0", "after-1", "after-2"}


# Woken only by what is on the disk.


def test_who_is_woken_finds_the_work_on_the_disk(database, store):
    found = []
    database.wake = lambda lanes: found.append((list(lanes), on_disk(store)))
    with database.write() as session:
        insert(session, "1")
        session.lanes.append("mail")
    assert found == [(["mail"], ["1"])]


@pytest.mark.parametrize("broken", [raises, fails_at_the_commit])
def test_nobody_is_woken_by_what_was_not_stored(database, broken):
    def promises(session, id):
        session.lanes.append("mail")
        broken(session, id)

    woken = []
    database.wake = woken.append
    [member] = race(database, 0, [promises])
    assert not member.told_of_success
    assert woken == []


@contextmanager
def interrupted(database, event):
    """Somebody presses Ctrl-C at this moment."""

    def interrupt(*_):
        raise KeyboardInterrupt

    sa.event.listen(database._store._engine, event, interrupt)
    try:
        yield
    finally:
        sa.event.remove(database._store._engine, event, interrupt)


def test_whoever_is_interrupted_at_the_commit_is_told_so_and_not_of_the_database(database, store):
    with (
        pytest.raises(KeyboardInterrupt),
        interrupted(database, "commit"),
        database.write() as session,
    ):
        works(session, "0-0")
    insert_in(database, "after")
    assert on_disk(store) == ["after"]


def test_whoever_is_interrupted_in_a_statement_is_told_so(database, store):
    with (
        pytest.raises(KeyboardInterrupt),
        database.write() as session,
        interrupted(database, "before_cursor_execute"),
    ):
        works(session, "0-0")
    insert_in(database, "after")
    assert on_disk(store) == ["after"]


@pytest.mark.parametrize(
    ("fatal", "words"),
    [
        (fails_at_the_commit, "FOREIGN KEY constraint failed"),
        (fills_the_disk, "database or disk is full"),
    ],
)
def test_a_database_that_fails_is_told_in_its_own_words(database, fatal, words):
    with pytest.raises(StoreDown) as raised, database.write() as session:
        fatal(session, "0-0")
    assert str(raised.value) == words
