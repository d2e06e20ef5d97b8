#!/usr/bin/env python3
"""`python runner.py …` is the same as the console command `landfeed …`."""

from framework.start import main

if __name__ == "__main__":
    main()
