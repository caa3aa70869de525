import pytest
from abiquo_samples import (
    DATACENTER,
    DISKS,
    ENTERPRISE,
    MACHINE,
    USER,
    VOLUMES,
    collection,
    held,
    link,
    machine,
    one_machine,
    user,
    without,
)

from approval.model import Description, Disk, Machine, Person, Place
from approval.platforms.abiquo.reader import Reader

APPLIANCE = "cloud/virtualdatacenters/3/virtualappliances/8"
TEMPLATE = f"{ENTERPRISE}/datacenterrepositories/1/virtualmachinetemplates/4"


def described(server, abiquo, **answers):
    server.answers |= one_machine() | answers
    return abiquo.describe([held()])


def the_machine(server, abiquo, **changes):
    return described(server, abiquo, **{MACHINE: machine(**changes)}).machines["t1"]


def test_everything_people_ask_about_is_told(server, abiquo):
    assert described(server, abiquo) == Description(
        requester=Person(
            key=USER, name="Ana User 7", address="user7@example.com", role="ENTERPRISE_ADMIN"
        ),
        machines={
            "t1": Machine(
                key=MACHINE,
                name="ABQ_530f",
                label="web-01",
                description="front end",
                template="CentOS 7",
                cpu=2,
                memory_mb=4096,
                disks=(
                    Disk(size_mb=10240, system=True),
                    Disk(size_mb=20480, name="logs"),
                    Disk(size_mb=122880, name="data", volume=True),
                ),
                addresses=("10.0.0.5", "10.0.0.10"),
                place=Place(
                    enterprise="Acme", datacenter="Production", location="Madrid", appliance="Shop"
                ),
            )
        },
    )


def test_titles_save_requests(server, abiquo):
    described(server, abiquo)
    assert sorted(server.paths) == sorted(one_machine())


def test_what_titles_do_not_tell_is_read(server, abiquo):
    bare = [
        link("enterprise", ENTERPRISE),
        link("virtualmachinetemplate", TEMPLATE),
        link("nics", f"{MACHINE}/network/nics"),
    ]
    answers = {
        MACHINE: machine(links=bare),
        ENTERPRISE: {"name": "Acme"},
        APPLIANCE: {"name": "Shop"},
        TEMPLATE: {"name": "CentOS 7"},
        f"{MACHINE}/network/nics": collection({"ip": "10.0.0.5"}, {"ip": None}),
        USER: user(links=[link("role", "admin/roles/3")]),
        "admin/roles/3": {"name": "ENTERPRISE_ADMIN"},
    }
    assert described(server, abiquo, **answers).missing == ()
    found = abiquo.describe([held()])
    assert found.machines["t1"].place == Place(
        enterprise="Acme", datacenter="Production", location="Madrid", appliance="Shop"
    )
    assert found.machines["t1"].template == "CentOS 7"
    assert found.machines["t1"].addresses == ("10.0.0.5",)
    assert found.requester.role == "ENTERPRISE_ADMIN"


def test_xml_of_old_versions_tells_the_same(server, abiquo):
    old = {
        MACHINE: f"""<virtualMachine>
            <link rel="virtualappliance" title="Shop" href="x"/>
            <link href="https://any/api/{ENTERPRISE}" title="Acme" rel="enterprise"/>
            <link rel="virtualdatacenter" title="Production" href="x"/>
            <link rel="nic0" title="10.0.0.5" href="x"/>
            <cpu>2</cpu><hdInBytes>10737418240</hdInBytes><label>web-01</label><ram>4096</ram>
            </virtualMachine>""".encode(),
        f"{MACHINE}/storage/disks": b"<disks><disk><sequence>1</sequence>"
        b"<sizeInMb>20480</sizeInMb></disk></disks>",
        f"{MACHINE}/storage/volumes": b"<volumes><volume><name>data</name><sequence>2</sequence>"
        b"<sizeInMB>122880</sizeInMB></volume></volumes>",
        "cloud/virtualdatacenters/3": b"<virtualDatacenter><name>Production</name>"
        b'<link rel="datacenter" title="Madrid" href="x"/></virtualDatacenter>',
        USER: b"<user><name>Ana</name><surname>User</surname><nick>ana</nick></user>",
    }
    found = described(server, abiquo, **old)
    assert found.missing == ()
    assert found.requester == Person(key=USER, name="Ana User")
    assert found.machines["t1"] == Machine(
        key=MACHINE,
        label="web-01",
        cpu=2,
        memory_mb=4096,
        disks=(
            Disk(size_mb=10240, system=True),
            Disk(size_mb=20480),
            Disk(size_mb=122880, name="data", volume=True),
        ),
        addresses=("10.0.0.5",),
        place=Place(
            enterprise="Acme", datacenter="Production", location="Madrid", appliance="Shop"
        ),
    )


def test_a_persistent_machine_starts_from_its_volume(server, abiquo):
    volume = {"name": "root", "sequence": 0, "sizeInMB": 5120}
    answers = {
        f"{MACHINE}/storage/volumes": collection(volume),
        f"{MACHINE}/storage/disks": collection({"sequence": 1, "sizeInMb": 1024}),
    }
    assert described(server, abiquo, **answers).machines["t1"].disks == (
        Disk(size_mb=5120, name="root", volume=True, system=True),
        Disk(size_mb=1024),
    )


def test_a_machine_without_anything_is_told_too(server, abiquo):
    found = the_machine(
        server, abiquo, label=None, name=None, description="", cpu=None, ram=None, links=[]
    )
    assert (found.label, found.cpu, found.memory_mb, found.addresses) == (None, None, None, ())


