"""``python -m onelayer`` is the command line."""

import sys

from onelayer.cli import main

sys.exit(main())
