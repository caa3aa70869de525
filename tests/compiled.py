"""Templates are compiled once for all gates of this process: it is most of what a start takes."""

from collections.abc import Iterator
from functools import partial

import jinja2
import pytest


class Compiled(jinja2.BytecodeCache):
    """Keeps what was compiled, by file; what a file holds now is compared with what it held."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """All environments share one cache."""
    environment = partial(jinja2.Environment, bytecode_cache=Compiled())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2, "Environment", environment)
        yield
