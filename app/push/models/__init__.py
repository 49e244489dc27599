from .browsers import PushSubscription
from .push_notifications import PushNotification
from .rules import ABOUT, DIGESTS, NotificationRule

__all__ = ["ABOUT", "DIGESTS", "NotificationRule", "PushNotification", "PushSubscription"]
