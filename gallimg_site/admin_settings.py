"""Settings of the admin's look, and of signing in, that depend on no environment."""

from datetime import timedelta

from django.templatetags.static import static

# Per name and address: nobody is locked out by what others guess elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "media_jobs.api.shared.addresses.sign_in_address"
AXES_LOCKOUT_CALLABLE = "media_jobs.api.shared.sign_in.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # of those who were let in the sessions tell
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

OTP_TOTP_ISSUER = "gallimg"

UNFOLD = {
    "SITE_TITLE": "gallimg",
    "SITE_HEADER": "gallimg",
    "SITE_SUBHEADER": "Image service",
    "SITE_URL": "/docs",
    "SITE_ICON": lambda request: static("media_jobs/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("media_jobs/icon.svg")}],
    "STYLES": [lambda request: static("media_jobs/admin.css")],
    "SCRIPTS": [lambda request: static("media_jobs/desk/icons.js")],
    "SHOW_HISTORY": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .118 184.704)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(32% .055 188.4)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
    "SIDEBAR": {"navigation": "media_jobs.admin.navigation.sidebar"},
    "TABS": "media_jobs.admin.navigation.tabs",
    "DASHBOARD_CALLBACK": "media_jobs.admin.navigation.dashboard",
}
