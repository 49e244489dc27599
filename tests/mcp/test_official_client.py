"""The official client of the protocol, over a real port."""

from __future__ import annotations

from typing import Any

from mcp import Client

from app.inbox.conversations import Conversation
from tests.mcp.conftest import VERSION, Run

NAMES = [
    *("add_note", "explain_message", "find_contact", "get_conversation", "list_templates", "number_health"),
    *("preview_template", "search_conversations", "send_reply", "send_template", "suggest_reply", "upsert_contact"),
    "usage_and_cost",
]


def test_it_discovers_the_server(run: Run) -> None:
    async def look(client: Client) -> tuple[str, str, str]:
        assert client.server_info
        return client.protocol_version, client.server_info.name, client.instructions or ""

    version, name, instructions = run(look)
    assert (version, name) == (VERSION, "switchboard") and "preview_token" in instructions


def test_it_lists_the_tools_with_their_hints(run: Run) -> None:
    async def look(client: Client) -> Any:
        return await client.list_tools()

    listed = run(look)
    tools = {each.name: each for each in listed.tools}
    assert list(tools) == NAMES and (listed.ttl_ms, listed.cache_scope) == (300_000, "public")
    assert tools["search_conversations"].annotations.read_only_hint
    assert tools["send_reply"].annotations.destructive_hint and not tools["send_reply"].annotations.read_only_hint
    assert all(each.description and each.input_schema["type"] == "object" for each in tools.values())


def test_it_finds_and_reads_a_conversation(run: Run, carla: Conversation) -> None:
    async def read(client: Client) -> tuple[Any, Any]:
        results = await client.call_tool("search_conversations", {"state": "open"})
        id = results.structured_content["data"]["conversations"][0]["id"]
        return id, (await client.call_tool("get_conversation", {"conversation_id": id})).structured_content["data"]

    id, whole = run(read)
    assert id == str(carla.id) and whole["conversation"]["contact"]["name"] == "Carla"


def test_it_sends_in_two_steps_and_reads_what_became_of_it(run: Run, carla: Conversation) -> None:
    given = {"conversation_id": str(carla.id), "text": "Your bread is ready."}

    async def send(client: Client) -> tuple[Any, Any, Any]:
        preview = (await client.call_tool("send_reply", given)).structured_content["data"]
        again = given | {"preview_token": preview["preview_token"]}
        sent = (await client.call_tool("send_reply", again)).structured_content["data"]
        story = await client.call_tool("explain_message", {"message_id": sent["message_id"]})
        return preview, sent, story.structured_content["data"]

    preview, sent, story = run(send)
    assert (preview["is_sent"], preview["text"], sent["is_sent"]) == (False, "Your bread is ready.", True)
    assert story["verdict"]["code"] == "queued"
