"""Templates of unfold that ours override: as they were when ours were made of them."""

import hashlib
from importlib.metadata import files
from pathlib import Path

OURS = Path(__file__).parents[3] / "templates"

#: After an update of unfold: look what has changed in its template, do the same in ours, and note the new digest.
DIGESTS = {
    "admin/base.html": "2ce9250b3c649e3a",
    "admin/index.html": "9fdb849b7da18ccd",
    "admin/login.html": "13deb7765ce36659",
    "registration/logged_out.html": "cad8c8cf769b9e91",
    "unfold/helpers/account_links.html": "2bf64df6869b6b29",
    "unfold/helpers/app_list.html": "6ab83ac498b2f50f",
    "unfold/helpers/empty_results.html": "5f4727a37a99da76",
    "unfold/helpers/header_title.html": "b126ed2ab9ca1680",
    "unfold/helpers/navigation.html": "fd819dae3473c0be",
    "unfold/helpers/navigation_header.html": "35139b9d94580be9",
    "unfold/helpers/navigation_user.html": "4c9ba58b3f215326",
    "unfold/helpers/tab_action.html": "6728db375499fab6",
    "unfold/helpers/theme_switch.html": "c8e659df65f5aa78",
    "unfold/helpers/theme_switch_dropdown.html": "90421e9a3524b57f",
    "unfold/helpers/unauthenticated_header.html": "904c823eb0d85052",
    "unfold/helpers/welcomemsg.html": "e8eab02522ba2319",
    "unfold/layouts/skeleton.html": "66af9f0bb45f98ba",
}


def test_every_template_that_is_overridden_is_still_the_one_that_ours_was_made_of() -> None:
    theirs = {
        str(file).partition("unfold/templates/")[2]: hashlib.sha256(file.read_binary()).hexdigest()[:16]
        for file in files("django-unfold") or ()
        if "unfold/templates/" in str(file)
    }
    overridden = {str(path.relative_to(OURS)) for path in OURS.rglob("*.html")} & set(theirs)
    assert {name: theirs[name] for name in sorted(overridden)} == DIGESTS
