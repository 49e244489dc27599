// data-composer="<conversation id>": a form whose message appears in the thread (data-thread) at once, as a copy of the
// bubble in data-bubble, and is posted behind it: one after the other, each with its own id, so that a second try is
// the same message. Enter sends, Shift+Enter starts a new line (data-sends-with="mod-enter": only with Ctrl or Cmd). The
// arrow up in an empty field brings back what was last sent from here. What was not sent stands in the field again; files go
// one message each, in order, and come back into the tray when they are refused.
import { forget as forgetDraft, giveBack, remember, restore } from "./draft.js"
import { empty, entriesOf, forget, picture, putBack, readable, render, say } from "./tray.js"
import { quoteOf, unquote } from "./quote.js"

const CAPTIONED = ["image", "video", "document"]
const PATIENCE = 15000
const waiting = []
let posting = false, last = {}

const bubbleOf = (message) => document.getElementById(`message-${message.id}`)

function attach(form) {
  const field = form.elements.body
  if (!field || form.dataset.ready) return
  form.dataset.ready = "true"
  restore(field)
  fit(field)
  render(form)
  field.addEventListener("input", () => fit(field))
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp" && !field.value && last.action === form.action) return recall(event, field)
    if (event.key !== "Enter" || event.isComposing || !sends(form, event)) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form) })
  if (matchMedia("(pointer: fine)").matches) field.focus()
}

function sends(form, event) {
  return event.ctrlKey || event.metaKey || (form.dataset.sendsWith !== "mod-enter" && !event.shiftKey)
}

function recall(event, field) {
  event.preventDefault()
  field.value = last.body
  field.dispatchEvent(new Event("input", { bubbles: true }))
}

function fit(field) {
  field.rows = Math.min(8, Math.max(1, field.value.split("\n").length))
}

function send(form) {
  const body = form.elements.body.value.trim()
  const files = entriesOf(form)
  if (!body && !files.length) return
  const captioned = body && files.length && !files[0].caption && CAPTIONED.includes(files[0].kind)
  if (body) last = { action: form.action, body }
  if (body && !captioned) enqueue(form, { body })
  files.forEach((entry, place) => enqueue(form, { body: captioned && !place ? body : entry.caption.trim(), entry }))
  form.elements.body.value = ""
  if (body) forgetDraft(form.elements.body)
  form.elements.body.focus()
  empty(form)
  say(form, "")
  fit(form.elements.body)
}

// A message of `body`, and perhaps an `entry` (a file) or a `voice` (a recording). It answers what is being answered.
export function enqueue(form, parts) {
  const quote = quoteOf(form), { draft: address, draftKey: key } = form.elements.body.dataset
  const message = { id: crypto.randomUUID(), at: Date.now(), body: "", action: form.action, draft: { key, address }, form: form.dataset, quote, ...parts }
  unquote(form)
  waiting.push(message)
  show(message)
  post()
}

function show(message) {
  const thread = document.querySelector(message.form.thread)
  if (!thread || bubbleOf(message) || !here(message)) return
  const bubble = document.querySelector(message.form.bubble).content.firstElementChild.cloneNode(true)
  bubble.id = `message-${message.id}`
  const words = bubble.querySelector(".bubble-text")
  words.textContent = message.body
  if (message.quote) words.before(message.quote.shown.cloneNode(true))
  if (message.entry || message.voice) words.before(...fileIn(message))
  if (!message.body) words.remove()
  if (message.problem) bubble.append(problem(message))
  thread.append(bubble)
  thread.closest(".thread").scrollTop = 0
}

function fileIn(message) {
  const file = message.entry?.file ?? message.voice
  message.progress ??= document.querySelector("#bubble-progress").content.firstElementChild.cloneNode(true)
  message.picture ??= message.entry && picture(message.entry)
  if (message.picture) {
    message.picture.className = "picture-waiting"
    return [message.picture, message.progress]
  }
  const part = document.querySelector("#bubble-file").content.firstElementChild.cloneNode(true)
  part.querySelector(".file-name").textContent = file.name ?? ""
  part.querySelector("[data-size]").textContent = readable(file.size)
  return [part, message.progress]
}

