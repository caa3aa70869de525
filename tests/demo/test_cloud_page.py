import pytest
import requests


def page(cloud):
    return requests.get(cloud.url, timeout=5).text


def press(cloud, path, **fields):
    return requests.post(cloud.url + path, data=fields, timeout=5)


def only_task(cloud):
    (id,) = cloud.world.tasks
    return id


def test_shows_machines_with_their_state_and_escapes_their_names(cloud):
    shown = page(cloud)
    assert "web-01" in shown
    assert "Not deployed" in shown
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    assert "<b>bold" not in shown


def test_a_person_deploys_a_machine_and_decides_its_task(cloud, clock):
    assert "Waiting for review" in press(cloud, "/machines/59/deploy").text
    press(cloud, f"/tasks/{only_task(cloud)}/continue")
    clock.now += 60
    assert cloud.machine_state(59) == "ON"
    assert "workflow continuation was successful" in page(cloud)


def test_a_person_cancels_a_task(cloud):
    press(cloud, "/machines/62/undeploy")
    press(cloud, f"/tasks/{only_task(cloud)}/cancel")
    assert cloud.machine_state(62) == "ON"


def test_a_person_reconfigures_a_machine(cloud):
    press(cloud, "/machines/62/reconfigure", cpu="8", ram="oops")
    assert cloud.world.machines[62].cpu == 8
    assert cloud.task_state(only_task(cloud)) == "QUEUEING"


def test_a_person_operates_a_whole_appliance(cloud):
    press(cloud, "/appliances/9/deploy")
    press(cloud, "/appliances/9/undeploy")
    types = sorted(task.type for task in cloud.world.tasks.values())
    assert types == ["DEPLOY", "DEPLOY", "DEPLOY", "UNDEPLOY", "UNDEPLOY"]


def test_what_cannot_be_done_is_said(cloud):
    press(cloud, "/machines/59/deploy")
    assert "VM-2" in press(cloud, "/machines/59/deploy").text


@pytest.mark.parametrize("path", ["/appliances/99/deploy", "/machines/59/explode"])
def test_what_does_not_exist_is_not_found(cloud, path):
    assert press(cloud, path).status_code == 404


def test_nothing_on_the_page_comes_from_another_host(cloud):
    shown = page(cloud)
    assert "http://" not in shown
    assert "https://" not in shown
    assert "<script" not in shown
