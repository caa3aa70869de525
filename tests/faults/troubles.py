"""What can go wrong with a call to the platform."""

from http import HTTPStatus

from tests.faults.line import Caller, Fault, answer

PAGE = b"<html><body><p>Sign in</p><form action='/login'></form></body></html>"
DROP = 0.04  # seconds between the bytes of an answer that drips
MEGABYTE = b" " * 2**20
REFUSAL = b'{"links":[],"collection":[{"code":"GEN-1","message":"no"}]}'


def refused(caller: Caller) -> None:
    """The platform goes away at this call."""
    caller.hang_up()
    caller.line.close()


def hung(caller: Caller) -> None:
    caller.line.over.wait(20)
    caller.hang_up()


def hung_amid(caller: Caller) -> None:
    caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    hung(caller)


def dropped(caller: Caller) -> None:
    caller.hang_up()


def truncated(caller: Caller) -> None:
    caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    caller.hang_up()


def garbage(caller: Caller) -> None:
    caller.say(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    caller.hang_up()


def nonsense(caller: Caller) -> None:
    caller.say(answer(200, {"Content-Type": "application/json"}, b'{"links":\x00\xff]'))


def a_page(caller: Caller) -> None:
    """A proxy lets nobody through."""
    caller.say(answer(200, {"Content-Type": "text/html"}, PAGE))


def flooded(caller: Caller) -> None:
    """100 MB."""
    caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        caller.say(MEGABYTE)
        caller.line.flood.append(1)


def flooded_head(caller: Caller) -> None:
    """A header of 100 MB."""
    caller.say(b"HTTP/1.1 200 OK\r\nServer: ")
    for _ in range(100):
        caller.say(MEGABYTE)
        caller.line.flood.append(1)


def dripping_head(caller: Caller) -> None:
    """An answer that would be good if it were waited for; to a POST, before anything is done."""
    whole = caller.ask() if caller.command == "GET" else answer(204, {"Via": "1.1 slow"}, b"")
    head, end, body = whole.partition(b"\r\n\r\n")
    if _drip(caller, head + end):
        caller.say(body)


def dripping_body(caller: Caller) -> None:
    """The same, but the head comes at once."""
    body = b""
    if caller.command == "GET":
        body = caller.ask().partition(b"\r\n\r\n")[2]
    blank = b" " * 60
    caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(blank + body))
    if _drip(caller, blank):
        caller.say(body)


def _drip(caller: Caller, words: bytes) -> bool:
    """Say something byte by byte; says whether it came to the end."""
    for place in range(len(words)):
        if caller.line.over.wait(DROP):
            caller.hang_up()
            return False
        caller.say(words[place : place + 1])
    caller.line.heard_out.append(caller.path)
    return True


def status(code: int, body: bytes = PAGE) -> Fault:
    """Another answer than the platform's."""

    def says(caller: Caller) -> None:
        caller.say(answer(code, {"Content-Type": "text/html"}, body))

    says.__name__ = f"says_{code}"
    return says


def acts_and(fault: Fault) -> Fault:
    """The platform acts, and then its answer is spoiled."""

    def both(caller: Caller) -> None:
        caller.ask()
        fault(caller)

    both.__name__ = f"acts_and_{fault.__name__}"
    return both


def moved(code: int) -> Fault:
    """It is said to be somewhere else."""

    def elsewhere(caller: Caller) -> None:
        location = f"http://127.0.0.1:{caller.line.other}{caller.path}"
        caller.say(answer(code, {"Location": location}, b""))

    return elsewhere


SILENT = [hung, hung_amid, dripping_head, dripping_body]  # only time tells that this is wrong
LOUD = [refused, dropped, truncated, garbage, nonsense, a_page, flooded, flooded_head]
LATER = [201, 300, 401, 429, 503]
MOVED = [302, 307]
FOR_GOOD = [400, 404, 409]
EVERY = [*(code.value for code in HTTPStatus if code >= 300), 499, 520, 599]


def name(trouble: object) -> str:
    return str(getattr(trouble, "__name__", trouble))
