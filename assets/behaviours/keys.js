// Which key does which command: the list of keys (data-keys, each with data-key-of="<command>") says so.

const labels = () => [...document.querySelectorAll("[data-key-of]")]

export const commands = () => Object.fromEntries(labels().map((label) => [label.dataset.key ?? label.textContent, label.dataset.keyOf]))

export function nameOf(event) {
  const parts = []
  if (event.ctrlKey || event.metaKey) parts.push("Mod")
  if (event.altKey) parts.push("Alt")
  const isLetter = event.key.length === 1 && /[a-z]/i.test(event.key)
  if (event.shiftKey && (isLetter || event.key.length > 1)) parts.push("Shift")
  parts.push(parts.length && isLetter ? event.key.toUpperCase() : event.key)
  return parts.join("+")
}

export const commandOf = (event) => commands()[nameOf(event)]

const WRITES = "input:not([type=checkbox]), textarea, select, [contenteditable=true]"

export const isWriting = (element) => Boolean(element?.closest?.(WRITES))
