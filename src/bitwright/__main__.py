"""`python -m bitwright` is the command `bitwright`."""

import sys

from bitwright.cli import main

sys.exit(main())
