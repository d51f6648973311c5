"""Tests and measurements ask more often than anybody else may."""

import dataclasses

from gallimg_site.env import Env

#: Settings without limits on how often callers may ask.
NO_LIMITS = {field.name: "0" for field in dataclasses.fields(Env) if field.name.endswith("_PER_MINUTE")}
