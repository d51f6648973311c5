"""Why an event did not reach its webhook, and what is wrong with a message that came by NATS."""

from media_jobs.errors.base import Blame, MediaError


class MessageRefused(MediaError):
    """A message that came by NATS, of which nothing can be made; it is kept as a dead letter."""

    code = "message_refused"
    blame = Blame.NOBODY


class BadMessage(MessageRefused):
    code = "bad_message"
    sentence = "The message has not the form that its schema asks for: {}"


class KeyNotAllowed(MessageRefused):
    code = "key_not_allowed"
    sentence = "The message names “{}”, which is not an object that whoever sent it may have processed."


class MessageTooOften(MessageRefused):
    """Whatever takes it dies of it, again and again."""

    code = "delivered_too_often"
    sentence = "The message was delivered {deliveries} times, and each time whoever took it never came to an end."


class DeliveryFailed(MediaError):
    """An event did not reach its webhook; it is sent again. The sentence is for whoever runs the receiver."""

    code = "delivery_failed"
    blame = Blame.NOBODY


class ReceiverAddressRefused(DeliveryFailed):
    """Does not say where the name leads: callers must not learn of the networks behind this service."""

    code = "receiver_address_refused"
    sentence = "The name of the receiver leads to an address that is not on the public internet; nothing was sent."


class ReceiverUnreachable(DeliveryFailed):
    code = "receiver_unreachable"
    sentence = "The receiver could not be reached: {}."


class ReceiverTimeout(DeliveryFailed):
    code = "receiver_timeout"
    sentence = "The receiver did not answer within {limit_s:g} seconds."


class ReceiverRefused(DeliveryFailed):
    code = "receiver_refused"
    sentence = "The receiver answered {status}; only 200 to 299 count as taken."


class ReceiverRedirected(ReceiverRefused):
    code = "receiver_redirected"
    sentence = "The receiver answered {status} and sends us elsewhere, which is not followed; register the new address."


class ReceiverGone(ReceiverRefused):
    code = "receiver_gone"
    sentence = "The receiver answered {status}: it wants no more events."
