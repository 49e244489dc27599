// data-composer="<conversation id>": a form whose message appears in the thread (data-thread) at once, as a copy of the
// bubble in data-bubble, and is posted behind it: one after the other, each with its own id, so that a second try is
// the same message. Enter sends, Shift+Enter starts a new line. What is typed stays as a draft until it is sent.

const waiting = []
let posting = false

const draftKey = (form) => `draft:${form.dataset.composer}`
const bubbleOf = (message) => document.getElementById(`message-${message.id}`)

function attach(form) {
  const field = form.elements.body
  if (!field || form.dataset.ready) return
  form.dataset.ready = "true"
  if (!field.value) field.value = localStorage.getItem(draftKey(form)) ?? ""
  fit(field)
  field.addEventListener("input", () => { keepDraft(form); fit(field) })
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form) })
  if (matchMedia("(pointer: fine)").matches) field.focus()
}

function keepDraft(form) {
  const text = form.elements.body.value
  if (text) localStorage.setItem(draftKey(form), text)
  else localStorage.removeItem(draftKey(form))
}

function fit(field) {
  field.rows = Math.min(8, Math.max(1, field.value.split("\n").length))
}

function send(form) {
  const body = form.elements.body.value.trim()
  if (!body) return
  const message = { id: crypto.randomUUID(), body, action: form.action, key: draftKey(form), form: form.dataset }
  waiting.push(message)
  show(message)
  form.elements.body.value = ""
  form.elements.body.focus()
  keepDraft(form)
  fit(form.elements.body)
  post()
}

function show(message) {
  const thread = document.querySelector(message.form.thread)
  if (!thread || bubbleOf(message) || !here(message)) return
  const bubble = document.querySelector(message.form.bubble).content.firstElementChild.cloneNode(true)
  bubble.id = `message-${message.id}`
  bubble.querySelector(".bubble-text").textContent = message.body
  if (message.problem) bubble.append(problem(message))
  thread.append(bubble)
  thread.closest(".thread").scrollTop = 0
}

const here = (message) => document.querySelector("[data-composer]")?.action === message.action

async function post() {
  if (posting) return
  posting = true
  while (waiting.length && !waiting[0].problem) {
    const message = waiting[0]
    const answer = await attempt(message)
    if (answer) { waiting.shift(); await answered(message, answer) }
  }
  posting = false
}

async function attempt(message) {
  const headers = { "HX-Request": "true", "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"] }
  const body = new URLSearchParams({ body: message.body, client_id: message.id })
  try {
    const answer = await fetch(message.action, { method: "POST", headers, body, signal: AbortSignal.timeout(15000) })
    if (answer.status < 500) return answer
  } catch { /* told below, like an answer that says the server is away */ }
  message.problem = true
  bubbleOf(message)?.append(problem(message))
}

async function answered(message, answer) {
  if (answer.headers.has("HX-Redirect")) {
    localStorage.setItem(message.key, message.body)
    location.assign(answer.headers.get("HX-Redirect"))
    return
  }
  const html = await answer.text()
  if (answer.ok) return replace(bubbleOf(message), html)
  bubbleOf(message)?.remove()
  localStorage.setItem(message.key, message.body)
  if (answer.status === 422 && here(message)) replace(document.querySelector("[data-composer]"), html)
  else document.querySelector("#toasts").insertAdjacentHTML("beforeend", html)
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
window.addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault() })
attachAll()
