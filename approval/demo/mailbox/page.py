"""The page that shows the mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template

from approval.demo.mailbox.mail import Mail
from approval.rendering import moment

if TYPE_CHECKING:
    from approval.demo.mailbox.mailbox import Mailbox

# Links of a mail open beside it.
NEW_TAB = '<base target="_blank">'
SHOWN = 200


def create_page(mailbox: Mailbox) -> Blueprint:
    page = Blueprint("page", __name__)
    page.add_app_template_filter(moment)

    @page.get("/")
    def inbox() -> str:
        mails = mailbox.messages[::-1]
        return render_template("inbox.html", mails=mails[:SHOWN], more=len(mails[SHOWN:]))

    @page.get("/mails/<int:number>")
    def show(number: int) -> str:
        mail = _find(mailbox, number)
        return render_template("mail.html", mail=mail, frame=_frame(mail))

    return page


def _find(mailbox: Mailbox, number: int) -> Mail:
    return next((mail for mail in mailbox.messages if mail.number == number), None) or abort(404)


def _frame(mail: Mail) -> str | None:
    """The HTML part as a document of its own."""
    return None if mail.html is None else NEW_TAB + mail.html
