"""A simulated Abiquo: its REST API, its callbacks, and a page for the people who use it."""

from approval.demo.cloud.cloud import Cloud
from approval.demo.cloud.faults import Fault, Faults
from approval.demo.cloud.personality import (
    ABSOLUTE,
    BARE,
    BELOW_API,
    BELOW_HOST,
    V2_6,
    V3_10,
    WRONG_HOST,
    Personality,
)
from approval.demo.cloud.sample import add_equipped, sample_world
from approval.demo.cloud.world import World

__all__ = [
    "ABSOLUTE",
    "BARE",
    "BELOW_API",
    "BELOW_HOST",
    "V2_6",
    "V3_10",
    "WRONG_HOST",
    "Cloud",
    "Fault",
    "Faults",
    "Personality",
    "World",
    "add_equipped",
    "sample_world",
]
