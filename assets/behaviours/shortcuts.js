// data-shortcuts: a page with single keys (keys.js) for its commands (commands.js). Nothing happens while somebody writes
// or holds a modifier that the key does not name. `g i` is one key after the other.

import { run } from "./commands.js"
import { commands, isWriting, nameOf } from "./keys.js"

const PAUSE = 1200
let first = "", timer

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-shortcuts]") || event.isComposing || event.defaultPrevented) return
  if (isForSomethingElse(event)) return
  const known = commands(), key = nameOf(event)
  const name = known[first ? `${first} ${key}` : key] ?? known[key]
  clearTimeout(timer)
  const begins = !first && Object.keys(known).some((one) => one.startsWith(`${key} `))
  first = begins ? key : ""
  timer = setTimeout(() => { first = "" }, PAUSE)
  if (begins || !name || !run(name)) return
  event.preventDefault()
})

// Escape first closes what is open, and leaves what one writes in; only then does it lead back.
function isForSomethingElse(event) {
  if (event.ctrlKey || event.metaKey) return false
  if (document.querySelector(":popover-open, dialog[open]")) return true
  const writes = isWriting(event.target), isEscape = event.key === "Escape"
  if (writes && isEscape) {
    event.target.blur()
    event.preventDefault()
  }
  return writes || (isEscape && Boolean(event.target.closest("[data-composer], [data-note]")))
}
