"""A simulated platform that holds numbered tasks: `python -m bench.platform TASKS LATENCY`."""

import logging
import sys

from approval.demo.cloud import Cloud, Faults, add_equipped, sample_world
from approval.demo.cloud.task import Task
from approval.demo.serving import wait_for_signal
from bench.bodies import MACHINES, machine_id, task_id


def main(tasks: int, latency: float) -> None:
    """Run until asked to end."""
    logging.basicConfig(level=logging.ERROR)
    world = sample_world()
    shop, ana = world.appliances[9], world.users[1]
    for number in range(MACHINES):
        add_equipped(world, shop, ana, f"bulk-{number:04}", id=machine_id(number))
    with world.lock:
        for number in range(tasks):
            machine = world.machines[machine_id(number)]
            world.add_task(Task(task_id(number), "DEPLOY", machine, ana, world.clock()))
    with Cloud(world=world, faults=Faults(latency=latency), threads=48, keep_calls=0) as cloud:
        print(f"ready {cloud.url}", flush=True)
        wait_for_signal()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
