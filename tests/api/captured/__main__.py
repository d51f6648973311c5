import os
import sys

import pytest

os.environ["WRITE_CAPTURED"] = "1"
sys.exit(pytest.main(["-p", "no:randomly", "-q", "tests/api/captured"]))
