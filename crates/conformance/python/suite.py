"""A minimal test runner that speaks as Rust's test programs do.

Tests are coroutines in the order of the file. `--list` names them, `--skip NAME` leaves one out,
and each gives a line `test NAME ... ok` or `test NAME ... FAILED`. Never retries anything.
"""

import asyncio
import sys
import traceback

# How long one test may take. Only ever reached by a failing test.
TEST_SECONDS_MAX = 40

_tests = []


def test(function):
    """Registers a coroutine function as a test."""
    _tests.append(function)
    return function


def main():
    """Runs the tests that the arguments choose, and exits with 1 when one failed."""
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        for function in _tests:
            print(f"{function.__name__}: test")
        return
    skipped = set()
    while arguments:
        flag, name, *arguments = arguments
        if flag != "--skip":
            sys.exit(f"unknown argument {flag}")
        skipped.add(name)
    failed = [f for f in _tests if f.__name__ not in skipped and not _passes(f)]
    sys.exit(1 if failed else 0)


def _passes(function):
    print(f"test {function.__name__} ... ", end="", flush=True)
    try:
        asyncio.run(asyncio.wait_for(function(), TEST_SECONDS_MAX))
    except BaseException:  # A test may fail in any way, and the next one is run all the same.
        print("FAILED", flush=True)
        print(f"\n{function.__name__}:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return False
    print("ok", flush=True)
    return True
