"""`python -m hvdegraded`."""

from hvdegraded.cli import main

raise SystemExit(main())
