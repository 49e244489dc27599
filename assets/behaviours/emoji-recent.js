// The emoji that this browser inserted last, the newest first, without their skin tone.

const STORED = "emoji:recent"
const MOST = 30
const EMOJI = /^[\p{Extended_Pictographic}\p{Regional_Indicator}][^\p{L}\p{N}\s]*$/u

export const recent = () => localStorage.getItem(STORED)?.split(",") ?? []

export function remember(words) {
  if (!EMOJI.test(words)) return
  const face = words.replace(/\p{Emoji_Modifier}/u, "")
  localStorage.setItem(STORED, [face, ...recent().filter((one) => one !== face)].slice(0, MOST).join(","))
}
