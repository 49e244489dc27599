// data-shortcuts: a page with single keys. Which key does what stands in the list of keys (data-keys, each with
// data-key-of="<command>"); a command presses what says data-command="<command>". Nothing happens while somebody writes
// or holds a modifier that the key does not name. `g i` is one key after the other.

import { write } from "./note.js"

const PAUSE = 1200
let first = "", timer

const commands = () => Object.fromEntries([...document.querySelectorAll("[data-key-of]")].map((key) => [key.dataset.key ?? key.textContent, key.dataset.keyOf]))
const isWriting = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]")
const isShown = (element) => element.offsetParent !== null || element.closest("[popover]") !== null || getComputedStyle(element).position === "fixed"
const rows = () => [...document.querySelectorAll("[data-conversation]")]
const link = (row) => row?.querySelector("a.row")
const currentRow = () => rows().find((row) => link(row).hasAttribute("aria-current"))
const focusedRow = () => document.activeElement?.closest("[data-conversation]") ?? currentRow()

function pressed(event) {
  const parts = []
  if (event.ctrlKey || event.metaKey) parts.push("Mod")
  if (event.altKey) parts.push("Alt")
  const letter = event.key.length === 1 && /[a-z]/i.test(event.key)
  if (event.shiftKey && (letter || event.key.length > 1)) parts.push("Shift")
  parts.push(parts.length && letter ? event.key.toUpperCase() : event.key)
  return parts.join("+")
}

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-shortcuts]") || event.isComposing || event.defaultPrevented) return
  const key = pressed(event)
  const known = commands()
  const writing = isWriting(event.target)
  if (writing && event.key === "Escape" && !event.target.closest("dialog, [popover]")) return leave(event)
  if ((writing || document.querySelector("dialog[open]")) && !key.startsWith("Mod+")) return
  // Escape first closes what is open, and leaves what one writes in; only then does it lead back.
  if (document.querySelector(":popover-open") && !key.startsWith("Mod+")) return
  if (event.key === "Escape" && event.target.closest(".composer, .note-form")) return
  const name = known[first ? `${first} ${key}` : key] ?? known[key]
  clearTimeout(timer)
  const begins = !first && Object.keys(known).some((one) => one.startsWith(`${key} `))
  first = begins ? key : ""
  timer = setTimeout(() => { first = "" }, PAUSE)
  if (begins || !name || !run(name)) return
  event.preventDefault()
})

function leave(event) {
  event.target.blur()
  event.preventDefault()
}

const OWN = {
  next: () => step(1),
  previous: () => step(-1),
  reply: () => write(false),
  note: () => write(true),
  "resolve-next": () => { const on = nextOf(currentRow()); return run("resolve") && (link(on)?.click(), true) },
  select: () => pick(focusedRow(), false),
  "select-range": () => pick(focusedRow(), true),
  keys: () => document.querySelector("[data-keys]").showModal(),
  palette: () => document.querySelector("[data-palette]").showModal(),
}
const PLACES = { inbox: "inbox", contacts: "contacts", settings: "settings" }
const NEED_NOTHING = ["next", "previous", "reply", "note", "keys", "palette"]

// Returns whether there was something to do.
export function run(name) {
  if (OWN[name]) return OWN[name]() !== false
  if (name.startsWith("go-")) { const link = railLink(name); link?.click(); return Boolean(link) }
  const found = [...document.querySelectorAll(`[data-command="${name}"]`)]
  const element = (name === "undo" ? found.at(-1) : found.find(isShown))
  if (!element) return false
  if (element.matches("input, textarea, select")) element.focus()
  else element.click()
  return true
}

function step(by) {
  const all = rows(), at = all.indexOf(focusedRow())
  const to = link(all[at + by] ?? (at < 0 ? all[0] : undefined))
  if (!to) return false
  to.focus()
  to.scrollIntoView({ block: "nearest" })
  to.click()
}

const nextOf = (row) => { const all = rows(), at = all.indexOf(row); return all[at + 1] ?? all[at - 1] }

function pick(row, range) {
  const box = row?.querySelector("[data-pick]")
  if (!box) return false
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: range }))
}

function railLink(name) {
  const place = PLACES[name.slice("go-".length)]
  return [...document.querySelectorAll(".rail a[href]")].find((one) => one.pathname.replace(/\/$/, "").endsWith(`/${place}`))
}

// Whether a command does something on this page as it is.
export function isPossible(name) {
  if (name.startsWith("go-")) return Boolean(railLink(name))
  if (name === "resolve-next") return isPossible("resolve")
  if (name.startsWith("select")) return Boolean(focusedRow())
  return NEED_NOTHING.includes(name) || Boolean(document.querySelector(`[data-command="${name}"]`))
}

document.addEventListener("click", (event) => {
  const runs = event.target.closest("[data-runs]")
  if (!runs) return
  event.preventDefault()
  runs.closest("dialog")?.close()
  run(runs.dataset.runs)
})
