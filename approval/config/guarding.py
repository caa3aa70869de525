"""Which task types need an approval: whether the words for them are any that are known."""

from collections.abc import Iterable, Iterator

from approval.config.sections import Policy
from approval.findings import Finding, problem, warning
from approval.nearest import did_you_mean
from approval.wording.names import VERBS


def known(policy: Policy) -> Iterator[Finding]:
    """If nothing that is named is known, everything would be accepted at once."""
    named = policy.guarded_types or frozenset()
    strange = sorted(named - VERBS.keys())
    if strange and len(strange) == len(named):
        yield problem(
            f"guarded_types: there is no type {' or '.join(strange)}, so everything would be "
            f"accepted at once; name some of {', '.join(VERBS)}{_meant(strange)}"
        )
        return
    for word in strange:  # a newer platform may know it
        yield warning(
            f"guarded_types: {word} is no type that is known here; what is not named is accepted "
            f"at once. Known are {', '.join(VERBS)}{_meant([word])}"
        )


def _meant(words: Iterable[str]) -> str:
    """What the first word that is near a known one may mean."""
    return next(filter(None, (did_you_mean(word, VERBS) for word in words)), "")
