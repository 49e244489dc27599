// Drafts in this browser: written at once, and saved at their address after a pause, so that they are there again after a
// crash and on another device. Offline they are saved later.

import { headers } from "./request.js"

const PAUSE = 900
const LIFETIME = 30 * 24 * 3600 * 1000
const PREFIX = "draft:"
const timers = new Map(), busy = new Set()

export function read(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key))
  } catch { /* of an older page */ }
}

function write(key, draft) {
  if (draft.text || draft.saved !== draft.at) localStorage.setItem(PREFIX + key, JSON.stringify(draft))
  else localStorage.removeItem(PREFIX + key)
}

export function store(key, address, text) {
  write(key, { text, address, at: Date.now() })
  clearTimeout(timers.get(key))
  timers.set(key, setTimeout(() => save(key), PAUSE))
}

// While it is being saved an empty one follows, or the server would keep the words.
export function drop(key, address) {
  clearTimeout(timers.get(key))
  timers.delete(key)
  if (busy.has(key)) store(key, address, "")
  else localStorage.removeItem(PREFIX + key)
}

export async function save(key, keepalive = false) {
  clearTimeout(timers.get(key))
  timers.delete(key)
  const draft = read(key)
  if (!draft || draft.saved === draft.at || busy.has(key)) return
  busy.add(key)
  const body = new FormData()
  body.set("body", draft.text)
  body.set("age", Date.now() - draft.at)
  const answer = await fetch(draft.address, { method: "PUT", headers: headers(), body, keepalive }).catch(() => undefined)
  busy.delete(key)
  if (answer?.ok) saved(key, draft)
  else if (answer?.status === 404) localStorage.removeItem(PREFIX + key)
}

function saved(key, { at }) {
  const draft = read(key)
  if (draft?.at === at) write(key, { ...draft, saved: at })
  else if (draft) save(key)
  document.body.dispatchEvent(new CustomEvent("draft:saved", { detail: key }))
}

export const unsaved = () => [...timers.keys()]

export function stored() {
  const keys = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length))
  const old = keys.filter((key) => !(Date.now() - (read(key)?.at ?? 0) < LIFETIME))
  old.forEach((key) => localStorage.removeItem(PREFIX + key))
  return keys.filter((key) => !old.includes(key))
}
