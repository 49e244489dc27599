from simulator.wabas import Waba
from simulator.webhooks import publishing


def share_with_partner(waba: Waba) -> None:
    """Shares the account with the partner. Each visit to the signup dialog shares and announces it again."""
    waba.update(shared_at=waba.world.clock.now())
    publishing.publish_partner_added(waba)
