"""`python -m konvergensi` is the command line."""

from konvergensi.cli.main import main

main()
