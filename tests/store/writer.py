"""A process that writes until it is killed, and says of each task when it is written."""

import sys
import threading
from itertools import count
from pathlib import Path

from tests.gate.faked import opened
from tests.store.values import insert_in


def main(file: str, threads: str) -> None:
    with opened(Path(file)) as database:

        def write(writer: int) -> None:
            for number in count():
                insert_in(database, f"{writer}-{number}")
                sys.stdout.write(f"{writer}-{number}\n")
                sys.stdout.flush()

        writers = [threading.Thread(target=write, args=(n,)) for n in range(int(threads))]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
