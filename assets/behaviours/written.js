// What is typed is shown as WhatsApp shows it, at once and without asking anybody.
//   data-written-from="<selector of a form>": the elements in it follow fields of that form
//   data-written="<name of a field>"   shows its words, with the examples of its variables (fields <name>.examples.<variable>,
//     or <name without its last part>.example) in their places; hidden while it is empty
//   data-markup                        with *bold*, _italic_, ~struck~ and `code`
//   data-folds-after="<characters>"    around one of them: is marked when its words are longer than that
//   data-counts="<name of a field>"    shows how many characters it has

const VARIABLE = /\{\{\s*([\p{L}\p{N}_]+)\s*\}\}/gu
const CODE = /```(?!`)([^]+?)```|`([^`\n]+)`/g
const STYLES = { "*": "strong", _: "em", "~": "s" }
const isWord = (character) => /[\p{L}\p{N}]/u.test(character ?? "")
const isSpace = (character) => /\s/.test(character)

const value = (form, name) => form.elements[name]?.value ?? ""

function words(form, name) {
  const single = value(form, `${name.replace(/\.\w+$/, "")}.example`)
  return value(form, name).replace(VARIABLE, (variable, key) => value(form, `${name}.examples.${key}`) || (name.endsWith("header.text") && single) || variable)
}

// Where a style begins and ends: marks before and after words, in one line.
function styled(text) {
  const waiting = {}, marks = new Map()
  for (let place = 0; place < text.length; place++) {
    const mark = text[place], began = waiting[mark]
    if (mark === "\n") for (const each in STYLES) delete waiting[each]
    if (!STYLES[mark]) continue
    const before = text[place - 1], after = text[place + 1]
    if (began !== undefined && place > began + 1 && !isSpace(before) && !isWord(after)) {
      marks.set(began, { opens: mark }).set(place, { closes: mark })
      delete waiting[mark]
    } else if (after && !isSpace(after) && !isWord(before)) waiting[mark] = place
  }
  return marks
}

function prose(text) {
  const marks = styled(text), open = new Set(), nodes = []
  let run = ""
  const end = () => {
    if (run) nodes.push([...open].reduce((inner, mark) => element(STYLES[mark], inner), document.createTextNode(run)))
    run = ""
  }
  for (let place = 0; place < text.length; place++) {
    const mark = marks.get(place)
    if (!mark) { run += text[place]; continue }
    end()
    if (mark.opens) open.add(mark.opens)
    else open.delete(mark.closes)
  }
  end()
  return nodes
}

function element(name, inner) {
  const made = document.createElement(name)
  made.append(inner)
  return made
}

function marked(text) {
  const nodes = []
  let end = 0
  for (const match of text.matchAll(CODE)) {
    nodes.push(...prose(text.slice(end, match.index)), code(match[1] ?? match[2]))
    end = match.index + match[0].length
  }
  return [...nodes, ...prose(text.slice(end))]
}

function code(text) {
  const made = element("code", text.replace(/^\n+|\n+$/g, ""))
  if (made.textContent.includes("\n")) made.className = "code-lines"
  return made
}

function show(form) {
  for (const preview of document.querySelectorAll("[data-written-from]")) {
    if (!form.matches(preview.dataset.writtenFrom)) continue
    for (const shown of preview.querySelectorAll("[data-written]")) {
      const text = words(form, shown.dataset.written)
      if (shown.hasAttribute("data-markup")) shown.replaceChildren(...marked(text))
      else shown.textContent = text
      if (shown.matches("p:not([data-markup])")) shown.hidden = !text
      const fold = shown.closest("[data-folds-after]")
      if (fold) fold.classList.toggle("phone-fold-long", text.length > Number(fold.dataset.foldsAfter))
    }
  }
  for (const count of form.querySelectorAll("[data-counts]")) count.textContent = [...value(form, count.dataset.counts)].length
}

document.addEventListener("input", (event) => {
  const form = event.target.form
  if (form?.matches("[data-writing]")) show(form)
})
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("form[data-writing]").forEach(show))
