// data-calls="<path with {parts}>": a form that sends one request to this server and shows what it answers. data-part and
// data-query name what an input is of the address, data-json is the body, data-file a file to send instead. data-key is
// the bearer token, the same in every such form of the page and nowhere else; data-real shows unless it begins so.

const HEADERS = ["request-id", "switchboard-version", "etag", "link", "location", "ratelimit", "retry-after", "idempotent-replayed"]
const SHOWN = 100_000

const fields = (form, name) => [...form.querySelectorAll(`[data-${name}]`)].filter((field) => field.value)

function addressOf(form) {
  const values = Object.fromEntries(fields(form, "part").map((field) => [field.dataset.part, encodeURIComponent(field.value)]))
  const query = new URLSearchParams(fields(form, "query").map((field) => [field.dataset.query, field.value]))
  return form.dataset.calls.replace(/\{(\w+)\}/g, (_, name) => values[name]) + (query.size ? `?${query}` : "")
}

function contentOf(form) {
  const json = form.querySelector("[data-json]"), file = form.querySelector("[data-file]")
  if (json) return { body: json.value, type: "application/json" }
  if (!file) return {}
  if (file.dataset.file === "body") return { body: file.files[0], type: file.files[0].type }
  const body = new FormData()
  body.append("file", file.files[0])
  return { body }
}

function isJson(text) {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function textOf(response) {
  const type = response.headers.get("content-type") ?? ""
  if (!/json|text/.test(type)) return type && `${type}, ${(await response.blob()).size} bytes`
  const text = await response.text()
  return isJson(text) ? JSON.stringify(JSON.parse(text), null, 2) : text
}

function show(form, status, headers, text) {
  const part = (name) => form.querySelector(`[data-${name}]`)
  part("status").textContent = status
  part("headers").textContent = headers
  part("answer").textContent = text.slice(0, SHOWN)
  part("headers").parentElement.hidden = !headers
  part("answer").parentElement.hidden = !text
  part("cut").hidden = text.length <= SHOWN
  part("unreachable").hidden = Boolean(status)
  part("response").hidden = false
}

async function send(form) {
  const { body, type } = contentOf(form)
  const headers = { Authorization: `Bearer ${form.querySelector("[data-key]").value.trim()}`, ...(type && { "Content-Type": type }) }
  const options = { method: form.dataset.method, headers, body, credentials: "omit", redirect: "error", cache: "no-store" }
  const response = await fetch(addressOf(form), options)
  const given = HEADERS.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`)
  show(form, `${response.status} ${response.statusText}`.trim(), given.join("\n"), await textOf(response))
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-calls]")
  if (!form) return
  event.preventDefault()
  const json = form.querySelector("[data-json]"), button = form.querySelector("button:not([type])")
  const isWrong = Boolean(json) && !isJson(json.value)
  if (json) form.querySelector("[data-no-json]").hidden = !isWrong
  if (isWrong) return json.focus()
  button.disabled = true
  try {
    await send(form)
  } catch {
    show(form, "", "", "")
  } finally {
    button.disabled = false
  }
})

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-calls] [data-key]")) return
  const isReal = Boolean(target.value) && !target.value.trim().startsWith(target.dataset.key)
  document.querySelectorAll("[data-calls]").forEach((form) => {
    form.querySelector("[data-key]").value = target.value
    form.querySelector("[data-real]").hidden = !isReal
  })
})

document.querySelectorAll("[data-scripted]").forEach((part) => { part.hidden = false })
