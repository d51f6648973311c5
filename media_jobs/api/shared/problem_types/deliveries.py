"""Errors of deliveries to webhooks: whoever runs the receiver can mend them. They stand in the list of deliveries."""

from media_jobs.api.shared.problem_types.base import ProblemType

_AGAIN = "The delivery is tried again over three days."

TYPES = {
    "delivery_failed": ProblemType(
        "Event not delivered", f"An event did not reach its webhook. {_AGAIN}", "The detail says why."
    ),
    "receiver_address_refused": ProblemType(
        "Receiver not on the public internet",
        "The name of the receiver leads to an address that is not on the public internet, so nothing was sent.",
        "Give the name a public address, or register another one.",
    ),
    "receiver_unreachable": ProblemType(
        "Receiver not reached",
        f"No connection came about, or it broke off: by name, network or TLS. {_AGAIN}",
        "Look whether the address can be reached from outside, with a certificate that is valid.",
    ),
    "receiver_timeout": ProblemType(
        "Receiver too slow",
        f"The receiver did not answer in time. {_AGAIN}",
        "Answer at once with 204, and do the work after that.",
    ),
    "receiver_refused": ProblemType(
        "Receiver refuses",
        f"The receiver answered with an error; only 200 to 299 count as taken. {_AGAIN}",
        "The log of the receiver says why. What was given up in the meantime can be sent again.",
    ),
    "receiver_redirected": ProblemType(
        "Receiver redirects",
        f"The receiver sends us elsewhere, which is not followed: the signature was for its own address. {_AGAIN}",
        "Change the url of the webhook to the new address.",
    ),
    "receiver_gone": ProblemType(
        "Receiver gone",
        "The receiver answered 410: it wants no more events, and the webhook is disabled.",
        "Enable the webhook if that was a mistake.",
    ),
}
