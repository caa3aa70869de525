"""Callback bodies of numbered tasks, in XML as the platform of 2013 wrote them."""

MACHINES = 100
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
JOB = """\
<job><id>{id}.{job}</id><parentTaskId>{id}</parentTaskId><type>{type}</type>\
<description>Deploy task's {type} on virtual machine with id {machine}</description>\
<state>PENDING</state><rollbackState>UNKNOWN</rollbackState>\
<creationTimestamp>1372234045</creationTimestamp><timestamp>0</timestamp></job>"""
TASK = """\
<task><link rel="self" href="{target}/tasks/{id}"/><link rel="parent" href="{target}/tasks"/>\
<link rel="target" href="{target}"/><link rel="user" href="admin/enterprises/1/users/1"/>\
<link rel="cancel" href="{target}/tasks/{id}/action/cancel"/>\
<link rel="continue" href="{target}/tasks/{id}/action/continue"/>\
<taskId>{id}</taskId><userId>1</userId><type>DEPLOY</type><ownerId>{machine}</ownerId>\
<state>QUEUEING</state><creationTimestamp>1372234045</creationTimestamp><timestamp>0</timestamp>\
<jobs>{jobs}</jobs></task>"""


def task_id(number: int) -> str:
    """The id of the nth task."""
    return f"{number:08x}-c3d9-4834-8b3c-1b51736c9b8b"


def machine_id(number: int) -> int:
    """The id of the nth task's machine."""
    return 10_000 + number % MACHINES


def body(number: int, machine: int | None = None) -> bytes:
    """The callback for the nth task, about 2.5 kB; of a machine of its own unless one is named."""
    values = {"id": task_id(number), "machine": machine or machine_id(number)}
    target = f"cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/{values['machine']}"
    jobs = "".join(
        JOB.format(type=kind, job=f"{place}efe029a-77ef-42b3-bb25-fdfdab2714e9", **values)
        for place, kind in enumerate(("SCHEDULE", "CONFIGURE", "POWER_ON"))
    )
    return f"{HEAD}<tasks>{TASK.format(target=target, jobs=jobs, **values)}</tasks>".encode()