def test_endless_texts_are_cut(server, abiquo):
    found = the_machine(server, abiquo, label="x" * 5000, description="y" * 5000)
    assert found.label == "x" * 254 + "…"
    assert len(found.description) == 1000


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Ana User 7"),
        ({"surname": None}, "Ana"),
        ({"name": " ", "surname": ""}, "user7"),
        ({"name": None, "surname": None, "nick": None}, "user 7"),
        (
            {"name": "Ana\n\nWhat to do:\r\n", "surname": "call\t\u2028me"},
            "Ana What to do: call me",
        ),
    ],
)
def test_the_requester_has_a_name(server, abiquo, changes, name):
    assert described(server, abiquo, **{USER: user(**changes)}).requester.name == name


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        (MACHINE, "details of machine 42"),
        (f"{MACHINE}/storage/disks", "disks of web-01"),
        (f"{MACHINE}/storage/volumes", "volumes of web-01"),
        ("cloud/virtualdatacenters/3", "location of web-01"),
        (USER, "who asked for it"),
    ],
)
@pytest.mark.parametrize(("status", "transient"), [(404, False), (503, True), (403, True)])
def test_what_cannot_be_had_is_named(server, abiquo, path, missing, status, transient):
    found = described(server, abiquo, **{path: (status, {}, b"")})
    assert (found.missing, found.transient) == ((missing,), transient)


def test_a_disk_of_unknown_size_is_named(server, abiquo):
    wrong = collection({"sequence": 0, "sizeInMB": 10240})
    found = described(server, abiquo, **{f"{MACHINE}/storage/disks": wrong})
    assert found.missing == ("disks of web-01",)
    assert not found.transient


def test_an_unreadable_answer_is_named(server, abiquo):
    found = described(server, abiquo, **{USER: b"<html>", MACHINE: b"[]"})
    assert found.missing == ("who asked for it", "details of machine 42")
    assert (found.requester, found.machines, found.transient) == (None, {}, True)


def test_nobody_there_is_no_exception(serve, connect):
    abiquo = connect(serve(), api_location="http://127.0.0.1:1/api")
    found = abiquo.describe([held()])
    assert found.missing == ("who asked for it", "details of machine 42")
    assert found.transient


def test_a_silent_platform_is_not_waited_for_in_turn(server, connect):
    abiquo = connect(server, api_timeout=0.1)
    batch = [held(f"t{n}", f"{APPLIANCE}/virtualmachines/{n}") for n in range(60)]
    for path in [one.links["target"] for one in batch]:
        server.answers[path] = lambda handler: handler.server.script.over.wait(5)
    found = abiquo.describe(batch)
    assert found.missing[-1] == "details of machine 0 and 59 more machines"
    assert found.transient


def test_a_link_to_elsewhere_is_not_followed(server, abiquo):
    elsewhere = [
        link("enterprise", "x", prefix="http://evil/"),
        link("nics", "y"),
        link("user", ""),
    ]
    described(server, abiquo, **{MACHINE: machine(links=elsewhere)})
    expected = [*one_machine(), APPLIANCE, f"{MACHINE}/network/nics"]
    assert sorted(server.paths) == sorted(expected)


def test_a_batch_reads_what_is_shared_once(server, abiquo):
    batch = [held(f"t{n}", f"{APPLIANCE}/virtualmachines/{n}") for n in range(50)]
    server.answers |= {USER: user(), "cloud/virtualdatacenters/3": DATACENTER}
    for path in [one.links["target"] for one in batch]:
        server.answers |= {
            path: machine(path),
            f"{path}/storage/disks": DISKS,
            f"{path}/storage/volumes": VOLUMES,
        }
    found = abiquo.describe(batch)
    assert (len(found.machines), found.missing) == (50, ())
    assert len(server.calls) == 50 * 3 + 2


def test_two_tasks_of_one_machine_read_it_once(server, abiquo):
    server.answers |= one_machine()
    found = abiquo.describe([held("a"), held("b")])
    assert found.machines["a"] == found.machines["b"]
    assert len(server.calls) == len(one_machine())


def test_nothing_is_known_about_nothing(abiquo):
    assert abiquo.describe([]) == Description(requester=None, machines={})


def test_people_and_places_are_kept_for_a_minute(server, connect):
    now = [0.0]
    abiquo = connect(server, clock=lambda: now[0])
    server.answers |= one_machine()
    for seconds in (0, 59, 61):
        now[0] = seconds
        abiquo.describe([held()])
    assert server.paths.count(USER) == 2
    assert server.paths.count("cloud/virtualdatacenters/3") == 2
    assert server.paths.count(MACHINE) == 3


def test_failures_are_not_kept(server, abiquo):
    assert described(server, abiquo, **{USER: (503, {}, b"")}).requester is None
    assert described(server, abiquo, **{USER: user()}).requester is not None


def test_a_read_that_has_ended_is_not_joined_though_its_end_is_not_noted_yet(
    server, abiquo, monkeypatch
):
    monkeypatch.setattr(Reader, "_end", lambda *read: None)
    assert described(server, abiquo, **{USER: (503, {}, b"")}).requester is None
    assert described(server, abiquo, **{USER: user()}).requester is not None


def test_a_machine_without_template_lacks_nothing(server, abiquo):
    captured = without(machine(), "virtualmachinetemplate")
    found = described(server, abiquo, **{MACHINE: captured})
    assert (found.machines["t1"].template, found.missing) == (None, ())
