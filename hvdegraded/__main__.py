"""`python -m hvdegraded`."""

from hvdegraded.cli.main import main

raise SystemExit(main())
