/** How deep a JSON text nests, told without parsing it. */

const quote = 0x22
const backslash = 0x5c

/** Whether lists and objects are nested in more than `maximum` levels. Of a text that is no JSON the answer means nothing. */
export const isDeeperThan = (maximum: number, json: string): boolean => {
  if (json.length <= maximum) return false
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inText && code === backslash) at++
    else if (code === quote) inText = !inText
    else if (inText) continue
    else if (code === 0x5b || code === 0x7b) depth++
    else if (code === 0x5d || code === 0x7d) depth--
    if (depth > maximum) return true
  }
  return false
}
