from dataclasses import replace

import pytest
from lxml import etree

from approval.demo.cloud.refusal import Refusal

SHOP = "cloud/virtualdatacenters/3/virtualappliances/9"
WEB = f"{SHOP}/virtualmachines/59"
RUNNING = f"{SHOP}/virtualmachines/62"
PENDING = "admin/enterprises/1/action/pendingtasks"


def rels(document):
    return {link["rel"] for link in document["links"]}


def code(answer):
    return answer.status_code, answer.json()["collection"][0]["code"]


@pytest.fixture
def task(cloud):
    (id,) = cloud.deploy_machine(59)
    return f"{WEB}/tasks/{id}"


def test_a_held_task_can_be_continued_or_cancelled_and_locks_its_machine(client, task):
    held = client.json(task)
    assert (held["state"], held["type"]) == ("QUEUEING", "DEPLOY")
    assert (held["ownerId"], held["userId"]) == ("59", "1")
    assert {"continue", "cancel", "virtualmachine", "user"} <= rels(held)
    assert client.json(WEB)["state"] == "LOCKED"


def test_a_task_has_its_jobs(client, task):
    jobs = client.json(task)["jobs"]["collection"]
    assert [job["type"] for job in jobs] == ["SCHEDULE", "CONFIGURE", "POWER_ON"]
    assert len({job["id"] for job in jobs}) == 3


def test_a_task_in_xml_nests_its_jobs(client, task):
    element = etree.fromstring(client.get(task, "application/xml").content)
    assert element.tag == "task"
    assert len(element.findall("jobs/job/parentTaskId")) == 3


def test_a_continued_task_runs_and_ends_as_time_goes_by(cloud, client, clock, task):
    answer = client.post(f"{task}/action/continue")
    assert (answer.status_code, answer.content) == (204, b"")
    states = []
    for _ in range(3):
        states.append((client.json(task)["state"], client.json(WEB)["state"]))
        clock.now += cloud.world.pace
    assert states == [
        ("PENDING", "LOCKED"),
        ("STARTED", "LOCKED"),
        ("FINISHED_SUCCESSFULLY", "ON"),
    ]


def test_a_decided_task_has_no_links_to_decide_it(client, task):
    client.post(f"{task}/action/continue")
    assert not {"continue", "cancel"} & rels(client.json(task))


def test_a_cancelled_deployment_leaves_the_machine_as_it_was(client, task):
    client.post(f"{task}/action/cancel")
    assert client.json(task)["state"] == "CANCELLED"
    assert client.json(WEB)["state"] == "NOT_ALLOCATED"


@pytest.mark.parametrize("second", ["continue", "cancel"])
def test_a_second_decision_is_refused(client, task, second):
    client.post(f"{task}/action/continue")
    assert code(client.post(f"{task}/action/{second}")) == (409, "TASK-2")


def test_a_second_decision_may_be_answered_as_of_an_unknown_task(cloud, client, task):
    cloud.personality = replace(cloud.personality, repeat_status=404)
    client.post(f"{task}/action/cancel")
    assert code(client.post(f"{task}/action/cancel")) == (404, "TASK-1")


def test_an_unknown_task_cannot_be_decided(client):
    assert code(client.post(f"{WEB}/tasks/nope/action/continue")) == (404, "TASK-1")


def test_an_expired_task_is_unknown_and_frees_its_machine(cloud, client, task):
    cloud.expire(task.split("/")[-1])
    assert code(client.get(task)) == (404, "TASK-1")
    assert client.json(WEB)["state"] == "NOT_ALLOCATED"


def test_a_deleted_machine_takes_its_tasks_with_it(cloud, client, task):
    cloud.delete_machine(59)
    assert code(client.post(f"{task}/action/continue")) == (404, "VM-1")
    assert client.json(PENDING)["totalSize"] == 0


def test_a_message_in_plain_text_is_kept(cloud, client, task):
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    client.post(f"{task}/action/continue", data="von Mona: größer".encode(), headers=headers)
    (event,) = [event for event in cloud.events if event.message]
    assert event.message == "von Mona: größer"
    assert "workflow continuation was successful (custom message: 'von Mona" in event.text


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b"{}", None), (b"{}", "*/*; version=3.8;"), (b"null", "application/json"), (b"", None)],
)
def test_bodies_that_clients_send_for_no_reason_are_let_pass(
    cloud, client, task, data, content_type
):
    headers = {"Content-Type": content_type}
    answer = client.post(f"{task}/action/cancel", data=data, headers=headers)
    assert answer.status_code == 204
    assert cloud.events[-1].message is None


def test_a_failed_task_can_be_acknowledged(cloud, client, clock, task):
    cloud.personality = replace(cloud.personality, finishes="FINISHED_UNSUCCESSFULLY")
    client.post(f"{task}/action/continue")
    clock.now += 60
    assert "acknowledge" in rels(client.json(task))
    client.post(f"{task}/action/ack")
    assert client.json(task)["state"] == "ACK_ERROR"
    assert client.json(WEB)["state"] == "NOT_ALLOCATED"


def test_somebody_else_can_decide_on_the_platform(cloud, client, task):
    cloud.decide(task.split("/")[-1], "cancel")
    assert code(client.post(f"{task}/action/continue")) == (409, "TASK-2")


