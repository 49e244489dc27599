// The small runner of the clients for Node: the setting comes as JSON on standard input, and each example's result
// goes to standard output as one line of JSON.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";

export const setting = JSON.parse(await text(process.stdin));

/** Runs named functions one after the other. What one throws is its result. */
export async function run(examples) {
  for (const [example, act] of Object.entries(examples)) {
    let problem = "";
    try {
      await act();
    } catch (error) {
      problem = await described(error);
    }
    console.log(JSON.stringify({ example, problem }));
  }
}

/** Meta's answer says more than a client's error, where the client passes it. */
async function described(error) {
  let body = "";
  if (error?.data !== undefined) body = JSON.stringify(error.data);
  else if (error?.response?.bodyUsed === false) body = await error.response.text();
  return `${error?.name ?? "Error"}: ${error?.message ?? error} ${body}`.trim().slice(0, 400);
}

/** An answer to a send names the message that was accepted. */
export function sent(answer) {
  assert.match(answer?.messages?.[0]?.id ?? JSON.stringify(answer), /^wamid\./);
}

export const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
