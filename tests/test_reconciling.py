"""Reconciling with the simulated platform, over HTTP: both sides agree after one round."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from approval.cli.parts import build_reconcile, build_room
from approval.clock import utc_now
from approval.config import load
from approval.demo.cloud import V2_6
from approval.demo.cloud.faults import Fault
from approval.metrics import Metrics
from approval.model import TaskState
from approval.store.jobs import Kind, Lane
from approval.store.tables import JOBS, TASKS
from tests.conftest import ANA, MAX, MONA, Site, served_gate, settings_text, wait_until
from tests.forms import words

RECONCILE = {"kind": "reconcile"}
LATE = 60  # seconds by which the platform's clock is behind, so that its tasks are no news


@pytest.fixture
def site(gate, cloud, mailbox, mails):
    cloud.world.clock = lambda: time.time() - LATE
    cloud.world.pace = 0
    return Site(gate, cloud, mailbox, mails)


def work(site):
    """Do one round and all that follows from it."""
    site.gate.service.jobs.begin_rounds()
    site.gate.service.engine.wake(list(Lane))
    site.settle()


def last_round(site):
    return site.gate.get("/readyz").json()["reconciled_seconds_ago"]


def known(site, table="tasks"):
    """How many tasks, or rows of another table, the gate has."""
    return len(site.gate.tables()[table])


@pytest.mark.parametrize("personality", [None, replace(V2_6, user_titles=False)])
def test_a_lost_callback_is_found_within_one_round_and_decided_like_any_other(site, personality):
    if personality:
        site.cloud.personality = personality
    site.cloud.lose_callbacks()
    [task] = site.cloud.deploy_machine(59)
    assert site.cloud.wait_for_callbacks()
    assert site.cloud.callbacks == []
    work(site)
    mail = site.mail(task)
    assert "Ana User wants to deploy web-01" in mail.text
    site.gate.press(mail.link("accept"))
    site.settle()
    assert site.posts(task) == ["continue"]
    assert site.cloud.task_state(task) != "QUEUEING"


def test_lost_callbacks_of_everybody_are_found_each_for_whoever_may_decide(site):
    site.cloud.lose_callbacks(3)
    first = site.cloud.deploy_machine(59) + site.cloud.deploy_machine(60)
    [neighbour] = site.cloud.deploy_machine(66)
    work(site)
    assert known(site) == 3
    assert site.mail(neighbour, "olga@globex.example")
    assert " and " in site.mail(first[0]).text
    assert known(site, "approval_requests") == 2


def test_a_hundred_lost_tasks_are_read_page_by_page(site):
    site.cloud.lose_callbacks()
    tasks = site.deploy(130)
    work(site)
    assert known(site) == len(tasks)
    assert known(site, "approval_requests") == 1


def test_only_the_chosen_enterprise_is_looked_after(cloud, mailbox, mails, tmp_path):
    text = settings_text(cloud, mailbox).replace("[mail]", "api_enterprises = Globex\n[mail]")
    cloud.world.clock = lambda: time.time() - LATE
    cloud.deploy_machine(59)
    cloud.deploy_machine(66)
    with served_gate(tmp_path, text) as gate:
        work(Site(gate, cloud, mailbox, mails))
    assert [mail.recipients for mail in mailbox.messages] == [("olga@globex.example",)]


@pytest.mark.parametrize(
    ("choice", "said"), [("continue", "Accepted in Abiquo"), ("cancel", "Declined in Abiquo")]
)
def test_what_was_decided_elsewhere_is_withdrawn_in_one_pass(site, choice, said):
    [task] = site.cloud.deploy_machine(59)
    mail = site.mail(task)
    site.settle()
    site.cloud.decide(task, choice)
    work(site)
    for person in (MONA, MAX):
        note = site.mails.to(person, "Re: ")
        assert note.message["In-Reply-To"]
    assert f"it was {'continued' if choice == 'continue' else 'cancelled'}" in note.text
    assert site.mails.to(ANA)
    answer = site.gate.get(mail.link("accept"))
    assert answer.status_code == 410
    assert said in words(answer)
    assert f"1 {said[0].lower()}{said[1:]}" in words(site.gate.get(mail.link("review")))
    assert site.gate.press(mail.link("decline")).status_code == 410
    sent = len(site.mailbox.messages)
    work(site)
    assert len(site.mailbox.messages) == sent
    assert site.posts(task) == []


def test_what_the_platform_forgot_is_withdrawn(site):
    [task] = site.cloud.deploy_machine(59)
    mail = site.mail(task)
    site.settle()
    site.cloud.expire(task)
    work(site)
    assert site.gate.get(mail.link("accept")).status_code == 410


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"status": 503},
        {"status": 401},
        {"status": 404, "body": b"<html>a proxy</html>"},
        {"status": 200, "body": b'{"links":[],"collection":[]}'},
        {"status": 200, "body": b'{"links":[],"collection":[{"taskId":"x"}],"totalSize":900}'},
        {"status": 200, "body": b"<html>sign in</html>"},
    ],
    ids=["down", "busy", "refused", "proxy", "empty", "odd", "login page"],
)
@pytest.mark.parametrize("where", ["pendingtasks", ""], ids=["list", "everything"])
def test_nothing_is_withdrawn_because_something_is_wrong(site, fault, where):
    tasks = site.deploy(3)
    mail = site.mail(tasks[0])
    site.settle()
    site.cloud.faults.plan(Fault(method="GET", path=where, times=None, **fault))
    work(site)
    site.cloud.faults.clear()
    with site.gate.service.database.read() as session:
        assert set(session.scalars(sa.select(TASKS.c.state))) == {TaskState.PENDING}
    assert site.gate.get(mail.link("accept", task=tasks[0])).status_code == 200


def test_a_round_that_fails_is_tried_again_until_it_works(site):
    site.cloud.lose_callbacks()
    [task] = site.cloud.deploy_machine(59)
    site.cloud.faults.plan(Fault(method="GET", path="pendingtasks", drop=True, times=2))
    work(site)
    assert last_round(site) is None
    for _ in range(2):
        site.gate.hurry()
        site.settle()
    assert site.mail(task)
    wait_until(lambda: last_round(site) is not None)
    assert 'approval_last_round_timestamp_seconds{kind="reconcile"}' in (
        site.gate.get("/metrics").text
    )


def overdue(site):
    """For how long a round is due, as a process tells it that does none."""
    registry = Metrics(site.gate.service.database, utc_now).registry
    assert registry.get_sample_value("approval_last_round_timestamp_seconds", RECONCILE) is None
    return registry.get_sample_value("approval_jobs_oldest_seconds", RECONCILE)


def test_whichever_process_is_asked_tells_since_when_no_round_has_worked(site):
    work(site)
    assert overdue(site) == 0
    site.cloud.faults.plan(Fault(method="GET", path="enterprises", status=500, times=None))
    work(site)
    an_hour_ago = utc_now() - timedelta(hours=1)
    rounds = sa.update(JOBS).where(JOBS.c.kind == Kind.RECONCILE)
    site.gate.change(rounds.values(made_at=an_hour_ago))
    for _ in range(2):
        site.gate.hurry()
        site.settle()
        assert overdue(site) >= 3600  # though it was tried
    site.cloud.faults.clear()
    site.gate.hurry()
    site.settle()
    wait_until(lambda: overdue(site) == 0)


def test_what_the_platform_did_not_keep_is_told_again(site):
    [task] = site.cloud.deploy_machine(59)
    lie = Fault(method="POST", path="continue", status=204)
    site.cloud.faults.plan(lie)
    site.gate.press(site.mail(task).link("accept"))
    site.settle()
    assert site.cloud.task_state(task) == "QUEUEING"
    an_hour_ago = utc_now() - timedelta(hours=1)
    site.gate.change(sa.update(TASKS).values(delivered_at=an_hour_ago))
    work(site)
    assert site.cloud.task_state(task) != "QUEUEING"
    assert site.posts(task) == ["continue", "continue"]
    posts = [call for call in site.cloud.calls if call.method == "POST"]
    assert len({call.headers["Idempotency-Key"] for call in posts}) == 1


def test_two_gates_at_once_do_nothing_twice(site):
    site.cloud.lose_callbacks(2)
    site.deploy(5)
    site.cloud.deploy_machine(66)
    config, service = load(site.gate.folder / "workflow.cfg", {}), site.gate.service
    room = build_room(config, service.database)
    reconcile = build_reconcile(
        config, service.database, service.platform, room, pause=lambda: None
    )
    said = []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: reconcile.round(said.append), range(4)))
    assert len(said) == len(set(said)) == 6
    site.settle()
    assert known(site, "approval_requests") == 2
    assert len(site.mailbox.messages) == 2 + 1
