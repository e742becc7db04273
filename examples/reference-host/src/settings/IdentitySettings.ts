/** The first administrator, keys and sessions. */
import { authDefaults } from "@fairlead/core/auth/AuthOptions"
import { Email, Username } from "@fairlead/core/auth/users/User"
import { choice, formed, integer, secret } from "./Setting.ts"

export const identitySettings = {
  FAIRLEAD_ADMIN_USERNAME: formed(
    "FAIRLEAD_ADMIN_USERNAME",
    Username,
    "admin",
    "Username of the first administrator, made when no such user exists."
  ),
  FAIRLEAD_ADMIN_PASSWORD: secret(
    "FAIRLEAD_ADMIN_PASSWORD",
    "generated, shown once",
    "Password of the first administrator; it keeps the rules for passwords."
  ),
  FAIRLEAD_ADMIN_EMAIL: formed(
    "FAIRLEAD_ADMIN_EMAIL",
    Email,
    "admin@localhost",
    "E-mail address of the first administrator."
  ),
  FAIRLEAD_REGISTRATION: choice(
    "FAIRLEAD_REGISTRATION",
    ["auto", "open", "closed"],
    "auto",
    "Whether people may register themselves. `auto`: only while the instance listens on a loopback address and trusts no proxy."
  ),
  FAIRLEAD_MAX_REGISTRATIONS_PER_HOUR: integer(
    "FAIRLEAD_MAX_REGISTRATIONS_PER_HOUR",
    [1, 100_000],
    authDefaults.registrationsPerAddress,
    "Users that one network address may register within an hour."
  ),
  FAIRLEAD_JWT_SECRET: secret(
    "FAIRLEAD_JWT_SECRET",
    "generated, kept in the data folder",
    "Signs sessions; at least 32 bytes. Instances that share a database share it."
  ),
  FAIRLEAD_ENCRYPTION_KEYS: secret(
    "FAIRLEAD_ENCRYPTION_KEYS",
    "generated, kept in the data folder",
    "Encrypts secrets at rest: `id:base64` of 32 bytes, the current one first, older ones after it, separated by commas."
  ),
  FAIRLEAD_MAX_SESSIONS_PER_USER: integer(
    "FAIRLEAD_MAX_SESSIONS_PER_USER",
    [1, 10_000],
    authDefaults.sessionsPerUser,
    "Sessions of one user at once; a login beyond them ends the oldest."
  )
}
