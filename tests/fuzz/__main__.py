"""`python -m tests.fuzz SECONDS [TARGET]`: feed each target with bytes that follow the coverage.

What broke a promise is kept in build/fuzz; make it a seed, and so a test, when it is mended.
"""

import subprocess
import sys
from pathlib import Path

import atheris

FOLDER = Path("build/fuzz")


def main(seconds: int, name: str | None) -> int:
    """Run one target in this process, or each in one of its own, as libFuzzer ends its process."""
    with atheris.instrument_imports(include=["approval", "itsdangerous"]):
        from tests.fuzz.targets import SEEDS, TARGETS

    if name is None:
        command = [sys.executable, "-m", "tests.fuzz", str(seconds)]
        return max(subprocess.run([*command, target]).returncode for target in TARGETS)
    run(TARGETS[name], SEEDS[name], seconds, FOLDER / name)
    return 0


def run(target, seeds, seconds: int, folder: Path) -> None:
    """Feed one target; ends the process, with another status than 0 if a promise was broken."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=10", "-rss_limit_mb=1024",
               f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=1"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
