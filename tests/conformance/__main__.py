"""`andromede test --conformance`: Tempest's tests against a cloud of its own, in parts, resumable.

Results are kept in `.cache/conformance` as they come: a run goes on where the last one stopped, with
what failed and what had not run yet; `--again` begins anew. Exit code 1 when a test failed, or was
skipped without standing in `left-out.txt`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conformance import cloud, guest, results, shards

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
OURS = Path(os.environ.get("ANDROMEDE_VENV") or CHECKOUT / ".venv")
PYTHON = OURS.with_name(f"{OURS.name}-conformance") / "bin" / "python"
SERVICES = ("identity", "image", "compute", "network")
SCENARIOS = ("tempest.scenario", "own.scenario.minimum_basic")
LISTS = {"interop": HERE / "interop-compute.txt", "scs": HERE / "scs-0128.txt"}


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    wanted = _options(arguments)
    folder = wanted.results or CHECKOUT / ".cache" / "conformance" / wanted.engine
    folder.mkdir(parents=True, exist_ok=True)
    chosen = choose(wanted.what, wanted.match)
    left_out = results.left_out(HERE / "left-out.txt", wanted.engine)
    kept = results.Kept(folder / "results.jsonl", again=wanted.again)
    to_run = [each for each in chosen if each not in left_out and kept.outcome(each) != "passed"]
    to_run = [each for each in to_run if shards.of(each, wanted.shard[1]) == wanted.shard[0]]
    if to_run:
        image = wanted.image
        if image is None and wanted.engine == "embedded":
            image = guest.tiny(CHECKOUT / ".cache" / "guest")
        with cloud.open_cloud(wanted.engine, image) as prepared:
            conf = cloud.configure(prepared, folder)
            shards.run(PYTHON, HERE / "worker.py", conf, to_run, wanted.workers, kept)
    return results.report(chosen, left_out, kept, folder)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="andromede test --conformance", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"{', '.join((*SERVICES, *LISTS))}, scenario, or a "
                        "package; all services by default")  # fmt: skip
    parser.add_argument("--engine", default="simulated", choices=["simulated", "embedded"])
    parser.add_argument("--image", type=Path, help="a guest's qcow2 file, for the embedded "
                        "engine; without one the tiny image is built")  # fmt: skip
    parser.add_argument("--match", default="", help="a regular expression that names match")
    parser.add_argument("--shard", default=(0, 1), type=_shard, help="I/N: the Ith part of N")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, help="a folder to keep results in")
    parser.add_argument("--again", action="store_true", help="forget what was run before")
    return parser.parse_args(arguments)


def _shard(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not 1 <= int(number) <= int(parts):
        raise ValueError(text)
    return int(number) - 1, int(parts)


def choose(what: list[str], match: str) -> list[str]:
    """The names of the tests of services, lists and packages, each once."""
    found: dict[str, None] = {}
    packages = []
    for each in what or SERVICES:
        if each in LISTS:
            found |= dict.fromkeys(_listed(LISTS[each]))
        else:
            packages += _packages(each)
    if packages:
        environment = {**os.environ, "TEMPEST_CONFIG_DIR": "/nonexistent"}
        command = [str(PYTHON), str(HERE / "worker.py"), "list", *packages]
        told = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=True,
        )  # fmt: skip
        found |= dict.fromkeys(told.stdout.split())
    return [each for each in found if re.search(match, each)]


def _packages(name: str) -> tuple[str, ...]:
    if name in SERVICES:
        return (f"tempest.api.{name}",)
    return SCENARIOS if name == "scenario" else (name,)


def _listed(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except json.JSONDecodeError as error:
        sys.exit(f"a worker of Tempest said what is no outcome: {error}")
