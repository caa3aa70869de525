from dataclasses import replace
from datetime import UTC, datetime

import pytest
from abiquo_samples import MACHINE, USER, held, link, task, user, without

from approval.model import PlatformState
from approval.platforms import PlatformError

SELF = f"{MACHINE}/tasks/t1"
LINKS = ("continue", "cancel")


def look(server, abiquo, answer, asked=None):
    server.answers[SELF] = answer
    return abiquo.look(asked or held())


def complaint(server, abiquo, answer):
    with pytest.raises(PlatformError) as failed:
        look(server, abiquo, answer)
    assert not failed.value.permanent
    assert failed.value.alert
    return str(failed.value)


def test_a_held_task_comes_back_as_the_platform_has_it(server, abiquo):
    forged = replace(held(), type="UNDEPLOY")
    own = task(target_rel="virtualmachine", user="admin/enterprises/2/users/8")
    reading = look(server, abiquo, own, forged)
    assert reading.state is PlatformState.HELD
    assert reading.task.type == "DEPLOY"
    assert reading.task.requester == "admin/enterprises/2/users/8"
    assert reading.task.links == held(user="admin/enterprises/2/users/8").links
    assert reading.task.held_since == datetime.fromtimestamp(1479997495, UTC)


def test_what_the_record_leaves_out_is_kept(server, abiquo):
    since = datetime(2020, 1, 1, tzinfo=UTC)
    bare = without(task(creationTimestamp=None), "user", "target", "self")
    bare["links"].append(link("virtualmachine", MACHINE))
    reading = look(server, abiquo, bare, replace(held(), held_since=since))
    assert reading.task == replace(held(), held_since=since)
    assert reading.task.requester == USER


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("CANCELLED", PlatformState.CANCELLED),
        ("ABORTED", PlatformState.CANCELLED),
        ("PENDING", PlatformState.CONTINUED),
        ("STARTED", PlatformState.CONTINUED),
        ("FINISHED_SUCCESSFULLY", PlatformState.CONTINUED),
        ("FINISHED_UNSUCCESSFULLY", PlatformState.CONTINUED),
        ("FINISHED_SOMEHOW", PlatformState.CONTINUED),
        ("ACK_ERROR", PlatformState.CONTINUED),
    ],
)
def test_a_task_that_is_no_longer_held(server, abiquo, state, meaning):
    reading = look(server, abiquo, without(task(state=state), *LINKS))
    assert (reading.state, reading.task) == (meaning, None)


@pytest.mark.parametrize("state", ["SOMETHING_NEW", None])
def test_a_state_that_is_not_understood_ends_nothing_and_is_told(server, abiquo, state):
    with pytest.raises(PlatformError, match="not understood") as caught:
        look(server, abiquo, without(task(state=state), *LINKS))
    assert (caught.value.permanent, caught.value.alert) == (False, True)


def test_a_state_of_a_newer_version_with_links_is_held(server, abiquo):
    assert look(server, abiquo, task(state="IN_REVIEW")).state is PlatformState.HELD


def test_a_held_task_that_we_may_not_decide_is_not_gone(server, abiquo):
    assert "privilege" in complaint(server, abiquo, without(task(), *LINKS))


@pytest.mark.parametrize(
    "answer",
    [
        task("t2"),
        {},
        without(task(), "cancel"),
        task(type=None),
        task(machine=MACHINE.replace("42", "43")) | {"links": [link("continue", "x")]},
        (200, {}, b"<!DOCTYPE html><html/>"),
    ],
)
def test_a_record_that_makes_no_sense_ends_nothing(server, abiquo, answer):
    complaint(server, abiquo, answer)


def test_a_task_that_the_platform_does_not_know_is_gone(server, abiquo):
    errors = b"<errors><error><code>TASK-1</code><message>No such task</message></error></errors>"
    assert look(server, abiquo, (404, {}, errors)).state is PlatformState.GONE
    assert server.paths == [SELF]


def test_a_404_without_reason_counts_where_the_api_is(server, abiquo):
    server.answers["login"] = user()
    assert look(server, abiquo, (404, {}, b"")).state is PlatformState.GONE


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"Not Found",
        b"<html><body>Not Found</body></html>",
        b'{"message": "no Route matched with those values"}',
        b'{"code": 404, "message": "Not Found"}',
    ],
)
def test_a_404_of_a_proxy_ends_nothing(server, abiquo, page):
    server.answers["login"] = (404, {}, page)
    assert "is api_location right?" in complaint(server, abiquo, (404, {}, page))


def test_a_404_without_reason_ends_nothing_while_the_api_is_down(server, abiquo):
    server.answers |= {SELF: (404, {}, b""), "login": (503, {}, b"")}
    with pytest.raises(PlatformError) as failed:
        abiquo.look(held())
    assert not failed.value.permanent


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_tells_nothing_about_the_task(server, abiquo, status):
    with pytest.raises(PlatformError) as failed:
        look(server, abiquo, (status, {}, b""))
    assert not failed.value.permanent
