// data-embedded-signup: loads Facebook's SDK (facebook-sdk.js), and data-signup-button inside it opens the sign-up window. The code goes to
// our server at once (it lives 30 seconds), what the window says about itself too; the page shows what the server makes of it.
// Of several `data-signup-words` one is shown. Nothing is ever logged: codes pass through here.

import { isReady, load } from "./facebook-sdk.js"

const QUICK = 700

let setup, hasReported = false

const root = () => document.querySelector("[data-embedded-signup]")

function say(name) {
  document.querySelectorAll("[data-signup-words]").forEach((words) => { words.hidden = words.dataset.signupWords !== name })
}

// FB.login has to run in the click itself, or the browser blocks the window.
async function press(button) {
  setup = { ...root().dataset }
  if (!isReady()) {
    say("loading")
    load(setup).then(() => say("ready"), () => say("no-sdk"))
    return
  }
  const pressed = performance.now()
  hasReported = false
  say("open")
  const response = await new Promise((resolve) => window.FB.login(resolve, {
    config_id: setup.configId,
    response_type: "code",
    override_default_response_type: true,
    extras: button.dataset.feature ? { setup: {}, featureType: button.dataset.feature } : { setup: {} },
  }))
  const code = response?.authResponse?.code
  if (code) {
    say("sending")
    post(setup.codeUrl, { code })
  } else if (!hasReported) {
    say(performance.now() - pressed < QUICK ? "blocked" : "closed")
  }
}

function receive(event) {
  if (!setup?.origins.split(" ").includes(event.origin)) return
  const message = parsed(event.data)
  if (message?.type !== "WA_EMBEDDED_SIGNUP" || typeof message.event !== "string") return
  const data = message.data ?? {}
  hasReported = true
  if (message.event.startsWith("FINISH")) {
    post(setup.claimsUrl, { event: message.event, waba_id: data.waba_id, phone_number_id: data.phone_number_id, business_id: data.business_id })
  } else {
    post(setup.cancelUrl, { event: message.event, current_step: data.current_step, error_message: data.error_message, error_id: data.error_id })
  }
}

// Whatever is not JSON is the SDK's own traffic, which carries the code.
function parsed(data) {
  try {
    return typeof data === "string" ? JSON.parse(data) : undefined
  } catch {
    return undefined
  }
}

async function post(address, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": setup.csrf }
  try {
    const response = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })
    if (!response.ok || response.redirected) return say("refused")
    // Another window on this page had signed up already: this sign-up goes on as an attempt of its own.
    const elsewhere = response.headers.get("Content-Location")
    if (elsewhere) return location.assign(elsewhere)
  } catch {
    return say("offline")
  }
  document.body.dispatchEvent(new CustomEvent("live:reload"))
}

if (root()) {
  setup = { ...root().dataset }
  load(setup).catch(() => say("no-sdk"))
  window.addEventListener("message", receive)
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-signup-button]")
    if (button) press(button)
  })
}
