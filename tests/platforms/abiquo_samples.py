"""Documents as the platform writes them, and a server that hands them out."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from approval.model import HeldTask

SECRET = "pä:ss word"
ROOT = "http://abiquo.internal/api"
MACHINE = "cloud/virtualdatacenters/3/virtualappliances/8/virtualmachines/42"
USER = "admin/enterprises/2/users/7"
ENTERPRISE = "admin/enterprises/2"


def link(rel: str, path: str, title: str | None = None, prefix: str = f"{ROOT}/") -> dict[str, Any]:
    return {"rel": rel, "href": f"{prefix}{path}"} | ({"title": title} if title else {})


def task(
    id: str = "t1",
    *,
    machine: str = MACHINE,
    user: str = USER,
    prefix: str = f"{ROOT}/",
    target_rel: str = "target",
    links: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    own = f"{machine}/tasks/{id}"
    usual = [
        link("self", own, prefix=prefix),
        link("parent", machine, prefix=prefix),
        link("cancel", f"{own}/action/cancel", prefix=prefix),
        link("continue", f"{own}/action/continue", prefix=prefix),
        link(target_rel, machine, prefix=prefix),
        link("user", user, prefix=prefix),
    ]
    return {
        "taskId": id,
        "ownerId": machine.rpartition("/")[2],
        "userId": "7",
        "type": "DEPLOY",
        "state": "QUEUEING",
        "timestamp": 0,
        "creationTimestamp": 1479997495,
        "jobs": {"links": [], "collection": [{"id": f"{id}.a1", "type": "SCHEDULE", "links": []}]},
        "links": usual if links is None else links,
    } | changes


def without(document: dict[str, Any], *rels: str) -> dict[str, Any]:
    return document | {"links": [one for one in document["links"] if one["rel"] not in rels]}


def collection(*items: Any, links: Any = (), **fields: Any) -> dict[str, Any]:
    return {"links": list(links), "collection": list(items)} | fields


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def held(id: str = "t1", machine: str = MACHINE, user: str = USER) -> HeldTask:
    own = f"{machine}/tasks/{id}"
    links = {"self": own, "target": machine, "user": user}
    links |= {rel: f"{own}/action/{rel}" for rel in ("continue", "cancel")}
    return HeldTask(id=id, type="DEPLOY", requester=user, links=links)


def machine(path: str = MACHINE, *, enterprise: str = ENTERPRISE, **changes: Any) -> dict[str, Any]:
    appliance, _, number = path.partition("/virtualmachines/")
    datacenter = appliance.partition("/virtualappliances/")[0]
    links = [
        link("edit", path, "web-01"),
        link("enterprise", enterprise, "Acme"),
        link("virtualdatacenter", datacenter, "Production"),
        link("virtualappliance", appliance, "Shop"),
        link("virtualmachinetemplate", f"{enterprise}/templates", "CentOS 7"),
        link("nics", f"{path}/network/nics", "nics"),
        link("nic10", "x", "10.0.0.10"),
        link("nic2", "x", "10.0.0.5"),
    ]
    fields = {"id": int(number), "name": "ABQ_530f", "label": "web-01", "cpu": 2, "ram": 4096}
    return fields | {"description": "front end", "links": links} | changes


def user(id: int = 7, enterprise: str = ENTERPRISE, **changes: Any) -> dict[str, Any]:
    role = changes.pop("role_title", "ENTERPRISE_ADMIN")
    return {
        "id": id,
        "nick": f"user{id}",
        "name": "Ana",
        "surname": f"User {id}",
        "email": f"user{id}@example.com",
        "active": True,
        "locked": False,
        "links": [link("edit", f"{enterprise}/users/{id}"), link("role", "admin/roles/3", role)],
    } | changes


DISKS = collection(
    {"id": 2, "sequence": 1, "sizeInMb": 20480, "label": "logs"},
    {"id": 1, "sequence": 0, "sizeInMb": 10240, "links": []},
)
VOLUMES = collection({"id": 5, "name": "data", "sequence": 2, "sizeInMB": 122880})
DATACENTER = {"id": 3, "name": "Production", "links": [link("location", "x", "Madrid")]}


@dataclass
class Call:
    method: str
    path: str
    headers: Any
    body: bytes
    connection: int


@dataclass
class Scripted:
    """Answers by path below /api: a document, (status, headers, body), or a function."""

    port: int
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: Any) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        path = handler.path.removeprefix("/api/")
        connection = handler.client_address[1]
        self.calls.append(Call(handler.command, path, handler.headers, content, connection))
        answer = self.answers.get(path, self.answers.get(path.partition("?")[0]))
        if callable(answer):
            answer(handler)
            return
        status, headers, content = as_answer(answer)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.calls]


def as_answer(answer: Any) -> tuple[int, dict[str, str], bytes]:
    if answer is None:
        return 404, {}, body(collection({"code": "GEN-0", "message": "nothing here"}))
    if isinstance(answer, tuple):
        return answer
    return 200, {}, answer if isinstance(answer, bytes) else body(answer)


def one_machine() -> dict[str, Any]:
    """Everything that describes the machine of `held()`."""
    return {
        MACHINE: machine(),
        f"{MACHINE}/storage/disks": DISKS,
        f"{MACHINE}/storage/volumes": VOLUMES,
        "cloud/virtualdatacenters/3": DATACENTER,
        USER: user(),
    }
