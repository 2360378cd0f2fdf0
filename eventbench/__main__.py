"""`python -m eventbench` is the same as `eventbench`."""

from eventbench.cli import main

if __name__ == "__main__":
    main()
