"""`python -m contralock.local run|demo|clean`, what `make run` calls."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from contralock.local.options import parse


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all went well, 1 with one line when not, 2 for wrong usage."""
    verb, options = parse(arguments)
    if verb == "demo":
        from contralock.local import demo

        return demo.main([])
    from contralock.local import stack

    return stack.clean() if verb == "clean" else stack.run(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # before the runner took over the signals
        sys.exit(130)
