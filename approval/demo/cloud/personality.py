"""How an installation of the platform behaves: its version, and what is not known for sure."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["json", "xml"]

# How a callback writes its hrefs; `{api}` stands for the location of the API.
ABSOLUTE = "{api}/"
BELOW_HOST = "/api/"
BELOW_API = "/"
BARE = ""
WRONG_HOST = "http://abiquo.internal/api/"


@dataclass(frozen=True, kw_only=True)
class Personality:
    """One version with its habits. Change them with `dataclasses.replace`."""

    version: str
    accepted: frozenset[str]  # what may stand in the version parameter of a media type
    format: Format  # what a client without Accept header gets
    location_rel: str
    users_kind: str  # what a client without Accept header gets from a list of users
    hd_in_bytes: bool
    workflow_flag: bool  # enterprises switch the workflow on and off for themselves

    # The callback.
    hrefs: str = ABSOLUTE
    single_deploy_bare: bool = False  # otherwise a collection of one
    user_titles: bool = True  # the user link carries type and title
    shuffled: bool = False  # links, fields and attributes in any order
    content_type: bool = True
    copies: int = 1
    unreadable_for: float = 0.0  # seconds until a task can be read after its callback
    aborts_unannounced: bool = False  # tasks whose callback failed end as ABORTED

    # Decisions.
    cancelled_state: str = "CANCELLED"
    repeat_status: Literal[404, 409] = 409  # to a second decision: TASK-1 or TASK-2
    shows_requested: bool = True  # a held reconfiguration shows its new values already
    finishes: str = "FINISHED_SUCCESSFULLY"  # how continued tasks end


V2_6 = Personality(
    version="2.6",
    accepted=frozenset({"2.0", "2.2", "2.3", "2.4", "2.6"}),
    format="xml",
    location_rel="datacenter",
    users_kind="userswithroles",
    hd_in_bytes=True,
    workflow_flag=False,
    hrefs=BARE,
)

V3_10 = Personality(
    version="3.10",
    accepted=frozenset({"3.4", "3.6", "3.8", "3.10"}),
    format="json",
    location_rel="location",
    users_kind="users",
    hd_in_bytes=False,
    workflow_flag=True,
)

PERSONALITIES = {personality.version: personality for personality in (V2_6, V3_10)}
