"""The links of the mails: pages that ask, buttons that decide."""

from dataclasses import replace

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from prometheus_client import Counter
from werkzeug.exceptions import BadRequest, Forbidden

from approval.clock import Clock
from approval.codes import Codes, is_code
from approval.gate.mistype import mistype
from approval.gate.renew import Renewal, renew
from approval.gate.vote import COMMENT_LENGTH, Barred, vote
from approval.model import Action, Approver
from approval.store.database import Database
from approval.web.access import Access, Door, LinkExpired, sent
from approval.web.pages import Pages
from approval.web.strangers import Strangers

FORM_LIMIT = 64 * 1024  # bytes; the ids of 500 tasks and a comment are 40 kB
ACTIONS = {"accept": Action.ACCEPT, "decline": Action.DECLINE, "cancel": Action.DECLINE}


class Answers:
    """The views. With `one_click` a GET decides."""

    def __init__(
        self,
        database: Database,
        door: Door,
        strangers: Strangers,
        pages: Pages,
        clock: Clock,
        counter: Counter,
        *,
        one_click: bool,
        notify_requester: bool,
        codes: Codes | None = None,
    ) -> None:
        self._database = database
        self._door = door
        self._strangers = strangers
        self._pages = pages
        self._clock = clock
        self._counter = counter
        self._one_click = one_click
        self._notify_requester = notify_requester
        self._codes = codes

    def routes(self) -> Blueprint:
        """The routes of the HTTP contract."""
        routes = Blueprint("answers", __name__)
        both = ["GET", "POST"]
        routes.add_url_rule("/accept", view_func=self.accept, methods=both)
        routes.add_url_rule("/decline", view_func=self.decline, methods=both)
        routes.add_url_rule("/multiple", view_func=self.multiple, methods=both)
        routes.add_url_rule("/review", view_func=self.review, methods=["GET"])
        routes.add_url_rule("/fresh", view_func=self.fresh, methods=["POST"])
        routes.before_request(_limit_forms)
        routes.before_request(_refuse_other_sites)
        self._strangers.guard(routes)
        routes.register_error_handler(LinkExpired, self._expired)
        routes.register_error_handler(Barred, self._barred)
        return routes

    def accept(self) -> ResponseReturnValue:
        """`/accept?task=ID&token=T`."""
        return self._answer(Action.ACCEPT, self._door.to_task(sent()))

    def decline(self) -> ResponseReturnValue:
        """`/decline?task=ID&token=T`."""
        return self._answer(Action.DECLINE, self._door.to_task(sent()))

    def multiple(self) -> ResponseReturnValue:
        """`/multiple?action=accept|decline&tasks=A,B&token=T`."""
        action = ACTIONS.get(sent().get("action", ""))
        if action is None:
            raise BadRequest("The action of a link is accept or decline.")
        return self._answer(action, self._door.to_tasks(sent()), many=True)

    def review(self) -> ResponseReturnValue:
        """`/review?request=ID&token=T`."""
        access = self._door.to_request(request.args)
        return self._pages.page(
            "review",
            request=access.opened.request,
            pending=access.opened.pending,
            approver=access.opened.approver,
            token=access.token,
            code=self._codes is not None,
            task_ids=",".join(task.held.id for task in access.opened.pending),
            deadline=access.deadline,
            now=self._clock(),
        )

    def fresh(self) -> ResponseReturnValue:
        """Mail fresh links to the approver of an expired one."""
        opened = self._door.to_renewal(request.form)
        if not opened.pending:
            return self._gone(Access(opened))
        renewal = renew(self._database, opened, self._clock())
        status = 429 if renewal is Renewal.LATER else 200
        return self._pages.page("expired", status, token=None, **_told(renewal))

    def _answer(self, action: Action, access: Access, *, many: bool = False) -> Response:
        if not access.opened.pending:
            return self._gone(access)
        if request.method == "POST" or (self._one_click and request.method == "GET"):
            if problem := self._misread(access.opened.approver):
                return self._ask(action, access, many=many, problem=problem)
            return self._count(action, access)
        return self._ask(action, access, many=many)

    def _misread(self, approver: Approver | None) -> str:
        """What is wrong with the code that was typed; nothing if none is needed. Raises Barred."""
        typed = request.form.get("code", "")
        if self._codes is None or approver is None or self._codes.fits(approver, typed):
            return ""
        # Scanners that press buttons send nothing or nonsense: that locks nobody out.
        if not is_code(typed):
            return "Please type the code from your mail: six letters and digits."
        left = mistype(self._database, approver, self._clock())
        if not left:
            raise Barred(approver)
        tries = "one try" if left == 1 else f"{left} tries"
        return f"This is not the code from your mail. You have {tries} left."

    def _ask(self, action: Action, access: Access, *, many: bool, problem: str = "") -> Response:
        opened = access.opened
        return self._pages.page(
            "confirm",
            422 if problem else 200,
            code=self._codes is not None,
            problem=problem,
            comment=request.form.get("comment", "")[:COMMENT_LENGTH],
            request=opened.request,
            tasks=opened.pending,
            settled=opened.handled,
            action=action.value,
            approver=opened.approver,
            token=access.token,
            task_ids=",".join(task.held.id for task in opened.tasks),
            many=many,
            deadline=access.deadline,
            now=self._clock(),
        )

    def _count(self, action: Action, access: Access) -> Response:
        counted = vote(
            self._database,
            access.opened,
            action,
            request.form.get("comment", "")[: 4 * COMMENT_LENGTH],
            self._clock(),
            notify_requester=self._notify_requester,
        )
        if not counted.decided:  # somebody was quicker
            opened = replace(access.opened, request=counted.request, tasks=counted.others)
            return self._gone(replace(access, opened=opened))
        self._counter.labels(action.value).inc(len(counted.decided))
        return self._pages.page(
            "result",
            request=counted.request,
            decided=counted.decided,
            others=counted.others,
            action=action.value,
            approver=access.opened.approver,
            state_url=access.state_url,
            now=self._clock(),
        )

    def _gone(self, access: Access) -> Response:
        return self._pages.page(
            "gone",
            410,
            request=access.opened.request,
            tasks=access.opened.tasks,
            state_url=access.state_url,
            now=self._clock(),
        )

    def _expired(self, error: LinkExpired) -> Response:
        access = error.access
        if not access.opened.pending:
            return self._gone(Access(access.opened))  # what it could lead to has expired too
        return self._pages.page("expired", 410, token=access.token, **_told(None))

    def _barred(self, error: Barred) -> Response:
        revoked = error.approver.revoked
        return self._pages.page("barred", 410 if revoked else 403, revoked=revoked)


def _told(renewal: Renewal | None) -> dict[str, bool]:
    """What the page says of a fresh link."""
    return {"sent": renewal is Renewal.PROMISED, "later": renewal is Renewal.LATER}


def _limit_forms() -> None:
    # Not MAX_FORM_MEMORY_SIZE: that is for multipart forms, which ours are not.
    request.max_content_length = FORM_LIMIT


def _refuse_other_sites() -> None:
    """Forms of other sites cannot post here. `Origin: null` is ours: pages send no referrer."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("This form was sent from another site. Open the link of your mail again.")
