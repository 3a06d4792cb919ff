import sys

from ccdmon.cli import main

sys.exit(main())
