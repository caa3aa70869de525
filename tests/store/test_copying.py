"""A store copied into another, of the same kind or not: all of it, exactly, or not at all."""

import dataclasses
from contextlib import ExitStack, closing, contextmanager
from itertools import islice

import psycopg
import pytest
import sqlalchemy as sa

from approval.gate import audit
from approval.gate.trouble import raise_alert
from approval.model import Action
from approval.store import leases, resting, trail
from approval.store.comparing import Differs
from approval.store.copying import AtSource, Copy, NotCopied
from approval.store.database import Database, StoreDown
from approval.store.jobs import Lane
from approval.store.migrate import is_current
from approval.store.plain import TABLES
from approval.store.tables import APPROVERS, EVENTS, JOBS, METADATA, REQUESTS, TASKS, VOTES
from tests import stores
from tests.fakes import BEA, MAX, NOW, make_held, make_machine
from tests.gate.faked import FakedGate
from tests.stores import opened


@pytest.fixture(scope="module")
def original(tmp_path_factory, store_kind, side_by_side):
    """A store with something in every table; the gate that worked with it has ended."""
    with stores.fresh(tmp_path_factory.mktemp("original")) as store:
        with closing(Database(store.url, hands_over=True)) as database:
            fill(FakedGate(database, side_by_side))
        yield store


def fill(gate):
    gate.platform.machines["1"] = gate.platform.machines["2"] = make_machine()
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1", comment="fine – go\N{GRINNING FACE}")
    gate.work()
    gate.ask(make_held("3", type="RECONFIGURE"), "4")
    gate.mails.refused.add(MAX.address)
    gate.press(MAX, Action.DECLINE, "3")
    with gate.database.write() as session:
        raise_alert(session, "disk", "The disk", "Full.", "Buy one.", gate.clock(), insist=True)
    gate.work()
    gate.receive("5")
    with gate.database.write() as session:
        leases.claim(session, Lane.CONSIDER, gate.clock())


@pytest.fixture
def full(original, tmp_path):
    with stores.copied(original, tmp_path / "full.db") as store:
        yield store


@pytest.fixture(params=stores.KINDS)
def bare(request, tmp_path):
    """A store without tables to copy to, of either kind."""
    with stores.bare(tmp_path, "copy.db", of=request.param) as store:
        yield store


@pytest.fixture
def empty(store_kind, tmp_path):
    """A store with tables to copy to, of the other kind."""
    [other] = {*stores.KINDS} - {store_kind}
    with stores.fresh(tmp_path, "copy.db", of=other) as store:
        yield store


@contextmanager
def copying(source, target):
    with (
        closing(Database(source.url, patient=True, untouched=True)) as one,
        resting.standing(one) as session,
        closing(Database(target.url, patient=True)) as guard,
        resting.kept(guard) as look,
        closing(Database(target.url, patient=True)) as other,
    ):
        yield Copy(session, other, look)


def copy(source, target, at="", then=lambda: None):
    """Copy all; returns whether all was there before. Something happens before a step."""
    with copying(source, target) as work:
        for step in work.steps():
            if f"{step.doing} {step.table}" == at:
                then()
            sum(step.batches)
        return work.was_there


def cut_off(source, target, at):
    """Copy until there."""
    with pytest.raises(KeyboardInterrupt):
        copy(source, target, at, interrupt)


def interrupt():
    raise KeyboardInterrupt


def rows(store):
    """Every row of every table, as the model has them."""
    with opened(store) as database, database.read() as session:
        return {
            table.name: set(map(repr, session.execute(sa.select(table))))
            for table in METADATA.sorted_tables
        }


def jobs(store):
    with opened(store) as database, database.read() as session:
        return session.execute(sa.select(JOBS).order_by(JOBS.c.id)).all()


def test_every_row_of_every_table_comes_along(full, bare):
    assert not copy(full, bare)
    before, after = rows(full), rows(bare)
    assert all(before.values())
    assert before.pop("jobs")
    assert after.pop("jobs")
    assert after == before


def test_the_trail_is_whole_and_says_the_same(full, bare):
    copy(full, bare)
    heads = []
    for store in (full, bare):
        with opened(store) as database, database.read() as session:
            assert [*audit.faults(session), *audit.gaps(session)] == []
            heads.append(audit.head(session))
    assert heads[0] == heads[1]


