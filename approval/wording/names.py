"""What people call what a request is about: kinds of tasks, machines, people, places."""

from approval.model import ApprovalRequest, Person, Place, Task

VERBS = {"DEPLOY": "deploy", "UNDEPLOY": "undeploy", "RECONFIGURE": "reconfigure"}


def verb(task_type: str) -> str:
    """The verb of a task type: "deploy"; for types of newer platforms their own word."""
    return VERBS.get(task_type, task_type.lower().replace("_", " "))


def machine_name(task: Task) -> str:
    """What people call the machine of a task: its label, else its name, else its task."""
    machine = task.machine
    name = (machine.label or machine.name) if machine else None
    return name or f"the machine of task {task.held.id}"


def person_name(person: Person | None) -> str:
    """The person's full name."""
    return person.name if person else "Somebody"


def place_names(place: Place) -> list[str]:
    """The names on the way to the place, as far as they are known, the widest first."""
    datacenter = place.datacenter
    if datacenter and place.location:
        datacenter = f"{datacenter} (in {place.location})"
    return [name for name in (place.enterprise, datacenter, place.appliance) if name]


def place_path(place: Place) -> str:
    """The place as a path: "Acme > Production (in Madrid) > Shop"; empty if unknown."""
    return " > ".join(place_names(place))


def shared_place(request: ApprovalRequest) -> Place:
    """The place that all machines of the request share; an unknown one if they share none."""
    places = {task.machine.place for task in request.tasks if task.machine}
    return places.pop() if len(places) == 1 else Place()


def common_place(request: ApprovalRequest) -> str:
    """The path to the place that all machines share; empty if they do not share one."""
    return place_path(shared_place(request))
