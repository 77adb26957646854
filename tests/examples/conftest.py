"""The examples are scripts, not a package: their directory has to be on the path."""

import sys

from tests.examples.support import EXAMPLES

sys.path.insert(0, str(EXAMPLES))
