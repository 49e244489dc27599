// Messages on their way out of the composer: posted one after the other, each with its own id, so that a second try is the
// same message. What becomes of one is an event "outgoing:answered" on the document.

import { commandOf, isWriting } from "./keys.js"
import { problemOf, show } from "./outgoing-bubble.js"
import { quoteOf, unquote } from "./quote.js"
import { holdKeys } from "./typed-ahead.js"
import { upload } from "./upload.js"

const waiting = []
let isPosting = false

// A message of `body`, and perhaps an `entry` (a file) or a `voice` (a recording), with the quote that is in the form.
export function enqueue(form, parts) {
  const { draft: address, draftKey: key } = form.elements.body.dataset
  const draft = { key, address }, quote = quoteOf(form)
  waiting.push({ id: crypto.randomUUID(), at: Date.now(), body: "", action: form.action, draft, form: form.dataset, quote, ...parts })
  unquote(form)
  show(waiting.at(-1), retry)
  post()
}

async function post() {
  if (isPosting) return
  isPosting = true
  // Undoing what is on its way waits for it.
  const release = holdKeys((event) => commandOf(event) === "undo" && !isWriting(document.activeElement))
  while (waiting.length && !waiting[0].hasFailed) {
    const message = waiting[0]
    const answer = await attempt(message)
    if (!answer) continue
    waiting.shift()
    document.dispatchEvent(new CustomEvent("outgoing:answered", { detail: { message, answer } }))
  }
  isPosting = false
  release()
}

async function attempt(message) {
  try {
    const answer = await upload(message.action, formOf(message), (percent) => { if (message.progress) message.progress.value = percent })
    if (answer.status && answer.status < 500) return answer
  } catch { /* shown below, like an answer that says that the server is unavailable */ }
  message.hasFailed = true
  show(message, retry)
}

function formOf(message) {
  const form = new FormData()
  form.set("body", message.body)
  form.set("client_id", message.id)
  form.set("age", Date.now() - message.at)
  if (message.quote) form.set("reply_to", message.quote.id)
  if (message.entry?.stored) form.set("canned", message.entry.stored)
  else if (message.entry) form.set("files", message.entry.file, message.entry.file.name)
  if (message.voice) form.set("voice", message.voice, "voice")
  return form
}

function retry(message) {
  message.hasFailed = false
  problemOf(message)?.remove()
  post()
}

export const isSending = () => waiting.length > 0

const showAll = () => waiting.forEach((message) => show(message, retry))

document.addEventListener("htmx:after:swap", showAll)
document.addEventListener("htmx:after:settle", showAll)
window.addEventListener("online", () => waiting.filter((message) => message.hasFailed).forEach(retry))
