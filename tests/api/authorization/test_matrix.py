"""Every route and method, for everybody who may come along."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, include, path
from django.utils import timezone

from gallimg_site.urls import urlpatterns as real
from media_jobs.callers import Scope
from media_jobs.models import ApiKey, Original, ReprocessRun, Shadow
from media_jobs.models.base import uuid7
from media_jobs.selectors import current_preset
from media_jobs.states import JobState
from tests import people
from tests.api import signing
from tests.api.authorization.rules import METHODS, RULES, Rule, handled, routes
from tests.api.parking import room
from tests.factories import make_derivative, make_detail, make_failed_job, make_instruction, make_job, make_original
from tests.services.webhooks.helpers import make_delivery, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

CLOSED = {case: rule for case, rule in RULES.items() if rule.scope}
EVERY_PERMISSION = ("view_job", "view_original", "view_webhookendpoint", "change_webhookendpoint")
OF_THINGS = {case: rule for case, rule in CLOSED.items() if rule.thing}
TAKEN = {case for method, route in RULES for case in ((method, route), *([("HEAD", route)] if method == "GET" else []))}


@pytest.fixture(autouse=True)
def _nobody_comes_without_a_credential(settings: Any) -> None:
    settings.ALLOW_ANONYMOUS = False
    settings.JWT_SECRET = signing.SECRET


@pytest.fixture
def owner() -> ApiKey:
    return people.api_key(acts_for_users=True)[0]


def cases(rules: dict[tuple[str, str], Rule]) -> pytest.MarkDecorator:
    """Each method of each route with its rule; HEAD as GET."""
    also = {("HEAD", route): rule for (method, route), rule in rules.items() if method == "GET"}
    return pytest.mark.parametrize(
        ("method", "route", "rule"),
        [pytest.param(*case, rule, id=" ".join(case)) for case, rule in (rules | also).items()],
    )


def call(client: Client, method: str, route: str, rule: Rule, owner: str = "") -> Any:
    """The answer, for a fresh thing of `owner` where the route is of one."""
    *outer, inner = _thing(rule.thing, owner or "nobody")
    for found in outer:
        route = route.replace("{}", str(found), 1)
    return client.generic(method, route.replace("{}", rule.named or str(inner)), **room())


def _thing(kind: str, owner: str) -> tuple[Any, ...]:
    """Its id, after the ids of what it is in."""
    if kind == "webhook":
        return (make_webhook(owner).pk,)
    if kind == "instruction":
        return (make_instruction(owner).pk,)
    if kind == "detail":
        detail = make_detail(make_instruction(owner))
        return detail.instruction_id, detail.pk
    if kind == "delivery":
        delivery = make_delivery(make_webhook(owner))
        return delivery.endpoint_id, delivery.pk
    if kind == "run":
        return (ReprocessRun.objects.create(owner=owner, preset=current_preset("gallformers")).pk,)
    if kind == "shadow":
        return (Shadow.objects.create(legacy_key=f"gall/1/{uuid7()}_original.jpg", owner=owner, state="fetching").pk,)
    image = make_original(owner=owner)
    things: dict[str, Callable[[], Any]] = {
        "": lambda: "01990000-0000-7000-8000-000000000000",
        "image": lambda: image.pk,
        "deleted image": lambda: _deleted(image).pk,
        "job": lambda: make_job(image).pk,
        "failed job": lambda: make_failed_job(original=image).pk,
    }
    return (things[kind](),)


def _deleted(image: Original) -> Original:
    make_job(image, state=JobState.DONE)
    Original.objects.filter(pk=image.pk).update(deleted_at=timezone.now())
    return image


def let_in(answer: Any) -> bool:
    return answer.status_code not in (401, 403, 404, 405, 429) and answer.status_code < 500


def refused(answer: Any, status: int, code: str) -> bool:
    if answer.request["REQUEST_METHOD"] == "HEAD":
        return bool(answer.status_code == status)
    body = answer.json()
    said = body["errors"][0]["code"] if "errors" in body else body["code"]
    return (answer.status_code, said) == (status, code)


def test_every_method_of_every_route_has_a_rule() -> None:
    assert handled() == set(RULES)


def test_a_new_route_without_a_rule_is_noticed(settings: Any) -> None:
    from media_jobs.api.images.views import JobView

    class Urls:
        urlpatterns = [*real, path("v2/", include([path("jobs/<uuid:id>", JobView.as_view())]))]

    settings.ROOT_URLCONF = Urls
    assert handled() - set(RULES) == {(method, "/v2/jobs/{}") for method in ("GET", "DELETE", "OPTIONS")}


@cases(CLOSED)
def test_without_a_credential_nobody_is_let_in(method: str, route: str, rule: Rule, client: Client) -> None:
    answer = call(client, method, route, rule, "anonymous")
    assert refused(answer, 401, "credential_missing")
    assert answer["WWW-Authenticate"] == 'Bearer realm="gallimg"'


@cases(CLOSED)
def test_what_is_over_lets_nobody_in(method: str, route: str, rule: Rule) -> None:
    key, whole = people.api_key()
    mine = f"key:{key.prefix}"
    ApiKey.objects.update(expires_at=timezone.now())
    assert refused(call(people.program(whole), method, route, rule, mine), 401, "credential_expired")
    ApiKey.objects.update(expires_at=None, revoked_at=timezone.now())
    assert refused(call(people.program(whole), method, route, rule, mine), 401, "bad_credential")
    old = signing.token(sub="ada", exp=timezone.now() - timedelta(minutes=5))
    assert refused(call(people.program(old), method, route, rule, "|ada"), 401, "credential_expired")


@cases(CLOSED)
def test_a_credential_for_something_else_lets_nobody_in(method: str, route: str, rule: Rule) -> None:
    others = [scope for scope in Scope if scope is not rule.scope]
    key, whole = people.api_key(*others)
    answer = call(people.program(whole), method, route, rule, f"key:{key.prefix}")
    assert refused(answer, 403, "insufficient_scope")
    assert f'scope="{rule.scope}"' in answer["WWW-Authenticate"]
    token = signing.token(sub="ada", scope=" ".join(others))
    assert refused(call(people.program(token), method, route, rule, "|ada"), 403, "insufficient_scope")


@cases(CLOSED)
def test_with_the_scope_an_owner_is_let_in(method: str, route: str, rule: Rule) -> None:
    assert rule.scope
    key, whole = people.api_key(rule.scope, acts_for_users=True)
    assert let_in(call(people.program(whole), method, route, rule, f"key:{key.prefix}"))
    assert let_in(call(people.program(whole, "ada"), method, route, rule, f"key:{key.prefix}|ada"))
    token = signing.token(sub="ada", scope=f"openid gallimg:{rule.scope}")
    assert let_in(call(people.program(token), method, route, rule, "|ada"))


@cases(OF_THINGS)
def test_what_is_anothers_is_not_there(method: str, route: str, rule: Rule, owner: ApiKey) -> None:
    stranger, same_program = people.api_key(acts_for_users=True), people.api_key(acts_for_users=True)
    for client, whose in (
        (people.program(stranger[1]), f"key:{owner.prefix}"),
        (people.program(stranger[1]), "anonymous"),
        (people.program(stranger[1]), "staff:1"),
        (people.program(same_program[1], "bob"), f"key:{same_program[0].prefix}|ada"),
        (people.program(same_program[1]), f"key:{same_program[0].prefix}|ada"),
        (people.program(same_program[1], "ada"), f"key:{same_program[0].prefix}"),
        (people.program(signing.token(sub="bob")), "|ada"),
        (people.program(signing.token(sub="ada", iss="elsewhere")), "|ada"),
    ):
        assert refused(call(client, method, route, rule, whose), *rule.stranger), whose


@cases(OF_THINGS)
def test_staff_need_every_permission_for_what_is_anothers(method: str, route: str, rule: Rule, owner: ApiKey) -> None:
    whose = f"key:{owner.prefix}"
    if rule.permissions is None:
        assert refused(call(people.staff(*EVERY_PERMISSION), method, route, rule, whose), *rule.stranger)
        return
    assert let_in(call(people.staff(*rule.permissions), method, route, rule, whose))
    assert refused(call(people.staff(), method, route, rule, whose), *rule.stranger)
    for missing in rule.permissions:
        some = [permission for permission in rule.permissions if permission != missing]
        answer = call(people.staff(*some), method, route, rule, whose)
        assert answer.status_code in (403, 404), missing


@cases({case: rule for case, rule in CLOSED.items() if not rule.thing})
def test_staff_do_what_anybody_may(method: str, route: str, rule: Rule) -> None:
    assert let_in(call(people.staff(*rule.staff), method, route, rule))
    if rule.staff:
        code = "insufficient_scope" if rule.scope is Scope.SHADOW else "permission_denied"
        assert refused(call(people.staff(), method, route, rule), 403, code)


@cases({case: rule for case, rule in RULES.items() if not rule.scope})
def test_what_is_public_asks_for_no_credential(method: str, route: str, rule: Rule, client: Client) -> None:
    key = make_derivative(make_job(state="done")).key
    answer = client.generic(method, route.replace("{}", key))
    assert answer.status_code not in (401, 403) or answer.json()["code"] == "bad_credential", answer.content
    assert answer.status_code < 500 or route in ("/readyz", "/api/v1/health", "/health")
    answer.close()


@pytest.mark.parametrize(
    ("method", "route"),
    sorted({(method, route) for _, route in RULES for method in METHODS} - TAKEN),
)
@pytest.mark.slow
def test_a_method_that_a_route_does_not_take_does_nothing(method: str, route: str) -> None:
    key = people.keyed()
    assert call(key, method, route, Rule(None)).status_code in (403, 405)
    if RULES.get(("OPTIONS", route), Rule(None)).scope:
        assert call(Client(), method, route, Rule(None)).status_code == 401


#: Where a person whom somebody has just entered chooses a password: the link says who that is.
_BY_LINK = "/admin/auth/user/welcome/{}/{}/"


def test_the_admin_sends_everybody_to_its_login(client: Client) -> None:
    entered = 0
    for route, _ in routes(get_resolver()):
        if route.startswith("/admin/") and "(" not in route and "login" not in route:
            answer: HttpResponse = client.get(route.replace("{}", "1"))  # type: ignore[assignment]
            if route == _BY_LINK:
                assert b"<form" not in answer.content, "a link that nobody sent opens nothing"
                continue
            assert answer.status_code in (302, 404) or "jsi18n" in route, route
            if answer.status_code == 302 and "/r/" not in route:
                entered += "/admin/login/" in answer["Location"]
    assert entered > 30
