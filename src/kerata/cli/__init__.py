"""The command `kerata`: a module for each subcommand, with `add_parser` and `run`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from kerata.core.errors import KerataError

from . import conformance, demo, doctor

COMMANDS = (conformance, demo, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; `arguments` are those of the process unless given.

    Returns:
        The exit status: 0, 1 when what was run went wrong, 2 when the request makes no sense.
    """
    # The process is ours, so engines may be told to keep their start-up chatter out of our tables.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help()
        return 2
    try:
        return options.run(options)
    except (KerataError, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        print(f"kerata: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("kerata: interrupted", file=sys.stderr)
        return 130  # 128 + SIGINT, as shells expect


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kerata", description="One deep-learning API, many engines, one result."
    )
    parser.add_argument("--version", action="version", version=f"kerata {metadata.version('kerata')}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser
