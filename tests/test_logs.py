"""One line for each thing that happened, whatever stands in the names that others chose."""

import io
import json
import logging

import pytest
import structlog

from approval.logs import configure_logs

LINES = {
    "line feed": "web\n{}",
    "both": "web\r\n{}",
    "NEL": "web\x85{}",
    "line separator": "web\u2028{}",
    "form feed": "web\f{}",
    "NUL": "web\0{}",
    "escape": "web\x1b[2K\x1b[1A{}",
    "backspaces": "web" + "\b" * 80 + "{}",
    "right to left": "web\u202e{}",
}
FORGED = '2026-11-21T10:00:00Z [info     ] request {"event": "forged"}'


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=[io.StringIO, Terminal], ids=["JSON", "console"])
def stream(request):
    """Where a process logs to; what was configured before is restored."""
    root, before = logging.getLogger(), structlog.get_config()
    level, handlers = root.level, root.handlers[:]
    stream = request.param()
    configure_logs(logging.DEBUG, stream)
    yield stream
    structlog.configure(**before)
    root.setLevel(level)
    root.handlers[:] = handlers


def fail(text):
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("test").exception("broke")


WAYS = {
    "value": lambda text: structlog.get_logger("test").info("event", name=text),
    "list": lambda text: structlog.get_logger("test").info("event", names=[text]),
    "event": lambda text: structlog.get_logger("test").info(text),
    "bound": lambda text: structlog.get_logger("test").bind(name=text).warning("event"),
    "library": lambda text: logging.getLogger("test").error("got %s", text),
}


@pytest.mark.parametrize("log", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", LINES.values(), ids=LINES)
def test_a_name_begins_no_line_and_moves_no_cursor(stream, log, name):
    log(name.format(FORGED))
    [line] = stream.getvalue().splitlines()
    assert "forged" in line
    colours = line.replace("\x1b[", "").replace("\x1b", "") if stream.isatty() else line
    assert colours.isprintable()
    assert "\x1b[2K" not in line


@pytest.mark.parametrize("name", LINES.values(), ids=LINES)
def test_nor_does_it_in_the_words_of_an_error(stream, name):
    fail(name.format(FORGED))
    first, *rest = stream.getvalue().splitlines()
    assert "broke" in first
    assert all(line.startswith("  ") for line in rest)
    assert not any(line.startswith("2026") for line in rest)


def test_off_a_terminal_a_line_is_an_object(stream):
    if stream.isatty():
        return
    structlog.get_logger("test").info("done", job=1)
    logging.getLogger("test").warning("careful")
    fail("oh")
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["done", "careful", "broke"]
    assert all({"timestamp", "level"} <= event.keys() for event in events)


def test_the_values_of_variables_are_not_told_with_an_error(stream):
    def act(token):
        return {}[token[:0] or 1]  # the line that is shown names the variable, not its value

    try:
        act("".join(["nobody's", "-", "business"]))
    except KeyError:
        structlog.get_logger("test").exception("broke")
    assert "nobody's-business" not in stream.getvalue()
    assert "token[:0]" in stream.getvalue()
