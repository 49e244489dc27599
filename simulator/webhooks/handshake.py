import secrets

import httpx

from simulator.http import http_client


def verifies(url: str, verify_token: str, transport: httpx.BaseTransport | None = None) -> bool:
    """True if the callback repeats Meta's challenge."""
    challenge = str(secrets.randbelow(10**10))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        with http_client(transport, 5) as http:
            answer = http.get(url, params=query)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code == 200 and answer.text == challenge
