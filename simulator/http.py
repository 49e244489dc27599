"""HTTP clients for what the simulated Meta calls: businesses' webhooks, endpoints and files."""

import httpx

# To read the certificates takes longer than most calls do.
TLS = httpx.create_ssl_context(trust_env=False)


def http_client(
    transport: httpx.BaseTransport | None, seconds: float, *, follow_redirects: bool = False
) -> httpx.Client:
    """One that gives up after so many seconds. A `transport` replaces the network."""
    return httpx.Client(
        transport=transport, timeout=seconds, trust_env=False, verify=TLS, follow_redirects=follow_redirects
    )
