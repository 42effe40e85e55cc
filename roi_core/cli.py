"""The command line: ``roi_stream run | devices | info | export | refine | ...``, see `roi_core.commands`.

Exit 0: done, also a recording ended by Ctrl+C or SIGTERM. Exit 1: one sentence on stderr, also of an export
that was stopped. Exit 2: wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import io
import keyword
import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from roi_core import __version__
from roi_core.commands import COMMANDS, HIDDEN
from roi_core.errors import RoiError, SettingsError, refused
from roi_core.terminal import Quiet, complain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # A second thread of the linear algebra, begun with numpy, would not step back for the camera's.
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show must not end anything
            stream.reconfigure(errors="backslashreplace")
    if words and words[0].startswith("-") and words[0] not in ("-h", "--help", "--version"):
        words.insert(0, "run")
    parser = _parser(words[0] if words else "")
    if not words:
        parser.print_help()
        return 2
    arguments = parser.parse_args(words)
    _warn_on_stderr()
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except RoiError as error:
        complain(f"roi_stream: {error}")
        return 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        return 1
    except OSError as error:
        if not (told := refused(error)):
            raise
        complain(f"roi_stream: {told}")
        return 1
    finally:
        _flush_or_forget()


class _Parser(argparse.ArgumentParser):
    """An argument parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser(chosen: str) -> _Parser:
    """Return the parser; only the command that was `chosen` is imported."""
    parser = _Parser(prog="roi_stream", description="See neurons while you record them.")
    parser.add_argument("--version", action="version", version=f"roi_stream {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for word, text in (COMMANDS | HIDDEN if chosen in HIDDEN else COMMANDS).items():
        command = commands.add_parser(word, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if word == chosen:
            name = f"{word}_" if keyword.iskeyword(word) else word.replace("-", "_")
            module = importlib.import_module(f"roi_core.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _flush_or_forget() -> None:
    """Let the interpreter end without a word about a pipe that was closed."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _warn_on_stderr() -> None:
    """Print our own warnings; other libraries' are not for users."""
    handler = logging.StreamHandler(Quiet(sys.stderr))
    handler.setFormatter(logging.Formatter("warning: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger("roi_core").addHandler(handler)
    logging.getLogger().addHandler(logging.NullHandler())


if __name__ == "__main__":
    raise SystemExit(main())
