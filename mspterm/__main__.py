"""`python -m mspterm` is `mspterm`."""

from mspterm.main import main

if __name__ == "__main__":
    main()
