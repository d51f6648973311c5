"""What is asked of feature flags and cannot be."""

from media_jobs.errors.requests import RequestError, WrongState


class UnknownFlag(RequestError):
    code = "unknown_flag"
    sentence = "There is no feature flag “{name}”. Where one is missing, take it for off."


class RampRefused(WrongState):
    """The guard of a flag has an objection; a person may overrule it."""

    code = "ramp_refused"
    sentence = "{name} was not raised. {why} To raise it nevertheless, force it and say why."
