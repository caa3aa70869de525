import pytest
from lxml import etree

SHOP = "cloud/virtualdatacenters/3/virtualappliances/9"
WEB = f"{SHOP}/virtualmachines/59"
DATABASE = f"{SHOP}/virtualmachines/61"
ACME = "admin/enterprises/1"


def titles(document):
    return {link["rel"]: link.get("title") for link in document["links"]}


def hrefs(document):
    return {link["rel"]: link["href"] for link in document["links"]}


def xml_titles(element):
    return {link.get("rel"): link.get("title") for link in element.findall("link")}


def names(answer):
    return [user["nick"] for user in answer["collection"]]


def test_a_machine_names_its_place_people_and_template_in_link_titles(client):
    named = titles(client.json(DATABASE))
    assert named["enterprise"] == "Acme"
    assert named["virtualdatacenter"] == "Production"
    assert named["virtualappliance"] == "Shop"
    assert named["user"] == "Ana User"
    assert named["virtualmachinetemplate"] == "PostgreSQL 15"


def test_a_machine_has_a_label_beside_its_generated_name(client):
    machine = client.json(DATABASE)
    assert machine["label"] == "db-01"
    assert machine["name"].startswith("ABQ_")
    assert (machine["cpu"], machine["ram"], machine["state"]) == (4, 16384, "NOT_ALLOCATED")


def test_fields_without_value_are_left_out(client):
    assert "description" not in client.json(f"{SHOP}/virtualmachines/62")


def test_hrefs_are_absolute(cloud, client):
    href = hrefs(client.json(WEB))["edit"]
    assert href == f"{cloud.api_location}/{WEB}"
    assert client.get(href).status_code == 200


def test_disks_and_volumes_spell_their_size_differently(client):
    (disk,) = client.json(f"{DATABASE}/storage/disks")["collection"]
    (volume,) = client.json(f"{DATABASE}/storage/volumes")["collection"]
    assert (disk["sizeInMb"], volume["sizeInMB"]) == (10_240, 122_880)


def test_lists_of_disks_have_no_pages(client):
    answer = client.json(f"{DATABASE}/storage/disks")
    assert answer["links"] == []
    assert "totalSize" not in answer


def test_a_network_card_has_its_address_as_link_title(client):
    (nic,) = client.json(f"{DATABASE}/network/nics")["collection"]
    assert titles(nic)["nic0"] == nic["ip"]
    assert titles(nic)["privatenetwork"] == "Office"


def test_a_datacenter_names_its_location(client):
    assert titles(client.json("cloud/virtualdatacenters/3"))["location"] == "Madrid"


def test_an_old_datacenter_calls_its_location_datacenter(old_client):
    named = titles(old_client.json("cloud/virtualdatacenters/3"))
    assert named["datacenter"] == "Madrid"
    assert "location" not in named


def test_only_an_old_machine_has_its_disk_in_bytes(client, old_client):
    assert "hdInBytes" not in client.json(WEB)
    assert old_client.json(WEB)["hdInBytes"] == 10_240 * 2**20


def test_only_a_new_enterprise_has_a_workflow_flag(client, old_client):
    assert client.json(ACME)["workflow"] is True
    assert "workflow" not in old_client.json(ACME)


def test_an_appliance_tells_whether_it_is_deployed(client):
    assert client.json(SHOP)["state"] == "DEPLOYED"
    assert titles(client.json(SHOP))["virtualdatacenter"] == "Production"


def test_names_with_markup_and_of_any_script_come_through_in_both_formats(client):
    lab = "cloud/virtualdatacenters/3/virtualappliances/10/virtualmachines"
    for id, label in ((64, "größe-Ω-東京"), (65, '<b>bold</b> & "quoted"')):
        assert client.json(f"{lab}/{id}")["label"] == label
        written = client.get(f"{lab}/{id}", "application/xml").content
        assert etree.fromstring(written).findtext("label") == label


def test_xml_has_links_as_attributes_and_no_namespace(client):
    element = etree.fromstring(client.get(WEB, "application/xml").content)
    assert element.tag == "virtualMachine"
    assert xml_titles(element)["enterprise"] == "Acme"
    assert element.findtext("cpu") == "2"
    assert element.findtext("monitored") == "false"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "virtualmachine+json"),
        ("*/*", "virtualmachine+json"),
        ("*/*; version=3.8;", "virtualmachine+json"),
        ("text/json,application/json", "virtualmachine+json"),
        ("application/xml;q=0.9, application/json", "virtualmachine+json"),
        ("application/vnd.abiquo.virtualmachine+xml; version=3.4", "virtualmachine+xml"),
        ("application/vnd.abiquo.user+json, text/xml", "virtualmachine+xml"),
    ],
)
def test_answers_in_the_format_that_is_accepted(client, accept, kind):
    answer = client.get(WEB, accept)
    assert answer.headers["Content-Type"] == f"application/vnd.abiquo.{kind}; version=3.10"


