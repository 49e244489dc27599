// data-embedded-signup: loads Facebook's SDK, and data-signup-button inside it opens the sign-up window. The code goes to
// our server at once (it lives 30 seconds), what the window says about itself too; the server tells how things stand.
// Of several `data-signup-words` one is shown. Nothing is ever logged: codes pass through here.

const SDK_SECONDS = 10
const QUICK = 700

let setup, sdk, ready = false, told = false

const root = () => document.querySelector("[data-embedded-signup]")

function say(name) {
  document.querySelectorAll("[data-signup-words]").forEach((words) => { words.hidden = words.dataset.signupWords !== name })
}

function load() {
  sdk ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: setup.sdk, async: true, crossOrigin: "anonymous" })
    const giveUp = () => { sdk = undefined; script.remove(); reject(new Error("Facebook's SDK did not load")) }
    const timer = setTimeout(giveUp, SDK_SECONDS * 1000)
    script.onerror = () => { clearTimeout(timer); giveUp() }
    window.fbAsyncInit = () => {
      clearTimeout(timer)
      window.FB.init({ appId: setup.appId, version: setup.version, xfbml: false, autoLogAppEvents: false })
      ready = true
      resolve()
    }
    document.head.append(script)
  })
  return sdk
}

// FB.login has to run in the click itself, or the browser blocks the window.
function press(button) {
  setup = { ...root().dataset }
  if (!ready) {
    say("loading")
    load().then(() => say("ready"), () => say("no-sdk"))
    return
  }
  const pressed = performance.now()
  told = false
  say("open")
  window.FB.login((response) => answer(response, performance.now() - pressed), {
    config_id: setup.configId,
    response_type: "code",
    override_default_response_type: true,
    extras: button.dataset.feature ? { setup: {}, featureType: button.dataset.feature } : { setup: {} },
  })
}

function answer(response, after) {
  const code = response?.authResponse?.code
  if (code) {
    say("sending")
    post(setup.codeUrl, { code })
  } else if (!told) {
    say(after < QUICK ? "blocked" : "closed")
  }
}

function hear(event) {
  if (!setup?.origins.split(" ").includes(event.origin)) return
  const said = parsed(event.data)
  if (said?.type !== "WA_EMBEDDED_SIGNUP" || typeof said.event !== "string") return
  const data = said.data ?? {}
  told = true
  if (said.event.startsWith("FINISH")) {
    post(setup.claimsUrl, { event: said.event, waba_id: data.waba_id, phone_number_id: data.phone_number_id, business_id: data.business_id })
  } else {
    post(setup.cancelUrl, { event: said.event, current_step: data.current_step, error_message: data.error_message, error_id: data.error_id })
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
  load().catch(() => say("no-sdk"))
  window.addEventListener("message", hear)
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-signup-button]")
    if (button) press(button)
  })
}
