import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from abiquo_samples import ENTERPRISE, MACHINE, body, collection, held, link, machine, user, without

from approval.model import Person
from approval.platforms import PlatformError

USERS = f"{ENTERPRISE}/users"
OTHER = MACHINE.replace("42", "43")


def approvers(server, abiquo, *users, tasks=None):
    server.answers |= {MACHINE: machine(), USERS: collection(*users, totalSize=len(users))}
    return abiquo.approvers(tasks or [held()])


def addresses(*args, **kwargs):
    return [person.address for person in approvers(*args, **kwargs)]


def test_the_users_with_the_role_approve(server, abiquo):
    assert approvers(server, abiquo, user(7), user(8, role_title="USER")) == [
        Person(
            key=f"{USERS}/7",
            name="Ana User 7",
            address="user7@example.com",
            role="ENTERPRISE_ADMIN",
        )
    ]


def test_the_role_can_be_chosen(server, connect):
    abiquo = connect(server, api_approve_role="MANAGER")
    users = user(7), user(8, role_title="MANAGER")
    assert addresses(server, abiquo, *users) == ["user8@example.com"]


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"active": None},
        {"active": "yes"},
        {"locked": True},
        {"role_title": "enterprise_admin"},
        {"role_title": None, "links": []},
    ],
)
def test_whoever_cannot_act_is_left_out(server, abiquo, changes):
    assert addresses(server, abiquo, user(7, **changes), user(8)) == ["user8@example.com"]


@pytest.mark.parametrize(
    "changes",
    [
        {"email": None},
        {"email": ""},
        {"email": "user7"},
        {"email": "@example.com"},
        {"email": "user7@"},
        {"email": "Ana <user7@example.com>"},
        {"email": "user7@example.com, evil@example.com"},
        {"email": "user7@example.com\nBcc: evil@example.com"},
        {"email": "<user7@example.com> NOTIFY=NEVER"},
        {"email": "user 7@example.com"},
        {"email": "user7@exam ple.com"},
        {"email": "user7@-example.com"},
        {"email": "user7@example..com"},
        {"email": ".user7@example.com"},
        {"email": "üser7@example.com"},
        {"email": f"{'x' * 65}@example.com"},
        {"email": f"user7@{'x.' * 130}com"},
    ],
)
def test_whoever_mail_cannot_reach_may_decide_and_has_no_address(server, abiquo, changes):
    found = approvers(server, abiquo, user(7, **changes), user(8), user(9, **changes))
    assert [(person.key, person.address) for person in found] == [
        (f"{USERS}/7", None),
        (f"{USERS}/8", "user8@example.com"),
        (f"{USERS}/9", None),
    ]


@pytest.mark.parametrize(
    "address",
    ["root@localhost", "ana.user+gate@mail.example.com", "o'neil@example.co.uk", "A_B@x-y.example"],
)
def test_ordinary_addresses_are_taken(server, abiquo, address):
    assert addresses(server, abiquo, user(email=address)) == [address]


def test_locked_is_not_known_to_old_versions(server, abiquo):
    assert len(approvers(server, abiquo, user(locked=None))) == 1


def test_the_role_may_be_told_within(server, abiquo):
    inside = without(user(7, role={"name": "ENTERPRISE_ADMIN", "id": 3}), "role")
    assert addresses(server, abiquo, inside) == ["user7@example.com"]


def test_the_role_may_have_to_be_read(server, abiquo):
    server.answers["admin/roles/3"] = {"name": "ENTERPRISE_ADMIN"}
    untitled = [user(id, links=[link("role", "admin/roles/3")]) for id in (7, 8)]
    found = approvers(server, abiquo, *untitled)
    assert [person.key for person in found] == [f"{USERS}/7", f"{USERS}/8"]
    assert server.paths.count("admin/roles/3") == 1


def test_users_with_roles_in_xml_are_read(server, abiquo):
    found = b"""<usersWithRoles><link rel="first" href="x"/><totalSize>1</totalSize><userWithRole>
        <link rel="edit" href="admin/enterprises/2/users/7"/>
        <active>true</active><email>ana@example.com</email><id>7</id><locked>false</locked>
        <name>Ana</name><nick>ana</nick><role><id>3</id><name>ENTERPRISE_ADMIN</name></role>
        </userWithRole></usersWithRoles>"""
    server.answers |= {MACHINE: machine(), USERS: found}
    assert abiquo.approvers([held()]) == [
        Person(key=f"{USERS}/7", name="Ana", address="ana@example.com", role="ENTERPRISE_ADMIN")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        user(7),
        b"<html><body><p>Sign in</p></body></html>",
        b"<enterprise><id>2</id></enterprise>",
    ],
    ids=["nothing", "a user", "a page", "another document"],
)
def test_what_is_no_list_of_users_does_not_mean_that_there_is_nobody(server, abiquo, answer):
    server.answers |= {MACHINE: machine(), USERS: answer}
    with pytest.raises(PlatformError) as failed:
        abiquo.approvers([held()])
    assert (failed.value.permanent, failed.value.alert) == (False, True)


def test_a_list_without_users_means_that_there_is_nobody(server, abiquo):
    server.answers |= {MACHINE: machine(), USERS: b"<users><totalSize>0</totalSize></users>"}
    assert abiquo.approvers([held()]) == []


def test_a_user_without_link_is_known_by_id(server, abiquo):
    found = approvers(server, abiquo, without(user(7), "edit"))
    assert [person.key for person in found] == [f"{USERS}/7"]


