from .browsers import PushSubscription
from .notifications import Notification
from .rules import ABOUT, DIGESTS, NotificationRule

__all__ = ["ABOUT", "DIGESTS", "Notification", "NotificationRule", "PushSubscription"]