const here = (message) => document.querySelector("[data-composer]")?.action === message.action

async function post() {
  if (posting) return
  posting = true
  while (waiting.length && !waiting[0].problem) {
    const message = waiting[0]
    const answer = await attempt(message)
    if (answer) { waiting.shift(); answered(message, answer) }
  }
  posting = false
}

async function attempt(message) {
  try {
    const answer = await posted(message)
    if (answer.status && answer.status < 500) return answer
  } catch { /* told below, like an answer that says the server is away */ }
  message.problem = true
  bubbleOf(message)?.append(problem(message))
}

// Only this kind of request tells how far an upload has come. It is given up when nothing moves for a while.
function posted(message) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let timer
    const wait = (more = PATIENCE) => { clearTimeout(timer); timer = setTimeout(() => request.abort(), more) }
    request.open("POST", message.action)
    request.setRequestHeader("HX-Request", "true")
    request.setRequestHeader("X-CSRFToken", JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"])
    request.upload.addEventListener("progress", (event) => {
      if (message.progress) message.progress.value = (100 * event.loaded) / event.total
      wait(event.loaded < event.total ? PATIENCE : 4 * PATIENCE)
    })
    request.addEventListener("load", () => { clearTimeout(timer); resolve(request) })
    for (const failure of ["error", "abort"]) request.addEventListener(failure, () => { clearTimeout(timer); reject(new Error(failure)) })
    wait()
    request.send(formOf(message))
  })
}

function formOf(message) {
  const form = new FormData()
  form.set("body", message.body)
  form.set("client_id", message.id)
  form.set("age", Date.now() - message.at)
  if (message.quote) form.set("reply_to", message.quote.id)
  if (message.entry?.kept) form.set("canned", message.entry.kept)
  else if (message.entry) form.set("files", message.entry.file, message.entry.file.name)
  if (message.voice) form.set("voice", message.voice, "voice")
  return form
}

function answered(message, answer) {
  const elsewhere = answer.getResponseHeader("HX-Redirect")
  if (elsewhere) {
    if (message.body) giveBack(message.draft, message.body)
    location.assign(elsewhere)
    return
  }
  const html = answer.responseText
  if (answer.status < 300) {
    forget(message.entry)
    return replace(bubbleOf(message), html)
  }
  bubbleOf(message)?.remove()
  if (answer.status === 422 && here(message)) refuse(message, html)
  else {
    if (message.body) giveBack(message.draft, message.body)
    document.querySelector("#toasts").insertAdjacentHTML("beforeend", html)
  }
  if (message.entry && here(message)) putBack(document.querySelector("[data-composer]"), message.entry)
}

// The composer as the server gives it back, with what was refused; what has been typed since stands below it.
function refuse(message, html) {
  const form = document.querySelector("[data-composer]"), typed = form.elements.body?.value
  replace(form, html)
  const field = document.querySelector("[data-composer]").elements.body
  if (!field) return giveBack(message.draft, message.body)
  if (!typed) return
  field.value = [field.value, typed].filter(Boolean).join("\n")
  remember(field)
  fit(field)
}

function replace(old, html) {
  if (!old) return
  const fresh = document.createRange().createContextualFragment(html).firstElementChild
  old.replaceWith(fresh)
  window.htmx.process(fresh)
  attachAll()
}

function problem(message) {
  const note = document.querySelector("#bubble-problem").content.firstElementChild.cloneNode(true)
  note.querySelector("button").addEventListener("click", () => {
    note.remove()
    message.problem = false
    post()
  })
  return note
}

function attachAll() {
  document.querySelectorAll("[data-composer]").forEach(attach)
  waiting.forEach(show)
}

document.addEventListener("htmx:after:swap", attachAll)
document.addEventListener("htmx:after:settle", attachAll)
window.addEventListener("online", () => { waiting.forEach((message) => { if (message.problem) bubbleOf(message)?.querySelector("[data-problem] button")?.click() }) })
window.addEventListener("beforeunload", (event) => {
  const form = document.querySelector("[data-composer]")
  if (waiting.length || (form && entriesOf(form).length)) event.preventDefault()
})
attachAll()
