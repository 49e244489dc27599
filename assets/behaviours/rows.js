// The rows of a list (data-conversation): the one that is open or has the focus, and the ones beside it. When the open
// row leaves the list, its place is remembered: the next one is the one that has moved up into it.

const rows = () => [...document.querySelectorAll("[data-conversation]")]
const link = (row) => row?.querySelector("a[data-current-path]")
const current = () => rows().find((row) => link(row).hasAttribute("aria-current"))
export const focusedRow = () => document.activeElement?.closest("[data-conversation]") ?? current()

let place = -1, openPath = ""

function remember() {
  const at = rows().indexOf(current())
  if (at >= 0) [place, openPath] = [at, location.pathname]
}

function beside(by) {
  const all = rows(), at = all.indexOf(focusedRow())
  if (at >= 0) return all[at + by]
  if (place < 0 || openPath !== location.pathname) return all[0]
  return all[by > 0 ? place : place - 1]
}

export function step(by) {
  const to = link(beside(by))
  return Boolean(to) && open(to)
}

// The focus stays in the list, so that the next key may lead on.
export function open(to) {
  to.focus()
  to.scrollIntoView({ block: "nearest" })
  to.click()
  return true
}

// The row to go to once the open one is done with.
export function following() {
  const all = rows(), at = all.indexOf(current())
  return link(at < 0 ? beside(1) : all[at + 1] ?? all[at - 1])
}

export function pick(isRange) {
  const box = focusedRow()?.querySelector("[data-pick]")
  if (!box) return false
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: isRange }))
  return true
}

document.addEventListener("htmx:after:swap", remember)
document.addEventListener("htmx:after:history:push", remember)
remember()
