from tests.gate.conftest import empty_store, side_by_side

__all__ = ["empty_store", "side_by_side"]
