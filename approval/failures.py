"""The root of every error that a job may meet outside the database.

Failure
├── platforms.PlatformError     the platform did not do what it was asked
├── mail.MailError              the mail server did not take a message
└── rendering.TemplateError     a template does not work
"""

from datetime import timedelta


class Failure(Exception):
    """Raised when something outside did not work; says whether trying again helps.

    `permanent`: trying again is useless until somebody changes something.
    `alert`: the operator can mend it (credentials, a template), so tell them at once.
    `retry_after`: how long the other side asked to be left alone.
    `awaits`: what may come by itself. The next try is told how long it has been waited for.
    `said`: what people read who are no operators; the message, unless that names the call.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        alert: bool = False,
        retry_after: timedelta | None = None,
        awaits: str | None = None,
        said: str | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.alert = alert
        self.retry_after = retry_after
        self.awaits = awaits
        self.said = said or message
