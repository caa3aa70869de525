import pytest

LOGIN = "login"


def test_asks_for_a_password_without_an_errors_document(cloud, client):
    client.session.auth = None
    answer = client.get(LOGIN)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Abiquo"'
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !!!", "Basic /w==", "Basic YWRtaW46bm8=", "Token made-up", "Bearer x"],
)
def test_lets_nobody_in_who_cannot_prove_who_they_are(client, authorization):
    client.session.auth = None
    answer = client("GET", LOGIN, headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert "X-Abiquo-Token" not in answer.headers


def test_an_inactive_user_cannot_log_in(client):
    client.session.auth = ("gary", "xabiquo")
    assert client.get(LOGIN).status_code == 401


def test_the_token_of_an_answer_stands_for_the_password(client):
    token = client.get(LOGIN).headers["X-Abiquo-Token"]
    client.session.auth = None
    answer = client("GET", LOGIN, headers={"Authorization": f"Token {token}"})
    assert answer.json()["nick"] == "admin"


def test_a_user_may_not_list_users_and_reads_a_bare_page(client):
    client.session.auth = ("ana", "xabiquo")
    answer = client.get("admin/enterprises/1/users")
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_manager_sees_only_the_own_enterprise(client):
    client.session.auth = ("mona", "xabiquo")
    assert client.get("admin/enterprises/1").status_code == 200
    answer = client.get("admin/enterprises/3")
    assert (answer.status_code, answer.json()["collection"][0]["code"]) == (403, "GEN-4")


def test_a_user_may_cancel_the_own_task_but_not_continue_it(cloud, client):
    (task,) = cloud.deploy_machine(59)
    path = f"cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/59/tasks/{task}/action"
    client.session.auth = ("ana", "xabiquo")
    assert client.post(f"{path}/continue").json()["collection"][0]["code"] == "GEN-4"
    assert client.post(f"{path}/cancel").status_code == 204


def names(client, path):
    return {item["name"] for item in client.json(path)["collection"]}


def test_a_user_reads_the_privileges_of_the_own_role_and_of_no_other(cloud, client):
    assert "WORKFLOW_OVERRIDE" in names(client, "admin/roles/1/action/privileges")
    client.session.auth = ("ana", "xabiquo")
    assert client.json("admin/roles/3/action/privileges")["collection"] == []
    assert client.get("admin/roles/2/action/privileges").status_code == 403
    assert client.get("admin/roles/2").status_code == 403


def test_a_manager_reads_no_role_that_may_more(client):
    client.session.auth = ("mona", "xabiquo")
    assert client.get("admin/roles/3").status_code == 200
    assert client.get("admin/roles/1").status_code == 403


def test_roles_of_one_enterprise_are_listed_when_it_is_asked_for(cloud, client):
    role = cloud.world.add_role("APPROVERS", enterprise=cloud.world.enterprises[1])
    assert names(client, "admin/roles") == {"CLOUD_ADMIN", "ENTERPRISE_ADMIN", "USER"}
    assert names(client, "admin/roles?identerprise=1") == {"APPROVERS"}
    links = client.json(role.path)["links"]
    assert [link["title"] for link in links if link["rel"] == "enterprise"] == ["Acme"]


def test_who_may_not_see_users_finds_only_the_own_role_listed(client):
    client.session.auth = ("ana", "xabiquo")
    assert names(client, "admin/roles") == {"USER"}
