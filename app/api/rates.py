"""How often a key, and all keys of a tenant together, may call: token buckets in Redis. Every answer says what is left.

Headers: draft-ietf-httpapi-ratelimit-headers-11. Without Redis nothing is limited here.
"""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass

import redis as redis_client
import structlog
from flask import Response

from app.extensions import redis
from app.tenancy import tenant_scope
from app.tenancy.limits import most_of

log = structlog.get_logger()

# GCRA for several buckets at once: the request is taken from all of them or from none. ARGV: for each bucket the
# seconds between two requests and how many may come at once. Returns whether it fits, then for each bucket how many
# are left, in how many seconds it is full again, and how long to wait.
TAKE = """
local time = redis.call('time')
local now, fits, states = time[1] + time[2] / 1000000, true, {}
for place, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * place - 1]), tonumber(ARGV[2 * place])
    local tat = math.max(tonumber(redis.call('get', key) or now), now)
    local ahead = tat + interval - now - interval * burst
    if ahead > 0.000001 then fits = false end
    states[place] = {tat, interval, burst, ahead}
end
local result = {fits and '1' or '0'}
for place, key in ipairs(KEYS) do
    local tat, interval, burst, ahead = unpack(states[place])
    if fits then
        tat = tat + interval
        redis.call('set', key, string.format('%.6f', tat), 'px', math.ceil((tat - now) * 1000) + 1000)
    end
    result[#result + 1] = tostring(math.floor((interval * burst - (tat - now)) / interval + 0.000001))
    result[#result + 1] = tostring(tat - now)
    result[#result + 1] = tostring(math.max(ahead, 0))
end
return result
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` requests at once, refilled at `rate` a second."""

    name: str
    rate: float
    burst: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.burst};w={math.ceil(self.burst / self.rate)}'

    def within(self, most: int | None) -> Limit:
        """With at most so many requests a second; None is any number."""
        return self if most is None or most >= self.rate else Limit(self.name, most, most * BURST)


# How many seconds of requests may come at once.
BURST = 10
KEY = Limit("key", rate=100, burst=1_000)
TENANT = Limit("tenant", rate=250, burst=2_500)
# For how long a process remembers what a tenant's plan allows.
REMEMBERED_SECONDS = 30
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left after this request: of the bucket that is emptier. `wait` is in seconds, 0 where it may go on."""

    limit: Limit
    left: int
    full_in: float
    wait: float = 0.0
    limits: tuple[Limit, ...] = (KEY, TENANT)

    @property
    def headers(self) -> dict[str, str]:
        policies = ", ".join(each.policy for each in self.limits)
        rest = f'"{self.limit.name}";r={max(self.left, 0)};t={math.ceil(self.full_in)}'
        headers = {"RateLimit-Policy": policies, "RateLimit": rest}
        return headers | ({"Retry-After": str(math.ceil(self.wait))} if self.wait else {})

    def mark(self, response: Response) -> None:
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)


class Plans:
    """What the plans of tenants allow, remembered for a while: a request that is refused reads no plan."""

    def __init__(self) -> None:
        self.rates: dict[uuid.UUID, tuple[float, int | None]] = {}

    def rate_of(self, tenant_id: uuid.UUID) -> int | None:
        """Requests a second; None is any number."""
        until, rate = self.rates.get(tenant_id, (0.0, None))
        if until <= time.monotonic():
            with tenant_scope(tenant_id):
                rate = most_of("api_rate")
            if len(self.rates) >= MOST_REMEMBERED:
                self.rates.clear()
            self.rates[tenant_id] = time.monotonic() + REMEMBERED_SECONDS, rate
        return rate


PLANS = Plans()


def take(tenant_id: uuid.UUID, key_id: uuid.UUID, most: int | None = None) -> Rate:
    """Counts one request of this key. `most`: requests a second that the tenant's plan allows."""
    key, tenant = KEY.within(most), TENANT.within(most)
    limits = ((key, f"api-rate:{tenant_id}:{key_id}"), (tenant, f"api-rate:{tenant_id}"))
    try:
        numbers = [x for limit, _ in limits for x in (1 / limit.rate, limit.burst)]
        fits, *rest = redis.eval(TAKE, 2, *(name for _, name in limits), *numbers)
    except redis_client.RedisError as error:
        log.warning("requests not counted", error=type(error).__name__)
        return Rate(key, key.burst, 0, limits=(key, tenant))
    values = [float(value) for value in rest]
    rates = [
        Rate(limit, int(values[3 * place]), values[3 * place + 1], values[3 * place + 2], (key, tenant))
        for place, (limit, _) in enumerate(limits)
    ]
    if fits == b"1":
        return min(rates, key=lambda rate: rate.left / rate.limit.burst)
    return max(rates, key=lambda rate: rate.wait)
