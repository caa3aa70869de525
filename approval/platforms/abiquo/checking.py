"""Whether the account works and may do what the gate needs, and which setting is wrong if not."""

import re
from collections.abc import Iterator

from urllib3.exceptions import SSLError

from approval.findings import Finding, ok, problem, warning
from approval.nearest import did_you_mean
from approval.platforms import PlatformError
from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document, DocumentError
from approval.platforms.abiquo.pending import NoEnterprise, Pending
from approval.platforms.abiquo.replies import MISCONFIGURED, Rejected
from approval.platforms.abiquo.settings import Settings
from approval.platforms.abiquo.users import role_of

VERSION = re.compile(r"[0-9][0-9A-Za-z.-]{0,30}")
ALL = {"limit": "0"}
# What the gate's account has to be allowed, and for what.
PRIVILEGES = {
    "WORKFLOW_OVERRIDE": "cannot tell Abiquo what was decided",
    "USERS_VIEW": "cannot see who may approve",
}


def check(client: Client, settings: Settings) -> Iterator[Finding]:
    """Sign in, then look at the account's privileges and at the role of the approvers."""
    try:
        user = client.get("login", "user")
    except PlatformError as error:
        yield problem(explain(error, settings))
        return
    role = role_of(user)
    who = f"{user.text('nick') or 'somebody'}{f' ({role})' if role else ''}"
    yield ok(f"Abiquo {_version(client)} at {settings.api_location}, signed in as {who}")
    yield from _privileges(client, settings, user)
    yield from _approvers(client, settings)


def _version(client: Client) -> str:
    try:
        version = client.get_text("version")
    except PlatformError:
        return "of unknown version"
    return version if VERSION.fullmatch(version) else "of unknown version"


def _privileges(client: Client, settings: Settings, user: Document) -> Iterator[Finding]:
    key = _account_key(settings)
    role = hrefs.linked(user.links_to("role"), hrefs.ROLE, settings.root)
    try:
        held = _names(client, f"{role}/action/privileges", "privilege") if role else set()
    except PlatformError as error:
        yield warning(f"{key}: what this account may do cannot be read ({error})")
        return
    if not held:
        yield warning(f"{key}: Abiquo does not tell what this account may do")
    for privilege, lack in PRIVILEGES.items() if held else ():
        if privilege not in held:
            yield problem(
                f"{key}: this account {lack}; give its role the privilege {privilege} in Abiquo"
            )


def _approvers(client: Client, settings: Settings) -> Iterator[Finding]:
    """Enterprises may have roles of their own, which only their users tell."""
    wanted = settings.api_approve_role
    try:
        shared = _names(client, "admin/roles", "role")
        if wanted in shared or _is_held(client, wanted):
            return
    except PlatformError as error:
        yield _unread(error, settings)
        return
    yield problem(
        f"api_approve_role: nobody has the role {wanted}, and Abiquo has none of that name; "
        f"it has {', '.join(sorted(shared))}{did_you_mean(wanted, shared)}"
    )


def _unread(error: PlatformError, settings: Settings) -> Finding:
    """Roles and users could not be read: for good if Abiquo forbids it, else perhaps just now."""
    if isinstance(error, Rejected) and error.status == 403:
        return problem(
            f"{_account_key(settings)}: Abiquo does not let this account see who may approve "
            f"({error}); give its role the privileges {' and '.join(sorted(PRIVILEGES))} in Abiquo"
        )
    role = settings.api_approve_role
    return warning(f"api_approve_role: whether there is {role} cannot be read ({error})")


def _names(client: Client, path: str, tag: str) -> set[str]:
    """The names of everything in a collection."""
    items = client.get(path, path.rpartition("/")[2], ALL).items(tag) or []
    return {name for item in items if (name := item.text("name"))}


def _is_held(client: Client, role: str) -> bool:
    """Whether any user that the account can see has the role."""
    users = client.get("admin/enterprises/_/users", "users", ALL)
    return any(role_of(user) == role for user in users.items("user", "userWithRole") or [])


def enterprises(pending: Pending) -> Iterator[Finding]:
    """Whether the enterprises that the settings name are there."""
    try:
        pending.enterprises()
    except NoEnterprise as error:
        yield problem(f"api_enterprises: {error}")
    except PlatformError as error:
        yield warning(f"api_enterprises: which there are cannot be read ({error})")


def explain(error: PlatformError, settings: Settings) -> str:
    """Why nobody could sign in: the key that is most likely wrong, what happened, what to do."""
    place = settings.api_location
    if isinstance(error, Rejected):
        return _rejected(error, settings)
    if error.alert and isinstance(error.__cause__, SSLError):
        return _unproven(str(error), place)
    if isinstance(error.__cause__, DocumentError):
        return f"api_location: {place} answers, but not as Abiquo ({error}){_api(settings)}"
    if "handshake operation timed out" in str(error):
        return f"api_location: {place} begins no TLS in time ({error}); is its port for http://?"
    return f"api_location: {place} cannot be reached ({error})"


def _rejected(error: Rejected, settings: Settings) -> str:
    if error.status == 401:
        if settings.api_token:
            return f"api_token: Abiquo refuses it ({error}); have its user make another one"
        return (
            f"api_username / api_password: Abiquo refuses them ({error}); try them on its own page"
        )
    if error.status == 403:
        return f"{_account_key(settings)}: Abiquo lets this account do nothing ({error})"
    if error.status in MISCONFIGURED:
        return f"api_version: Abiquo has no such version ({error}); leave it empty for its newest"
    if error.status >= 500:
        return f"api_location: {settings.api_location} is out of order ({error}); try again later"
    return f"api_location: there is no API at {settings.api_location} ({error}){_api(settings)}"


def _unproven(error: str, place: str) -> str:
    if "certificate verify failed" not in error and "CERTIFICATE" not in error:
        return f"api_location: {place} does not speak TLS ({error}); is it https://?"
    if "mismatch" in error or "doesn't match" in error:
        return f"api_location: {place} is not the name in its certificate ({error}); use that one"
    return (
        f"api_ca_file: the certificate of {place} is not trusted ({error}); "
        "name a file (PEM) with the certificate of who signed it"
    )


def _api(settings: Settings) -> str:
    return "" if settings.root.endswith("/api") else "; it should probably end in /api"


def _account_key(settings: Settings) -> str:
    return "api_token" if settings.api_token else "api_username"
