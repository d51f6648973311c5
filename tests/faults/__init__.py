import pytest

pytest.register_assert_rewrite("tests.faults.runner", "tests.faults.scenarios")
