from tests.gate.conftest import database, empty_store, gate, make_gate, side_by_side

__all__ = ["database", "empty_store", "gate", "make_gate", "side_by_side"]
