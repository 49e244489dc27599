"""How a phone asks a data endpoint: encrypted with the number's public key, signed with the app's secret.

Meta: Flows, Implementing the endpoint.
"""

import base64
import hashlib
import hmac
import json
import os
from typing import Any

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.flows import Flow
from simulator.http import http_client
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber

SECONDS = 10
WORDS = {
    421: "The business could not read the request. Please try again.",
    427: "This form is no longer valid.",
    432: "The business refused the request.",
}


class ExchangeFailed(Exception):
    """What the phone shows instead of the next screen. `status` is 0 where nothing came in time."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


def exchange(flow: Flow, number: PhoneNumber, request: dict[str, Any]) -> dict[str, Any]:
    """Posts the request to the flow's endpoint. Returns what it answers."""
    pem = Extras(number)["business_public_key"]
    if not pem or not flow.endpoint_uri:
        raise ExchangeFailed("Something went wrong. Try again later.")
    key, vector = os.urandom(16), os.urandom(12)
    body = json.dumps(seal(pem, key, vector, request)).encode()
    secret = flow.world.settings.app_secret[0].encode()
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    seconds = 0.001 if flow.world.happens("flow_impatience") else SECONDS
    try:
        with http_client(flow.world.transport, seconds) as client:
            answer = client.post(flow.endpoint_uri, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise ExchangeFailed("Something went wrong. Try again later.") from error
    if answer.status_code != 200:
        words = _words_in(answer) or WORDS.get(answer.status_code, "Something went wrong. Try again later.")
        raise ExchangeFailed(words, answer.status_code)
    return open_answer(answer.text, key, vector)


def seal(pem: str, key: bytes, vector: bytes, request: dict[str, Any]) -> dict[str, str]:
    """AES-128-GCM with the tag at the end; the AES key by RSA-OAEP with SHA-256."""
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    sealed = AESGCM(key).encrypt(vector, json.dumps(request).encode(), None)
    parts = {
        "encrypted_flow_data": sealed,
        "encrypted_aes_key": public.encrypt(key, oaep),
        "initial_vector": vector,
    }
    return {name: base64.b64encode(part).decode() for name, part in parts.items()}


def open_answer(text: str, key: bytes, vector: bytes) -> dict[str, Any]:
    """The answer has the same key and the vector with every bit flipped."""
    flipped = bytes(byte ^ 0xFF for byte in vector)
    try:
        answer = json.loads(AESGCM(key).decrypt(flipped, base64.b64decode(text), None))
    except (ValueError, InvalidTag) as error:
        raise ExchangeFailed("The answer of the endpoint can't be decrypted.") from error
    if not isinstance(answer, dict):
        raise ExchangeFailed("The answer of the endpoint is no object.")
    return answer


def _words_in(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("error_msg") or "") if isinstance(body, dict) else ""
