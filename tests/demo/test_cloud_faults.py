import threading
import time

import pytest
import requests

from approval.demo.cloud import Cloud, Fault, Faults

MACHINE = "cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/59"


def test_a_fault_befalls_so_many_matching_calls(cloud, client):
    cloud.faults.plan(Fault(path="/users/1$", status=503, headers={"Retry-After": "7"}, times=2))
    statuses = [client.get("admin/enterprises/1/users/1").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert client.get("login").status_code == 200


def test_a_fault_may_be_for_one_method_and_for_ever(cloud, client):
    cloud.faults.plan(Fault(method="POST", status=500, body=b"<html>oops", times=None))
    assert client.get("login").status_code == 200
    assert [client.post("login").text for _ in range(3)] == ["<html>oops"] * 3
    cloud.faults.clear()
    assert client.post("login").status_code == 405


@pytest.mark.parametrize(("after", "state"), [(False, "QUEUEING"), (True, "CANCELLED")])
def test_a_connection_can_be_dropped_before_or_after_acting(cloud, client, after, state):
    (id,) = cloud.deploy_machine(59)
    cloud.faults.plan(Fault(method="POST", drop=True, after=after))
    with pytest.raises(requests.ConnectionError):
        client.post(f"{MACHINE}/tasks/{id}/action/cancel")
    assert cloud.task_state(id) == state


def test_an_error_can_hide_that_the_platform_acted(cloud, client):
    (id,) = cloud.deploy_machine(59)
    cloud.faults.plan(Fault(method="POST", status=503, after=True))
    assert client.post(f"{MACHINE}/tasks/{id}/action/cancel").status_code == 503
    assert cloud.task_state(id) == "CANCELLED"


def test_a_platform_that_is_down_answers_nothing(cloud, client):
    cloud.faults.down = True
    with pytest.raises(requests.ConnectionError):
        client.get("login")
    cloud.faults.down = False
    assert client.get("login").status_code == 200


def test_answers_can_be_slow(cloud, client):
    cloud.faults.latency = 0.05
    began = time.monotonic()
    client.get("login")
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("after", [False, True])
def test_a_fault_can_be_nothing_but_slowness(cloud, client, after):
    cloud.faults.plan(Fault(delay=0.05, after=after))
    began = time.monotonic()
    assert client.get("login").status_code == 200
    assert time.monotonic() - began >= 0.05


def test_a_platform_that_hangs_after_acting_has_acted(cloud, client):
    (id,) = cloud.deploy_machine(59)
    cloud.faults.plan(Fault(method="POST", delay=60, after=True))
    with pytest.raises(requests.ReadTimeout):
        client.post(f"{MACHINE}/tasks/{id}/action/cancel", timeout=0.2)
    assert cloud.task_state(id) == "CANCELLED"


def test_calls_are_written_down(cloud, client):
    client.post("login?why=not", data=b"{}", headers={"Content-Type": "text/odd"})
    (call,) = cloud.calls
    assert (call.method, call.path, call.body) == ("POST", "/api/login?why=not", b"{}")
    assert (call.status, call.headers["Content-Type"]) == (405, "text/odd")


def test_a_dropped_call_is_written_down_without_status(cloud, client):
    cloud.faults.plan(Fault(drop=True, after=True))
    with pytest.raises(requests.ConnectionError):
        client.get("login")
    assert cloud.calls[0].status is None


def test_the_log_of_calls_is_bounded():
    with Cloud(keep_calls=2) as few, Cloud(keep_calls=0) as none:
        for cloud in (few, none):
            for _ in range(3):
                requests.get(f"{cloud.api_location}/login", timeout=5)
        assert (len(few.calls), len(none.calls)) == (2, 0)


def test_closing_waits_for_no_delayed_answer_and_frees_the_port():
    before = set(threading.enumerate())
    cloud = Cloud(faults=Faults(Fault(delay=60)))
    failures = []

    def call():
        try:
            requests.get(f"{cloud.api_location}/login", timeout=30)
        except requests.ConnectionError as error:
            failures.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    while cloud.faults.planned:
        time.sleep(0.001)
    cloud.close()
    caller.join()
    assert len(failures) == 1
    assert set(threading.enumerate()) <= before
    with Cloud(port=cloud.port) as again:
        assert again.port == cloud.port
