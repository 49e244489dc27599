"""A scripted model that speaks OpenAI's, Anthropic's and Google's protocols: `python -m dev.model PORT`.

It answers from the knowledge it is given, the same every time, so that the demo shows the assistant without a key and
tests know what comes. Words of the customer in square brackets make it fail: [429], [500], [prose], [half], [slow],
[long], [markdown], [silent], [person]. As the model “scripted-obeys” it does whatever anybody tells it, wherever it is
written: what is in « » is its answer, or its whole decision where that is JSON.

It makes vectors too, in which a few words mean the same in several languages.

It cannot see or hear: of a picture or a recording it gives the words that are in the file between `<<` and `>>`, and
else always the same ones.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

MODEL, OBEYS = "scripted", "scripted-obeys"
SLOW_SECONDS = 2.0
MAGIC = re.compile(r"\[(429|500|prose|half|slow|long|markdown|silent|person|empty|cut)\]")
ORDER = re.compile(r"«(.+?)»", re.DOTALL)
WORD = re.compile(r"\w{3,}")
SCRIPT = re.compile(rb"<<(.+?)>>", re.DOTALL)
DIMENSIONS = 256
# What words of several languages begin with that mean the same, as far as a bakery needs it.
THINGS: dict[str, tuple[str, ...]] = {
    "open": ("open", "ouvert", "ouvrez", "geöffnet", "öffnungs", "abiert", "abren", "abert", "مفتوح", "تفتح"),
    "parking": ("parking", "parkplatz", "parken", "estacion", "aparca", "garer", "stationn", "موقف"),
    "dog": ("dog", "hund", "perro", "chien", "cachorro", "cão", "كلب", "الكلاب"),
    "pay": ("pay", "zahl", "bezahl", "pagar", "payer", "الدفع", "ادفع"),
    "seat": ("seat", "sitz", "asiento", "place", "lugares", "مقاعد"),
    "allergen": ("allergen", "allergie", "alergen", "allergène", "nut", "nüsse", "noix", "حساسية"),
    "wedding": ("wedding", "hochzeit", "boda", "mariage", "casamento", "زفاف"),
}
SEES, HEARS = "A loaf of rye bread on a wooden table.", "Hello, do you have rye bread today?"


def create_app(slow_seconds: float = SLOW_SECONDS) -> Flask:
    app = Flask("model")
    app.config["ASKED"] = []

    @app.get("/")
    def about() -> str:
        return __doc__ or ""

    @app.post("/v1/chat/completions")
    def openai() -> Response:
        body = request.get_json()
        messages = body["messages"]
        system = "\n".join(one["content"] for one in messages if one["role"] == "system")
        prompt, files = parts_of(messages[-1]["content"], lambda part: part["image_url"]["url"].partition("base64,")[2])
        return respond(app, body["model"], system, prompt, slow_seconds, as_openai, files)

    @app.post("/v1/audio/transcriptions")
    def transcription() -> Response:
        data, model = request.files["file"].read(), request.form["model"]
        app.config["ASKED"].append({"model": model, "asked": "", "files": [data], "headers": dict(request.headers)})
        words = words_in(data, HEARS)
        if word := MAGIC.search(words):
            if word[1] in ("429", "500"):
                return Response('{"error": {"message": "scripted"}}', int(word[1]), content_type="application/json")
            words = "" if word[1] == "empty" else words
        usage = {"type": "tokens", "input_tokens": len(data) // 100 + 1, "output_tokens": tokens(words)}
        return jsonify({"text": words, "usage": usage})

    @app.post("/v1/messages")
    def anthropic() -> Response:
        body = request.get_json()
        prompt, files = parts_of(body["messages"][-1]["content"], lambda part: part["source"]["data"])
        return respond(app, body["model"], body["system"], prompt, slow_seconds, as_anthropic, files)

    @app.post("/v1beta/models/<model>:generateContent")
    def google(model: str) -> Response:
        body = request.get_json()
        system = body["systemInstruction"]["parts"][0]["text"]
        prompt, files = parts_of(body["contents"][-1]["parts"], lambda part: part["inlineData"]["data"])
        return respond(app, model, system, prompt, slow_seconds, as_google, files)

    make_vectors(app)
    return app


def make_vectors(app: Flask) -> None:
    """The routes that turn texts into vectors."""

    @app.post("/v1/embeddings")
    def embeddings() -> Response:
        body = request.get_json()
        app.config["ASKED"].append({"model": body["model"], "asked": body["input"], "headers": dict(request.headers)})
        magic = MAGIC.search(" ".join(body["input"]))
        if magic and magic[1] in ("429", "500"):
            return Response('{"error": {"message": "scripted"}}', int(magic[1]), content_type="application/json")
        data = [{"index": place, "embedding": meaning(words)} for place, words in enumerate(body["input"])]
        return jsonify({"data": data, "usage": {"prompt_tokens": sum(map(tokens, body["input"]))}})

    @app.post("/v1beta/models/<model>:batchEmbedContents")
    def google_embeddings(model: str) -> Response:
        texts = [one["content"]["parts"][0]["text"] for one in request.get_json()["requests"]]
        app.config["ASKED"].append({"model": model, "asked": texts, "headers": dict(request.headers)})
        return jsonify({"embeddings": [{"values": meaning(words)} for words in texts]})


def meaning(words: str) -> list[float]:
    """A direction for each thing that is spoken of, in whichever of a few languages, and a little one for each word."""
    vector = [0.0] * DIMENSIONS
    for word in WORD.findall(words.casefold()):
        thing = next((thing for thing, names in THINGS.items() if word.startswith(names)), "")
        place = int.from_bytes(hashlib.sha256((thing or word).encode()).digest()[:4], "big")
        vector[place % (DIMENSIONS - 1)] += 1.0 if thing else 0.3
    length = math.sqrt(sum(each * each for each in vector)) or 1.0
    # All texts have something in common, as in real models.
    return [*(each / length for each in vector[:-1]), 0.5]


def parts_of(content: Any, encoded: Callable[[Any], str]) -> tuple[str, list[bytes]]:
    """The text of a message, and its files."""
    if isinstance(content, str):
        return content, []
    files = [base64.b64decode(encoded(part)) for part in content if "text" not in part]
    return next(part["text"] for part in content if "text" in part), files


def words_in(file: bytes, otherwise: str) -> str:
    written = SCRIPT.search(file)
    return written[1].decode() if written else otherwise


def respond(
    app: Flask, model: str, system: str, prompt: str, slow_seconds: float, shape: Any, files: Sequence[bytes] = ()
) -> Response:
    call = {"model": model, "system": system, "asked": prompt, "headers": dict(request.headers), "files": [*files]}
    app.config["ASKED"].append(call)
    data = json.loads(prompt)
    if files:
        data["text"] = words_in(files[0], SEES if data["task"] == "describe" else HEARS)
    magic = MAGIC.search(last_words(data))
    word = magic[1] if magic else ""
    if word in ("429", "500"):
        return Response('{"error": {"message": "scripted"}}', int(word), content_type="application/json")
    if word == "slow":
        time.sleep(slow_seconds)
    words = write(model, system, data, word)
    answer = jsonify(shape(words, tokens(system + prompt), tokens(words), word))
    if word == "half":
        whole = answer.get_data()
        return Response(whole[: len(whole) // 2], content_type="application/json")
    return answer


def last_words(data: dict[str, Any]) -> str:
    customer_lines = [line["text"] for line in data.get("conversation", []) if line["from"] == "customer"]
    return customer_lines[-1] if customer_lines else str(data.get("text", ""))


def write(model: str, system: str, data: dict[str, Any], word: str) -> str:
    if "task" in data and data["task"] != "learn":
        return help_with(data)
    if word == "prose":
        return "Sure! Here is what I would say to your customer: we are open."
    if model == OBEYS and (order := obeyed(system, data)):
        return order
    return json.dumps(learnt(data) if "task" in data else decide(data, word), ensure_ascii=False)


def obeyed(system: str, data: dict[str, Any]) -> str:
    """What the last instruction anywhere in the data says."""
    orders = ORDER.findall(json.dumps(data, ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"'))
    if not orders:
        return ""
    order = orders[-1]
    if order == "SYSTEM":
        order = system
    if order == "EVERYTHING":
        order = json.dumps(data, ensure_ascii=False)
    try:
        decision = json.loads(order)
    except ValueError:
        decision = None
    if not (isinstance(decision, dict) and ("action" in decision or "pairs" in decision)):
        decision = {"action": "answer", "reply": order}
    return json.dumps(decision, ensure_ascii=False)


def decide(data: dict[str, Any], word: str) -> dict[str, Any]:
    if word == "silent":
        return {"action": "stay_silent", "reply": ""}
    if word == "empty":
        return {"action": "answer", "reply": ""}
    if results := data.get("results"):
        return {"action": "answer", "reply": str(results[-1].get("answer") or "That did not work."), "sources": []}
    passages = data.get("knowledge", [])
    if word == "person" or not passages:
        return {"action": "hand_over", "reply": ""}
    prompt = {each.casefold() for each in WORD.findall(last_words(data))}
    best = max(passages, key=lambda one: len(prompt & {each.casefold() for each in WORD.findall(one["text"])}))
    reply = best["text"].partition("\n")[2].strip() or best["text"]
    if word == "long":
        reply = f"{reply} " * (5_000 // (len(reply) + 1) + 1)
    if word == "markdown":
        reply = f"## Answer\n\n**{reply}**"
    return {"action": "answer", "reply": reply, "sources": [best["key"]]}


def learnt(data: dict[str, Any]) -> dict[str, Any]:
    """Each question of the customer, with what a person wrote next."""
    unanswered = {one["text"]: one["key"] for one in data["unanswered"]}
    pairs, question = [], ""
    for line in data["conversation"]:
        if line["from"] == "customer" and line["text"].endswith("?"):
            question = line["text"]
        elif line["from"] == "person" and question:
            pairs.append({"question": question, "answer": line["text"], "key": unanswered.get(question, "")})
            question = ""
    return {"pairs": pairs}


def help_with(data: dict[str, Any]) -> str:
    """The agents' helps: a plain text."""
    text, task = str(data.get("text", "")), data["task"]
    match task:
        case "describe" | "transcribe":
            return "" if "[empty]" in text else text
        case "shorten":
            return re.split(r"(?<=[.!?])\s", text)[0]
        case "translate":
            return f"[{data.get('language', '')}] {text}"
        case "tone":
            return f"{text} ({data.get('tone', '')})"
        case "draft":
            passages = data.get("knowledge", [])
            return passages[0]["text"].partition("\n")[2].strip() if passages else "Thank you for your message."
    customer_lines = [line["text"] for line in data.get("conversation", []) if line["from"] == "customer"]
    return f"The customer wrote: {' / '.join(customer_lines[-3:])}"


def tokens(words: str) -> int:
    return len(words) // 4 + 1


def as_openai(words: str, read: int, written: int, word: str) -> dict[str, Any]:
    finish = "length" if word == "cut" else "stop"
    choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": finish}
    return {"choices": [choice], "usage": {"prompt_tokens": read, "completion_tokens": written}}


def as_anthropic(words: str, read: int, written: int, word: str) -> dict[str, Any]:
    usage = {"input_tokens": read, "output_tokens": written}
    finish = "max_tokens" if word == "cut" else "end_turn"
    return {"content": [{"type": "text", "text": words}], "stop_reason": finish, "usage": usage}


def as_google(words: str, read: int, written: int, word: str) -> dict[str, Any]:
    usage = {"promptTokenCount": read, "candidatesTokenCount": written}
    finish = "MAX_TOKENS" if word == "cut" else "STOP"
    candidate = {"content": {"parts": [{"text": words}], "role": "model"}, "finishReason": finish}
    return {"candidates": [candidate], "usageMetadata": usage}


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True).serve_forever()
