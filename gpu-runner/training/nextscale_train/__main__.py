import sys

from nextscale_train.cli import main

sys.exit(main())
