// What a command does: it presses what says data-command="<command>", or one of the few things of its own below.
// data-runs="<command>": a link or button that runs one.

import { focusFirst } from "./menu.js"
import { write } from "./note.js"
import { focusedRow, following, open, pick, step } from "./rows.js"

const OWN = {
  next: () => step(1),
  previous: () => step(-1),
  // Where only templates may be sent, there is nothing to write in.
  reply: () => write(false) || run("template"),
  note: () => write(true),
  "resolve-next": () => { const next = following(); return run("resolve") && (!next || open(next)) },
  select: () => pick(false),
  "select-range": () => pick(true),
  keys: () => document.querySelector("[data-keys]").showModal(),
  palette: () => document.querySelector("[data-palette]").showModal(),
}
const PLACES = { inbox: "inbox", contacts: "contacts", analytics: "reports", settings: "settings" }
// The list of conversations. Contacts are a table.
const LIST = ".list[data-list]"
// What a command of its own works on.
const WORKS_ON = {
  next: LIST, previous: LIST, select: LIST, "select-range": LIST,
  reply: "[data-composer]", note: "[data-note]", "resolve-next": '[data-command="resolve"]', keys: "[data-keys]", palette: "[data-palette]",
}

// data-anywhere: a command of pages that have no button for it.
const isShown = (element) => "anywhere" in element.dataset || element.offsetParent !== null || element.closest("[popover]") !== null || getComputedStyle(element).position === "fixed"
const selector = (name) => WORKS_ON[name] ?? `[data-command="${name}"]`

// Returns whether there was something to do.
export function run(name) {
  if (OWN[name]) return OWN[name]() !== false
  if (name.startsWith("go-")) { const link = railLink(name); link?.click(); return Boolean(link) }
  const found = [...document.querySelectorAll(selector(name))]
  const element = name === "undo" ? newest(found) : found.find(isShown)
  if (!element) return false
  if (element.matches("input, textarea, select")) element.focus()
  else if (element.popoverTargetElement) openMenu(element)
  else element.click()
  return true
}

// What was done last: a message that is still held (in the thread), or a change (at the edge of the page).
const newest = (found) => found.toSorted((one, other) => one.dataset.at - other.dataset.at).at(-1)

// A menu opens beside the button that opens it; where that is hidden, beside what data-beside of the menu names.
function openMenu(button) {
  const menu = button.popoverTargetElement
  if (button.checkVisibility() || !menu.dataset.beside) button.click()
  else {
    window.htmx.trigger(button, "click")
    menu.showPopover({ source: document.querySelector(menu.dataset.beside) })
  }
  focusFirst(menu)
}

function railLink(name) {
  const place = PLACES[name.slice("go-".length)]
  return [...document.querySelectorAll(".rail a[href]")].find((one) => one.pathname.replace(/\/$/, "").endsWith(`/${place}`))
}

// Whether a command does something on this page as it is.
export function isPossible(name) {
  if (name.startsWith("go-")) return Boolean(railLink(name))
  if (name.startsWith("select")) return Boolean(focusedRow())
  return Boolean(document.querySelector(selector(name)))
}

export const worksIn = (name, region) => Boolean(region.matches(selector(name)) || region.querySelector(selector(name)))

export function worksElsewhere(name, region) {
  if (name.startsWith("go-")) return true
  return [...document.querySelectorAll(selector(name))].some((element) => !region.contains(element))
}

document.addEventListener("click", (event) => {
  const runs = event.target.closest("[data-runs]")
  if (!runs) return
  event.preventDefault()
  runs.closest("dialog")?.close()
  run(runs.dataset.runs)
})
