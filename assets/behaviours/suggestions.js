// What a field suggests while somebody types: after `/` canned replies (data-canned="<address>" on the field's form), after
// `:` and two letters emoji (data-emoji="<address>" there), after `@` colleagues (data-mentions="<address>" on the field).
// Enter waits for the list: whoever types quickly means what is in it.

import { recent } from "./emoji-recent.js"
import { close, show } from "./suggestion-list.js"
import { holdKeys } from "./typed-ahead.js"

const BEGINNINGS = [
  ["canned", /(?:^|\s)\/([\w-]*)$/],
  ["emoji", /(?:^|\s):([\p{L}\d_+-]{2,})$/u],
  ["mentions", /(?:^|\s)@([\p{L}\w]*)$/u],
]

let count = 0, release

function wanted(field) {
  const before = field.value.slice(0, field.selectionStart)
  for (const [kind, pattern] of BEGINNINGS) {
    const address = field.closest(`[data-${kind}]`)?.dataset[kind], begun = address && pattern.exec(before)
    if (begun) return { kind, address, typed: begun[1], from: before.length - begun[1].length - 1 }
  }
}

function stopWaiting() {
  count++
  release?.()
  release = undefined
}

document.addEventListener("input", async (event) => {
  const field = event.target
  if (!field.matches?.("textarea")) return
  stopWaiting()
  const wish = wanted(field)
  if (!wish) return close()
  const number = count
  release = holdKeys(({ key }) => field === document.activeElement && (key === "Enter" || key === "Tab"))
  const html = await fetched(wish)
  if (number !== count) return
  if (field === document.activeElement) show(field, html, wish.from)
  stopWaiting()
})

async function fetched({ kind, address, typed }) {
  const wish = new URLSearchParams(kind === "emoji" ? { q: typed, recent: recent() } : { q: typed })
  const answer = await fetch(`${address}?${wish}`, { headers: { "HX-Request": "true" } }).catch(() => undefined)
  return answer?.ok ? answer.text() : ""
}

document.addEventListener("mousedown", stopWaiting)
