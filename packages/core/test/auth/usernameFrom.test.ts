import { assert, describe, it } from "@effect/vitest"
import { Username } from "@fairlead/core/auth/users/User"
import { usernameFrom } from "@fairlead/core/auth/users/usernameFrom"
import { Schema } from "effect"

describe("usernameFrom", () => {
  it.each([
    ["eve@example.com", "eve"],
    ["a@example.com", "a.example.com"],
    ["\u00fc.-@b", "b00"]
  ])("makes of %s the name %s", (email, username) => {
    assert.strictEqual(usernameFrom(email), username)
    assert.isTrue(Schema.is(Username)(username))
  })
})
