"""What Landfeed costs, beside scripts that do the same by hand and beside other tools."""

import os

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is measured starts as it does for a user: compiled once
