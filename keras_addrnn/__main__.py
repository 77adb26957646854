"""`python -m keras_addrnn`, the same as `keras-addrnn`."""

import sys

from keras_addrnn.cli import main

sys.exit(main())
