"""`manage.py check --deploy` refuses what is for trying only."""

from typing import Any

import pytest
from django.core import checks


@pytest.mark.parametrize("allowed", [True, False])
def test_webhooks_to_this_host_are_an_error_of_a_deployment(settings: Any, allowed: bool) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = allowed
    found = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    assert [message.level for message in found if message.id == "gallimg.E010"] == [checks.ERROR] * allowed
    assert "gallimg.E010" not in {message.id for message in checks.run_checks()}