def test_an_address_is_asked_once(server, abiquo):
    users = user(7), user(8, email="USER7@example.com"), user(9)
    assert addresses(server, abiquo, *users) == ["user7@example.com", "user9@example.com"]


class Pages:
    """A list of users in pages of at most `size`, with or without what helps to find the next."""

    def __init__(self, count, size, *, total=True, next_link=True, heed_start=True):
        self.users = [user(n) for n in range(count)]
        self.size, self.total, self.next_link = size, total, next_link
        self.heed_start = heed_start

    def __call__(self, handler):
        query = parse_qs(urlsplit(handler.path).query)
        start = int(query["startwith"][0]) if self.heed_start else 0
        end = start + min(self.size, int(query["limit"][0]))
        links = [link("next", "elsewhere")] if self.next_link and end < len(self.users) else []
        fields = {"totalSize": len(self.users)} if self.total else {}
        content = body(collection(*self.users[start:end], links=links, **fields))
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
        handler.wfile.write(head.encode() + content)


@pytest.mark.parametrize(
    ("pages", "requests"),
    [
        (Pages(0, 25), 1),
        (Pages(25, 25), 1),
        (Pages(60, 25), 3),
        (Pages(250, 1000), 3),
        (Pages(60, 25, next_link=False), 3),
        (Pages(60, 25, total=False), 4),
        (Pages(60, 25, total=False, next_link=False), 4),
    ],
)
def test_all_pages_are_read(server, abiquo, pages, requests):
    server.answers |= {MACHINE: machine(), USERS: pages}
    assert len(abiquo.approvers([held()])) == len(pages.users)
    assert sum(path.startswith(USERS) for path in server.paths) == requests
    assert all(re.match(rf"{USERS}\?startwith=\d+&limit=\d+$", path) for path in server.paths[1:])


def test_a_platform_that_knows_no_pages_is_asked_twice_at_most(server, abiquo):
    server.answers |= {MACHINE: machine(), USERS: Pages(60, 25, heed_start=False)}
    assert len(abiquo.approvers([held()])) == 25
    assert len(server.paths) == 3


def test_the_enterprise_is_that_of_the_machine(server, abiquo):
    server.answers |= {
        MACHINE: machine(enterprise="admin/enterprises/5"),
        USERS: collection(user(7), totalSize=1),
        "admin/enterprises/5/users": collection(
            user(50, enterprise="admin/enterprises/5"), totalSize=1
        ),
    }
    found = abiquo.approvers([held(user=f"{USERS}/7")])
    assert [person.key for person in found] == ["admin/enterprises/5/users/50"]


def test_only_who_may_decide_every_task_is_asked(server, abiquo):
    far = "admin/enterprises/5"
    server.answers |= {
        OTHER: machine(OTHER, enterprise=far),
        f"{far}/users": collection(
            user(50, far, email="USER8@example.com"),
            user(51, far, email="user9@example.com", active=False),
            user(52, far),
            user(53, far, email=None),
            totalSize=4,
        ),
    }
    tasks = [held("t1"), held("t2", OTHER)]
    users = user(7), user(8), user(9), user(10, email=None)
    assert addresses(server, abiquo, *users, tasks=tasks) == ["user8@example.com"]
    server.answers[f"{far}/users"] = (503, {}, b"")
    assert [person.key for person in approvers(server, abiquo, *users)] == [
        f"{USERS}/{number}" for number in (7, 8, 9, 10)
    ]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (MACHINE, None),
        (MACHINE, (503, {}, b"")),
        (MACHINE, without(machine(), "enterprise")),
        (MACHINE, machine(enterprise="admin/enterprises/_")),
        (MACHINE, machine(enterprise="cloud/virtualdatacenters/3")),
        (USERS, (403, {}, b"")),
        (USERS, b"<html>"),
        (OTHER, (503, {}, b"")),
    ],
)
def test_without_knowing_all_nobody_is_named(server, abiquo, path, answer):
    server.answers |= {
        MACHINE: machine(),
        OTHER: machine(OTHER),
        USERS: collection(user(7), totalSize=1),
    }
    server.answers[path] = answer
    with pytest.raises(PlatformError):
        abiquo.approvers([held("t1"), held("t2", OTHER)])


def test_a_role_that_cannot_be_read_names_nobody(server, abiquo):
    server.answers["admin/roles/3"] = (503, {}, b"")
    with pytest.raises(PlatformError):
        approvers(server, abiquo, user(7, links=[link("role", "admin/roles/3")]))


def test_nobody_decides_about_nothing(abiquo):
    assert abiquo.approvers([]) == []


def test_the_list_is_kept_for_a_minute_and_failures_are_not(server, connect):
    now = [0.0]
    abiquo = connect(server, clock=lambda: now[0])
    server.answers |= {MACHINE: machine(), USERS: (503, {}, b"")}
    with pytest.raises(PlatformError):
        abiquo.approvers([held()])
    assert addresses(server, abiquo, user(7)) == ["user7@example.com"]
    server.answers[USERS] = collection(totalSize=0)
    now[0] = 59
    assert len(abiquo.approvers([held()])) == 1
    now[0] = 61
    assert abiquo.approvers([held()]) == []


def test_many_threads_may_ask_at_once(server, abiquo):
    server.answers |= {MACHINE: machine(), USERS: Pages(30, 25)}
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: abiquo.approvers([held()]), range(48)))
    assert {len(people) for people in found} == {30}
