/** The first administrator: made when no user of that name exists, with a password that is shown once. */
import { randomBytes } from "node:crypto"
import { Users } from "@fairlead/core/auth/users/Users"
import { Effect, Option, Redacted } from "effect"
import { ConfigurationInvalid, type HostConfig } from "./HostConfig.ts"

export interface FirstAdmin {
  readonly username: string
  /** What to show to the person who starts the instance; none if the user was there, or the password was given. */
  readonly generatedPassword: string | undefined
}

export const ensure = Effect.fn("Admin.ensure")(function* (config: HostConfig) {
  const { FAIRLEAD_ADMIN_EMAIL, FAIRLEAD_ADMIN_PASSWORD, FAIRLEAD_ADMIN_USERNAME } = config
  const generated = randomBytes(18).toString("base64url")
  const password = Option.getOrElse(FAIRLEAD_ADMIN_PASSWORD, () => Redacted.make(generated))
  const user = { username: FAIRLEAD_ADMIN_USERNAME, email: FAIRLEAD_ADMIN_EMAIL, password }
  const made = yield* Effect.catchTag((yield* Users).ensure(user, "admin"), "PasswordTooWeak", ({ rules }) =>
    Effect.fail(new ConfigurationInvalid({ problems: [`FAIRLEAD_ADMIN_PASSWORD is too weak: ${rules.join(", ")}.`] }))
  )
  const publicOutput = made && Option.isNone(FAIRLEAD_ADMIN_PASSWORD)
  const admin: FirstAdmin = {
    username: FAIRLEAD_ADMIN_USERNAME,
    generatedPassword: publicOutput ? generated : undefined
  }
  return admin
})