def test_leases_of_who_is_gone_end_and_jobs_are_else_the_same(full, empty):
    copy(full, empty)
    before, after = jobs(full), jobs(empty)
    [held] = [job for job in before if job.lease]
    [freed] = [job for job in after if job.id == held.id]
    assert (freed.lease, freed.due) == (None, held.made_at)
    assert [job for job in after if job.id != held.id] == [
        job for job in before if job.id != held.id
    ]


def test_a_new_id_is_none_that_was_ever_given_out(full, bare):
    [[last]] = full.rows("SELECT max(id) FROM events")
    full.change("DELETE FROM events WHERE id = ?", last)
    copy(full, bare)
    with opened(bare) as database, database.write() as session:
        for table in (TASKS, APPROVERS, VOTES, EVENTS):
            highest = session.scalar(sa.select(sa.func.max(table.c.id)))
            row = session.execute(sa.select(table).where(table.c.id == highest)).one()._asdict()
            row |= {"platform_task_id": "new", "position": 1000, "task_id": 2}
            values = {key: row[key] for key in row if key in table.c and key != "id"}
            [new] = session.execute(sa.insert(table).values(values)).inserted_primary_key
            assert new == (last if table is EVENTS else highest) + 1


@pytest.mark.only_on("sqlite")
def test_events_that_were_removed_before_are_still_missed(full, tmp_path):
    full.change("DELETE FROM events WHERE id > (SELECT max(id) - 2 FROM events)")
    with stores.fresh(tmp_path) as empty:
        copy(full, empty)
        with opened(empty) as database, database.read() as session:
            assert len([*audit.gaps(session)]) == 1


@pytest.mark.only_on("postgresql")
def test_ids_that_postgresql_left_out_are_no_gaps_in_a_file_and_later_ones_are(full, tmp_path):
    for moment in ("in between", "at the end"):
        full.change("SELECT nextval('events_id_seq')")
        if moment == "in between":
            with opened(full) as database:
                add_event(database)
    with stores.bare(tmp_path, of="sqlite") as file, stores.bare(tmp_path, "b", "sqlite") as other:
        copy(full, file)
        copy(file, other)
        with opened(other) as database:
            with database.read() as session:
                assert list(audit.gaps(session)) == []
            add_event(database)
            add_event(database)
            other.change("DELETE FROM events WHERE id = (SELECT max(id) - 1 FROM events)")
            with database.read() as session:
                assert len(list(audit.gaps(session))) == 1


def add_event(database):
    with database.write() as session:
        trail.record(session, session.scalar(sa.select(sa.func.min(REQUESTS.c.id))), "n", "", NOW)


def test_a_copy_that_was_cut_off_before_its_first_row_is_begun_again(full, empty):
    cut_off(full, empty, "found alerts")
    assert not copy(full, empty)
    assert rows(empty)["votes"] == rows(full)["votes"]


@pytest.mark.parametrize("at", ["copied approvers", "copied votes", "verified events"])
def test_a_copy_that_was_cut_off_is_no_store_until_it_is_run_again(full, empty, at):
    cut_off(full, empty, at)
    with opened(empty) as database, pytest.raises(StoreDown, match="run the same 'approval db co"):
        is_current(database)
    assert not copy(full, empty)
    with opened(empty) as database:
        assert is_current(database)
    assert rows(empty)["votes"] == rows(full)["votes"]


def test_a_copy_that_was_cut_off_within_a_table_goes_on(full, empty, monkeypatch):
    for table in TABLES:
        monkeypatch.setattr(table, "_at_once", 2)
    with copying(full, empty) as work:
        for step in work.steps():
            if (step.doing, step.table) == ("copied", "events"):
                list(islice(step.batches, 2))
                break
            sum(step.batches)
    assert empty.rows("SELECT count(*) FROM events") == [(4,)]
    assert not copy(full, empty)
    assert rows(empty)["events"] == rows(full)["events"]


def test_a_copy_that_is_done_is_left_as_it_is(full, bare):
    copy(full, bare)
    before = rows(bare)
    assert copy(full, bare)
    assert rows(bare) == before


