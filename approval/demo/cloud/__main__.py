"""The simulated platform as a process of its own: `python -m approval.demo.cloud`."""

import logging

import click

from approval.demo.cloud import Cloud, Faults, add_equipped, sample_world
from approval.demo.cloud.personality import PERSONALITIES
from approval.demo.cloud.world import World
from approval.demo.serving import wait_for_signal


@click.command()
@click.option("--port", default=0, help="Where to listen; 0 takes a free port.")
@click.option("--callback-url", help="Where held tasks are announced.")
@click.option("--latency", default=0.0, help="Seconds that every answer of the API takes.")
@click.option("--personality", type=click.Choice(sorted(PERSONALITIES)), default="3.10")
@click.option("--machines", default=0, help="Further machines, in the appliance 'Bulk'.")
@click.option("--pace", default=1.0, help="Seconds for each step of a continued task.")
@click.option("--threads", default=16)
@click.option("--keep-calls", default=0, help="How many calls to the API to keep in memory.")
def main(
    port: int,
    callback_url: str | None,
    latency: float,
    personality: str,
    machines: int,
    pace: float,
    threads: int,
    keep_calls: int,
) -> None:
    """Run until asked to end. Prints a line when ready, and one that tells how to sign in."""
    logging.basicConfig(level=logging.ERROR)
    world = sample_world(personality=PERSONALITIES[personality], pace=pace)
    _add_bulk(world, machines)
    with Cloud(
        port=port,
        callback_url=callback_url,
        world=world,
        faults=Faults(latency=latency),
        threads=threads,
        keep_calls=keep_calls,
    ) as cloud:
        click.echo(f"ready {cloud.url}")
        click.echo(f"api {cloud.api_location} user {cloud.username} password {cloud.password}")
        wait_for_signal()


def _add_bulk(world: World, count: int) -> None:
    if count:
        bulk = world.add_appliance(world.datacenters[3], "Bulk", id=1000)
        for number in range(1, count + 1):
            add_equipped(world, bulk, world.users[1], f"bulk-{number:04}", id=10_000 + number)


if __name__ == "__main__":
    main()
