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
    "message_refused": ProblemType(
        "Message refused",
        "Nothing can be made of a message that came by NATS. It is kept as a dead letter.",
        "The admin lists dead letters with their reasons.",
    ),
    "bad_message": ProblemType(
        "Message of a wrong form",
        "A message that came by NATS has not the form of an image request. It is kept as a dead letter.",
        "Compare it with the schema image-request.v1.",
    ),
    "key_not_allowed": ProblemType(
        "Object not allowed",
        "A message that came by NATS names an object that is not under uploads/ or the inbox, or that another caller "
        "announced. It is kept as a dead letter.",
        "Store the object under the inbox, or name one that the same user announced.",
    ),
    "delivered_too_often": ProblemType(
        "Delivered too often",
        "Whatever took this message from NATS died of it, several times. It is kept as a dead letter.",
        "The logs of the consumer say what happened. Send the message again once that is mended.",
    ),
}
