"""Which task types need an approval: whether the words for them are any that are known."""

from collections.abc import Iterable, Iterator

from approval.config.sections import Policy
from approval.nearest import did_you_mean
from approval.wording.names import VERBS

KEY = "[policy] guarded_types"


def problems(policy: Policy) -> Iterator[str]:
    """Nothing that is named is known, so that everything would be accepted at once."""
    named = policy.guarded_types or frozenset()
    if named and not _known(named):
        yield (
            f"{KEY}: there is no type {' or '.join(sorted(named))}, so everything would be "
            f"accepted at once; name some of {', '.join(VERBS)}{_meant(named)}"
        )


def warnings(policy: Policy) -> Iterator[str]:
    """What is named and not known; a newer platform may know it."""
    named = policy.guarded_types or frozenset()
    for word in sorted(named - _known(named)) if _known(named) else ():
        yield (
            f"{KEY}: {word} is no type that is known here; what is not named is accepted at "
            f"once. Known are {', '.join(VERBS)}{_meant([word])}"
        )


def _known(named: frozenset[str]) -> frozenset[str]:
    return named & VERBS.keys()


def _meant(words: Iterable[str]) -> str:
    """What the first word that is near a known one may mean."""
    return next(filter(None, (did_you_mean(word, VERBS) for word in sorted(words))), "")
