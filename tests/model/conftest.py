from tests.gate.conftest import side_by_side

__all__ = ["side_by_side"]
