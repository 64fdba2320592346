"""`python -m arrears` is the command `arrears`."""

from arrears.cli import main

main()
