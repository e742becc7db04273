/** As whom jobs run: checks the ids against the machine, and makes the accounts under which programs find them. */
import { randomUUID } from "node:crypto"
import { chmod, rename, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { geteuid } from "node:process"
import { Effect } from "effect"
import { ProcessRuntimeUnavailable } from "../ProcessRuntimeUnavailable.ts"
import { attempt, type FileFailure, readText } from "./files.ts"
import type { JobDirectories } from "./jobDirectory.ts"
import { accounts, type UserIds, unfitness } from "./jobUsers.ts"
import { workOfNamespace } from "./shimSpec.ts"

export interface Users {
  readonly uids?: UserIds
  readonly unsafeScriptsAsHostUser?: boolean
}

/** Fails when jobs would be the host's user and nobody said so. */
export const checkUsers = Effect.fnUntraced(function* ({ uids, unsafeScriptsAsHostUser }: Users) {
  const uid = geteuid?.() ?? 0
  if (uids !== undefined && uid !== 0)
    return yield* new ProcessRuntimeUnavailable({
      reason: "options",
      detail: "uids: only root may choose users for jobs"
    })
  if (uids === undefined && unsafeScriptsAsHostUser !== true)
    return yield* new ProcessRuntimeUnavailable({
      reason: "user",
      detail: `scripts would run as the user of the host (${uid}), who owns its data; that has to be allowed by \`unsafeScriptsAsHostUser\`, or as root \`uids\` be given`
    })
})

/**
 * Fails when the machine uses the ids otherwise. Makes the accounts anew at each start, as those of the machine may have changed; a job
 * keeps those that it began with.
 */
export const makeAccounts = Effect.fnUntraced(function* ({ uids }: Users, directories: JobDirectories) {
  const used = yield* usedIds(directories.root)
  const problem = uids === undefined ? undefined : unfitness(uids, used)
  if (problem !== undefined) return yield* new ProcessRuntimeUnavailable({ reason: "uids", detail: problem })
  const { group, passwd } = accounts(uids, workOfNamespace, used)
  yield* replaceFile(directories, "passwd", passwd)
  yield* replaceFile(directories, "group", group)
})

/** A file that is missing has nothing to say. */
const usedIds = Effect.fnUntraced(function* (directory: string) {
  const [passwd = "", group = "", mapped = "", subuid = "", subgid = ""] = yield* Effect.forEach(
    ["/etc/passwd", "/etc/group", "/proc/self/uid_map", "/etc/subuid", "/etc/subgid"],
    (path) => Effect.map(readText(path), (text) => text ?? "")
  )
  const { uid } = yield* attempt(() => stat(directory))
  return { passwd, group, mapped, delegated: `${subuid}\n${subgid}`, directoryOwner: uid }
})

/** Complete at once: shims of other hosts may take it at any time. */
const replaceFile = Effect.fnUntraced(function* (
  { building, root }: JobDirectories,
  name: string,
  text: string
): Effect.fn.Return<void, FileFailure> {
  const draft = join(building, `${name}.${randomUUID()}`)
  yield* attempt(() => writeFile(draft, text))
  yield* attempt(() => chmod(draft, 0o644))
  yield* attempt(() => rename(draft, join(root, name)))
})
