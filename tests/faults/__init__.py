import pytest

pytest.register_assert_rewrite("tests.faults.play", "tests.faults.scenarios")
