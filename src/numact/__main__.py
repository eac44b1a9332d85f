"""``python -m numact``."""

import sys

from numact.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
