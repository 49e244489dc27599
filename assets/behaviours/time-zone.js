// Pages are shown in the zone of the browser, which a cookie says (app/zones.py). <meta name="time-zone"> holds what is
// saved for the person; where that differs, the browser's is saved. data-time-zone: a day and a time inside it are meant
// by the browser's clock; its zone is sent along in `zone`, and shown. time[data-ago]: minutes that are kept true.

const COOKIE = "time_zone"
const MINUTE = 60_000

const zone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone
const stored = () => document.cookie.split("; ").find((one) => one.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)

function store() {
  if (!zone() || stored() === zone()) return false
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${COOKIE}=${zone()}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`
  return stored() === zone()
}

function save() {
  const saved = document.querySelector('meta[name="time-zone"]')
  if (!saved || !zone() || saved.content === zone()) return
  saved.content = zone()
  const token = JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"]
  const body = new URLSearchParams({ zone: zone() })
  fetch(saved.dataset.address, { method: "PUT", headers: { "X-CSRFToken": token }, body }).catch(() => {})
}

function fill() {
  document.querySelectorAll("[data-time-zone]:not([data-ready])").forEach((fields) => {
    fields.dataset.ready = "true"
    // What was entered and refused keeps the zone it was entered in; else the page knows the zone by the cookie.
    if (fields.querySelector('[aria-invalid="true"]') || !isNew) return
    fields.querySelector('[name="zone"]').value = zone()
    fields.querySelector("[data-zone-name]").textContent = zone().replaceAll("_", " ")
  })
}

function tick() {
  const language = document.documentElement.lang
  const relative = new Intl.RelativeTimeFormat(language, { style: "short" })
  const short = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeStyle: "short" })
  document.querySelectorAll("time[data-ago]").forEach((time) => {
    const minutes = Math.floor((Date.now() - new Date(time.dateTime)) / MINUTE)
    if (minutes < 1) return
    time.textContent = minutes < 60 ? relative.format(-minutes, "minute") : short.format(new Date(time.dateTime))
    if (minutes >= 60) delete time.dataset.ago
  })
}

// A page that came in another zone than the browser's now comes again, before anybody has begun to work on it.
const isNew = store() || stored() !== zone()
if (isNew && stored() === zone() && document.querySelector("time[datetime]") && !document.querySelector('[aria-invalid="true"]')) {
  location.replace(location.href)
} else {
  save()
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return
  store()
  save()
  tick()
})
document.addEventListener("htmx:after:swap", fill)
setInterval(tick, MINUTE / 2)
fill()
