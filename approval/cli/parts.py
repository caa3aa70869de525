"""The parts of a gate from the settings, each by itself, as commands need some of them alone."""

from collections.abc import Callable

from approval.clock import utc_now
from approval.config import Config
from approval.decisions import Policy
from approval.gate.ask import Patience
from approval.gate.reconcile import Reconcile
from approval.gate.room import Room
from approval.mail.smtp import Server as SmtpServer
from approval.mail.smtp import Smtp
from approval.platforms import Platform
from approval.platforms.registry import PLATFORMS
from approval.rendering import Templates
from approval.store.database import Database
from approval.web.callers import Callers


def build_platform(config: Config) -> Platform:
    """The configured platform."""
    return PLATFORMS[config.platform_name].build(config.platform)


def build_transport(config: Config) -> Smtp:
    """The configured mail server."""
    mail = config.mail
    return Smtp(
        SmtpServer(
            host=mail.host,
            port=mail.port,
            security=mail.security,
            username=mail.username,
            password=mail.password.get_secret_value() if mail.password else None,
            ca_file=mail.ca_file,
            timeout=mail.timeout,
        )
    )


def build_templates(config: Config, platform: Platform) -> Templates:
    """The templates, the operator's first."""
    return Templates(
        config.server.templates,
        {"brand": config.server.brand, "platform": platform.title},
    )


def build_policy(config: Config) -> Policy:
    """The rules that the operator wrote."""
    return Policy(
        guarded_types=config.policy.guarded_types,
        own_request=config.policy.own_request,
        self_approval=config.policy.self_approval,
        default_action=config.server.default_action,
    )


def build_patience(config: Config) -> Patience:
    """How long approvers may take."""
    return Patience(config.policy.remind_after, config.policy.decline_after)


def build_room(config: Config, database: Database) -> Room:
    """Where tasks wait."""
    return Room(database, config.server.most_pending, utc_now)


def build_callers(config: Config) -> Callers:
    """Who may call."""
    server = config.server
    return Callers(
        utc_now,
        secrets=[secret.get_secret_value() for secret in server.callback_secret],
        networks=server.callback_from,
        signing_keys=[key.get_secret_value() for key in server.webhook_secret],
        must_sign=server.require_signature,
    )


def build_reconcile(
    config: Config,
    database: Database,
    platform: Platform,
    room: Room,
    pause: Callable[[], None],
) -> Reconcile:
    """What compares the platform with the store."""
    notify = config.policy.notify_requester
    return Reconcile(database, platform, room, utc_now, notify_requester=notify, pause=pause)