def test_a_store_with_rows_of_its_own_is_refused_and_left_as_it_is(full, empty, side_by_side):
    with opened(empty) as database:
        FakedGate(database, side_by_side).ask("9")
    before = rows(empty)
    with pytest.raises(Differs, match="is not of the source"):
        copy(full, empty)
    assert rows(empty) == before


def test_a_copy_of_another_store_is_not_added_to(full, empty):
    cut_off(full, empty, "copied events")
    full.change("UPDATE approvers SET name = 'Eve' WHERE id = 1")
    before = rows(empty)
    with pytest.raises(Differs, match="approvers 1: name is not that of the source"):
        copy(full, empty)
    assert rows(empty) == before


def test_a_copy_that_a_gate_went_on_with_is_left_as_it_is(full, empty, side_by_side):
    copy(full, empty)
    empty.change("DELETE FROM jobs")
    with pytest.raises(Differs, match=r"jobs \w+ is missing"):
        copy(full, empty)
    assert empty.rows("SELECT * FROM jobs") == []


def test_tables_of_another_version_are_not_touched(full, empty):
    empty.change("UPDATE alembic_version SET version_num = '0006'")
    with pytest.raises(NotCopied, match="another version"):
        copy(full, empty)
    assert empty.rows("SELECT version_num FROM alembic_version") == [("0006",)]


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("tasks", "held = '{}' WHERE id = 1", "tasks 1: held is not that of the source"),
        ("votes", "cast_at = '2020-01-01' WHERE id = 1", "votes 1: cast_at is not"),
        ("events", "digest = hash WHERE id = 3", "events 3: digest is not that of the source"),
        ("approvers", "wrong_codes = 4 WHERE id = 2", "approvers 2: wrong_codes is not"),
        ("alerts", "told_at = NULL", "alerts disk: told_at is not"),
    ],
)
def test_a_row_that_arrived_otherwise_is_told_without_what_it_holds(
    full, empty, table, change, told
):
    if isinstance(empty, stores.File):
        change = change.replace("'2020-01-01'", "'2020-01-01 00:00:00.000000'")
    with pytest.raises(Differs) as raised:
        copy(
            full,
            empty,
            "verified alerts",
            lambda: empty.change(f"UPDATE {table} SET {change}"),  # noqa: S608
        )
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM votes WHERE id = 1", "votes 1 is missing"),
        ("INSERT INTO wakes VALUES ('o', 's', '2020-01-01 00:00:00.000000')", "wakes o is not of"),
    ],
)
def test_a_row_too_few_and_a_row_too_many_are_told(full, empty, change, told):
    with pytest.raises(Differs, match=told):
        copy(full, empty, "verified alerts", lambda: empty.change(change))


def test_the_source_is_only_read(full, empty, tmp_path):
    if isinstance(full, stores.Hosted):
        with copying(full, empty) as work, pytest.raises(sa.exc.DBAPIError):
            work._source.execute(sa.delete(JOBS))
        return
    before = full.path.read_bytes()
    copy(full, empty)
    assert full.path.read_bytes() == before


@pytest.mark.only_on("sqlite")
def test_what_was_written_meanwhile_is_told(full, empty):
    with pytest.raises(AtSource, match=r"was written meanwhile; .* empty TO or name another"):
        copy(full, empty, "copied jobs", lambda: full.change("DELETE FROM wakes"))
    with opened(empty) as database, pytest.raises(StoreDown, match="holds a part"):
        is_current(database)


@pytest.mark.only_on("postgresql")
def test_a_database_that_a_gate_is_connected_to_is_neither_copied_nor_filled(
    full, tmp_path, monkeypatch
):
    monkeypatch.setattr(resting, "LOOKS", 3)
    with stores.bare(tmp_path) as empty:
        for used in (full, empty):
            refused = pytest.raises(resting.InUse, match="stop all gates first")
            with closing(psycopg.connect(used.url)), refused:
                copy(full, empty)
        copy(full, empty)


@pytest.mark.only_on("postgresql")
def test_a_gate_is_seen_also_where_its_role_is_set_after_login(full, tmp_path, monkeypatch):
    monkeypatch.setattr(resting, "LOOKS", 3)
    role = f"owner_{full.name}"
    full.change(f"CREATE ROLE {role} SUPERUSER")
    source = dataclasses.replace(full, server=f"{full.server}&options=-crole%3D{role}")
    refused = pytest.raises(resting.InUse, match="stop all gates first")
    try:
        with stores.bare(tmp_path) as empty, closing(psycopg.connect(source.url)), refused:
            copy(source, empty)
    finally:
        full.change(f"DROP ROLE {role}")


