"""The entry of ``python -m numact``; the commands are in `numact.commands`."""

import sys

from numact.commands.main import command

if __name__ == "__main__":
    sys.exit(command())
