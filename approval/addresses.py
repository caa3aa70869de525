"""Mail addresses: which can be written to."""

import re

# What mail servers take without further agreement (RFC 5321); anything else they would refuse,
# or read otherwise.
ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){ATOM}(?:\.{ATOM})*@{LABEL}(?:\.{LABEL})*")


def is_address(text: str) -> bool:
    """Whether this is a mail address that can be written to."""
    return ADDRESS.fullmatch(text) is not None
