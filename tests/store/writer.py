"""A process that writes until it is killed, and says of each task when it is written."""

import sys
import threading
from contextlib import closing
from itertools import count

from approval.store.database import Database
from tests.store.values import insert_in


def main(url: str, threads: str) -> None:
    with closing(Database(url)) as database:

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
