"""`python -m bitwright` is the command `bitwright`; without tyro the few commands that need none still run."""

import sys


def main() -> int:
    try:
        from bitwright.cli import main as run
    except ModuleNotFoundError as error:
        if error.name != "tyro":
            raise
        from bitwright.app.bare import main as run
    return run()


if __name__ == "__main__":
    sys.exit(main())