def test_an_old_platform_speaks_xml_unless_told_otherwise(old_client):
    assert "+xml; version=2.6" in old_client.get(WEB).headers["Content-Type"]
    assert "+json" in old_client.get(WEB, "application/json").headers["Content-Type"]


@pytest.mark.parametrize(
    "accept",
    [
        "application/vnd.abiquo.virtualmachine+json; version=9.9",
        "application/vnd.abiquo.user+json",
        "text/html",
    ],
)
def test_refuses_versions_and_types_it_does_not_have(client, accept):
    answer = client.get(WEB, accept)
    assert answer.status_code == 406
    assert answer.headers["Content-Type"].startswith("application/vnd.abiquo.error+json")


def test_an_error_in_xml_is_a_list_of_errors(client):
    answer = client.get(f"{SHOP}/virtualmachines/1", "application/xml")
    element = etree.fromstring(answer.content)
    assert answer.status_code == 404
    assert (element.tag, element.findtext("error/code")) == ("errors", "VM-1")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("admin/enterprises/99", "EN-0"),
        ("admin/enterprises/1/users/51", "USER-0"),
        ("admin/roles/99", "ROLE-0"),
        ("cloud/virtualdatacenters/99", "VDC-0"),
        ("cloud/virtualdatacenters/4/virtualappliances/9", "VAPP-0"),
        ("cloud/virtualdatacenters/3/virtualappliances/10/virtualmachines/59", "VM-1"),
    ],
)
def test_does_not_find_what_is_elsewhere(client, path, code):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["collection"][0]["code"] == code


def test_tells_its_version_as_plain_text(client):
    answer = client.get("version")
    assert answer.text == "3.10"
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_user_has_enterprise_and_role_as_links(client):
    user = client.json(f"{ACME}/users/2")
    assert user["email"] == "mona@acme.example"
    assert (titles(user)["enterprise"], titles(user)["role"]) == ("Acme", "ENTERPRISE_ADMIN")
    assert client.get(hrefs(user)["role"]).json()["name"] == "ENTERPRISE_ADMIN"


def test_users_come_in_pages_of_25_whose_links_lead_through_all_of_them(client):
    first = client.json(f"{ACME}/users")
    second = client.get(hrefs(first)["next"]).json()
    assert (len(first["collection"]), first["totalSize"]) == (25, 29)
    assert len(set(names(first) + names(second))) == 29
    assert set(hrefs(first)) == {"first", "next", "last"}
    assert set(hrefs(second)) == {"first", "previous", "last"}


def test_the_first_page_has_no_start_and_filters_are_repeated(client):
    links = hrefs(client.json(f"{ACME}/users?limit=2&has=acme"))
    assert "startwith" not in links["first"]
    assert "startwith=26" in links["last"]
    assert "has=acme" in links["next"]
    assert "by=name" in links["next"]


def test_limit_0_means_all(client):
    answer = client.json(f"{ACME}/users?limit=0")
    assert len(answer["collection"]) == 29
    assert "next" not in hrefs(answer)


def test_paging_that_is_not_a_number_is_refused(client):
    assert client.get(f"{ACME}/users?limit=many").status_code == 400


def test_users_can_be_filtered(client):
    assert names(client.json(f"{ACME}/users?activated=false")) == ["gary"]
    assert names(client.json(f"{ACME}/users?has=boss")) == ["max"]


def test_users_of_all_enterprises_can_be_listed(client):
    assert {"ana", "hank"} <= set(names(client.json("admin/enterprises/_/users?limit=0")))


def test_there_is_an_inactive_manager_and_one_without_address(client):
    users = {user["nick"]: user for user in client.json(f"{ACME}/users?limit=0")["collection"]}
    assert users["gary"]["active"] is False
    assert users["sue"]["email"] == ""


def test_users_with_roles_only_come_when_asked_for(client):
    assert "role" not in client.json(f"{ACME}/users")["collection"][0]
    answer = client.get(f"{ACME}/users", "application/vnd.abiquo.userswithroles+json")
    assert answer.json()["collection"][0]["role"]["name"]


def test_an_old_platform_lists_users_with_roles_unless_told_otherwise(old_client):
    element = etree.fromstring(old_client.get(f"{ACME}/users").content)
    assert element.tag == "usersWithRoles"
    assert element.findtext("userWithRole/role/name")


def test_enterprises_are_listed_page_by_page_and_by_name(client):
    assert [one["name"] for one in client.json("admin/enterprises")["collection"]] == [
        "Acme",
        "Globex",
        "Provider",
    ]
    page = client.json("admin/enterprises?startwith=1&limit=1")
    assert (page["collection"][0]["name"], page["totalSize"]) == ("Globex", 3)
    assert "next" in hrefs(page)
    assert client.json("admin/enterprises?has=glob")["totalSize"] == 1
