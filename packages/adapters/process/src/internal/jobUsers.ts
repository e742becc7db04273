/** Whether a range of user ids may be given to jobs, and the accounts that programs find for them. Pure. */

export interface UserIds {
  readonly first: number
  readonly count: number
}

/** What this machine uses ids for already. */
export interface UsedIds {
  /** Text of /etc/passwd. */
  readonly passwd: string
  /** Text of /etc/group. Each job's group has the number of its user. */
  readonly group: string
  /** Texts of /etc/subuid and /etc/subgid: ids that containers of ordinary users run under. */
  readonly delegated: string
  /** Text of /proc/self/uid_map: the ids that exist in this container. */
  readonly mapped: string
  /** Who owns the directory of the jobs. */
  readonly directoryOwner: number
}

/** Accounts that somebody made for jobs, so that they have a name at level `basic` too. */
const isForJobs = (name: string) => name.startsWith("fairlead-")

interface Entry {
  readonly name: string
  readonly id: number
}

/** Lines `name:…:id:…` of passwd and group. */
const entriesOf = (text: string): ReadonlyArray<Entry> =>
  text.split("\n").flatMap((line) => {
    const [name = "", , id = ""] = line.split(":")
    return /^\d+$/.test(id) ? [{ name, id: Number(id) }] : []
  })

/** No user at all in calls of 16 and of 32 bits. */
const noUsers = [65_535, 4_294_967_295]

const overlaps = (a: UserIds, b: UserIds) => a.first < b.first + b.count && b.first < a.first + a.count

/** What is in the way of giving the ids to jobs; undefined when nothing is. */
export const unfitness = (uids: UserIds, used: UsedIds): string | undefined => {
  const last = uids.first + uids.count - 1
  const holds = (id: number) => id >= uids.first && id <= last
  const taken = (kind: string, text: string) => {
    const entry = entriesOf(text).find(({ id, name }) => holds(id) && !isForJobs(name))
    return entry === undefined ? undefined : `${entry.id} is the ${kind} ${entry.name}`
  }
  const lent = used.delegated.split("\n").find((line) => {
    const [, first = "", count = ""] = line.split(":")
    return /^\d+$/.test(first) && overlaps(uids, { first: Number(first), count: Number(count) })
  })
  const problem =
    taken("user", used.passwd) ??
    taken("group", used.group) ??
    (lent === undefined ? undefined : `containers of ${lent.split(":", 1)[0]} use some of them (/etc/subuid)`) ??
    noUsers.filter(holds).map((id) => `${id} stands for no user`)[0] ??
    (holds(used.directoryOwner) ? `${used.directoryOwner} owns the directory of the jobs` : undefined) ??
    (exist(uids, used.mapped) ? undefined : "not all of them exist in this container")
  return problem === undefined ? undefined : `user ids ${uids.first} to ${last} are not free for jobs: ${problem}`
}

/** Whether one line of the map has them all. */
const exist = (uids: UserIds, mapped: string) =>
  mapped.split("\n").some((line) => {
    const [first = Number.NaN, , count = 0] = line.trim().split(/\s+/).map(Number)
    return uids.first >= first && uids.first + uids.count <= first + count
  })

/** Name of the account of jobs that have no user of their own. */
const commonName = "fairlead"

/**
 * The files passwd and group that jobs see in place of the machine's: its own lines, and an account for whoever a job may be. Without
 * `uids` that is the number 0, as which a job sees itself in a user namespace.
 */
export const accounts = (uids: UserIds | undefined, home: string, used: Pick<UsedIds, "passwd" | "group">) => {
  const names: ReadonlyArray<Entry> =
    uids === undefined
      ? [{ name: commonName, id: 0 }]
      : Array.from({ length: uids.count }, (_, at) => ({
          name: `${commonName}-${uids.first + at}`,
          id: uids.first + at
        }))
  const others = (text: string) =>
    text
      .split("\n")
      .filter((line) => line !== "" && !isForJobs(line))
      .map((line) => `${line}\n`)
      .join("")
  const passwd = names.map(({ id, name }) => `${name}:x:${id}:${id}:a job of Fairlead:${home}:/bin/sh\n`).join("")
  const group = names.map(({ id, name }) => `${name}:x:${id}:\n`).join("")
  // The first line with a number names it.
  return { passwd: passwd + others(used.passwd), group: group + others(used.group) }
}
