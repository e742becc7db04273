/** `UserStore` over `users`. The hash of the password stands in a column of its own, never in the model. */
import { User } from "@fairlead/core/auth/users/User"
import { loginKey, type UserRecord, UserStore } from "@fairlead/core/auth/users/UserStore"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const stored = jsonText(User)
const encode = Schema.encodeEffect(stored)
const encodeLogin = Schema.encodeEffect(jsonText(Schema.Struct({ lastLoginAt: Schema.DateTimeUtcFromString })))
const decode = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ account: stored, password_hash: Schema.String }))
)
const decodeTaken = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ same_id: Schema.Boolean, same_username: Schema.Boolean }))
)

const first = (rows: ReadonlyArray<unknown>) =>
  Effect.map(decode(rows), ([row]) =>
    Option.map(
      Option.fromUndefinedOr(row),
      ({ account, password_hash }): UserRecord => ({ user: account, passwordHash: Redacted.make(password_hash) })
    )
  )

/** Unique among users. That of a shared address is none that anybody can type. */
const emailKey = ({ email, emailShared, userId }: User) => (emailShared === true ? `@${userId}` : loginKey(email))

export const layer = Layer.effect(
  UserStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return UserStore.of({
      insert: Effect.fnUntraced(function* ({ passwordHash, user }) {
        const [username, email] = [loginKey(user.username), emailKey(user)]
        const added = yield* sql`insert into users
            (user_id, username_key, email_key, is_active, version, password_hash, account)
          values (${user.userId}, ${username}, ${email}, ${user.isActive}, ${user.version},
            ${Redacted.value(passwordHash)}, ${yield* encode(user)}::text::jsonb)
          on conflict do nothing returning user_id`
        if (added.length > 0) return "inserted"
        // Whoever stood in the way has committed by now: users are never removed.
        const rivals = yield* decodeTaken(
          yield* sql`select user_id = ${user.userId} as same_id, username_key = ${username} as same_username from users
            where user_id = ${user.userId} or username_key = ${username} or email_key = ${email}`
        )
        if (rivals.some(({ same_id }) => same_id)) return yield* Effect.die(`user ${user.userId} exists`)
        return rivals.some(({ same_username }) => same_username) ? "username_taken" : "email_taken"
      }, storageError("UserStore.insert")),

      find: Effect.fnUntraced(function* (id) {
        return yield* first(yield* sql`select account::text as account, password_hash from users where user_id = ${id}`)
      }, storageError("UserStore.find")),

      findByLogin: Effect.fnUntraced(function* (login) {
        const key = loginKey(login)
        return yield* first(
          yield* sql`select account::text as account, password_hash from users
            where username_key = ${key} or email_key = ${key} limit 1`
        )
      }, storageError("UserStore.findByLogin")),

      replace: Effect.fnUntraced(function* (user, passwordHash) {
        const hash = passwordHash === undefined ? null : Redacted.value(passwordHash)
        const written = yield* sql`update users set version = ${user.version}, is_active = ${user.isActive},
            password_hash = coalesce(${hash}::text, password_hash),
            account = ${yield* encode(user)}::text::jsonb
              || jsonb_build_object('username', account -> 'username', 'email', account -> 'email')
              || jsonb_strip_nulls(jsonb_build_object('emailShared', account -> 'emailShared'))
          where user_id = ${user.userId} and version = ${user.version - 1} returning user_id`
        return written.length === 1
      }, storageError("UserStore.replace")),

      recordLogin: Effect.fnUntraced(function* (id, { at, rehashed, verified }) {
        const hash = rehashed === undefined ? null : Redacted.value(rehashed)
        const written = yield* sql`update users set password_hash = coalesce(${hash}::text, password_hash),
            account = account || ${yield* encodeLogin({ lastLoginAt: at })}::text::jsonb
          where user_id = ${id} and is_active and password_hash = ${Redacted.value(verified)} returning user_id`
        return written.length === 1
      }, storageError("UserStore.recordLogin"))
    })
  })
)
