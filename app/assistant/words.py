"""Reasons and problems in words: keys are stored, words are made where they are read."""

from __future__ import annotations

from app.words import N_, pN_

REASONS = {
    "": N_("It answered."),
    # People are called.
    "asked_for_person": N_("The customer asked for a person."),
    "emergency": N_("The message sounds like an emergency."),
    "anger": N_("The customer is angry."),
    "topic": N_("The message is about a topic that people answer."),
    "nothing_found": N_("The knowledge has nothing about this."),
    "no_model": N_("No model is connected."),
    "model_away": N_("The model gave no usable answer."),
    "model_hands_over": N_("The model chose to call a person."),
    "asked_twice": N_("It had asked back twice already."),
    "not_text": N_("The message has no text to answer."),
    "turns": N_("It has answered here as often as it may."),
    "hourly": N_("It has answered here as often as it may in an hour."),
    "loop": N_("The customer's replies look automatic."),
    "budget": N_("Today's budget is used up."),
    "conversation_budget": N_("The budget of this conversation is used up."),
    "interrupted": N_("It was interrupted while it was thinking."),
    # The guard held the answer back.
    "empty": N_("The model's answer was empty."),
    "too_long": N_("The model's answer was too long for WhatsApp."),
    "link": N_("The model's answer had a link that is not in the knowledge."),
    "contact_detail": N_("The model's answer had an address or number that is not in the knowledge."),
    "price": N_("The model's answer had a price or percentage that is not in the knowledge."),
    "promise": N_("The model's answer promised something that is not in the knowledge."),
    "prompt_leak": N_("The model's answer repeated its instructions."),
    "wrong_language": N_("The model answered in another language than the customer's."),
    # It stays out.
    "with_person": N_("A person has the conversation."),
    "other_app": N_("Meta's agent or another app answers this customer."),
    "automation_paused": N_("Automation was stopped for this conversation or its number."),
    "automation": N_("An automation has the conversation and waits for the customer's reply."),
    "group": N_("It does not answer in groups."),
    "other_number": N_("It is not switched on for this number."),
    "other_team": N_("It is not switched on for this team."),
    "other_entry_point": N_("It is not switched on for the link, button or ad that the customer came by."),
    "not_listed": N_("The contact is not on the list of people it answers."),
    "not_in_percentage": N_("The contact is outside the share of people it answers."),
    "business_hours": N_("It is business hours, when people answer."),
    "somebody_online": N_("Somebody in the team is online."),
    "old": N_("The message was too old to answer by itself."),
    "newer": N_("The customer wrote again meanwhile."),
    "answered": N_("Somebody had replied already."),
    "survey": N_("The message answers the survey."),
    "form": N_("The customer sent a form, which is stored with its answers."),
    "switched_off": N_("It was switched off meanwhile."),
    "refused": N_("WhatsApp would not accept the message."),
    "nothing_asked": N_("There was nothing to answer."),
    "greeting": N_("It greeted back."),
    "model_is_silent": N_("The model chose to say nothing."),
}
PROBLEMS = {
    "": "",
    "address_refused": N_("The address is not a public one. Ask your operator to allow servers of their own network."),
    "unreachable": N_("The server couldn't be reached."),
    "timeout": N_("The server didn't answer in time."),
    "half_answer": N_("The answer ended before it was complete."),
    "not_json": N_("The model wrote prose instead of the form that was asked for."),
    "cut_off": N_("The model's answer was cut off. Allow more tokens for an answer."),
    "filtered": N_("The provider's own filter held the answer back."),
    "key_refused": N_("The provider doesn't accept the key."),
    "no_such_model": N_("The provider has no such model at this address."),
    "too_many_requests": N_("The provider has had too many requests, or the account is out of credit."),
    "request_refused": N_("The server refused the request."),
    "provider_error": N_("The provider has an error of its own."),
    "too_large": N_("It is too large."),
    # Of voice messages and pictures.
    "no_model": N_("No model is connected."),
    "cannot_hear": N_("This provider can't listen to recordings. OpenAI and Google can."),
    "nothing_heard": N_("No one speaks in it."),
    "not_a_picture": N_("It isn't a picture that a model can read."),
    "over_budget": N_("The budget of the day is used up."),
    "pretended": N_("Not called: this is only a test."),
    # Of vectors.
    "no_vectors": N_("What the provider answered is not a vector for each text. Check the model's name."),
    "local_model": N_("The model on this server failed. Your operator finds more with flask doctor."),
    "no_embedder": N_("It isn't available any more. Choose another way, or turn it off."),
    # Of knowledge.
    "not_found": N_("There is no page at this address."),
    "not_a_page": N_("What is at this address is no text that can be read."),
    "no_text": N_("There is no text in it. A scanned document is a picture of text."),
    "unreadable": N_("The file couldn't be read. It may be damaged, protected by a password, or too complex."),
    "file_gone": N_("The file is no longer in storage. Add it again."),
    "storage_away": N_("The storage couldn't be reached."),
    "gives_orders": N_("A part of it tells the assistant what to do, so that part isn't used. Check who wrote it."),
    "robots": N_("The site doesn't want programs to read this page."),
}
STATES = {
    "thinking": N_("Thinking"),
    "suggested": N_("Suggested"),
    "waiting": N_("Waits for approval"),
    "sent": N_("Sent"),
    "handed_over": N_("Handed over"),
    "silent": N_("Didn't reply"),
    "used": N_("Used"),
    "edited": N_("Edited"),
    "dismissed": N_("Dismissed"),
    "superseded": N_("Overtaken"),
    "withheld": N_("Held back"),
    "failed": N_("Failed"),
    "tried": N_("Tried"),
}
MODES = {
    "off": pN_("of the assistant", "Off"),
    "suggests": N_("Suggests replies to your team"),
    "approval": N_("Answers after somebody approves"),
    "alone": N_("Answers alone"),
}
SOURCE_STATES = {
    "waiting": N_("Waiting to be read"),
    "reading": N_("Being read"),
    "ready": N_("Ready"),
    "failed": N_("Failed"),
}
KINDS = {
    "question": N_("Question and answer"),
    "text": N_("Text"),
    "file": N_("File"),
    "page": N_("Web page"),
    "canned": N_("Canned replies"),
}


def reason_in_english(reason: str) -> str:
    return REASONS.get(reason, reason)
