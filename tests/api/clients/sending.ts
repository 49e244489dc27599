// What a program does with the client: `send <conversation>` prints the id of a message, `state <id>` how it is.
import { Switchboard, SwitchboardError } from "../../../clients/typescript/src/index";

declare const process: { env: Record<string, string>; argv: string[] };

const { SWITCHBOARD_KEY, SWITCHBOARD_URL } = process.env;
const switchboard = new Switchboard(SWITCHBOARD_KEY ?? "", SWITCHBOARD_URL ?? "");
const [, , verb, id = ""] = process.argv;

if (verb === "send") {
  const to = { conversation_id: id };
  const message = await switchboard.post("/messages", { body: { type: "text", to, text: { body: "Your bread is ready." } } });
  console.log(message.id);
} else if (verb === "state") {
  const { state } = await switchboard.get("/messages/{message_id}", { path: { message_id: id } });
  const texts: string[] = [];
  const query = { limit: 1, "filter[direction]": "outbound" };
  for await (const one of switchboard.pages("/messages", { query })) texts.push(one.text);
  console.log(JSON.stringify({ state, texts }));
} else if (verb === "refused") {
  try {
    await switchboard.get("/messages/{message_id}", { path: { message_id: id } });
  } catch (error) {
    if (error instanceof SwitchboardError) console.log(JSON.stringify([error.status, error.code]));
  }
} else {
  // Repeats: lost, then busy, then done. `fetch` is played.
  const keys = new Set<string>();
  const waits: number[] = [];
  const answers = [
    () => Promise.reject(new TypeError("lost")),
    () => Promise.resolve(new Response("", { status: 429, headers: { "Retry-After": "7" } })),
    () => Promise.resolve(new Response('{"id":"m"}', { status: 202 })),
  ];
  const played = new Switchboard("sb_live_x", "https://api.example", {
    fetch: (_, request) => {
      keys.add(new Headers(request?.headers).get("Idempotency-Key") ?? "");
      return answers.shift()!();
    },
    wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
  });
  await played.post("/messages/{message_id}/retry", { path: { message_id: "m" } });
  console.log(JSON.stringify({ keys: keys.size, wait: waits[1] }));
}
