from tests.gate.conftest import database, gate, make_gate, side_by_side, store

__all__ = ["database", "gate", "make_gate", "side_by_side", "store"]
