// How a message looks until the server has answered: a copy of the bubble in data-bubble, at the end of data-thread.

import { readable } from "./file-limits.js"
import { picture } from "./tray.js"

const copyOf = (selector) => document.querySelector(selector).content.firstElementChild.cloneNode(true)

export const bubbleOf = (message) => document.getElementById(`message-${message.id}`)
export const problemOf = (message) => bubbleOf(message)?.querySelector("[data-problem]")
export const isHere = (message) => document.querySelector("[data-composer]")?.action === message.action

export function show(message, retry) {
  if (!isHere(message)) return
  if (!bubbleOf(message)) append(message)
  if (message.hasFailed && bubbleOf(message) && !problemOf(message)) bubbleOf(message).append(problem(message, retry))
}

function append(message) {
  const thread = document.querySelector(message.form.thread)
  if (!thread) return
  const bubble = copyOf(message.form.bubble)
  bubble.id = `message-${message.id}`
  const words = bubble.querySelector(".bubble-text")
  words.textContent = message.body
  if (message.quote) words.before(message.quote.shown.cloneNode(true))
  if (message.entry || message.voice) words.before(...fileIn(message))
  if (!message.body) words.remove()
  thread.append(bubble)
  thread.closest(".thread").scrollTop = 0
}

function fileIn(message) {
  const file = message.entry?.file ?? message.voice
  message.progress ??= copyOf("#bubble-progress")
  if (message.entry) message.picture ??= picture(message.entry)
  if (message.picture) {
    message.picture.className = "picture-waiting"
    return [message.picture, message.progress]
  }
  const part = copyOf("#bubble-file")
  part.querySelector(".file-name").textContent = file.name ?? ""
  part.querySelector("[data-size]").textContent = readable(file.size)
  return [part, message.progress]
}

function problem(message, retry) {
  const note = copyOf("#bubble-problem")
  note.querySelector("button").addEventListener("click", () => retry(message))
  return note
}

export function replace(old, html) {
  if (!old) return
  const fresh = document.createRange().createContextualFragment(html).firstElementChild
  old.replaceWith(fresh)
  window.htmx.process(fresh)
}