@pytest.mark.only_on("postgresql")
def test_a_gate_that_starts_on_the_source_meanwhile_spoils_the_copy(full, bare, monkeypatch):
    monkeypatch.setattr(resting, "LOOKS", 3)
    with ExitStack() as held:

        def start():
            held.enter_context(closing(psycopg.connect(full.url)))

        told = r"begun to work with it meanwhile: 1 others .* empty TO .* run this again"
        with pytest.raises(AtSource, match=told):
            copy(full, bare, "verified events", start)
    with opened(bare) as database, pytest.raises(StoreDown, match="holds a part"):
        is_current(database)


def test_a_gate_that_starts_on_the_target_before_it_is_marked_is_seen(full, tmp_path, monkeypatch):
    monkeypatch.setattr(resting, "LOOKS", 3)
    with stores.fresh(tmp_path, of="postgresql") as empty, ExitStack() as held:

        def start():
            held.enter_context(closing(psycopg.connect(empty.url)))

        with pytest.raises(resting.InUse, match="stop all gates first"):
            copy(full, empty, "found alerts", start)
        assert not any(rows(empty).values())


def test_tables_that_are_made_for_a_copy_are_no_store_from_the_first_moment_on(full, bare):
    cut_off(full, bare, "found alerts")
    with opened(bare) as database, pytest.raises(StoreDown, match="holds a part"):
        is_current(database)


def test_a_database_with_tables_of_something_else_is_left_as_it_is(full, bare):
    bare.change("CREATE TABLE notes (text TEXT)")
    with pytest.raises(NotCopied, match="tables of something else, such as notes; name an empty"):
        copy(full, bare)
    with opened(bare) as database, database.read() as session:
        assert sa.inspect(session.connection).get_table_names() == ["notes"]


def test_a_file_has_one_lock_by_whatever_link_it_is_named(tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "workflow.db")
    refused = pytest.raises(resting.InUse, match="another gate serves")
    with resting.alone(tmp_path / "workflow.db"), refused, resting.alone(link):
        pass


@pytest.mark.only_on("postgresql")
def test_nobody_writes_to_a_database_while_it_is_copied(full, tmp_path):
    with (
        stores.bare(tmp_path) as empty,
        copying(full, empty),
        closing(psycopg.connect(full.url)) as other,
    ):
        other.execute("SET lock_timeout = 50")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("DELETE FROM wakes")


@pytest.mark.only_on("postgresql")
def test_a_database_is_not_copied_to_itself(full):
    with pytest.raises(resting.InUse, match="named twice"):
        copy(full, full)


@pytest.mark.only_on("sqlite")
def test_what_the_other_database_cannot_keep_is_told_by_its_place(full, tmp_path):
    full.change("UPDATE jobs SET subject = ? WHERE lease IS NOT NULL", "secret" * 20)
    told = pytest.raises(NotCopied, match=r"takes not every row from jobs .*: StringData")
    with stores.bare(tmp_path, of="postgresql") as empty, told as raised:
        copy(full, empty)
    assert "secret" not in str(raised.value)


@pytest.mark.only_on("sqlite")
def test_what_the_gate_never_wrote_is_told_by_its_table(full, tmp_path):
    full.change("UPDATE votes SET cast_at = 'secret'")
    told = pytest.raises(AtSource, match="votes holds what the gate never wrote")
    with stores.bare(tmp_path, "copy.db") as empty, told as raised:
        copy(full, empty)
    assert "secret" not in str(raised.value)


@pytest.mark.only_on("sqlite")
def test_a_sign_that_postgresql_cannot_keep_is_replaced_as_the_gate_does(full, tmp_path):
    full.change("UPDATE votes SET comment = ?", "a\0b")
    with stores.bare(tmp_path, of="postgresql") as empty:
        copy(full, empty)
        assert ("a\N{REPLACEMENT CHARACTER}b",) in empty.rows("SELECT comment FROM votes")
