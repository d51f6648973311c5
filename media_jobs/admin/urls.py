"""Addresses of the desk's pages that belong to no model."""

from django.urls import path

from media_jobs.admin.access.second_factor import second_factor
from media_jobs.admin.add import views as add
from media_jobs.admin.bulk import views as bulk
from media_jobs.admin.cutover import views as cutover
from media_jobs.admin.flags import views as flags
from media_jobs.admin.home import views as home
from media_jobs.admin.inbox import views as inbox
from media_jobs.admin.library import views as library
from media_jobs.admin.picture import actions as picture
from media_jobs.admin.preset_pages import views as presets
from media_jobs.admin.queues import views as queues
from media_jobs.admin.runs import live as run_live

app_name = "desk"
urlpatterns = [
    path("home/chart/", home.chart, name="home_chart"),
    path("home/at-work/", home.work, name="home_work"),
    path("home/storage/", home.storage, name="home_storage"),
    path("home/stale/", home.stale, name="home_stale"),
    path("account/second-factor/", second_factor, name="second_factor"),
    path("add/", add.add, name="add"),
    path("add/begin/", add.begin, name="add_begin"),
    path("runs/<uuid:run_id>/live/", run_live.progress, name="run_live"),
    path("queues/", queues.queues, name="queues"),
    path("cutover/", cutover.scoreboard, name="cutover"),
    path("cutover/pictures/", cutover.queue, name="shadows"),
    path("cutover/pictures/<uuid:shadow_id>/", cutover.shadow, name="shadow"),
    path("cutover/pictures/<uuid:shadow_id>/judge/", cutover.judge, name="shadow_judge"),
    path("cutover/pictures/<uuid:shadow_id>/theirs/<slug:size>/", cutover.site_file, name="shadow_file"),
    path("library/", library.library, name="library"),
    path("library/live/", library.live, name="library_live"),
    path("failures/", inbox.inbox, name="inbox"),
    path("failures/act/", inbox.act, name="inbox_act"),
    path("failures/<slug:name>/", inbox.group, name="inbox_group"),
    path("flags/", flags.overview, name="flags"),
    path("new-flag/", flags.new, name="flag_new"),
    path("flags/<slug:name>/", flags.page, name="flag"),
    path("presets/", presets.overview, name="presets"),
    path("presets/new/", presets.new, name="preset_new"),
    path("presets/<slug:name>/", presets.editor, name="preset"),
    path("presets/<slug:name>/roll-back/", presets.roll_back, name="preset_roll_back"),
    path("presets/<slug:name>/run/", presets.start_run, name="preset_run"),
    path("presets/<slug:name>/stale/", presets.stale, name="preset_stale"),
    path("previews/<uuid:preview_id>/", presets.preview_live, name="preview_live"),
    path("bulk/", bulk.choose, name="bulk_choose"),
    path("bulk/<uuid:action_id>/", bulk.show, name="bulk"),
    path("bulk/<uuid:action_id>/confirm/", bulk.confirm, name="bulk_confirm"),
    path("bulk/<uuid:action_id>/stop/", bulk.stop, name="bulk_stop"),
    path("bulk/<uuid:action_id>/live/", bulk.live, name="bulk_live"),
    path("pictures/<uuid:image_id>/act/", picture.act, name="picture_act"),
    path("pictures/<uuid:image_id>/rights/", picture.rights, name="picture_rights"),
    path("pictures/<uuid:image_id>/private/", picture.reveal, name="picture_reveal"),
    path("pictures/<uuid:image_id>/original/", picture.download, name="picture_download"),
    path("pictures/<uuid:image_id>/live/", picture.live, name="picture_live"),
]
