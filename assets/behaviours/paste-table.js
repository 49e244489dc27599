// A table that is pasted where one writes to a customer (a range of a spreadsheet, a table of a page) becomes text whose
// columns line up: between ``` WhatsApp shows it in letters of one width. Wide tables become lines with dots instead.

const MOST_ROWS = 100, MOST_COLUMNS = 12, WIDEST = 44, GAP = "  "
const WIDE = /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u
const NUMBER = /^[-+−]?[\d.,\s]*\d[\d.,]*\s?[%€$£¥]?$/

const tidy = (cell) => cell.replaceAll("`", "'").replace(/\s+/g, " ").trim()
const widthOf = (text) => [...text].reduce((width, letter) => width + (WIDE.test(letter) ? 2 : 1), 0)

// The table, where nothing else was copied with it.
function fromPage(html) {
  const body = new DOMParser().parseFromString(html, "text/html").body, tables = body.querySelectorAll("table")
  if (tables.length !== 1 || body.textContent.trim() !== tables[0].textContent.trim()) return []
  return [...tables[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))
}

const fromSheet = (text) => text.replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"))

const isTable = (rows) => rows.length > 1 && rows.length <= MOST_ROWS && rows[0].length > 1 &&
  rows.every((row) => row.length <= MOST_COLUMNS) && rows.some((row) => row.length > 1)

function aligned(rows) {
  const table = rows.map((row) => row.map(tidy)).filter((row) => row.some(Boolean))
  const columns = Array.from({ length: Math.max(...table.map((row) => row.length)) }, (_, at) => table.map((row) => row[at] ?? ""))
  const widths = columns.map((cells) => Math.max(...cells.map(widthOf)))
  if (widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) > WIDEST) {
    return table.map((row) => row.filter(Boolean).join(" · ")).join("\n")
  }
  const isNumeric = columns.map((cells) => cells.slice(1).some(Boolean) && cells.slice(1).every((cell) => !cell || NUMBER.test(cell)))
  const lines = table.map((_, line) => columns.map((cells, at) => {
    const space = " ".repeat(widths[at] - widthOf(cells[line]))
    return isNumeric[at] ? space + cells[line] : cells[line] + space
  }).join(GAP).trimEnd())
  return `\`\`\`\n${lines.join("\n")}\n\`\`\``
}

// Returns whether it was a table. A spreadsheet puts a picture of the range beside it, which is not meant.
export function pasteTable(event) {
  const field = event.target.closest?.("[data-composer] textarea"), data = event.clipboardData
  if (!field || !data) return false
  const rows = [fromPage(data.getData("text/html")), fromSheet(data.getData("text/plain"))].find(isTable)
  if (!rows) return false
  event.preventDefault()
  const text = aligned(rows)
  // The browser's own command, so that Ctrl+Z takes it back.
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end")
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
  return true
}
