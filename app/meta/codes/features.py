"""Blocking people, groups and calls."""

from app.words import N_

from .explanation import Explanation, Kind

_BY_ITSELF = N_("No action needed. We'll retry automatically.")
_LOOK_AT_GROUP = N_("Open the group again to see its current state, and correct the request.")
_MEMBERS = N_("Check who is in the group, and correct the list.")
_SETTINGS = N_("Ask an owner to check the calling settings of this number in WhatsApp Manager.")
_CALL_AGAIN = N_("Call again in a moment, or send a message.")
_WRITE = N_("Send them a message instead.")

CODES: dict[int, Explanation] = {
    139100: Explanation(
        Kind.HUMAN,
        N_("Some of these people could not be blocked or unblocked; the others were."),
        N_("Check the list and try again for those who are missing."),
    ),
    139101: Explanation(
        Kind.HUMAN,
        N_("The list of blocked people is full."),
        N_("Unblock people who don't need to be on it."),
    ),
    139102: Explanation(Kind.RETRY, N_("The list of blocked people was being changed by another request."), _BY_ITSELF),
    139103: Explanation(Kind.RETRY, N_("Meta couldn't change the list of blocked people."), _BY_ITSELF),
    131020: Explanation(Kind.FINAL, N_("The group has no other members, so nothing was sent."), _MEMBERS),
    131041: Explanation(Kind.FINAL, N_("Meta can't find this group."), _LOOK_AT_GROUP),
    131059: Explanation(
        Kind.RETRY,
        N_("The list changed while it was being read."),
        N_("We read it again from the beginning."),
    ),
    131201: Explanation(Kind.HUMAN, N_("Only a part of this change to the group was made."), _LOOK_AT_GROUP),
    131202: Explanation(Kind.FINAL, N_("The same person is in this request twice."), _MEMBERS),
    131204: Explanation(Kind.FINAL, N_("The group would have too many members."), _MEMBERS),
    131207: Explanation(
        Kind.FINAL,
        N_("Meta has suspended this group."),
        N_("Ask an owner to read Meta's reason in WhatsApp Manager and request a review."),
    ),
    131208: Explanation(Kind.THROTTLE, N_("We sent requests for groups faster than Meta allows."), _BY_ITSELF),
    131209: Explanation(
        Kind.FINAL, N_("The group's picture has the wrong shape."), N_("Choose a square picture instead.")
    ),
    131210: Explanation(
        Kind.FINAL,
        N_("The group's picture is too small."),
        N_("Choose one of more than 192 by 192 pixels."),
    ),
    131211: Explanation(
        Kind.FINAL,
        N_("This number has created as many groups as Meta allows."),
        N_("Delete a group that you no longer need."),
    ),
    131212: Explanation(Kind.FINAL, N_("This person is not in the group."), _MEMBERS),
    131213: Explanation(Kind.FINAL, N_("This request to join the group no longer exists."), _LOOK_AT_GROUP),
    131214: Explanation(
        Kind.FINAL,
        N_("Meta doesn't allow this number to create groups at the moment."),
        N_("Ask an owner to check the number's quality in WhatsApp Manager."),
    ),
    131215: Explanation(
        Kind.FINAL,
        N_("This number may not use groups."),
        N_("Ask an owner to check in WhatsApp Manager what a number needs for groups."),
    ),
    138000: Explanation(Kind.HUMAN, N_("Calling is turned off for this number."), _SETTINGS),
    138001: Explanation(Kind.FINAL, N_("This person can't be called on WhatsApp."), _WRITE),
    138002: Explanation(Kind.THROTTLE, N_("This number has reached Meta's limit of 1,000 calls at once."), _CALL_AGAIN),
    138003: Explanation(Kind.FINAL, N_("A call with this person is already in progress."), _CALL_AGAIN),
    138004: Explanation(Kind.FINAL, N_("The call couldn't be connected."), _CALL_AGAIN),
    138005: Explanation(Kind.THROTTLE, N_("Too many calls were started in a short time."), _CALL_AGAIN),
    138006: Explanation(
        Kind.FINAL,
        N_("This person has not agreed to be called."),
        N_("Ask for permission to call in the chat."),
    ),
    138007: Explanation(Kind.FINAL, N_("The call took too long to connect."), _CALL_AGAIN),
    138009: Explanation(
        Kind.FINAL,
        N_("This person was asked for permission to call as often as Meta allows."),
        N_("Wait for their answer, or ask again on another day."),
    ),
    138012: Explanation(
        Kind.FINAL,
        N_("This person was called as often as Meta allows in one day."),
        N_("Call again tomorrow, or send a message."),
    ),
    138014: Explanation(
        Kind.HUMAN, N_("Meta has turned calling off for a while because people blocked or declined calls."), _WRITE
    ),
    138015: Explanation(
        Kind.HUMAN,
        N_("This number can't make calls yet: its messaging limit is below 2,000 people a day."),
        _SETTINGS,
    ),
    138017: Explanation(
        Kind.FINAL,
        N_("This person has already agreed to be called at any time."),
        N_("You can call them without asking again."),
    ),
    138018: Explanation(Kind.HUMAN, N_("Calling is not fully set up for this number."), _SETTINGS),
    **dict.fromkeys(
        range(138019, 138024),
        Explanation(Kind.FINAL, N_("The audio of the call couldn't be set up."), _CALL_AGAIN),
    ),
    **dict.fromkeys(
        (138024, 138025),
        Explanation(Kind.HUMAN, N_("Meta reports a problem with calling on this number."), _SETTINGS),
    ),
}
