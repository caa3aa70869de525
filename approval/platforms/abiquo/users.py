"""Users of the platform as people."""

from approval.addresses import is_address
from approval.model import Person
from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.documents import Document

MAX_NAME = 255


def person(user: Document, key: str, role: str | None) -> Person:
    """The person behind a user: the full name, else the nick; an address if mail can go there."""
    full = " ".join(filter(None, (user.text("name"), user.text("surname"))))
    name = full or user.text("nick") or f"user {key.rpartition('/')[2]}"
    address = user.text("email") or ""
    return Person(
        key=key,
        name=" ".join(name.split())[:MAX_NAME],  # else it could begin a line of an alert
        address=address if is_address(address) else None,
        role=role,
    )


def role_of(user: Document) -> str | None:
    """The name of the user's role, where the user's own record tells it."""
    role = user.child("role")
    return (role.text("name") if role else None) or user.title("role")


def role_path(user: Document, root: str) -> str | None:
    """Where the name of the user's role can be read if the record does not tell it."""
    return None if role_of(user) else hrefs.linked(user.links_to("role"), hrefs.ROLE, root)


def may_act(user: Document) -> bool:
    """Whether the account is open: switched on, and not locked after wrong passwords."""
    return user.flag("active") is True and not user.flag("locked")


def key_of(user: Document, enterprise: str, root: str) -> str | None:
    """The user's path, by their own link or, from before links, by their id."""
    own = user.links_to("edit") or user.links_to("self")
    path = hrefs.linked(own, hrefs.USER, root)
    number = user.number("id")
    return path or (f"{enterprise}/users/{number}" if number is not None else None)
