"""`python -m keras_addrnn_cli`, the same as `keras-addrnn`."""

import sys

from keras_addrnn_cli.main import main

sys.exit(main())
