from app.inbox.conversations.assignment import CONVERSATION_STATES as OF_CONVERSATIONS
from app.inbox.conversations.states import STATES as OF_MESSAGES
from app.inbox.conversations.words import CONVERSATION_STATES, MESSAGE_STATES


def test_each_state_has_words() -> None:
    assert set(MESSAGE_STATES) == set(OF_MESSAGES)
    assert set(CONVERSATION_STATES) == set(OF_CONVERSATIONS)
