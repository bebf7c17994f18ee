"""`python -m kerata` is the command `kerata`, also where scripts are not on the path."""

import sys

from kerata.cli import main

sys.exit(main())
