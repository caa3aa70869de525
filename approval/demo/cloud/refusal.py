"""What the platform refuses, with the codes it has for it."""


class Refusal(Exception):
    """Raised if a request cannot be done; becomes an errors document with `code`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def no_such(thing: str, code: str) -> Refusal:
    return Refusal(404, code, f"The requested {thing} does not exist")


def no_such_machine() -> Refusal:
    return no_such("virtual machine", "VM-1")


def no_such_task() -> Refusal:
    return no_such("task", "TASK-1")


def not_held() -> Refusal:
    return Refusal(409, "TASK-2", "The state is not in the appropiate state")  # sic


def locked() -> Refusal:
    return Refusal(409, "VM-2", "The virtual machine is not in a state that allows this")


def not_permitted() -> Refusal:
    return Refusal(403, "GEN-4", "Not enough permissions to perform this action")