def test_a_held_reconfiguration_shows_the_new_values_and_a_cancelled_one_the_old(cloud, client):
    (id,) = cloud.reconfigure(62, cpu=8, ram=32_768)
    held = client.json(RUNNING)
    client.post(f"{RUNNING}/tasks/{id}/action/cancel")
    after = client.json(RUNNING)
    assert (held["cpu"], held["ram"], held["state"]) == (8, 32_768, "LOCKED")
    assert (after["cpu"], after["ram"], after["state"]) == (4, 8192, "ON")


def test_a_continued_reconfiguration_keeps_the_new_values(cloud, client, clock):
    (id,) = cloud.reconfigure(62, cpu=8)
    cloud.decide(id, "continue")
    clock.now += 60
    assert (client.json(RUNNING)["cpu"], client.json(RUNNING)["state"]) == (8, "ON")


def test_new_values_can_stay_hidden_until_the_decision(cloud, client):
    cloud.personality = replace(cloud.personality, shows_requested=False)
    (id,) = cloud.reconfigure(62, cpu=8)
    assert client.json(RUNNING)["cpu"] == 4
    cloud.decide(id, "continue")
    assert client.json(RUNNING)["cpu"] == 8


def test_a_machine_that_is_not_deployed_is_changed_without_a_task(cloud, client):
    answer = client("PUT", WEB, json={"cpu": 8})
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.json(WEB)["cpu"] == 8
    assert cloud.world.tasks == {}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"cpu": 8}', "application/vnd.abiquo.virtualmachine+json"),
        (
            b"<virtualMachine><cpu>8</cpu></virtualMachine>",
            "application/vnd.abiquo.virtualmachine+xml",
        ),
    ],
)
def test_changing_a_running_machine_begins_a_task(client, body, content_type):
    answer = client("PUT", RUNNING, data=body, headers={"Content-Type": content_type})
    (status,) = answer.json()["links"]
    assert (answer.status_code, status["rel"]) == (202, "status")
    assert client.get(status["href"]).json()["type"] == "RECONFIGURE"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"cpu": "many"}'])
def test_a_change_that_cannot_be_read_is_refused(client, body):
    assert client("PUT", RUNNING, data=body).status_code == 400


def test_deploying_an_appliance_begins_a_task_for_each_machine_that_is_not_deployed(client):
    answer = client.post(f"{SHOP}/action/deploy")
    assert (answer.status_code, len(answer.json()["links"])) == (202, 3)


def test_a_locked_machine_cannot_be_operated(cloud, client, task):
    assert code(client.post(f"{WEB}/action/undeploy")) == (409, "VM-2")
    with pytest.raises(Refusal):
        cloud.deploy_machine(59)


@pytest.mark.parametrize("switch", ["everywhere", "enterprise"])
def test_nothing_is_held_where_the_workflow_is_off(cloud, switch):
    if switch == "everywhere":
        cloud.world.workflow_enabled = False
    else:
        cloud.world.enterprises[1].workflow = False
    (id,) = cloud.deploy_machine(59)
    assert cloud.task_state(id) == "PENDING"
    assert cloud.callbacks == []


def test_an_old_platform_has_one_switch_for_all(old_cloud):
    old_cloud.world.enterprises[1].workflow = False
    (id,) = old_cloud.deploy_machine(59)
    assert old_cloud.task_state(id) == "QUEUEING"


def test_pending_tasks_are_the_held_ones_with_their_targets(cloud, client):
    first, second, third = cloud.deploy_appliance(9)
    cloud.decide(second, "continue")
    answer = client.json(PENDING)
    assert [task["taskId"] for task in answer["collection"]] == [first, third]
    assert "target" in rels(answer["collection"][0])
    assert (rels(answer), answer["totalSize"]) == ({"self", "parent"}, 2)


def test_pending_tasks_are_paged_without_links(cloud, client):
    ids = cloud.deploy_appliance(9)
    answer = client.json(f"{PENDING}?startwith=1&limit=1")
    assert [task["taskId"] for task in answer["collection"]] == [ids[1]]
    assert "next" not in rels(answer)


def test_pending_tasks_can_be_filtered(cloud, client):
    cloud.deploy_appliance(9)
    found = client.json(f"{PENDING}?has=db-01")
    assert found["totalSize"] == 1
    assert client.json(f"{PENDING}?has=nothing")["links"] == []


def test_pending_tasks_belong_to_their_enterprise_and_user(cloud, client):
    cloud.deploy_machine(66)
    cloud.deploy_machine(59, by=2)
    assert client.json(PENDING)["totalSize"] == 1
    assert client.json("admin/enterprises/1/users/2/action/pendingtasks")["totalSize"] == 1
    assert client.json("admin/enterprises/1/users/1/action/pendingtasks")["totalSize"] == 0


def test_the_tasks_of_a_machine_are_all_it_ever_had(cloud, client, clock):
    (first,) = cloud.deploy_machine(59)
    cloud.decide(first, "continue")
    clock.now += 60
    (second,) = cloud.undeploy_machine(59)
    listed = client.json(f"{WEB}/tasks")["collection"]
    assert [task["taskId"] for task in listed] == [second, first]
