"""``python -m nwb_mepp`` is the command ``nwb-mepp``."""

import sys

from nwb_mepp.cli import main

if __name__ == "__main__":
    sys.exit(main())
