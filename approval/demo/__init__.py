"""A simulated platform and a mailbox, for trying the gate out and for its tests."""
