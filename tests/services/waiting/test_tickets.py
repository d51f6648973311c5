"""A ticket says who asked for it, once, within a minute."""

import pytest

from media_jobs.callers import ANONYMOUS, VIEW_JOBS, Scope, key, staff
from media_jobs.errors import TicketInvalid
from media_jobs.models import EventTicket
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.waiting import tickets

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("caller", [ANONYMOUS, staff(7, [VIEW_JOBS]), key("w4f8mb59", [Scope.READ], user_id="ada")])
def test_a_ticket_stands_for_whoever_asked_for_it_once(caller):
    ticket = tickets.issue(caller)
    assert tickets.redeem(ticket) == caller
    with pytest.raises(TicketInvalid):
        tickets.redeem(ticket)


def test_a_ticket_that_was_never_issued_is_none():
    tickets.issue(ANONYMOUS)
    with pytest.raises(TicketInvalid):
        tickets.redeem("guessed")


def test_a_ticket_is_valid_for_a_minute_and_its_row_goes_with_the_next_one():
    ticket = tickets.issue(staff(7))
    EventTicket.objects.update(created_at=from_now(-tickets.LIFETIME_S))
    with pytest.raises(TicketInvalid):
        tickets.redeem(ticket)
    tickets.issue(ANONYMOUS)
    assert EventTicket.objects.count() == 1


def test_whoever_reads_the_table_has_no_ticket():
    ticket = tickets.issue(staff(7))
    row = EventTicket.objects.get()
    assert ticket not in (row.digest, str(row.caller))
