"""Why something that Meta sent could not be read: a key that is stored, and its text."""

from app.words import N_

REASONS = {
    "not_json": N_("The body is not JSON."),
    "no_entries": N_("The body has no list of entries."),
    "not_an_object": N_("A part that should be an object is none."),
    "no_changes": N_("An entry has no list of changes."),
    "no_value": N_("A change has no value."),
    "no_field": N_("A change does not name its field."),
    "no_event": N_("An account update does not name its event."),
    "no_sender": N_("A message does not say who sent it."),
    "no_recipient": N_("A message does not say to whom it went."),
    "no_person": N_("An entry of the address book names no contact."),
    "no_status": N_("A status does not say what it is."),
    "no_number": N_("It does not say to which phone number it belongs."),
    "no_id": N_("It has no id."),
    "no_type": N_("It does not say what kind of change it is."),
    "no_group": N_("A change of a group does not name the group."),
    "unexpected": N_("It could not be read: {detail}."),
    # Why a change could not be applied.
    "unrouted": N_("No tenant has connected this number or account."),
    "nameless": N_("It does not say whom it is about, by a number or an id that WhatsApp knows them by."),
    "failed": N_("It could not be applied: {detail}."),
}
