// A time that is shown in short: pointing at it shows all of it, by the same clock.

document.addEventListener("pointerover", (event) => {
  const shown = event.target.closest?.("time[datetime]:not([title])")
  if (!shown) return
  const whole = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short", hourCycle: "h23", timeZone: "UTC" })
  shown.title = `${whole.format(new Date(shown.dateTime))} UTC`
})
