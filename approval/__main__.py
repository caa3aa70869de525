"""`python -m approval` is `approval`."""

from approval.cli import main

main()
