// Words as they are compared where the browser searches: what app/folding.py does for the server, in short.

export const fold = (text) => text.trim().toLowerCase().normalize("NFKD").replace(/[\p{Mn}\u0640]/gu, "").replaceAll("ı", "i").replaceAll("ß", "ss")
