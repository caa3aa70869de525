"""Enterprises, their users and roles as documents."""

from approval.demo.cloud.documents.document import Document, Fields, Link
from approval.demo.cloud.personality import Personality
from approval.demo.cloud.things import Enterprise, Role, User


def enterprise(enterprise: Enterprise, personality: Personality) -> Document:
    fields: Fields = {
        "id": enterprise.id,
        "name": enterprise.name,
        "isReservationRestricted": False,
        "workflow": enterprise.workflow if personality.workflow_flag else None,
    }
    links = [
        Link("edit", enterprise.path, "enterprise", enterprise.name),
        Link("users", f"{enterprise.path}/users", "users"),
        Link("pendingtasks", f"{enterprise.path}/action/pendingtasks", "tasks"),
    ]
    return Document("enterprise", "enterprise", fields, links)


def role(role: Role) -> Document:
    links = [
        Link("edit", role.path, "role", role.name),
        Link("privileges", f"{role.path}/action/privileges", "privileges"),
    ]
    if role.enterprise:
        links.append(Link("enterprise", role.enterprise.path, "enterprise", role.enterprise.name))
    return Document("role", "role", {"id": role.id, "name": role.name, "blocked": False}, links)


def user(user: User) -> Document:
    fields: Fields = {
        "id": user.id,
        "nick": user.nick,
        "name": user.name,
        "surname": user.surname,
        "email": user.email,
        "locale": "en_US",
        "authType": "ABIQUO",
        "active": user.active,
        "locked": False,
        "firstLogin": False,
    }
    links = [
        Link("enterprise", user.enterprise.path, "enterprise", user.enterprise.name),
        Link("role", user.role.path, "role", user.role.name),
        Link("edit", user.path, "user", user.nick),
        Link("virtualmachines", f"{user.path}/action/virtualmachines", "virtualmachines"),
        Link("pendingtasks", f"{user.path}/action/pendingtasks", "tasks"),
    ]
    return Document("user", "user", fields, links)


def user_with_role(of: User) -> Document:
    plain = user(of)
    fields: Fields = {**plain.fields, "role": _role_in_full(of.role)}
    return Document("userwithroles", "userWithRole", fields, plain.links)


def privileges(of: Role) -> Document:
    named = [
        Document("privilege", "privilege", {"id": number, "name": name})
        for number, name in enumerate(sorted(of.privileges), start=1)
    ]
    return Document("privileges", "privileges", items=named)


def _role_in_full(of: Role) -> Document:
    plain = role(of)
    return Document("role", "role", {**plain.fields, "privileges": privileges(of)}, plain.links)
