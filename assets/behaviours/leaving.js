// While another page is on its way, keys are not meant for this one: they wait, and are pressed there.

import { isWriting } from "./keys.js"
import { holdKeys, press, takeHeld } from "./typed-ahead.js"

const STORED = "typed-ahead"
const FRESH = 10_000
let release

const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey
const stay = () => { release?.({ isDropped: true }); release = undefined }

window.navigation?.addEventListener("navigate", (event) => {
  if (event.destination.sameDocument || event.downloadRequest !== null || event.hashChange || event.navigationType === "traverse") return
  release ??= holdKeys((key) => isPlain(key) && !isWriting(document.activeElement))
  setTimeout(stay, FRESH)
})
window.navigation?.addEventListener("navigateerror", stay)

window.addEventListener("pagehide", () => {
  const keys = takeHeld().map(({ key, code, shiftKey }) => ({ key, code, shiftKey }))
  if (keys.length) sessionStorage.setItem(STORED, JSON.stringify({ at: Date.now(), keys }))
})
window.addEventListener("pageshow", stay)

window.addEventListener("load", () => {
  const { at, keys } = JSON.parse(sessionStorage.getItem(STORED) ?? "{}")
  sessionStorage.removeItem(STORED)
  // htmx begins in a timer of its own, before this one.
  if (Date.now() - at < FRESH) setTimeout(press, 0, keys)
})
