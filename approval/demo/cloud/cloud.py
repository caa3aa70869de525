"""The simulated platform as a whole."""

from collections.abc import Sequence
from typing import Any, Self

from flask import Flask

from approval.demo.cloud.adoption import adopt
from approval.demo.cloud.announcer import TIMEOUTS, Announcement, Announcer
from approval.demo.cloud.api import create_api
from approval.demo.cloud.faults import Faults
from approval.demo.cloud.page import create_page
from approval.demo.cloud.personality import Personality
from approval.demo.cloud.sample import sample_world
from approval.demo.cloud.task import Task, status
from approval.demo.cloud.things import User
from approval.demo.cloud.visitors import create_visitors
from approval.demo.cloud.wire import Call, Wire
from approval.demo.cloud.workflow import Choice, Workflow
from approval.demo.cloud.world import Event, World
from approval.demo.serving import Server


class Cloud:
    """Runs from the moment it is made until it is closed; best used in a `with` block.

    Operations return the ids of the tasks they made, which are held, and announced to
    `callback_url`, unless `world.workflow_enabled` is off. `advertised` is what the platform
    believes the location of its API to be. `keep_calls` bounds the log of calls; 0 keeps none.
    """

    username = "admin"
    password = "xabiquo"  # noqa: S105 - the platform's well-known default

    def __init__(
        self,
        *,
        callback_url: str | None = None,
        world: World | None = None,
        faults: Faults | None = None,
        advertised: str | None = None,
        timeouts: tuple[float, float] = TIMEOUTS,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 16,
        keep_calls: int = 10_000,
    ) -> None:
        self.world = world or sample_world()
        self._advertised = advertised
        self._announcer = Announcer(self.world, callback_url, self._location, timeouts)
        self._workflow = Workflow(self.world, self._announcer.announce)
        self._announcer.failed = self._on_failed_callback
        self._wire = Wire(self._app(), faults or Faults(), keep_calls)
        self._server = Server(self._wire, host=host, port=port, threads=threads)
        self.url = self._server.url
        self.port = self._server.port
        self.api_location = f"{self.url}/api"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer what is under way, then leave nothing behind."""
        self._wire.cut()
        self._server.close()
        self._announcer.close()

    @property
    def faults(self) -> Faults:
        return self._wire.faults

    @property
    def calls(self) -> list[Call]:
        """The calls to the API, as long as they are kept."""
        return list(self._wire.calls)

    @property
    def callbacks(self) -> list[Announcement]:
        """The callbacks that were sent."""
        return list(self._announcer.sent)

    @property
    def events(self) -> list[Event]:
        with self.world.lock:
            return list(self.world.events)

    @property
    def personality(self) -> Personality:
        return self.world.personality

    @personality.setter
    def personality(self, personality: Personality) -> None:
        self.world.personality = personality

    @property
    def callback_url(self) -> str | None:
        return self._announcer.url

    @callback_url.setter
    def callback_url(self, url: str | None) -> None:
        self._announcer.url = url

    def deploy_machine(self, id: int, *, by: int | None = None) -> list[str]:
        """Deploy a machine, in the name of its owner unless `by` names another user."""
        with self.world.lock:
            machine = self.world.machine(id)
            return _ids(self._workflow.deploy(machine, self._user(by, machine.user)))

    def undeploy_machine(self, id: int, *, by: int | None = None) -> list[str]:
        with self.world.lock:
            machine = self.world.machine(id)
            return _ids(self._workflow.undeploy(machine, self._user(by, machine.user)))

    def deploy_appliance(self, id: int, *, by: int | None = None) -> list[str]:
        """Deploy all machines of an appliance that are not deployed."""
        with self.world.lock:
            machines = self.world.appliances[id].machines
            return _ids(self._workflow.deploy_all(machines, self._user(by, machines[0].user)))

    def undeploy_appliance(self, id: int, *, by: int | None = None) -> list[str]:
        with self.world.lock:
            machines = self.world.appliances[id].machines
            return _ids(self._workflow.undeploy_all(machines, self._user(by, machines[0].user)))

    def reconfigure(self, id: int, *, by: int | None = None, **values: Any) -> list[str]:
        """Change fields of a machine (cpu, ram, label, ...); no task if it is not deployed."""
        with self.world.lock:
            machine = self.world.machine(id)
            user = self._user(by, machine.user)
            return _ids(self._workflow.reconfigure(machine, user, **values))

    def decide(self, task_id: str, choice: Choice, *, message: str | None = None) -> None:
        """Decide in the platform's own page, without the gate. Raises Refusal."""
        with self.world.lock:
            self._workflow.decide(self.world.tasks[task_id], choice, message=message)

    def expire(self, task_id: str) -> None:
        """Let the platform forget a task."""
        self._workflow.expire(self.world.tasks[task_id])

    def delete_machine(self, id: int) -> None:
        self._workflow.delete(self.world.machine(id))

    def adopt(self, body: bytes) -> list[str]:
        """Hold the tasks of a callback that came from elsewhere. Raises CallbackError."""
        return _ids(adopt(self.world, body))

    def task_state(self, task_id: str) -> str:
        with self.world.lock:
            return self.world.tasks[task_id].state(self.world.clock())

    def machine_state(self, id: int) -> str:
        with self.world.lock:
            return status(self.world.machine(id), self.world.clock())

    def callback_body(self, task_ids: Sequence[str], *, collection: bool = True) -> bytes:
        """What the callback for these tasks says; nothing is sent."""
        with self.world.lock:
            tasks = [self.world.tasks[id] for id in task_ids]
            return self._announcer.body(tasks, collection)

    def lose_callbacks(self, count: int = 1) -> None:
        """Let the next callbacks get lost on their way, without anybody noticing."""
        self._announcer.to_lose = count

    def wait_for_callbacks(self, timeout: float = 10.0) -> bool:
        """Wait until every callback has been answered or has failed; say whether that is so."""
        return self._announcer.wait(timeout)

    def _app(self) -> Flask:
        app = Flask("approval.demo", static_folder=None)
        app.register_blueprint(create_api(self.world, self._workflow, self._location))
        app.register_blueprint(create_page(self.world, self._workflow))
        app.register_blueprint(create_visitors(self.adopt, lambda: self.callback_url))
        return app

    def _location(self) -> str:
        return self._advertised or self.api_location

    def _user(self, id: int | None, owner: User) -> User:
        return owner if id is None else self.world.users[id]

    def _on_failed_callback(self, tasks: Sequence[Task]) -> None:
        if self.world.personality.aborts_unannounced:
            self._workflow.give_up(tasks)


def _ids(tasks: Sequence[Task]) -> list[str]:
    return [task.id for task in tasks]
