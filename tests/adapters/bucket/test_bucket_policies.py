"""What the policies give away, and that rules of others survive ours."""

import json
from functools import partial
from typing import Any

import pytest

from media_jobs.adapters.bucket import policies, rules
from media_jobs.adapters.bucket.policies import Policy
from media_jobs.keys import PRIVATE_PREFIXES, PUBLIC_PREFIXES

BUCKET = "pictures"
IAM = [policies.web, policies.read, policies.worker, policies.admin]
_INLINE_LIMIT = 2048  # characters that AWS takes for all inline policies of one user, without white space


def given(policy: Policy) -> set[tuple[str, str]]:
    """Every action with every resource."""
    return {
        (action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_the_web_process_stores_and_aborts_where_uploads_go_and_does_nothing_else():
    actions = {action for action, _ in given(policies.web(BUCKET))}
    resources = {resource for _, resource in given(policies.web(BUCKET))}
    assert actions == {"s3:PutObject", "s3:AbortMultipartUpload"}
    assert resources == {"arn:aws:s3:::pictures/originals/*", "arn:aws:s3:::pictures/uploads/*"}


def test_links_need_to_read_originals_and_nothing_else():
    assert given(policies.read(BUCKET)) == {("s3:GetObject", "arn:aws:s3:::pictures/originals/*")}


def test_workers_touch_objects_under_our_own_prefixes_only():
    places = {f"arn:aws:s3:::pictures/{prefix}*" for prefix in (*PUBLIC_PREFIXES, *PRIVATE_PREFIXES)}
    on_objects = {resource for action, resource in given(policies.worker(BUCKET)) if not action.startswith("s3:List")}
    assert on_objects == places


def test_workers_take_what_is_requested_out_of_the_inbox():
    more = given(policies.worker(BUCKET, inbox="inbox/")) - given(policies.worker(BUCKET))
    assert more == {(f"s3:{verb}Object", "arn:aws:s3:::pictures/inbox/*") for verb in ("Get", "Delete")}


@pytest.mark.parametrize("make", [policies.worker, policies.read])
def test_what_a_site_has_in_our_bucket_is_read_and_nothing_else(make: Any) -> None:
    more = given(make(BUCKET, legacy="gall/")) - given(make(BUCKET))
    assert more == {("s3:GetObject", "arn:aws:s3:::pictures/gall/*")}


def test_what_a_site_has_in_its_own_bucket_is_read_and_nothing_else() -> None:
    lists = ("s3:ListBucket", "arn:aws:s3:::theirs")
    assert given(policies.legacy("theirs", prefix="gall/")) == {("s3:GetObject", "arn:aws:s3:::theirs/gall/*"), lists}


def test_an_administrator_reads_no_picture_and_writes_none_but_probes():
    on_objects = {(action, resource) for action, resource in given(policies.admin(BUCKET)) if "/" in resource}
    assert "s3:GetObject" not in {action for action, _ in on_objects}
    assert all(resource.endswith("check-*") for _, resource in on_objects)


@pytest.mark.parametrize("make", IAM)
def test_no_policy_has_a_wildcard_in_its_actions(make):
    assert not [action for action, _ in given(make(BUCKET)) if "*" in action]


@pytest.mark.parametrize("make", [*IAM, partial(policies.worker, inbox="inbox/", legacy="gall/")])
def test_each_policy_fits_into_a_user_even_with_the_longest_name_of_a_bucket(make):
    assert len(json.dumps(make("b" * 63), separators=(",", ":"))) <= _INLINE_LIMIT


@pytest.mark.parametrize("statement", [policies.public_read(BUCKET), policies.cdn_read(BUCKET)])
def test_neither_the_world_nor_a_cdn_gets_what_is_private(statement):
    assert statement["Action"] == "s3:GetObject"
    assert statement["Resource"] == [f"arn:aws:s3:::pictures/{prefix}*" for prefix in PUBLIC_PREFIXES]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("auto", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_names_are_those_of_the_regions_own_aws(region, partition):
    assert policies.read(BUCKET, region)["Statement"][0]["Resource"] == [f"arn:{partition}:s3:::pictures/originals/*"]


class TestRulesOfOthers:
    THEIRS: Any = {"ID": "archive", "Status": "Enabled", "Filter": {"Prefix": "scans/"}, "Expiration": {"Days": 9}}

    def test_stay_in_their_places_when_ours_come(self):
        assert rules.merged([self.THEIRS], rules.staging()) == [self.THEIRS, *rules.staging()]

    def test_stay_when_ours_are_renewed(self):
        old, other = {**rules.staging()[0], "Expiration": {"Days": 1}}, {**self.THEIRS, "ID": "later"}
        assert rules.merged([self.THEIRS, old, other], rules.staging()) == [self.THEIRS, *rules.staging(), other]

    def test_stay_when_they_have_no_name(self):
        nameless = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        ours = rules.cors(["https://a.example"])
        assert rules.merged([nameless, nameless], ours) == [nameless, nameless, *ours]

    def test_stay_in_the_policy(self):
        theirs = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
        merged = rules.with_statements({"Version": "2008-10-17", "Statement": theirs}, [policies.public_read(BUCKET)])
        assert merged == {"Version": "2008-10-17", "Statement": [theirs, policies.public_read(BUCKET)]}


def test_what_is_there_is_not_written_again_however_the_server_spells_it():
    wanted = policies.public_read(BUCKET)
    spelled = {**wanted, "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"], "Resource": wanted["Resource"][::-1]}
    assert rules.with_statements({"Statement": [spelled]}, [wanted]) is None
    assert rules.merged([{**rules.staging()[0], "Prefix": ""}], rules.staging()) is None
    cors = rules.cors(["https://a.example"])
    assert rules.merged([{**cors[0], "ExposeHeaders": []}], cors) is None


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        (policies.public_read(BUCKET), ["GallimgPublicRead"]),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject"}, ["one without a name"]),
        (policies.cdn_read(BUCKET), []),
        (policies.tls_only(BUCKET), []),
        ({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:*"}, []),
    ],
)
def test_it_is_known_what_makes_a_bucket_public(statement, public):
    assert rules.public_statements({"Statement": [statement]}) == public
