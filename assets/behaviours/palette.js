// data-palette: a dialog in which one types where to go or what to do. Its fixed items show when they hold what is
// typed (commands only where they can be run); what the server finds is above them. Arrows choose, Enter goes: both wait
// until it is there.

import { isPossible } from "./commands.js"
import { fold } from "./folding.js"
import { holdKeys } from "./typed-ahead.js"

const WAIT = ["Enter", "ArrowDown", "ArrowUp"]

// Of the page's own: every command in the list of keys, every view.
function build() {
  const draft = dialog().querySelector("template").content.firstElementChild
  dialog().querySelectorAll("[data-built]").forEach((item) => item.remove())
  const made = (id, words) => {
    const item = draft.cloneNode(true)
    item.id = `palette-${id}`
    item.dataset.built = ""
    item.querySelector("span").textContent = words
    return item
  }
  const commands = [...document.querySelectorAll("[data-key-of]")].filter((key) => !["palette", "keys"].includes(key.dataset.keyOf)).map((key) => {
    const item = made(key.dataset.keyOf, key.closest("div").querySelector("dt").textContent)
    item.dataset.runs = key.dataset.keyOf
    item.querySelector("kbd").textContent = key.textContent
    return item
  })
  const views = [...document.querySelectorAll(".view")].map((view, number) => {
    const item = made(`view-${number}`, view.querySelector(".view-words").textContent)
    item.querySelector("kbd").remove()
    item.addEventListener("click", () => { dialog().close(); view.click() })
    return item
  })
  group("places").querySelectorAll("[role=option]").forEach((item, number) => { item.id = `palette-place-${number}` })
  group("commands").append(...commands)
  group("views").append(...views)
}

const group = (name) => dialog().querySelector(`[data-group="${name}"]`)
const dialog = () => document.querySelector("[data-palette]")
const field = () => dialog().querySelector("[role=combobox]")
const shown = () => [...dialog().querySelectorAll("[role=option]:not([hidden])")]
const isAsking = () => document.activeElement === field()
let at = 0, release

function wait() {
  release ??= holdKeys(({ key }) => isAsking() && WAIT.includes(key))
}

function stopWaiting(options) {
  release?.(options)
  release = undefined
}

function filter() {
  const typed = fold(field().value)
  for (const item of dialog().querySelectorAll("#palette-fixed [role=option]")) {
    const name = item.dataset.runs
    item.hidden = (name && !isPossible(name)) || !fold(item.textContent).includes(typed)
  }
  for (const each of dialog().querySelectorAll("[data-group]")) each.hidden = !each.querySelector("[role=option]:not([hidden])")
  mark(0)
}

// To search messages is what is left where nothing has that name: a command that has it comes before.
function searchLast() {
  const search = dialog().querySelector("#palette-found #palette-search")
  dialog().querySelector("#palette-last").replaceChildren(...[search].filter(Boolean))
}

function mark(to) {
  const items = shown()
  at = Math.max(0, Math.min(to, items.length - 1))
  dialog().querySelectorAll("[aria-selected]").forEach((item) => item.removeAttribute("aria-selected"))
  const item = items[at]
  item?.setAttribute("aria-selected", "true")
  item?.scrollIntoView({ block: "nearest" })
  if (item) field().setAttribute("aria-activedescendant", item.id)
}

document.addEventListener("beforetoggle", (event) => {
  if (!event.target.matches?.("[data-palette]") || event.newState !== "open") return
  field().value = ""
  dialog().querySelector("#palette-found").replaceChildren()
  dialog().querySelector("#palette-last").replaceChildren()
  build()
  filter()
}, true)
document.addEventListener("input", (event) => {
  if (!event.target.closest("[data-palette]")) return
  filter()
  wait()
})
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.closest("[data-palette]") || new URL(ctx.request.action, location).searchParams.get("q") !== field().value) return
  searchLast()
  mark(0)
  stopWaiting()
})
document.addEventListener("close", (event) => { if (event.target === dialog()) stopWaiting({ isDropped: true }) }, true)
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.("[data-palette]")) return
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (by) { event.preventDefault(); mark(at + by) }
  if (event.key === "Enter") { event.preventDefault(); shown()[at]?.click() }
})
document.addEventListener("click", (event) => { if (event.target === dialog()) dialog().close() })
