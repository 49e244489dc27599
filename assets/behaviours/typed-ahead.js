// Keys pressed before the answer came that they are meant for. Whoever waits for an answer calls holdKeys with the keys
// that wait with it; these and all that follow are held, and pressed in their order once it is there.

const waits = new Set(), held = []
const MODIFIERS = ["Shift", "Control", "Alt", "Meta", "CapsLock", "Dead", "Process"]
let isReplaying = false, hasPointed = false

const isWanted = (key) => [...waits].some((wait) => wait.wants(key))

// `wants(event)` says whether this key waits. The function that is returned ends the wait: what was held is pressed, or
// dropped when there was no answer.
export function holdKeys(wants) {
  const wait = { wants }
  waits.add(wait)
  return ({ isDropped = false } = {}) => {
    if (!waits.delete(wait)) return
    if (isDropped) held.length = 0
    queueMicrotask(replay)
  }
}

export const isHolding = () => held.length > 0

// Something else than a key that has to wait its turn.
export function holdAct(act) {
  held.push({ act })
}

export const takeHeld = () => held.splice(0).filter((key) => !key.act)

export function press(keys) {
  held.push(...keys)
  replay()
}

function replay() {
  if (isReplaying) return
  isReplaying = true
  while (held.length && !(held[0].key && isWanted(held[0]))) {
    const next = held.shift()
    if (next.act) next.act()
    else pressAgain(next)
  }
  isReplaying = false
  if (!held.length) hasPointed = false
}

function pressAgain({ key, code, shiftKey, altKey, ctrlKey, metaKey }) {
  const at = document.activeElement ?? document.body
  const event = new KeyboardEvent("keydown", { key, code, shiftKey, altKey, ctrlKey, metaKey, bubbles: true, cancelable: true })
  if (!at.dispatchEvent(event) || altKey || ctrlKey || metaKey) return
  if (key === "Escape") document.querySelector(":popover-open")?.hidePopover()
  else if (at.matches("input:not([type=checkbox]), textarea")) write(at, key)
  else if (["Enter", " "].includes(key) && at.matches("a[href], button, summary, input")) at.click()
}

function write(field, key) {
  if (key.length === 1) document.execCommand("insertText", false, key)
  else if (key === "Backspace") document.execCommand("delete")
  else if (key === "Enter" && field.matches("textarea")) document.execCommand("insertText", false, "\n")
  else if (key === "Enter") field.form?.requestSubmit()
}

window.addEventListener("keydown", (event) => {
  if (!event.isTrusted || event.isComposing || MODIFIERS.includes(event.key) || /^F\d/.test(event.key)) return
  const isNext = held.length > 0 && !hasPointed && !((event.ctrlKey || event.metaKey) && !isWanted(event))
  if (!isNext && !isWanted(event)) return
  event.preventDefault()
  event.stopImmediatePropagation()
  held.push(event)
}, true)

// Whoever points into a field writes there from now on.
window.addEventListener("focusin", (event) => {
  if (held.length && !isReplaying && event.target.matches?.("input, textarea, select")) hasPointed = true
}, true)
