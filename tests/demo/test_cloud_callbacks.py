import json
from dataclasses import replace

import pytest
from lxml import etree

from approval.demo.cloud import BARE, BELOW_API, BELOW_HOST, WRONG_HOST, Cloud, sample_world

MACHINE = "cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/59"


def foreign_callback(*, datacenter=3, machine=59, enterprise=1, user=1):
    """A callback as the vendor published it, for a task that no platform here has made."""
    target = f"cloud/virtualdatacenters/{datacenter}/virtualappliances/9/virtualmachines/{machine}"
    task = f"{target}/tasks/d8113ffd"
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<tasks><task>
<link rel="self" href="{task}"/>
<link rel="target" href="{target}"/>
<link rel="user" href="admin/enterprises/{enterprise}/users/{user}"/>
<link rel="cancel" href="{task}/action/cancel"/>
<link rel="continue" href="{task}/action/continue"/>
<taskId>d8113ffd</taskId><userId>{user}</userId><type>DEPLOY</type><ownerId>{machine}</ownerId>
<state>QUEUEING</state><creationTimestamp>1372234045</creationTimestamp><timestamp>0</timestamp>
</task></tasks>""".encode()


@pytest.fixture
def announcing(cloud, gate):
    cloud.callback_url = gate.url
    return cloud


def received(cloud, gate):
    assert cloud.wait_for_callbacks()
    return [body for _, body in gate.received]


def link(task, rel):
    return next(link for link in task["links"] if link["rel"] == rel)


def test_an_appliance_is_announced_as_one_collection(announcing, gate):
    ids = announcing.deploy_appliance(9)
    (body,) = received(announcing, gate)
    assert [task["taskId"] for task in json.loads(body)["collection"]] == ids


def test_a_machine_is_announced_as_a_collection_of_one_or_bare(announcing, gate):
    announcing.deploy_machine(59)
    announcing.wait_for_callbacks()
    announcing.personality = replace(announcing.personality, single_deploy_bare=True)
    (bare,) = announcing.deploy_machine(60)
    first, second = received(announcing, gate)
    assert len(json.loads(first)["collection"]) == 1
    assert json.loads(second)["taskId"] == bare


def test_a_reconfiguration_is_announced_bare(announcing, gate):
    (id,) = announcing.reconfigure(62, cpu=8)
    (body,) = received(announcing, gate)
    assert json.loads(body)["taskId"] == id


def test_target_and_ways_to_decide_have_neither_type_nor_title(announcing, gate):
    announcing.deploy_machine(59)
    (body,) = received(announcing, gate)
    (task,) = json.loads(body)["collection"]
    for rel in ("target", "continue", "cancel"):
        assert set(link(task, rel)) == {"rel", "href"}
    assert link(task, "user")["title"] == "ana"


def test_the_user_may_come_without_title(announcing, gate):
    announcing.personality = replace(announcing.personality, user_titles=False)
    announcing.deploy_machine(59)
    (body,) = received(announcing, gate)
    assert set(link(json.loads(body)["collection"][0], "user")) == {"rel", "href"}


@pytest.mark.parametrize("hrefs", [BELOW_HOST, BELOW_API, BARE, WRONG_HOST])
def test_hrefs_are_written_in_the_style_of_the_installation(announcing, gate, hrefs):
    announcing.personality = replace(announcing.personality, hrefs=hrefs)
    announcing.deploy_machine(59)
    (body,) = received(announcing, gate)
    assert link(json.loads(body)["collection"][0], "target")["href"] == hrefs + MACHINE


def test_absolute_hrefs_begin_with_what_the_platform_believes_its_location_to_be(gate):
    with Cloud(callback_url=gate.url, advertised="http://localhost/api") as cloud:
        cloud.deploy_machine(59)
        (body,) = received(cloud, gate)
    (task,) = json.loads(body)["collection"]
    assert link(task, "target")["href"] == f"http://localhost/api/{MACHINE}"


def test_an_old_platform_announces_in_xml_with_bare_hrefs(old_cloud, gate):
    old_cloud.callback_url = gate.url
    old_cloud.deploy_machine(59)
    (body,) = received(old_cloud, gate)
    element = etree.fromstring(body)
    assert element.tag == "tasks"
    assert element.find("task/link[@rel='target']").get("href") == MACHINE


def test_order_may_be_lost_but_nothing_else(announcing, gate):
    announcing.personality = replace(announcing.personality, shuffled=True)
    (id,) = announcing.deploy_machine(59)
    (body,) = received(announcing, gate)
    (task,) = json.loads(body)["collection"]
    assert task["taskId"] == id
    assert {one["rel"] for one in task["links"]} >= {"self", "target", "user", "continue"}


def test_order_may_be_lost_in_xml_too(old_cloud, gate):
    old_cloud.callback_url = gate.url
    old_cloud.personality = replace(old_cloud.personality, shuffled=True)
    (id,) = old_cloud.deploy_machine(59)
    (body,) = received(old_cloud, gate)
    task = etree.fromstring(body).find("task")
    assert task.findtext("taskId") == id
    assert task.find("link[@rel='continue']").get("href").endswith(f"{id}/action/continue")


def test_the_content_type_can_be_left_out(announcing, gate):
    announcing.deploy_machine(59)
    announcing.wait_for_callbacks()
    announcing.personality = replace(announcing.personality, content_type=False)
    announcing.deploy_machine(60)
    received(announcing, gate)
    assert [type for type, _ in gate.received] == [
        "application/vnd.abiquo.tasks+json; version=3.10",
        "",
    ]


def test_a_callback_can_come_twice(announcing, gate):
    announcing.personality = replace(announcing.personality, copies=2)
    announcing.deploy_machine(59)
    first, second = received(announcing, gate)
    assert first == second


def test_a_task_may_be_announced_before_it_can_be_read(announcing, client, gate, clock):
    announcing.personality = replace(announcing.personality, unreadable_for=5)
    (id,) = announcing.deploy_machine(59)
    path = f"{MACHINE}/tasks/{id}"
    assert client.get(path).status_code == 404
    assert client.json("admin/enterprises/1/action/pendingtasks")["totalSize"] == 0
    clock.now += 5
    assert client.get(path).status_code == 200


def test_a_failed_callback_is_traced_and_not_repeated(announcing, gate):
    gate.status = 503
    (id,) = announcing.deploy_machine(59)
    assert len(received(announcing, gate)) == 1
    assert [(event.code, event.task) for event in announcing.events] == [("WKF-01", id)]
    assert announcing.task_state(id) == "QUEUEING"


def test_a_redirect_is_not_followed(announcing, gate):
    gate.status = 302
    announcing.deploy_machine(59)
    assert len(received(announcing, gate)) == 1
    assert announcing.events[0].code == "WKF-01"


def test_nobody_listening_is_traced_too(cloud):
    cloud.callback_url = "http://127.0.0.1:9/callback"
    cloud.deploy_machine(59)
    assert cloud.wait_for_callbacks()
    assert cloud.callbacks[0].status is None
    assert cloud.events[0].code == "WKF-01"


def test_tasks_that_nobody_was_told_of_may_be_aborted(cloud):
    cloud.personality = replace(cloud.personality, aborts_unannounced=True)
    (id,) = cloud.deploy_machine(59)
    assert cloud.wait_for_callbacks()
    assert cloud.task_state(id) == "ABORTED"
    assert cloud.machine_state(59) == "NOT_ALLOCATED"


def test_a_callback_can_be_written_without_being_sent(cloud):
    (id,) = cloud.deploy_machine(59)
    assert json.loads(cloud.callback_body([id], collection=False))["taskId"] == id


def test_a_callback_from_elsewhere_finds_its_task_on_the_machine_of_that_id(cloud, client):
    assert cloud.adopt(foreign_callback()) == ["d8113ffd"]
    assert client.json(f"{MACHINE}/tasks/d8113ffd")["state"] == "QUEUEING"
    assert client.post(f"{MACHINE}/tasks/d8113ffd/action/continue").status_code == 204


def test_a_callback_from_elsewhere_makes_up_what_it_needs(clock):
    body = foreign_callback(datacenter=7, machine=590, enterprise=8, user=70)
    world = sample_world(clock=clock)
    del world.appliances[9]
    with Cloud(world=world) as cloud:
        cloud.adopt(body)
        cloud.adopt(body)
    assert world.machines[590].path.startswith("cloud/virtualdatacenters/7/virtualappliances/9/")
    assert world.machines[590].enterprise is world.users[70].enterprise is world.enterprises[8]
    assert len(world.tasks) == 1


def test_a_callback_can_get_lost_without_anybody_noticing(announcing, gate):
    announcing.lose_callbacks()
    [lost] = announcing.deploy_machine(59)
    announcing.deploy_machine(60)
    [body] = received(announcing, gate)
    assert lost.encode() not in body
    assert announcing.task_state(lost) == "QUEUEING"
    assert announcing.events == []
