// The chat button for pages elsewhere: one file, which asks for nothing until somebody clicks, and stores nothing.
/* global styles: the sheet, as text (assets/widget.mjs) */

// label, close, open, consent
const WORDS = {
  en: ["Chat on WhatsApp", "Close", "Open WhatsApp", "Opens WhatsApp, where Meta processes what you write."],
  fr: ["Écrire sur WhatsApp", "Fermer", "Ouvrir WhatsApp", "Ouvre WhatsApp, où Meta traite ce que vous écrivez."],
  ar: ["راسلنا على واتساب", "إغلاق", "فتح واتساب", "يفتح واتساب، حيث تعالج Meta ما تكتبه."],
  es: ["Escribir por WhatsApp", "Cerrar", "Abrir WhatsApp", "Abre WhatsApp, donde Meta trata lo que escribas."],
  pt: ["Conversar no WhatsApp", "Fechar", "Abrir o WhatsApp", "Abre o WhatsApp, onde a Meta trata o que escrever."],
  de: ["Auf WhatsApp schreiben", "Schließen", "WhatsApp öffnen", "Öffnet WhatsApp, wo Meta verarbeitet, was Sie schreiben."],
}
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"]
const ABOUT = ["type", "id", "title", "price", "currency", "url", "sig"]
const BUBBLE = "M12 3a9 9 0 0 0-7.8 13.5L3 21l4.6-1.2A9 9 0 1 0 12 3Z"
const CROSS = "M6 6l12 12M18 6 6 18"

const script = document.currentScript
const given = script.dataset

function element(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

function drawing(path) {
  const space = "http://www.w3.org/2000/svg"
  const svg = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  line.setAttribute("d", path)
  svg.append(line)
  return svg
}

// Where the click leads: the page's own object, campaign and language go with it.
function address(language) {
  const link = new URL(given.link), page = new URL(location.href)
  for (const name of ABOUT) if (given[name]) link.searchParams.set(name, given[name])
  if (!given.url && !given.sig) link.searchParams.set("url", page.origin + page.pathname)
  for (const [name, value] of page.searchParams) if (name.startsWith("utm_")) link.searchParams.set(name, value)
  link.searchParams.set("lang", language)
  return link.href
}

function show() {
  const language = (given.lang || document.documentElement.lang || "en").toLowerCase().split("-")[0]
  const [label, close, open, consent] = WORDS[language] ?? WORDS.en
  const spoken = WORDS[language] ? language : "en"
  const host = element("div", { lang: spoken, dir: RIGHT_TO_LEFT.includes(spoken) ? "rtl" : "ltr" })
  const root = host.attachShadow({ mode: "open" })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(styles)
  root.adoptedStyleSheets = [sheet]

  const greeting = element("p", { id: "greeting", dir: "auto" }, given.greeting || label)
  const go = element("a", { class: "go", target: "_blank", rel: "noopener nofollow" }, open)
  const shut = element("button", { class: "shut", type: "button", "aria-label": close }, drawing(CROSS))
  const panel = element("div", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "greeting" },
    shut, greeting, go, element("small", {}, consent))
  const button = element("button", { class: "button", type: "button", "aria-label": label, "aria-expanded": "false",
    "aria-controls": "panel" }, drawing(BUBBLE))
  panel.hidden = true

  function turn(isOpen, focus) {
    panel.hidden = !isOpen
    button.setAttribute("aria-expanded", isOpen)
    if (isOpen) go.href = address(language)
    focus?.focus()
  }
  button.addEventListener("click", () => turn(panel.hidden, panel.hidden ? go : button))
  shut.addEventListener("click", () => turn(false, button))
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return
    event.stopPropagation()
    turn(false, button)
  })
  if (given.side === "start") host.setAttribute("data-start", "")
  root.append(panel, button)
  document.body.append(host)
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show)
else show()
