"""Permissions of the groups that are shipped. What an administrator has added to them or taken away stays."""

from collections.abc import Mapping, Sequence

from django.apps.registry import Apps


def grant(apps: Apps, granted: Mapping[str, Sequence[str]]) -> None:
    """Give each group permissions named as `app.codename`; a group that is not there is made.

    The rows of permissions are written after all migrations, as a rule: those that are missing yet are made here, and
    found then. Their names are brought up to date by `create_permissions` no more, so they are those of Django.
    """
    content_types = apps.get_model("contenttypes", "ContentType")
    permissions = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group")
    for name, codes in granted.items():
        group, _ = groups.objects.get_or_create(name=name)
        for code in codes:
            app, codename = code.split(".")
            model_name = codename.partition("_")[2]
            model = apps.get_model(app, model_name)
            kind, _ = content_types.objects.get_or_create(app_label=app, model=model_name)
            known = dict(model._meta.permissions)
            label = known.get(codename) or f"Can {codename.partition('_')[0]} {model._meta.verbose_name}"
            permission, _ = permissions.objects.get_or_create(
                content_type=kind, codename=codename, defaults={"name": label}
            )
            group.permissions.add(permission)
