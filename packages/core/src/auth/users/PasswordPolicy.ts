/** What a new password must be. Pure, and never asked at login: an old password stays good. */
import { Redacted, Result } from "effect"
import { PasswordTooWeak } from "../AuthError.ts"
import { commonPasswords } from "./commonPasswords.ts"

/** Characters beyond which a password is refused. */
export const maximumPasswordLength = 1_024

type Rule = PasswordTooWeak["rules"][number]

/** Counts characters as people do, so an emoji is one. Case is ignored where passwords are compared with known words. */
export const judgePassword = (
  password: Redacted.Redacted,
  username: string,
  minimumLength: number
): Result.Result<void, PasswordTooWeak> => {
  const text = Redacted.value(password)
  const folded = text.toLowerCase()
  // A string of this length is too long whatever its characters are: it is not worth counting them.
  const length = text.length > 2 * maximumPasswordLength ? text.length : [...text].length
  const broken: ReadonlyArray<readonly [Rule, boolean]> = [
    ["too_short", length < minimumLength],
    ["too_long", length > maximumPasswordLength],
    ["too_common", commonPasswords.has(folded)],
    ["contains_username", username.length > 0 && folded.includes(username.toLowerCase())]
  ]
  const [first, ...others] = broken.filter(([, isBroken]) => isBroken).map(([rule]) => rule)
  if (first === undefined) return Result.void
  return Result.fail(new PasswordTooWeak({ rules: [first, ...others], minimumLength }))
}
