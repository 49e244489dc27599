"""Links, QR codes, buttons and ads that open a chat, and by which of them each conversation began."""
